-- Administrators of this installation; posts come from the catalogue.
CREATE TABLE administrator (
    mailbox text PRIMARY KEY CHECK (mailbox = lower(mailbox)),
    added_at timestamptz NOT NULL
);

-- One-time links. Only a hash of the token is kept: who reads this table cannot enter with it.
CREATE TABLE sign_in (
    token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    mailbox text NOT NULL CHECK (mailbox = lower(mailbox)),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > created_at),
    used_at timestamptz
);
-- RECENT_OF_MAILBOX.
CREATE INDEX sign_in_recent ON sign_in (mailbox, created_at);
-- FORGET.
CREATE INDEX sign_in_expiry ON sign_in (expires_at);

-- `municipality` and `post` are null until one is chosen, and for who acts as administrator.
CREATE TABLE session (
    token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    mailbox text NOT NULL CHECK (mailbox = lower(mailbox)),
    municipality text,
    post text,
    administers boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > created_at),
    CHECK ((municipality IS NULL) = (post IS NULL)),
    CHECK (post IS NULL OR NOT administers)
);
-- LAST_SIGN_INS.
CREATE INDEX session_mailbox ON session (mailbox, created_at);
-- FORGET.
CREATE INDEX session_expiry ON session (expires_at);
