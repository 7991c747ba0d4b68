-- Emitters. The URI is the CloudEvents source; it belongs to one municipality. `*` in `services`
-- stands for all of them. Only the registered attributes of an event are kept.
CREATE TABLE source (
    source_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uri text NOT NULL UNIQUE CHECK (length(uri) BETWEEN 1 AND 256),
    municipality text NOT NULL CHECK (municipality <> ''),
    historical boolean NOT NULL,
    services text[] NOT NULL CHECK (cardinality(services) > 0),
    attributes text[] NOT NULL DEFAULT '{}',
    grace_seconds integer NOT NULL CHECK (grace_seconds >= 0),
    state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'suspended', 'revoked')),
    state_since timestamptz NOT NULL DEFAULT now(),
    state_reason text NOT NULL DEFAULT ''
);

-- A source's bearer tokens, as SHA-256 of 256 random bits. Revoked ones stay, as a record.
CREATE TABLE source_token (
    hash bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
    source_id integer NOT NULL REFERENCES source,
    issued_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);

-- Every accepted event, for ever: a repeat a year later is still a repeat. `content` is a hash of
-- what was said; the same identity with other content is refused.
CREATE TABLE fact (
    source_id integer NOT NULL REFERENCES source,
    event_id text NOT NULL,
    content bytea NOT NULL CHECK (octet_length(content) = 16),
    municipality text NOT NULL,
    case_id text NOT NULL,
    kind text NOT NULL,
    happened_at timestamptz NOT NULL,
    service text NOT NULL,
    unit text,
    attributes jsonb,
    due_at timestamptz,
    reason text,
    supersedes text,
    void boolean NOT NULL,
    historical boolean NOT NULL,
    import_id text,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (source_id, event_id),
    CHECK (NOT void OR supersedes IS NOT NULL)
);
-- FACTS_OF_CASES: a case is assembled from all its facts; heartbeats are of no case.
CREATE INDEX fact_of_case ON fact (municipality, case_id) WHERE kind <> 'source.heartbeat';
-- LAST_FACTS (an emitter's page) and COUNT_FACTS (the balance, by day of reception).
CREATE INDEX fact_received ON fact (source_id, received_at);

-- One row a case: its lock, and how many facts it has, which is its revision.
CREATE TABLE case_head (
    municipality text NOT NULL,
    case_id text NOT NULL,
    revision integer NOT NULL CHECK (revision > 0),
    PRIMARY KEY (municipality, case_id)
) WITH (fillfactor = 80);

-- events = facts + repeats + corrections + refused, for each source and day (UTC) of reception.
-- One partial row a partition, so that consumers never wait for each other; `?` stands for records
-- whose source is not known. The sum is not a constraint: a difference is to be seen, not hidden.
CREATE TABLE balance (
    source text NOT NULL,
    day date NOT NULL,
    partition integer NOT NULL,
    events bigint NOT NULL DEFAULT 0,
    facts bigint NOT NULL DEFAULT 0,
    repeats bigint NOT NULL DEFAULT 0,
    corrections bigint NOT NULL DEFAULT 0,
    refused bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (source, day, partition)
) WITH (fillfactor = 50);

-- Latest instant that a source spoke of (event or heartbeat): evidence of how far it is complete.
CREATE TABLE source_clock (
    source_id integer NOT NULL REFERENCES source,
    partition integer NOT NULL,
    latest timestamptz NOT NULL,
    PRIMARY KEY (source_id, partition)
) WITH (fillfactor = 50);

-- Recent traffic by minute, to suspend a source that sends mostly refusals. Purged after an hour.
-- Partition -1 is the HTTP edge.
CREATE TABLE traffic (
    source_id integer NOT NULL REFERENCES source,
    minute timestamptz NOT NULL,
    partition integer NOT NULL,
    events bigint NOT NULL,
    refused bigint NOT NULL,
    PRIMARY KEY (source_id, minute, partition)
) WITH (fillfactor = 50);

-- Refused before Kafka: at the HTTP edge, or a row of a file. No payload: it may hold anything.
CREATE TABLE edge_refusal (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_id integer NOT NULL REFERENCES source,
    refused_at timestamptz NOT NULL DEFAULT now(),
    reason text NOT NULL,
    field text,
    detail text NOT NULL DEFAULT '',
    event_id text,
    import_id text,
    file text,
    line integer
);
-- LAST_EDGE_REFUSALS (an emitter's page); PURGE_EDGE_REFUSALS goes by the primary key.
CREATE INDEX edge_refusal_newest ON edge_refusal (source_id, id DESC);
-- A row is refused once for each import, however often it is run again.
CREATE UNIQUE INDEX edge_refusal_of_row ON edge_refusal (import_id, line) WHERE import_id IS NOT NULL;

-- A file being imported. `content` hashes file and mapping: the same again goes on with a load that
-- was cut off. `expected` is what the first look found to publish, `published` what is in
-- the outbox or beyond; they are equal when `loaded_at` is set. A historical one is `completed_at`
-- when all its events are accounted for. `as_of` is null for the file of a live source.
CREATE TABLE file_import (
    import_id text PRIMARY KEY,
    source_id integer NOT NULL REFERENCES source,
    file text NOT NULL,
    content bytea NOT NULL,
    as_of timestamptz,
    expected bigint NOT NULL CHECK (expected >= 0),
    published bigint NOT NULL DEFAULT 0,
    begun_at timestamptz NOT NULL DEFAULT now(),
    loaded_at timestamptz,
    completed_at timestamptz
);
-- OPEN_IMPORTS and SOURCE_STATES: few rows, read by every progress.
CREATE INDEX file_import_of_source ON file_import (source_id, begun_at);

-- Events of an import that came back from Kafka, whatever became of them; a row a partition.
CREATE TABLE import_account (
    import_id text NOT NULL,
    partition integer NOT NULL,
    accounted bigint NOT NULL,
    PRIMARY KEY (import_id, partition)
) WITH (fillfactor = 50);

-- The ledger: what was published for each row of a source's files. `events` is, for each kind, the
-- last published event's id, the hash of what it said, and whether it said "never happened".
CREATE TABLE import_row (
    source_id integer NOT NULL REFERENCES source,
    row_key text NOT NULL,
    content bytea NOT NULL CHECK (octet_length(content) = 16),
    revision integer NOT NULL CHECK (revision > 0),
    removed boolean NOT NULL DEFAULT false,
    events jsonb NOT NULL,
    PRIMARY KEY (source_id, row_key)
) WITH (fillfactor = 90);

-- Rows met in the run under way: finds a key that stands twice in a file, and rows that are gone.
-- Unlogged: a run begins with an empty one.
CREATE UNLOGGED TABLE import_seen (
    source_id integer NOT NULL,
    row_key text NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (source_id, row_key)
);
