-- How far each partition has been applied; advanced in the transaction of the effects.
-- `next_offset` is null until the first batch: such a partition starts at its beginning.
-- `topic_id` is the cluster's and the topic's own id: against another one an offset means nothing.
-- `epoch` rises with every claim and fences off an owner that lost the partition.
CREATE TABLE kafka_offset (
    consumer_group text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL CHECK (partition >= 0),
    topic_id text NOT NULL,
    next_offset bigint CHECK (next_offset >= 0),
    epoch bigint NOT NULL DEFAULT 1,
    owner text NOT NULL,
    claimed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer_group, topic, partition)
) WITH (fillfactor = 50);

-- Messages to publish, in order per key; a row is deleted once Kafka has acknowledged it.
CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shard smallint NOT NULL DEFAULT 0,
    topic text NOT NULL,
    key bytea NOT NULL,
    payload bytea NOT NULL CHECK (octet_length(payload) < 900000),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.01);
-- The relay's next batch: the oldest rows of its shard.
CREATE INDEX outbox_next ON outbox (shard, id);

-- Events already handled, for consumers whose effects have no natural key.
CREATE TABLE inbox (
    source text NOT NULL,
    event_id text NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, event_id)
);

-- What could not be taken, with its payload; `<topic>.dlt` only points here. Purged after `keep_until`.
CREATE TABLE refusal (
    id text PRIMARY KEY,
    refused_at timestamptz NOT NULL DEFAULT now(),
    keep_until timestamptz NOT NULL DEFAULT now() + interval '90 days',
    topic text NOT NULL,
    partition integer,
    kafka_offset bigint,
    key bytea,
    payload bytea,
    reason text NOT NULL,
    field text,
    detail text NOT NULL DEFAULT '',
    event_source text,
    event_id text,
    replayed_at timestamptz,
    UNIQUE (topic, partition, kafka_offset)
);
-- `dlt list`: the newest first.
CREATE INDEX refusal_newest ON refusal (refused_at DESC);
-- An emitter's page: what of one source was refused.
CREATE INDEX refusal_by_source ON refusal (event_source, refused_at DESC);
