"""The messages tables of the four seeds on PostgreSQL, as their programs make them, with some rows,
and what their applications do with them while posthaste runs."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class SeedTable:
    name: str
    create: str
    rows: str
    unsent: int  # rows that posthaste is to deliver
    sent: int  # rows that were delivered before
    old_insert: str  # as the application does it, one row
    recipient: str  # columns, for looking
    content: str
    is_sent: str  # a condition
    bad_insert: str  # a row that breaks a rule of posthaste's


S0 = SeedTable(
    name="000",
    create="""
CREATE TABLE messages (id bigserial PRIMARY KEY, created_at timestamptz, updated_at timestamptz,
  deleted_at timestamptz, phone text, content varchar(160) NOT NULL, is_sent boolean);
CREATE INDEX idx_messages_deleted_at ON messages(deleted_at);
""",
    rows="""
INSERT INTO messages (created_at, updated_at, phone, content, is_sent)
SELECT now() - interval '1 hour', now() - interval '1 hour', '15551234' || lpad(i::text, 3, '0'),
       'hello ' || i, i % 3 = 0 FROM generate_series(1, 30) AS i;
INSERT INTO messages (created_at, updated_at, deleted_at, phone, content, is_sent)
VALUES (now(), now(), now(), '15551234999', 'deleted', false);
INSERT INTO messages (created_at, updated_at, phone, content) VALUES (now(), now(), '15551234998', 'null flag');
""",
    unsent=21,
    sent=10,
    old_insert="""INSERT INTO "messages" ("created_at","updated_at","deleted_at","phone","content","is_sent")
VALUES (now(), now(), NULL, '155512345678', 'old style', false)""",
    recipient="phone",
    content="content",
    is_sent="is_sent",
    bad_insert="INSERT INTO messages (phone, content, is_sent) VALUES (NULL, 'nobody', false)",
)

S1 = SeedTable(
    name="001",
    create="""
CREATE TABLE messages (id UUID PRIMARY KEY, phone_number VARCHAR(20) NOT NULL, content TEXT NOT NULL,
  status VARCHAR(20) NOT NULL DEFAULT 'PENDING' CHECK (status IN ('PENDING','SENT','FAILED')),
  external_id VARCHAR(255),
  retry_count INTEGER NOT NULL DEFAULT 0 CHECK (retry_count >= 0 AND retry_count <= 3),
  created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT NOW(),
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT NOW(), sent_at TIMESTAMP WITH TIME ZONE);
CREATE INDEX idx_messages_status_created_at ON messages(status, created_at);
CREATE INDEX idx_messages_phone_number ON messages(phone_number);
CREATE INDEX idx_messages_external_id ON messages(external_id) WHERE external_id IS NOT NULL;
CREATE INDEX idx_messages_status ON messages(status);
ALTER TABLE messages ADD CONSTRAINT chk_phone CHECK (length(trim(phone_number)) > 0);
ALTER TABLE messages ADD CONSTRAINT chk_content CHECK (length(trim(content)) > 0);
CREATE FUNCTION update_updated_at_column() RETURNS TRIGGER AS $$
BEGIN NEW.updated_at = NOW(); RETURN NEW; END; $$ LANGUAGE plpgsql;
CREATE TRIGGER update_messages_updated_at BEFORE UPDATE ON messages
  FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
""",
    rows="""
INSERT INTO messages (id, phone_number, content, status, external_id, sent_at, created_at)
SELECT gen_random_uuid(), '+15551234' || lpad(i::text, 3, '0'), 'hello ' || i,
       CASE WHEN i % 3 = 0 THEN 'SENT' ELSE 'PENDING' END,
       CASE WHEN i % 3 = 0 THEN 'ext-' || i END, CASE WHEN i % 3 = 0 THEN now() END,
       now() - interval '1 hour' + i * interval '1 second'
FROM generate_series(1, 30) AS i;
INSERT INTO messages (id, phone_number, content, status, retry_count)
VALUES (gen_random_uuid(), '+15551234999', 'given up', 'FAILED', 3);
""",
    unsent=20,
    sent=10,
    old_insert="""INSERT INTO messages (id, phone_number, content, status, retry_count, created_at, updated_at)
VALUES (gen_random_uuid(), '+15551234567', 'old style', 'PENDING', 0, now(), now())""",
    recipient="phone_number",
    content="content",
    is_sent="status = 'SENT'",
    bad_insert="""INSERT INTO messages (id, phone_number, content)
VALUES (gen_random_uuid(), 'nobody', 'to whom?')""",
)

S2 = SeedTable(
    name="002",
    create="""
CREATE TABLE IF NOT EXISTS messages (id SERIAL PRIMARY KEY, phone_number VARCHAR(20) NOT NULL,
  content TEXT NOT NULL, sent BOOLEAN DEFAULT FALSE, created_at TIMESTAMP DEFAULT NOW());
CREATE INDEX IF NOT EXISTS idx_messages_sent_created ON messages(sent, created_at);
CREATE INDEX IF NOT EXISTS idx_messages_phone ON messages(phone_number);
CREATE INDEX IF NOT EXISTS idx_messages_sent ON messages(sent) WHERE sent = TRUE;
""",
    rows="""
INSERT INTO messages (phone_number, content) SELECT '+123456789' || i, 'Sample message ' || i
FROM generate_series(0, 9) AS i;
INSERT INTO messages (phone_number, content, sent) SELECT '+123456780' || i, 'before ' || i, true
FROM generate_series(0, 4) AS i;
""",
    unsent=10,
    sent=5,
    old_insert="INSERT INTO messages (phone_number, content) VALUES ('+15551234567', 'old style')",
    recipient="phone_number",
    content="content",
    is_sent="sent",
    bad_insert="INSERT INTO messages (phone_number, content) VALUES ('+15551234567', repeat('x', 10000000))",
)

S3 = SeedTable(
    name="003",
    create="""
CREATE TABLE IF NOT EXISTS messages (id VARCHAR(36) PRIMARY KEY, content VARCHAR(255) NOT NULL,
  phone_number VARCHAR(20) NOT NULL, is_sent BOOLEAN NOT NULL DEFAULT FALSE);
""",
    rows="""
INSERT INTO messages (id, content, phone_number, is_sent)
SELECT 'msg-' || lpad(i::text, 3, '0'), 'hello ' || i, '+15551234' || lpad(i::text, 3, '0'), i > 10
FROM generate_series(1, 12) AS i;
""",
    unsent=10,
    sent=2,
    old_insert="""INSERT INTO messages (id, content, phone_number, is_sent)
VALUES ('msg-013', 'old style', '+15551234567', FALSE)""",
    recipient="phone_number",
    content="content",
    is_sent="is_sent",
    bad_insert="INSERT INTO messages (id, content, phone_number) VALUES ('msg-099', ' ', '+15551234567')",
)

SEED_TABLES = (S0, S1, S2, S3)
