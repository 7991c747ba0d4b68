-- The catalogue as cartas.v1 published it. `catalogue.version` rises with each change; batches hold
-- it FOR SHARE, so that no case is judged by an older catalogue than the one a re-judging started from.
CREATE TABLE catalogue (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version bigint NOT NULL DEFAULT 0
);
INSERT INTO catalogue DEFAULT VALUES;

CREATE TABLE catalogue_entry (
    municipality text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('municipality', 'calendar', 'carta')),
    id text NOT NULL,
    version integer NOT NULL,
    data jsonb NOT NULL,
    PRIMARY KEY (municipality, kind, id, version)
);

-- Services whose stored cases are to be judged again, because their promises changed.
CREATE TABLE rejudging (
    municipality text NOT NULL,
    service text NOT NULL,
    after_case text NOT NULL DEFAULT '',
    PRIMARY KEY (municipality, service)
);

-- How far each source is known complete, and how far each pipeline has been taken in here.
CREATE TABLE pipeline (
    pipeline text PRIMARY KEY,
    through timestamptz NOT NULL
);
CREATE TABLE source (
    municipality text NOT NULL,
    source text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('live', 'historical')),
    services text[] NOT NULL,
    complete_through timestamptz,
    grace_seconds integer NOT NULL,
    pipeline text NOT NULL,
    PRIMARY KEY (municipality, source)
);
-- Progress that holds only once our own offsets have reached it.
CREATE TABLE progress_waiting (
    pipeline text NOT NULL,
    topic text NOT NULL,
    through timestamptz NOT NULL,
    offsets jsonb NOT NULL,
    sources jsonb NOT NULL,
    PRIMARY KEY (pipeline, through)
);

-- Every case, whether or not something is promised about it.
CREATE TABLE measured_case (
    municipality text NOT NULL,
    case_id text NOT NULL,
    revision integer NOT NULL,
    service text NOT NULL,
    data bytea NOT NULL,
    PRIMARY KEY (municipality, case_id)
) WITH (fillfactor = 80);
-- Re-judging walks a service's cases in order.
CREATE INDEX case_of_service ON measured_case (municipality, service, case_id);

CREATE TABLE verdict (
    municipality text NOT NULL,
    case_id text NOT NULL,
    compromiso text NOT NULL,
    part smallint NOT NULL,
    carta_version integer NOT NULL,
    unit text NOT NULL,
    window_id text,
    status text NOT NULL CHECK (status IN ('met', 'failed', 'pending', 'excluded')),
    reason text,
    due_at timestamptz,
    elapsed bigint,
    overdue_open boolean NOT NULL,
    historical boolean NOT NULL,
    alarm_at timestamptz,
    PRIMARY KEY (municipality, case_id, compromiso, part)
) WITH (fillfactor = 80);
-- The cases behind a figure, page by page.
CREATE INDEX verdict_behind_figure ON verdict (municipality, compromiso, unit, window_id, status, case_id);
-- The wall-clock scan: open cases whose alarm has come.
CREATE INDEX verdict_alarm ON verdict (alarm_at) WHERE alarm_at IS NOT NULL;

-- Counts, one partial row for each writer (a partition, the scan, the re-judging): writers never wait
-- for each other. `changed`: the result has not been published since.
CREATE TABLE tally (
    municipality text NOT NULL,
    compromiso text NOT NULL,
    unit text NOT NULL,
    window_id text NOT NULL,
    part smallint NOT NULL,
    writer integer NOT NULL,
    met bigint NOT NULL,
    failed bigint NOT NULL,
    pending bigint NOT NULL,
    excluded jsonb NOT NULL,
    overdue_open bigint NOT NULL,
    elapsed_sum bigint NOT NULL,
    elapsed_count bigint NOT NULL,
    historical bigint NOT NULL,
    changed boolean NOT NULL DEFAULT true,
    PRIMARY KEY (municipality, compromiso, unit, window_id, part, writer)
) WITH (fillfactor = 70);
-- Windows whose result is to be published again.
CREATE INDEX tally_changed ON tally (municipality, compromiso, unit, window_id) WHERE changed;

-- One row for each compromiso, unit and window that has a result.
CREATE TABLE judged_window (
    municipality text NOT NULL,
    compromiso text NOT NULL,
    unit text NOT NULL,
    window_id text NOT NULL,
    carta text NOT NULL,
    carta_version integer NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL CHECK (ends_at > starts_at),
    closes_at timestamptz NOT NULL,
    try_closing_at timestamptz NOT NULL,
    opened_at timestamptz NOT NULL,
    edition integer NOT NULL DEFAULT 0,
    sequence integer NOT NULL DEFAULT 0,
    at_risk boolean NOT NULL DEFAULT false,
    stale boolean NOT NULL DEFAULT true,
    result jsonb,
    PRIMARY KEY (municipality, compromiso, unit, window_id)
);
-- Windows to close, and windows to publish for the first time or again.
CREATE INDEX window_to_close ON judged_window (try_closing_at) WHERE edition = 0;
CREATE INDEX window_stale ON judged_window (municipality, compromiso) WHERE stale;

-- A breach is said once for a compromiso, unit and window.
CREATE TABLE breach (
    municipality text NOT NULL,
    compromiso text NOT NULL,
    unit text NOT NULL,
    window_id text NOT NULL,
    breach text NOT NULL UNIQUE,
    said_at timestamptz NOT NULL,
    historical boolean NOT NULL,
    recovered_at timestamptz,
    PRIMARY KEY (municipality, compromiso, unit, window_id)
);
CREATE TABLE complaint_trigger (
    municipality text NOT NULL,
    folio text NOT NULL,
    compromiso text NOT NULL,
    PRIMARY KEY (municipality, folio, compromiso)
);
