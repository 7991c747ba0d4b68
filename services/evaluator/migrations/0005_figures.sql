-- Figures beyond shares and means. `part` is the number of a measure: one for each part of a
-- criterion, two for a ratio. What counts in groups has a cell; what is out of service over several
-- windows has a slice for each; percentiles and outages need their own amounts or bounds (span).
ALTER TABLE verdict RENAME COLUMN elapsed TO amount;
ALTER TABLE verdict ADD COLUMN slice smallint NOT NULL DEFAULT 0;
ALTER TABLE verdict ADD COLUMN cell text NOT NULL DEFAULT '';
ALTER TABLE verdict ADD COLUMN span_from bigint;
ALTER TABLE verdict ADD COLUMN span_to bigint CHECK ((span_to IS NULL) = (span_from IS NULL));
ALTER TABLE verdict DROP CONSTRAINT verdict_pkey;
ALTER TABLE verdict ADD PRIMARY KEY (municipality, case_id, compromiso, part, slice);

-- Sums of microseconds over a big window do not fit a bigint.
ALTER TABLE tally RENAME COLUMN elapsed_sum TO amount_sum;
ALTER TABLE tally RENAME COLUMN elapsed_count TO amount_count;
ALTER TABLE tally ALTER COLUMN amount_sum TYPE numeric;
ALTER TABLE tally ADD COLUMN cell text NOT NULL DEFAULT '';
ALTER TABLE tally DROP CONSTRAINT tally_pkey;
ALTER TABLE tally ADD PRIMARY KEY (municipality, compromiso, unit, window_id, part, cell, writer);

-- How often each span occurred, in partial rows like the counts: only for percentiles and outages.
CREATE TABLE spread (
    municipality text NOT NULL,
    compromiso text NOT NULL,
    unit text NOT NULL,
    window_id text NOT NULL,
    part smallint NOT NULL,
    cell text NOT NULL,
    span_from bigint NOT NULL,
    span_to bigint NOT NULL,
    writer integer NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (municipality, compromiso, unit, window_id, part, cell, span_from, span_to, writer)
) WITH (fillfactor = 70);
