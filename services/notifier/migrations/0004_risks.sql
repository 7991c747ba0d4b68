-- What can still become of a promise at risk, for the digest: its parts as they were published.
ALTER TABLE notice ADD COLUMN parts jsonb;
