-- Indexes for claims hold live rows only: their size, and so the cost of a claim, does not grow
-- with the messages that are done. The third one serves the lists of what an operator has to look
-- at, the fourth one those of what was sent.
CREATE INDEX {concurrently} {prefix}_ready ON {table} ({priority} DESC, {order})
    WHERE {live} AND {due_at} IS NULL;
CREATE INDEX {concurrently} {prefix}_delayed ON {table} ({due_at})
    WHERE {live} AND {due_at} IS NOT NULL;
CREATE INDEX {concurrently} {prefix}_parked ON {table} (({state}), {order})
    WHERE {parked};
CREATE INDEX {concurrently} {prefix}_sent ON {table} ({sent_at} DESC NULLS LAST)
    WHERE {was_sent};
{order_index}
