-- A case and the verdicts on it are one row: they change together, and the row is the lock. `verdicts`
-- is a JSON array with an array for each verdict; the view `verdict` names its members. Facts and
-- verdicts are text, which is what COPY takes and what a person can read.
ALTER TABLE measured_case ALTER COLUMN data TYPE text USING convert_from(data, 'UTF8');
ALTER TABLE measured_case ADD COLUMN verdicts text;
UPDATE measured_case c
SET verdicts = coalesce((
    SELECT json_agg(json_build_array(
        v.compromiso, v.part, v.slice, v.carta_version, v.unit, v.window_id, v.status, v.reason,
        v.due_at, v.amount, v.overdue_open, v.cell,
        CASE WHEN v.span_from IS NOT NULL THEN json_build_array(v.span_from, v.span_to) END,
        v.historical, v.alarm_at, v.calendar_version) ORDER BY v.compromiso, v.part, v.slice)
    FROM verdict v
    WHERE v.municipality = c.municipality AND v.case_id = c.case_id), '[]')::text;
ALTER TABLE measured_case ALTER COLUMN verdicts SET NOT NULL;

-- Where each verdict counts: the cases behind a figure, page by page (CASES, FAILING), and whether an
-- open one is to be looked at before its window closes (ALARM_IS_DUE). `status`: met, failed, pending,
-- or excluded (x).
ALTER TABLE judged_window ADD COLUMN window_no integer GENERATED ALWAYS AS IDENTITY UNIQUE;
CREATE TABLE case_in_window (
    window_no integer NOT NULL,
    status "char" NOT NULL CHECK (status IN ('m', 'f', 'p', 'x')),
    case_id text NOT NULL,
    part smallint NOT NULL,
    slice smallint NOT NULL,
    alarm_at timestamptz,
    PRIMARY KEY (window_no, status, case_id, part, slice)
);
INSERT INTO case_in_window
SELECT w.window_no, CASE v.status WHEN 'excluded' THEN 'x' ELSE left(v.status, 1) END::"char",
       v.case_id, v.part, v.slice, v.alarm_at
FROM verdict v
JOIN judged_window w USING (municipality, compromiso, unit, window_id);

-- When each open case is to be looked at again, under the first of its promises.
CREATE TABLE alarm (
    municipality text NOT NULL,
    case_id text NOT NULL,
    historical boolean NOT NULL,
    alarm_at timestamptz NOT NULL,
    PRIMARY KEY (municipality, case_id)
);
INSERT INTO alarm
SELECT municipality, case_id, bool_or(historical), min(alarm_at)
FROM verdict WHERE alarm_at IS NOT NULL
GROUP BY municipality, case_id;
-- ALARMED. An open case of a past import is never looked at in vain: nothing is known beyond the
-- import's instant.
CREATE INDEX alarm_due ON alarm (municipality, historical, alarm_at);

DROP TABLE verdict;
CREATE VIEW verdict AS
SELECT c.municipality, c.case_id, v ->> 0 AS compromiso, (v ->> 1)::smallint AS part,
       (v ->> 2)::smallint AS slice, (v ->> 3)::integer AS carta_version, v ->> 4 AS unit,
       v ->> 5 AS window_id, v ->> 6 AS status, v ->> 7 AS reason,
       (v ->> 8)::timestamptz AS due_at, (v ->> 9)::bigint AS amount,
       (v ->> 10)::boolean AS overdue_open, v ->> 11 AS cell, (v -> 12 ->> 0)::bigint AS span_from,
       (v -> 12 ->> 1)::bigint AS span_to, (v ->> 13)::boolean AS historical,
       (v ->> 14)::timestamptz AS alarm_at, (v ->> 15)::integer AS calendar_version
FROM measured_case c, json_array_elements(c.verdicts::json) AS v;

-- A service's cases in the order in which they began: OF_SERVICE, SERVICES, and MEASURED of one window.
-- A case without an event, taken back, stands where it was heard of.
UPDATE measured_case
SET began_at = (data::jsonb ->> 'received_at')::timestamptz
WHERE began_at IS NULL;
ALTER TABLE measured_case ALTER COLUMN began_at SET NOT NULL;
DROP INDEX case_of_service;
DROP INDEX case_began;
CREATE INDEX case_of_service ON measured_case (municipality, service, began_at);
ALTER TABLE rejudging ADD COLUMN after_began timestamptz NOT NULL DEFAULT '-infinity';
