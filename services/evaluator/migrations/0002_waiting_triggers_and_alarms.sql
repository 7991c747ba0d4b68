-- Upheld complaints about a promise that has not arrived yet: said once it has.
CREATE TABLE trigger_waiting (
    municipality text NOT NULL,
    folio text NOT NULL,
    compromiso text NOT NULL,
    unit text,
    filed_at timestamptz NOT NULL,
    found_at timestamptz NOT NULL,
    PRIMARY KEY (municipality, folio, compromiso)
);

-- The wall-clock scan: open cases whose alarm lies within what is known of their municipality. An open
-- case of a past import is never looked at in vain: nothing is known beyond the import's instant.
DROP INDEX verdict_alarm;
CREATE INDEX verdict_alarm ON verdict (municipality, historical, alarm_at, case_id)
    WHERE alarm_at IS NOT NULL;
