-- What the coordination decides speaks through a source of its own, one a municipality: a fact like
-- any other, in the balance like any other. It says nothing of how far anything is complete.
ALTER TABLE source ADD COLUMN decides boolean NOT NULL DEFAULT false;
CREATE UNIQUE INDEX one_deciding_source ON source (municipality) WHERE decides;

-- A unit says that a case must not count. The texts stay here: no message carries them.
-- `cutoff` is that of the earliest window in which the case counts, as known at the last step.
CREATE TABLE contest (
    contest_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    municipality text NOT NULL,
    case_id text NOT NULL,
    service text NOT NULL,
    compromiso text NOT NULL,
    unit text NOT NULL,
    window_id text NOT NULL,
    cutoff timestamptz NOT NULL,
    reason text NOT NULL CHECK (reason IN (
        'impugnado_registro_equivocado',
        'impugnado_turno_de_otra_persona',
        'impugnado_fuerza_mayor')),
    explanation text NOT NULL CHECK (length(explanation) BETWEEN 1 AND 2000),
    evidence text NOT NULL CHECK (length(evidence) BETWEEN 1 AND 300),
    state text NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'withdrawn', 'accepted', 'rejected')),
    event_id text UNIQUE,
    FOREIGN KEY (municipality, case_id) REFERENCES case_head,
    CHECK ((state = 'accepted') = (event_id IS NOT NULL))
);
-- A case is contested once, unless that was withdrawn; STANDING_OF_CASE.
CREATE UNIQUE INDEX one_contest_of_a_case ON contest (municipality, case_id)
WHERE state <> 'withdrawn';
-- LISTED.
CREATE INDEX contest_newest ON contest (municipality, contest_id DESC);

-- Its history: each step is taken once at most, by a post. `said` is what was given as the reason.
CREATE TABLE contest_step (
    contest_id bigint NOT NULL REFERENCES contest,
    step text NOT NULL CHECK (step IN ('file', 'withdraw', 'accept', 'reject')),
    at timestamptz NOT NULL,
    post text NOT NULL CHECK (post <> ''),
    said text NOT NULL DEFAULT '' CHECK (length(said) <= 2000),
    PRIMARY KEY (contest_id, step)
);
