/* Pieces of SQL that several statements share. */
#ifndef STORE_SQLITE_COLUMNS_H
#define STORE_SQLITE_COLUMNS_H

/* What sqlite_read_message reads, of messages AS m; whether a claim holds it comes after these. */
#define SQLITE_MESSAGE_COLUMNS                                                                     \
    "m.id, m.recipient, m.content, m.status, m.priority, m.attempts, m.due_at, m.created_at,"      \
    " m.sent_at, m.provider_id, m.error, m.expires_at, m.max_attempts, m.metadata, m.provider"
#define SQLITE_CLAIMED_IDS "(SELECT value FROM claims, json_each(claims.message_ids))"

#endif
