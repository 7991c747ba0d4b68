-- The catalogue as `cartas.v1` says it: the latest state of each version of each thing.
CREATE TABLE reference (
    municipality text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('municipality', 'unit', 'post', 'calendar', 'carta')),
    id text NOT NULL,
    version integer NOT NULL,
    data jsonb NOT NULL,
    PRIMARY KEY (kind, municipality, id, version)
);

-- One sequence a year for the installation, so that a folio means one thing in all of it.
CREATE TABLE folio_sequence (
    year integer PRIMARY KEY,
    last bigint NOT NULL CHECK (last > 0)
);

CREATE TABLE folio (
    folio text PRIMARY KEY,
    municipality text NOT NULL,
    revision integer NOT NULL CHECK (revision > 0),
    kind text NOT NULL
        CHECK (kind IN ('sugerencia', 'queja', 'reclamacion', 'reconocimiento', 'denuncia')),
    filed_at timestamptz NOT NULL,
    secret_hash bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
    carta text,
    compromiso text,
    unit text,
    term_limit numeric NOT NULL CHECK (term_limit >= 0),
    term_unit text NOT NULL,
    term_calendar text,
    term_start_rule text,
    term_pauses text[] NOT NULL,
    answer_by date,
    answered_at timestamptz CHECK (answered_at >= filed_at),
    finding text CHECK (finding IN ('upheld', 'rejected')),
    found_at timestamptz CHECK (found_at >= answered_at),
    duplicate_of text REFERENCES folio,
    not_competent_at timestamptz,
    referred_at timestamptz,
    occurred_on date,
    CHECK (duplicate_of <> folio),
    CHECK ((finding IS NULL) = (found_at IS NULL)),
    CHECK (finding IS NULL OR answered_at IS NOT NULL),
    CHECK (compromiso IS NULL OR carta IS NOT NULL),
    CHECK (kind <> 'denuncia' OR referred_at IS NOT NULL)
);
-- A unit's, the coordination's and the Contraloria's lists, oldest first.
CREATE INDEX folio_list ON folio (municipality, (referred_at IS NOT NULL), filed_at, folio);
-- The gauges of what waits, and folios whose date could not be said without their calendar.
CREATE INDEX folio_waiting ON folio (municipality, answer_by)
    WHERE answered_at IS NULL AND duplicate_of IS NULL;

CREATE TABLE pause (
    folio text NOT NULL REFERENCES folio,
    started_at timestamptz NOT NULL,
    reason text NOT NULL,
    ended_at timestamptz CHECK (ended_at >= started_at),
    PRIMARY KEY (folio, started_at)
);
CREATE UNIQUE INDEX one_open_pause ON pause (folio) WHERE ended_at IS NULL;

-- What was written: never published, never logged, and apart, so that it can be cancelled.
CREATE TABLE writing (
    folio text NOT NULL REFERENCES folio,
    revision integer NOT NULL,
    part text NOT NULL
        CHECK (part IN ('complaint', 'place', 'question', 'clarification', 'answer', 'note')),
    body text NOT NULL CHECK (length(body) BETWEEN 1 AND 10000),
    PRIMARY KEY (folio, revision, part)
);

-- Sealed with a key of its own that the database does not hold; purged by command.
CREATE TABLE contact (
    folio text PRIMARY KEY REFERENCES folio,
    sealed bytea NOT NULL
);

-- Who did what, when: appended to, never changed. `post` is null for the citizen and for a rule.
-- `request` is a keyed hash of what was asked, so that a repeated step is known as one.
CREATE TABLE step (
    folio text NOT NULL REFERENCES folio,
    revision integer NOT NULL,
    change text NOT NULL,
    post text,
    at timestamptz NOT NULL,
    request bytea,
    PRIMARY KEY (folio, revision)
);
-- Whether anything happened since the last progress message.
CREATE INDEX step_at ON step (at);

-- Each time somebody read a contact.
CREATE TABLE contact_reading (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    folio text NOT NULL,
    post text NOT NULL,
    at timestamptz NOT NULL
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$;
CREATE TRIGGER step_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON step
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER contact_reading_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON contact_reading
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A filing that may come again: keyed hashes of the client's key and of what it sent.
CREATE TABLE filing_request (
    key bytea PRIMARY KEY,
    content bytea NOT NULL,
    folio text REFERENCES folio,
    answer_by date,
    expires_at timestamptz NOT NULL
);
-- The purge of what has expired.
CREATE INDEX filing_request_expiry ON filing_request (expires_at);

-- Requests of one client, or of all, in one window; the client's address is only kept as keyed hash.
CREATE TABLE rate_window (
    bucket bytea NOT NULL,
    starts_at timestamptz NOT NULL,
    hits integer NOT NULL,
    PRIMARY KEY (bucket, starts_at)
) WITH (fillfactor = 50);
-- The purge of windows that are over.
CREATE INDEX rate_window_over ON rate_window (starts_at);

-- How far the buzon is known complete. Nothing is ever stamped at or before `through`: every
-- writer holds a share of this row, and `through` moves only when no writer does.
CREATE TABLE progress (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    through timestamptz NOT NULL,
    outbox_id bigint NOT NULL,
    published_through timestamptz NOT NULL,
    CHECK (published_through <= through)
);
INSERT INTO progress (through, outbox_id, published_through)
VALUES ('2000-01-01Z', 0, '2000-01-01Z');
