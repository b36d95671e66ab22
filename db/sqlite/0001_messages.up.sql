-- The queue. Times are milliseconds since 1970 (UTC).
--
-- Applications may INSERT with nothing but recipient and content. A message is due at once when
-- due_at is NULL, else at that time; posthaste sets it back to NULL when the time has come, so
-- that what is due stands in an index of its own, in the order in which it leaves, and what waits
-- for later is never in its way.
CREATE TABLE messages (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    recipient   TEXT    NOT NULL,
    content     TEXT    NOT NULL,
    metadata    TEXT,
    provider    TEXT,
    status      TEXT    NOT NULL DEFAULT 'pending'
                CHECK (status IN ('pending', 'sent', 'failed', 'cancelled', 'expired',
                                  'delivered', 'undelivered', 'unknown')),
    priority    INTEGER NOT NULL DEFAULT 0,
    due_at      INTEGER,
    expires_at  INTEGER,
    attempts    INTEGER NOT NULL DEFAULT 0,
    max_attempts INTEGER NOT NULL DEFAULT 0,
    created_at  INTEGER NOT NULL
                DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000.0 AS INTEGER)),
    sent_at     INTEGER,
    provider_id TEXT,
    error       TEXT
);

-- Indexes for claims hold live rows only: their size, and so the cost of a claim, does not grow
-- with the messages that are done. The third one serves the lists of what an operator has to look
-- at, the last one those of what was sent.
CREATE INDEX messages_ready ON messages (priority DESC, id)
    WHERE status = 'pending' AND due_at IS NULL;
CREATE INDEX messages_delayed ON messages (due_at)
    WHERE status = 'pending' AND due_at IS NOT NULL;
CREATE INDEX messages_parked ON messages (status, id)
    WHERE status NOT IN ('pending', 'sent', 'delivered');
CREATE INDEX messages_sent ON messages (sent_at)
    WHERE status IN ('sent', 'delivered', 'undelivered');

-- Every attempt that failed.
CREATE TABLE attempts (
    id          INTEGER PRIMARY KEY,
    message_id  INTEGER NOT NULL,
    number      INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    class       TEXT    NOT NULL,
    http_status INTEGER NOT NULL,
    excerpt     TEXT    NOT NULL,
    duration_ms INTEGER NOT NULL
);
CREATE INDEX attempts_message ON attempts (message_id);

-- One row per claim on a batch; the rows of the messages are not touched by a claim. message_ids
-- is a JSON array of those that are not settled yet.
CREATE TABLE claims (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    owner       INTEGER NOT NULL,
    token       TEXT    NOT NULL,
    lease_until INTEGER NOT NULL,
    message_ids TEXT    NOT NULL
);

-- How many messages there are by status, so that nobody has to count them.
CREATE TABLE counts (
    status TEXT PRIMARY KEY,
    n      INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO counts (status, n)
VALUES ('pending', 0), ('sent', 0), ('failed', 0), ('cancelled', 0), ('expired', 0),
       ('delivered', 0), ('undelivered', 0), ('unknown', 0);

CREATE TRIGGER messages_count_insert AFTER INSERT ON messages BEGIN
    UPDATE counts SET n = n + 1 WHERE status = NEW.status;
END;
CREATE TRIGGER messages_count_update AFTER UPDATE OF status ON messages
    WHEN OLD.status <> NEW.status BEGIN
    UPDATE counts SET n = n - 1 WHERE status = OLD.status;
    UPDATE counts SET n = n + 1 WHERE status = NEW.status;
END;
CREATE TRIGGER messages_count_delete AFTER DELETE ON messages BEGIN
    UPDATE counts SET n = n - 1 WHERE status = OLD.status;
END;

-- Under which key a message was inserted, for a day: who inserts twice gets the first one again.
CREATE TABLE idempotency_keys (
    key         TEXT PRIMARY KEY,
    fingerprint TEXT    NOT NULL,
    message_id  INTEGER NOT NULL,
    created_at  INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

-- Who did what. A stop names the start that it ends.
CREATE TABLE audit (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    at         INTEGER NOT NULL,
    action     TEXT    NOT NULL,
    actor      TEXT    NOT NULL,
    address    TEXT    NOT NULL,
    request_id TEXT    NOT NULL,
    subject    TEXT    NOT NULL,
    detail     TEXT    NOT NULL,
    start_id   INTEGER
);

-- Orders to have the messages of a filter sent again, and how far they have come.
CREATE TABLE jobs (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    state        TEXT    NOT NULL CHECK (state IN ('running', 'done', 'stopped')),
    filter       TEXT    NOT NULL,
    actor        TEXT    NOT NULL,
    rate         INTEGER NOT NULL,
    matched      INTEGER NOT NULL,
    retried      INTEGER NOT NULL DEFAULT 0,
    cursor       TEXT    NOT NULL DEFAULT '',
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    next_step_at INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX jobs_running ON jobs (id) WHERE state = 'running';
