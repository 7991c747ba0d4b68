-- What a term was counted from and by, so that a calendar that changes can move it. Terms set before
-- this was kept are not moved.
ALTER TABLE deadline ADD COLUMN started_at timestamptz;
ALTER TABLE deadline ADD COLUMN working_days integer CHECK (working_days > 0);
ALTER TABLE deadline ADD COLUMN calendar text;
ALTER TABLE deadline ADD COLUMN calendar_version integer;

-- What a calendar that was decreed or corrected later did to a term; appended to.
CREATE TABLE term_redating (
    term_redating bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    action text NOT NULL,
    round integer NOT NULL,
    level integer NOT NULL,
    awaited text NOT NULL,
    calendar text NOT NULL,
    from_version integer NOT NULL,
    to_version integer NOT NULL CHECK (to_version > from_version),
    due_before timestamptz NOT NULL,
    due_after timestamptz NOT NULL CHECK (due_after <> due_before),
    redated_at timestamptz NOT NULL,
    FOREIGN KEY (action, round, level) REFERENCES deadline
);
