-- What a published result is proved equal to when it is recomputed: the SHA-256 sum of its canonical
-- bytes, the fingerprint of the schema that it was written by, and the instant through which facts were
-- known (null: nothing was). Null as well for results of before, which have no sum to be equal to.
ALTER TABLE judged_window ADD COLUMN digest bytea CHECK (octet_length(digest) = 32);
ALTER TABLE judged_window ADD COLUMN result_schema text;
ALTER TABLE judged_window ADD COLUMN known_through timestamptz;
ALTER TABLE edition ADD COLUMN digest bytea CHECK (octet_length(digest) = 32);
ALTER TABLE edition ADD COLUMN result_schema text;
