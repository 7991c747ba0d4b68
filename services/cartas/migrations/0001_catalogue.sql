-- The catalogue as it is published, one row a key of `cartas.v1`: kind and id name the thing.
-- `declared` is what the author of a carta wrote, to show what changed in the author's own words.
CREATE TABLE state (
    municipality text NOT NULL CHECK (municipality <> ''),
    kind text NOT NULL CHECK (kind IN ('municipality', 'unit', 'post', 'calendar', 'carta')),
    id text NOT NULL CHECK (id <> ''),
    version integer NOT NULL CHECK (version >= 1),
    status text NOT NULL CHECK (status IN ('active', 'retired')),
    data jsonb NOT NULL,
    declared jsonb,
    -- Local days in force, both ends included; only cartas have them.
    valid_from date,
    valid_to date CHECK (valid_to >= valid_from),
    published_at timestamptz NOT NULL,
    PRIMARY KEY (municipality, kind, id, version),
    CHECK ((kind = 'carta') = (valid_from IS NOT NULL)),
    CHECK (kind = 'carta' OR valid_to IS NULL)
);

-- Of one carta, one version a day. The carta stands in the constraint as the range of one number,
-- its hash: ranges have a GiST operator class of their own, texts need an extension. Two cartas
-- with one hash (1 in 2^64) could only be refused, never mixed up. Checked at commit, because a
-- load shortens one version and adds the next.
ALTER TABLE state ADD CONSTRAINT one_version_a_day EXCLUDE USING gist (
    int8range(
        hashtextextended(municipality || '/' || id, 0),
        hashtextextended(municipality || '/' || id, 0),
        '[]'
    ) WITH &&,
    daterange(valid_from, valid_to, '[]') WITH &&
) WHERE (kind = 'carta' AND status = 'active') DEFERRABLE INITIALLY DEFERRED;

-- What was loaded and when, for the record.
CREATE TABLE load (
    load_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    municipality text NOT NULL,
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    published integer NOT NULL CHECK (published >= 0),
    unchanged integer NOT NULL CHECK (unchanged >= 0),
    loaded_at timestamptz NOT NULL
);
