-- A risk is said once for a window, and once that it has passed. Whether it is at risk stands in its
-- result.
ALTER TABLE judged_window ADD COLUMN risk text NOT NULL DEFAULT 'unsaid'
    CHECK (risk IN ('unsaid', 'said', 'passed'));
UPDATE judged_window SET risk = 'said' WHERE at_risk;
ALTER TABLE judged_window DROP COLUMN at_risk;
