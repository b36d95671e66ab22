DROP TABLE messages;
DROP TABLE attempts;
DROP TABLE claims;
DROP TABLE counts;
DROP TABLE idempotency_keys;
DROP TABLE audit;
DROP TABLE jobs;
