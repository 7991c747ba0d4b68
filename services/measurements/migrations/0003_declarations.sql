-- What a source declares: the kinds of events it reports (`ticket.*`, `*` for all), and, where it is
-- expected to speak, in how many opening minutes of a calendar at least once, and since when.
ALTER TABLE source ADD COLUMN reports text[] NOT NULL DEFAULT '{}';
UPDATE source SET reports = '{*}' WHERE NOT decides;
ALTER TABLE source ADD CHECK (decides OR cardinality(reports) > 0);
ALTER TABLE source ADD COLUMN every_minutes integer CHECK (every_minutes BETWEEN 1 AND 1440);
ALTER TABLE source ADD COLUMN calendar text;
ALTER TABLE source ADD COLUMN expected_since timestamptz;
ALTER TABLE source ADD CHECK (num_nulls(every_minutes, calendar, expected_since) IN (0, 3));

-- The minutes of each UTC day that a source spoke of, by event or heartbeat, where it is expected to;
-- one partial row a partition. `told`: the evaluator has them all. Purged after 60 days: it keeps them.
CREATE TABLE heard (
    source_id integer NOT NULL REFERENCES source,
    day date NOT NULL,
    partition integer NOT NULL,
    minutes bit(1440) NOT NULL,
    told boolean NOT NULL DEFAULT false,
    PRIMARY KEY (source_id, day, partition)
) WITH (fillfactor = 50);
-- TAKE_UNTOLD.
CREATE INDEX heard_untold ON heard (source_id, day) WHERE NOT told;
