-- What was deleted because its term of keeping was over: the log of the retention. `through`: all
-- from before that instant. Appended to, never purged itself: it holds no content.
CREATE TABLE purge (
    purge_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    what text NOT NULL,
    through timestamptz NOT NULL,
    rows bigint NOT NULL CHECK (rows > 0),
    purged_at timestamptz NOT NULL DEFAULT now()
);
