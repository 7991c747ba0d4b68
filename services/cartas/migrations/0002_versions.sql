-- The author's own order of fields is kept, for the file that a version is exported to.
ALTER TABLE state ALTER COLUMN declared TYPE json;

-- Versions that were drafted here, from the first draft on; once published, `state` has what they
-- say and this row what was approved. Versions that came with a file are in `state` alone.
CREATE TABLE draft (
    municipality text NOT NULL CHECK (municipality <> ''),
    carta text NOT NULL CHECK (carta <> ''),
    version integer NOT NULL CHECK (version >= 1),
    state text NOT NULL CHECK (state IN ('draft', 'approved', 'published', 'withdrawn')),
    -- The YAML as its author wrote it: read again at every step, because what it refers to changes.
    content text NOT NULL,
    -- What is published, word for word; from the approval on.
    data jsonb,
    drafted_at timestamptz NOT NULL,
    PRIMARY KEY (municipality, carta, version),
    CHECK (data IS NOT NULL OR state IN ('draft', 'withdrawn'))
);

-- Of one carta, one version at a time on its way: two drafts would each be compared with what the
-- other replaces. Also finds the version on its way.
CREATE UNIQUE INDEX one_on_its_way ON draft (municipality, carta)
    WHERE state IN ('draft', 'approved');

-- Every step of every version: by which post, when, by which acta. Nothing here is ever changed.
CREATE TABLE step (
    step_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    municipality text NOT NULL,
    carta text NOT NULL,
    version integer NOT NULL,
    step text NOT NULL CHECK (step IN ('loaded', 'drafted', 'approved', 'published', 'ended',
                                       'retired', 'restored', 'certified')),
    -- Who took it; none where a file was loaded or another version's step brought it about.
    post text,
    taken_at timestamptz NOT NULL,
    body text,
    record text,
    dated date,
    document text,
    -- Local days in force from this step on, both ends included, and the last day before it.
    valid_from date,
    valid_to date,
    valid_to_before date,
    reason text,
    -- The warnings that were acknowledged, as they were worded.
    warnings text[] NOT NULL DEFAULT '{}'
);

-- The steps of one version, in order.
CREATE INDEX step_of_version ON step (municipality, carta, version, step_id);
