-- Indexes hold live rows only: their size, and so the cost of a claim, does not grow with the
-- messages that are done. The third one serves the lists of what an operator has to look at.
CREATE INDEX {concurrently} {prefix}_ready ON {table} ({priority} DESC, {order})
    WHERE {live} AND {due_at} IS NULL;
CREATE INDEX {concurrently} {prefix}_delayed ON {table} ({due_at})
    WHERE {live} AND {due_at} IS NOT NULL;
CREATE INDEX {concurrently} {prefix}_parked ON {table} (({state}), {order})
    WHERE {parked};
{order_index}
