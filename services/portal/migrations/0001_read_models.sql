-- The catalogue as received: kind is municipality, unit, post, calendar or carta.
-- The primary key answers "all things of one kind in a municipality".
CREATE TABLE catalogue (
    municipality text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('municipality', 'unit', 'post', 'calendar', 'carta')),
    id text NOT NULL,
    version integer NOT NULL CHECK (version >= 1),
    data jsonb NOT NULL,
    PRIMARY KEY (municipality, kind, id, version)
);
-- POSTS_OF_MAILBOX.
CREATE INDEX catalogue_mailbox ON catalogue (lower(data ->> 'mailbox')) WHERE kind = 'post';

-- The highest sequence of each result; an edition above 0 is final.
CREATE TABLE result (
    municipality text NOT NULL,
    compromiso text NOT NULL,
    unit text NOT NULL,
    window_id text NOT NULL,
    edition integer NOT NULL CHECK (edition >= 0),
    carta text NOT NULL,
    sequence bigint NOT NULL CHECK (sequence >= 1),
    status text NOT NULL CHECK (status IN ('provisional', 'final')),
    window_end timestamptz NOT NULL,
    data jsonb NOT NULL,
    PRIMARY KEY (municipality, compromiso, unit, window_id, edition)
);
-- LATEST_CLOSED.
CREATE INDEX result_latest ON result (municipality, compromiso, unit, window_end DESC, edition DESC)
    WHERE status = 'final';
-- OF_CARTA.
CREATE INDEX result_by_carta ON result (municipality, carta);

-- Statements of the evaluator that units see; each once, by the id of its event.
CREATE TABLE breach (
    event_id text PRIMARY KEY,
    municipality text NOT NULL,
    responsible_unit text NOT NULL,
    carta text NOT NULL,
    compromiso text NOT NULL,
    unit text NOT NULL,
    window_id text NOT NULL,
    kind text NOT NULL,
    case_id text,
    due_at timestamptz,
    stated_at timestamptz NOT NULL
);
-- RECENT_STATEMENTS.
CREATE INDEX breach_recent ON breach (municipality, stated_at);

-- The highest revision of each folio: no text, no person.
CREATE TABLE complaint (
    municipality text NOT NULL,
    folio text NOT NULL,
    revision integer NOT NULL CHECK (revision >= 1),
    kind text NOT NULL,
    unit text,
    filed_at timestamptz NOT NULL,
    answer_by date,
    answered_at timestamptz,
    excluded boolean NOT NULL,
    PRIMARY KEY (municipality, folio)
);

-- The highest revision of each corrective action.
CREATE TABLE action (
    municipality text NOT NULL,
    action text NOT NULL,
    revision integer NOT NULL CHECK (revision >= 1),
    carta text NOT NULL,
    data jsonb NOT NULL,
    PRIMARY KEY (municipality, action)
);
-- OF_CARTA of actions.
CREATE INDEX action_by_carta ON action (municipality, carta);
