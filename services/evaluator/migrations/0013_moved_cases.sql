-- Which cases moved the counts of a closed window since its last edition, and why; the next edition says
-- it and forgets them. Appended to. `taken`: an edition under way has read them.
CREATE TABLE moved_case (
    moved_case bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    municipality text NOT NULL,
    compromiso text NOT NULL,
    unit text NOT NULL,
    window_id text NOT NULL,
    case_id text NOT NULL,
    reason text NOT NULL,
    import_id text,
    taken boolean NOT NULL DEFAULT false
);
-- TAKE, SUMMED, MORE and FORGET: those of one window.
CREATE INDEX moved_case_of_window ON moved_case (municipality, compromiso, unit, window_id, taken);
