-- By which version of its calendar a folio's date was counted; null while no calendar has counted it.
ALTER TABLE folio ADD COLUMN calendar_version integer;

-- What a calendar that was decreed or corrected later did to the date told to a citizen; appended to.
-- The revision is that of the step which says so.
CREATE TABLE folio_redating (
    folio text NOT NULL REFERENCES folio,
    revision integer NOT NULL,
    calendar text NOT NULL,
    from_version integer,
    to_version integer NOT NULL CHECK (to_version > from_version),
    before date,
    after date,
    redated_at timestamptz NOT NULL,
    PRIMARY KEY (folio, revision),
    CHECK (before IS DISTINCT FROM after)
);
CREATE TRIGGER folio_redating_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON folio_redating
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
