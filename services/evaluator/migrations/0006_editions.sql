-- Every frozen edition of a window stays as it was published: judged_window has only the last.
CREATE TABLE edition (
    municipality text NOT NULL,
    compromiso text NOT NULL,
    unit text NOT NULL,
    window_id text NOT NULL,
    edition integer NOT NULL CHECK (edition > 0),
    result jsonb NOT NULL,
    PRIMARY KEY (municipality, compromiso, unit, window_id, edition)
);
INSERT INTO edition (municipality, compromiso, unit, window_id, edition, result)
SELECT municipality, compromiso, unit, window_id, edition, result
FROM judged_window
WHERE edition > 0 AND result IS NOT NULL;
