-- One row per claim on a batch; the rows of the messages are not touched by a claim. message_ids
-- are those of the batch; what is retried or given back is taken off, what is done need not be.
-- Claims come and go by the thousand: vacuum looks often, and compressing ids would only cost.
CREATE TABLE IF NOT EXISTS posthaste_claims (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner       text        NOT NULL,
    token       text        NOT NULL,
    lease_until timestamptz NOT NULL,
    message_ids {id_type}[] NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500,
        autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0,
        autovacuum_analyze_threshold = 5000);
ALTER TABLE posthaste_claims ALTER COLUMN message_ids SET STORAGE EXTERNAL;

-- Every attempt that failed.
CREATE TABLE IF NOT EXISTS posthaste_attempts (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id  {id_type}   NOT NULL,
    number      bigint      NOT NULL,
    at          timestamptz NOT NULL,
    class       text        NOT NULL,
    http_status integer     NOT NULL,
    excerpt     text        NOT NULL,
    duration_ms bigint      NOT NULL
);
CREATE INDEX IF NOT EXISTS posthaste_attempts_message ON posthaste_attempts (message_id, id);

-- How many messages there are by status is the sum of these rows: every statement that changes it
-- adds its differences, so that nobody has to count messages or wait for a counter. posthaste adds
-- them up from time to time.
CREATE TABLE IF NOT EXISTS posthaste_counts (
    status text   NOT NULL,
    n      bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
        autovacuum_vacuum_cost_delay = 0);

-- Under which key a message was inserted, for a day: who inserts twice gets the first one again.
CREATE TABLE IF NOT EXISTS posthaste_idempotency_keys (
    key         text        PRIMARY KEY,
    fingerprint text        NOT NULL,
    message_id  {id_type}   NOT NULL,
    created_at  timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS posthaste_idempotency_keys_age
    ON posthaste_idempotency_keys (created_at);

-- Who did what. A stop names the start that it ends.
CREATE TABLE IF NOT EXISTS posthaste_audit (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL,
    action     text        NOT NULL,
    actor      text        NOT NULL,
    address    text        NOT NULL,
    request_id text        NOT NULL,
    subject    text        NOT NULL,
    detail     text        NOT NULL,
    start_id   bigint
);

-- Orders to have the messages of a filter sent again, and how far they have come.
CREATE TABLE IF NOT EXISTS posthaste_jobs (
    id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    state        text        NOT NULL CHECK (state IN ('running', 'done', 'stopped')),
    filter       text        NOT NULL,
    actor        text        NOT NULL,
    rate         bigint      NOT NULL,
    matched      bigint      NOT NULL,
    retried      bigint      NOT NULL DEFAULT 0,
    cursor       text        NOT NULL DEFAULT '',
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    next_step_at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS posthaste_jobs_running ON posthaste_jobs (id) WHERE state = 'running';
