-- How many cases a source says began on the local day of `at`; null: it took the count back.
CREATE TABLE known_count (
    municipality text NOT NULL,
    case_id text NOT NULL,
    revision integer NOT NULL,
    service text NOT NULL,
    unit text,
    counted text NOT NULL,
    cases bigint CHECK (cases >= 0),
    at timestamptz NOT NULL,
    PRIMARY KEY (municipality, case_id)
);
-- COUNTS, of one window.
CREATE INDEX known_count_of_window ON known_count (municipality, service, counted, at);

-- With which event a case began, and when: what the counts of sources are compared with.
ALTER TABLE measured_case ADD COLUMN began_kind text;
ALTER TABLE measured_case ADD COLUMN began_at timestamptz;
ALTER TABLE measured_case ADD COLUMN unit text;
UPDATE measured_case
SET (began_kind, began_at) = (
        SELECT key, value::timestamptz
        FROM jsonb_each_text(convert_from(data, 'UTF8')::jsonb -> 'instants')
        ORDER BY value::timestamptz, key LIMIT 1),
    unit = convert_from(data, 'UTF8')::jsonb ->> 'unit';
-- MEASURED, of one window: answered from the index alone.
CREATE INDEX case_began ON measured_case (municipality, service, began_kind, began_at)
    INCLUDE (unit);

-- The minutes of each UTC day that a source spoke of; `fresh`: silences were not looked for since.
CREATE TABLE heard (
    municipality text NOT NULL,
    source text NOT NULL,
    day date NOT NULL,
    minutes bit(1440) NOT NULL,
    fresh boolean NOT NULL DEFAULT true,
    PRIMARY KEY (municipality, source, day)
);
-- When a source that should have spoken did not, in service hours; without an end it still does not.
CREATE TABLE silence (
    municipality text NOT NULL,
    source text NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz CHECK (ends_at > starts_at),
    PRIMARY KEY (municipality, source, starts_at)
);
