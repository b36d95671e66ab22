DROP TRIGGER IF EXISTS posthaste_count_insert ON {table};
DROP TRIGGER IF EXISTS posthaste_count_update ON {table};
DROP TRIGGER IF EXISTS posthaste_count_delete ON {table};
DROP TRIGGER IF EXISTS posthaste_count_truncate ON {table};
DROP TRIGGER IF EXISTS posthaste_wake ON {table};
DROP FUNCTION IF EXISTS posthaste_count_insert, posthaste_count_update, posthaste_count_delete,
    posthaste_count_truncate, posthaste_wake, posthaste_depth, posthaste_oldest_due, posthaste_job_advance,
    posthaste_retry, posthaste_cancel, posthaste_count, posthaste_list_end, posthaste_list,
    posthaste_list_values, posthaste_list_filters, posthaste_list_candidates, posthaste_list_order,
    posthaste_list_source, posthaste_get_attempts, posthaste_get, posthaste_compact_counts,
    posthaste_settle, posthaste_settle_unsent, posthaste_settle_sent, posthaste_write_unsent,
    posthaste_write_sent, posthaste_hold, posthaste_extend,
    posthaste_claimed, posthaste_claim, posthaste_ready, posthaste_next_due_ms, posthaste_take_back,
    posthaste_insert, posthaste_insert_keys, posthaste_held, posthaste_channel, posthaste_to_id;
DROP VIEW IF EXISTS posthaste_messages;
DROP FUNCTION IF EXISTS posthaste_time, posthaste_ms, posthaste_now;
DROP TABLE IF EXISTS posthaste_claims, posthaste_attempts, posthaste_counts,
    posthaste_idempotency_keys, posthaste_audit, posthaste_jobs;
