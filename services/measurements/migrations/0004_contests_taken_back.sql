-- An accepted contest that was decided wrongly is taken back before the cut-off: a second event voids the
-- one that excluded the case. Both stay.
ALTER TABLE contest ADD COLUMN undo_event_id text UNIQUE;
ALTER TABLE contest DROP CONSTRAINT contest_state_check;
ALTER TABLE contest ADD CHECK (state IN ('waiting', 'withdrawn', 'accepted', 'rejected', 'taken_back'));
ALTER TABLE contest DROP CONSTRAINT contest_check;
ALTER TABLE contest ADD CHECK ((state IN ('accepted', 'taken_back')) = (event_id IS NOT NULL));
ALTER TABLE contest ADD CHECK ((state = 'taken_back') = (undo_event_id IS NOT NULL));
ALTER TABLE contest_step DROP CONSTRAINT contest_step_step_check;
ALTER TABLE contest_step ADD CHECK (step IN ('file', 'withdraw', 'accept', 'reject', 'take_back'));
