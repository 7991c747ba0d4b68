-- Which topic of its name the offsets of a progress belong to; empty where it was not told.
ALTER TABLE progress_waiting ADD COLUMN topic_id text NOT NULL DEFAULT '';
