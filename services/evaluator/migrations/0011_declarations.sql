-- What a source declares: the kinds of events it reports (`*` for all), and in how many opening minutes
-- of a calendar it is expected to speak at least once, in [expected_since, expected_until).
ALTER TABLE source ADD COLUMN reports text[] NOT NULL DEFAULT '{*}';
ALTER TABLE source ALTER COLUMN reports DROP DEFAULT;
ALTER TABLE source ADD COLUMN every_minutes integer;
ALTER TABLE source ADD COLUMN calendar text;
ALTER TABLE source ADD COLUMN expected_since timestamptz;
ALTER TABLE source ADD COLUMN expected_until timestamptz;
