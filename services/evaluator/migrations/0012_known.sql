-- All that was known of a window's sources when its result was published, not only through when: what
-- a source declares later must not change what is recomputed. Null for results of before.
ALTER TABLE judged_window DROP COLUMN known_through;
ALTER TABLE judged_window ADD COLUMN known jsonb;
