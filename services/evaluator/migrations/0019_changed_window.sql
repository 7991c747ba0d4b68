-- Windows whose counts changed and were not published since, a row for each change. A mark on the counts
-- made every batch wait for the publication of the windows that it counts in, and its index was written
-- with each count.
CREATE TABLE changed_window (
    window_no integer NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.01);
-- NEXT, TAKE, ANY_LEFT.
CREATE INDEX changed_window_no ON changed_window (window_no);
INSERT INTO changed_window
SELECT DISTINCT w.window_no
FROM tally t
JOIN judged_window w USING (municipality, compromiso, unit, window_id)
WHERE t.changed;
DROP INDEX tally_changed;
ALTER TABLE tally DROP COLUMN changed;
