-- Which version of its calendar a verdict was reached by; null where the clock needs none.
ALTER TABLE verdict ADD COLUMN calendar_version integer;

-- What a calendar that was decreed or corrected later did to a case's due instant; appended to.
CREATE TABLE redating (
    redating bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    municipality text NOT NULL,
    case_id text NOT NULL,
    compromiso text NOT NULL,
    part smallint NOT NULL,
    window_id text,
    calendar text NOT NULL,
    from_version integer NOT NULL,
    to_version integer NOT NULL CHECK (to_version > from_version),
    due_before timestamptz NOT NULL,
    due_after timestamptz NOT NULL CHECK (due_after <> due_before),
    is_open boolean NOT NULL,
    redated_at timestamptz NOT NULL
);
-- LISTED, a municipality's record page by page.
CREATE INDEX redating_listed ON redating (municipality, redating);
