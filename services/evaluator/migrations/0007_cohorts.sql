-- Counts by the carta version that judged the cases: a change of version in mid-window makes cohorts.
-- What was added up so far knows no version; the verdicts do, so the counts are made again from them.
DELETE FROM tally;
DELETE FROM spread;
ALTER TABLE tally ADD COLUMN carta_version integer NOT NULL;
ALTER TABLE tally DROP CONSTRAINT tally_pkey;
ALTER TABLE tally ADD PRIMARY KEY
    (municipality, compromiso, unit, window_id, carta_version, part, cell, writer);
ALTER TABLE spread ADD COLUMN carta_version integer NOT NULL;
ALTER TABLE spread DROP CONSTRAINT spread_pkey;
ALTER TABLE spread ADD PRIMARY KEY
    (municipality, compromiso, unit, window_id, carta_version, part, cell, span_from, span_to,
     writer);

-- Writer -9 writes nothing else: its rows are the counts of before.
INSERT INTO tally (municipality, compromiso, unit, window_id, carta_version, part, cell, writer, met,
                   failed, pending, excluded, overdue_open, amount_sum, amount_count, historical,
                   changed)
SELECT v.municipality, v.compromiso, v.unit, v.window_id, v.carta_version, v.part, v.cell, -9,
       count(*) FILTER (WHERE v.status = 'met'),
       count(*) FILTER (WHERE v.status = 'failed'),
       count(*) FILTER (WHERE v.status = 'pending'),
       coalesce((
           SELECT jsonb_object_agg(named.reason, named.cases)
           FROM (SELECT e.reason, count(*) AS cases
                 FROM verdict e
                 WHERE e.status = 'excluded'
                   AND (e.municipality, e.compromiso, e.unit, e.window_id) =
                       (v.municipality, v.compromiso, v.unit, v.window_id)
                   AND (e.carta_version, e.part, e.cell) = (v.carta_version, v.part, v.cell)
                 GROUP BY e.reason) AS named
       ), '{}'),
       count(*) FILTER (WHERE v.overdue_open),
       coalesce(sum(v.amount) FILTER (WHERE v.status IN ('met', 'failed')), 0),
       count(v.amount) FILTER (WHERE v.status IN ('met', 'failed')),
       count(*) FILTER (WHERE v.historical),
       true
FROM verdict v
WHERE v.window_id IS NOT NULL
GROUP BY v.municipality, v.compromiso, v.unit, v.window_id, v.carta_version, v.part, v.cell;

INSERT INTO spread (municipality, compromiso, unit, window_id, carta_version, part, cell, span_from,
                    span_to, writer, count)
SELECT municipality, compromiso, unit, window_id, carta_version, part, cell, span_from, span_to, -9,
       count(*)
FROM verdict
WHERE window_id IS NOT NULL AND span_from IS NOT NULL
GROUP BY municipality, compromiso, unit, window_id, carta_version, part, cell, span_from, span_to;
