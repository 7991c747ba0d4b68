-- What is known of a municipality's promises without reading them. `version` is the catalogue's at its
-- last change: a process that holds an older one forgets this municipality, and only this one.
-- `next_window_at`: before that no promise of it has a window to open. `moving`: the compromisos
-- whose figures change as time passes.
CREATE TABLE catalogue_town (
    municipality text PRIMARY KEY,
    version bigint NOT NULL,
    next_window_at timestamptz NOT NULL DEFAULT '-infinity',
    moving text[] NOT NULL DEFAULT '{}'
);
INSERT INTO catalogue_town (municipality, version)
SELECT DISTINCT e.municipality, c.version FROM catalogue_entry e, catalogue c;
-- What changed since a version.
CREATE INDEX catalogue_town_version ON catalogue_town (version);
-- Whose windows are to be opened.
CREATE INDEX catalogue_town_next_window ON catalogue_town (next_window_at);
