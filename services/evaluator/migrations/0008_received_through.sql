-- When the newest fact of these counts was received: the window waits until its pipeline was heard
-- past it, for a fact can be here before the progress that describes its source.
ALTER TABLE tally ADD COLUMN received_through timestamptz;
