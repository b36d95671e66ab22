-- What posthaste does with the queue, in words of the database, so that each thing is one round
-- trip: a program that is frozen or cut off in the middle holds no lock.
--
-- Each function names the plans it wants. A table of messages changes its shape by the minute, and
-- statistics of an hour ago make the planner read all of it; the indexes are always right. (A plan
-- that is forbidden but the only one counts as expensive, which would wake the JIT compiler.)

-- The one clock.
CREATE OR REPLACE FUNCTION posthaste_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
    SELECT clock_timestamp()
$$;

CREATE OR REPLACE FUNCTION posthaste_ms(p_at timestamptz) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT round(date_part('epoch', p_at) * 1000000)::bigint / 1000
$$;

CREATE OR REPLACE FUNCTION posthaste_time(p_ms bigint) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT timestamptz 'epoch' + p_ms * interval '1 millisecond'
$$;

-- NULL for what is not the text of an id: another spelling of a number is no second name.
CREATE OR REPLACE FUNCTION posthaste_to_id(p_id text) RETURNS {id_type}
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CASE WHEN p_id::{id_type}::text = p_id THEN p_id::{id_type} END;
EXCEPTION WHEN data_exception THEN
    RETURN NULL;
END
$$;

-- The name under which inserts by others are told.
CREATE OR REPLACE FUNCTION posthaste_channel() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT 'posthaste_' || '{table}'::regclass::oid::text
$$;

-- All messages, in posthaste's words. order_at stands before the id in the order of creation.
CREATE OR REPLACE VIEW posthaste_messages AS
SELECT m.{id} AS id, {order_at} AS order_at,
       coalesce(left(m.{recipient}::text, 255), '') AS recipient,
       CASE WHEN m.{content} IS NULL THEN ''
            WHEN octet_length(m.{content}::text) <= 65536 THEN m.{content}::text END AS content,
       CASE WHEN {live} AND m.{id} IN (SELECT unnest(c.message_ids) FROM posthaste_claims AS c)
            THEN 'sending' ELSE {state} END AS status,
       m.{priority}::bigint AS priority, m.{attempts}::bigint AS attempts, m.{due_at} AS due_at,
       {created_at}::timestamptz AS created_at, m.{sent_at}::timestamptz AS sent_at,
       m.{provider_id}::text AS provider_id, m.{error}::text AS error,
       m.{expires_at} AS expires_at, m.{max_attempts}::bigint AS max_attempts,
       m.{metadata}::text AS metadata, m.{provider}::text AS provider
FROM {table} AS m
WHERE {exists};

CREATE OR REPLACE FUNCTION posthaste_held() RETURNS {id_type}[] LANGUAGE sql STABLE AS $$
    SELECT coalesce(array_agg(held_id), ARRAY[]::{id_type}[])
    FROM posthaste_claims AS c, unnest(c.message_ids) AS held_id
$$;

-- p_more is a JSON array of what only some of the rows have beside; n is the place of its row, from
-- 1. Keys are written last, and one that is there already undoes it all.
CREATE OR REPLACE FUNCTION posthaste_insert(p_recipients text[], p_contents text[],
                                            p_priorities bigint[], p_more json)
RETURNS SETOF text LANGUAGE plpgsql
SET posthaste.quiet = 'on' AS $$
DECLARE
    v_now timestamptz := posthaste_now();
    v_ids {id_type}[];
BEGIN
    WITH made AS (
        INSERT INTO {table} AS m ({insert_columns})
        SELECT {insert_values}
        FROM unnest(p_recipients, p_contents, p_priorities)
             WITH ORDINALITY AS new (new_recipient, new_content, new_priority, n)
        LEFT JOIN json_to_recordset(p_more)
             AS more (n bigint, due_at_ms bigint, expires_at_ms bigint, max_attempts integer,
                      metadata text, provider text) USING (n)
        ORDER BY n
        RETURNING m.{id} AS id)
    SELECT array_agg(made.id) INTO v_ids FROM made;
    IF json_array_length(p_more) > 0 THEN
        PERFORM posthaste_insert_keys(v_now, p_more, v_ids);
    END IF;
    RETURN QUERY SELECT unnest(v_ids)::text;
END
$$;

CREATE OR REPLACE FUNCTION posthaste_insert_keys(p_now timestamptz, p_more json, p_ids {id_type}[])
RETURNS void LANGUAGE plpgsql SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v_wanted bigint;
    v_made bigint;
BEGIN
    SELECT count(*) INTO v_wanted FROM json_to_recordset(p_more) AS more (key text)
    WHERE more.key IS NOT NULL;
    IF v_wanted = 0 THEN
        RETURN;
    END IF;
    WITH made AS (
        INSERT INTO posthaste_idempotency_keys (key, fingerprint, message_id, created_at)
        SELECT more.key, coalesce(more.fingerprint, ''), p_ids[more.n], p_now
        FROM json_to_recordset(p_more) AS more (n bigint, key text, fingerprint text)
        WHERE more.key IS NOT NULL ORDER BY more.key
        ON CONFLICT DO NOTHING
        RETURNING 1)
    SELECT count(*) INTO v_made FROM made;
    IF v_made < v_wanted THEN
        RAISE EXCEPTION USING ERRCODE = 'PH001',
                              MESSAGE = 'the idempotency key is there already';
    END IF;
    DELETE FROM posthaste_idempotency_keys WHERE key IN (
        SELECT k.key FROM posthaste_idempotency_keys AS k
        WHERE k.created_at < p_now - interval '1 day'
        ORDER BY k.created_at LIMIT 100 FOR UPDATE SKIP LOCKED);
END
$$;

-- Claims that are over are dissolved: their messages count one attempt, because it may have been
-- made, and are due again. A claim that is being settled at this moment is left alone.
CREATE OR REPLACE FUNCTION posthaste_take_back(p_now timestamptz) RETURNS bigint LANGUAGE plpgsql
SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    v_claims bigint[];
    v_ids {id_type}[];
    v_count bigint;
BEGIN
    SELECT array_agg(id) INTO v_claims FROM (
        SELECT id FROM posthaste_claims WHERE lease_until <= p_now
        ORDER BY id FOR UPDATE SKIP LOCKED) AS lost;
    IF v_claims IS NULL THEN
        RETURN 0;
    END IF;
    SELECT array_agg(DISTINCT lost_id ORDER BY lost_id) INTO v_ids
    FROM posthaste_claims AS c, unnest(c.message_ids) AS lost_id WHERE c.id = ANY (v_claims);
    DELETE FROM posthaste_claims WHERE id = ANY (v_claims);
    WITH back AS (
        UPDATE {table} AS m
        SET {attempts} = m.{attempts} + 1, {error} = '{lease_expired}'{touch}
        FROM unnest(v_ids) AS lost_id
        WHERE m.{id} = lost_id AND {live}
        RETURNING m.{id} AS back_id, m.{attempts} AS back_number
    ), noted AS (
        INSERT INTO posthaste_attempts (message_id, number, at, class, http_status, excerpt,
                                        duration_ms)
        SELECT back_id, back_number, p_now, 'lease_expired', 0, '{lease_expired}', 0 FROM back
        RETURNING 1)
    SELECT count(*) INTO v_count FROM noted;
    RETURN v_count;
END
$$;

CREATE OR REPLACE FUNCTION posthaste_next_due_ms(p_now timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v_next timestamptz;
BEGIN
    SELECT min(at) INTO v_next FROM (
        SELECT min(m.{due_at}) AS at FROM {table} AS m WHERE {live} AND m.{due_at} IS NOT NULL
        UNION ALL SELECT min(lease_until) FROM posthaste_claims WHERE isfinite(lease_until)) AS x;
    RETURN CASE WHEN v_next IS NOT NULL
                THEN greatest(0, posthaste_ms(v_next) - posthaste_ms(p_now)) END;
END
$$;

-- The first p_max messages that are due and not held, in the order of leaving. Those before p_mark
-- are passed over: what a backlog has left behind there is done, but its entries stay in the index
-- until the next vacuum, and every claim would read through them. Executed anew each time, because
-- the held ids must be constants for the planner, else it compares each row with each of them.
CREATE OR REPLACE FUNCTION posthaste_ready(p_max integer, p_mark {id_type})
RETURNS {id_type}[] LANGUAGE plpgsql
SET jit = off SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
DECLARE
    v_source text := '(SELECT m.{id} AS id, m.{priority} AS priority, {order_at} AS order_at
        FROM {table} AS m WHERE {live_quoted} AND m.{due_at} IS NULL AND m.{id} <> ALL ($1)';
    v_limit text := ' ORDER BY m.{priority} DESC, {order_m} LIMIT $2)';
    v_priority bigint;
    v_order_at timestamptz;
    v_ids {id_type}[];
BEGIN
    SELECT m.{priority}, {order_at} INTO v_priority, v_order_at
    FROM {table} AS m WHERE m.{id} = p_mark;
    IF v_priority IS NULL THEN
        v_source := v_source || v_limit;
    ELSE
        v_source := v_source || ' AND m.{priority} > $3' || v_limit || ' UNION ALL '
            || v_source || ' AND m.{priority} = $3 AND {from_mark}' || v_limit || ' UNION ALL '
            || v_source || ' AND m.{priority} < $3' || v_limit;
    END IF;
    EXECUTE 'SELECT array_agg(r.id) FROM (SELECT c.id FROM (' || v_source
        || ') AS c ORDER BY c.priority DESC, {oldest_first} LIMIT $2) AS r'
        INTO v_ids USING posthaste_held(), p_max, v_priority, p_mark, v_order_at;
    RETURN v_ids;
END
$$;

-- Claims up to p_max messages under p_token, from p_mark on (see posthaste_ready; '' for all). The
-- claim that p_abandoned names is ours and nobody works on it: it ends without a trace. Claimers
-- take turns for as long as this runs.
CREATE OR REPLACE FUNCTION posthaste_claim(p_max integer, p_lease_ms bigint, p_owner text,
                                           p_token text, p_mark text, p_abandoned text,
                                           OUT claim_id bigint, OUT taken_over bigint,
                                           OUT next_due_ms bigint)
LANGUAGE plpgsql SET jit = off SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    v_now timestamptz := posthaste_now();
    v_mark {id_type} := CASE WHEN p_mark <> '' THEN posthaste_to_id(p_mark) END;
    v_ids {id_type}[];
BEGIN
    taken_over := 0;
    IF p_abandoned <> '' THEN
        DELETE FROM posthaste_claims WHERE token = p_abandoned;
    END IF;
    -- Read without a lock, so that an idle dispatcher writes nothing.
    IF v_mark IS NULL
       AND NOT EXISTS (SELECT FROM {table} AS m WHERE {live} AND m.{due_at} IS NULL)
       AND NOT EXISTS (SELECT FROM {table} AS m WHERE {live} AND m.{due_at} <= v_now)
       AND NOT EXISTS (SELECT FROM posthaste_claims WHERE lease_until <= v_now) THEN
        next_due_ms := posthaste_next_due_ms(v_now);
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(
        hashtextextended('posthaste claim', '{table}'::regclass::oid::bigint));
    v_now := posthaste_now();
    taken_over := posthaste_take_back(v_now);
    IF taken_over > 0 THEN
        v_mark := NULL;
    END IF;
    IF EXISTS (SELECT FROM {table} AS m WHERE {live} AND m.{due_at} <= v_now) THEN
        UPDATE {table} AS m SET {due_at} = NULL WHERE m.{id} IN (
            SELECT m.{id} FROM {table} AS m WHERE {live} AND m.{due_at} <= v_now
            ORDER BY m.{due_at} LIMIT 10000);
        v_mark := NULL;
    END IF;
    v_ids := posthaste_ready(p_max, v_mark);
    IF v_ids IS NOT NULL THEN
        INSERT INTO posthaste_claims (owner, token, lease_until, message_ids)
        VALUES (p_owner, p_token, v_now + p_lease_ms * interval '1 millisecond', v_ids)
        RETURNING id INTO claim_id;
    END IF;
    next_due_ms := posthaste_next_due_ms(v_now);
END
$$;

-- The messages of a claim, in the order in which they leave.
CREATE OR REPLACE FUNCTION posthaste_claimed(p_claim bigint) RETURNS SETOF posthaste_messages
LANGUAGE plpgsql STABLE
SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    RETURN QUERY
    SELECT v.* FROM posthaste_claims AS c,
        unnest(c.message_ids) WITH ORDINALITY AS x (claimed_id, n),
        posthaste_messages AS v
    WHERE c.id = p_claim AND v.id = x.claimed_id
    ORDER BY x.n;
END
$$;

CREATE OR REPLACE FUNCTION posthaste_extend(p_claim bigint, p_token text, p_lease_ms bigint)
RETURNS boolean LANGUAGE plpgsql SET jit = off SET enable_seqscan = off AS $$
BEGIN
    UPDATE posthaste_claims
    SET lease_until = posthaste_now() + p_lease_ms * interval '1 millisecond'
    WHERE id = p_claim AND token = p_token;
    RETURN FOUND;
END
$$;

-- A rule or trigger of the table's owner may refuse what became of a message. That one is held
-- from now on, by a claim that never ends and says why, so that it is not sent again and again; who
-- mends it deletes the claim.
CREATE OR REPLACE FUNCTION posthaste_hold(p_id text, p_reason text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO posthaste_claims (owner, token, lease_until, message_ids)
    VALUES ('refused by the table: ' || p_reason, gen_random_uuid()::text, 'infinity',
            ARRAY[p_id::{id_type}]);
    RAISE WARNING 'message % was settled, but its row refuses it: %', p_id, p_reason;
END
$$;

-- Accepted by the provider; p_counted says how many attempts each adds.
CREATE OR REPLACE FUNCTION posthaste_write_sent(p_now timestamptz, p_ids text[],
                                                 p_provider_ids text[], p_counted integer[])
RETURNS void LANGUAGE plpgsql
SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    UPDATE {table} AS m
    SET {set_sent}, {sent_at} = p_now, {attempts} = m.{attempts} + x.counted,
        {provider_id} = nullif(x.new_provider_id, ''), {error} = NULL{touch}
    FROM (SELECT u.settled_id::{id_type} AS settled_id, u.new_provider_id, u.counted
          FROM unnest(p_ids, p_provider_ids, p_counted) AS u (settled_id, new_provider_id, counted)
          ORDER BY 1) AS x
    WHERE m.{id} = x.settled_id AND {live};
END
$$;

CREATE OR REPLACE FUNCTION posthaste_settle_sent(p_now timestamptz, p_ids text[],
                                                 p_provider_ids text[], p_counted integer[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM posthaste_write_sent(p_now, p_ids, p_provider_ids, p_counted);
EXCEPTION WHEN data_exception OR integrity_constraint_violation OR raise_exception THEN
    IF cardinality(p_ids) = 1 THEN
        PERFORM posthaste_hold(p_ids[1], SQLERRM);
        RETURN;
    END IF;
    FOR i IN 1..cardinality(p_ids) LOOP
        PERFORM posthaste_settle_sent(p_now, p_ids[i:i], p_provider_ids[i:i], p_counted[i:i]);
    END LOOP;
END
$$;

-- To be tried again, or failed; p_outcomes is a JSON array, because these are few.
CREATE OR REPLACE FUNCTION posthaste_write_unsent(p_now timestamptz, p_outcomes json)
RETURNS void LANGUAGE plpgsql
SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    WITH outcomes AS MATERIALIZED (
        SELECT u.id::{id_type} AS settled_id, u.*
        FROM json_to_recordset(p_outcomes)
             AS u (id text, kind text, delay_ms bigint, counted integer, number bigint,
                   at_ms bigint, class text, http_status integer, excerpt text,
                   duration_ms bigint)
        ORDER BY 1
    ), retried AS (
        UPDATE {table} AS m
        SET {due_at} = p_now + x.delay_ms * interval '1 millisecond',
            {attempts} = m.{attempts} + x.counted, {error} = x.excerpt{touch}
        FROM outcomes AS x
        WHERE x.kind = 'retry' AND m.{id} = x.settled_id AND {live}
        RETURNING x.*
    ), failed AS (
        UPDATE {table} AS m
        SET {set_failed}, {attempts} = m.{attempts} + x.counted, {error} = x.excerpt{touch}
        FROM outcomes AS x
        WHERE x.kind = 'failed' AND m.{id} = x.settled_id AND {live}
        RETURNING x.*
    ), expired AS (
        UPDATE {table} AS m
        SET {set_expired}, {attempts} = m.{attempts} + x.counted, {error} = x.excerpt{touch}
        FROM outcomes AS x
        WHERE x.kind = 'expired' AND m.{id} = x.settled_id AND {live}
        RETURNING x.*
    )
    INSERT INTO posthaste_attempts (message_id, number, at, class, http_status, excerpt,
                                    duration_ms)
    SELECT settled_id, number, posthaste_time(at_ms), class, http_status, excerpt, duration_ms
    FROM (SELECT * FROM retried UNION ALL SELECT * FROM failed UNION ALL SELECT * FROM expired)
         AS moved ORDER BY settled_id;
END
$$;

CREATE OR REPLACE FUNCTION posthaste_settle_unsent(p_now timestamptz, p_outcomes json)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM posthaste_write_unsent(p_now, p_outcomes);
EXCEPTION WHEN data_exception OR integrity_constraint_violation OR raise_exception THEN
    IF json_array_length(p_outcomes) = 1 THEN
        PERFORM posthaste_hold(p_outcomes->0->>'id', SQLERRM);
        RETURN;
    END IF;
    FOR i IN 0..json_array_length(p_outcomes) - 1 LOOP
        PERFORM posthaste_settle_unsent(p_now, json_build_array(p_outcomes->i));
    END LOOP;
END
$$;

-- Settles messages of the claims p_claims. When one of these no longer bears its token nothing is
-- written; returned are those that do. p_ended are the claims whose last message this settles,
-- p_shrunk those to which p_gone no longer belong, because they are retried or given back.
CREATE OR REPLACE FUNCTION posthaste_settle(
    p_claims bigint[], p_tokens text[], p_sent_ids text[], p_provider_ids text[],
    p_counted integer[], p_unsent json, p_ended bigint[], p_shrunk bigint[], p_gone text[])
RETURNS bigint[] LANGUAGE plpgsql SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v_now timestamptz := posthaste_now();
    v_held bigint[];
BEGIN
    SELECT array_agg(held.id) INTO v_held FROM (
        SELECT c.id FROM posthaste_claims AS c
        WHERE c.id = ANY (p_claims) AND c.token = ANY (p_tokens)
        ORDER BY c.id FOR UPDATE) AS held;
    IF v_held IS NULL OR cardinality(v_held) < cardinality(p_claims) THEN
        RETURN coalesce(v_held, ARRAY[]::bigint[]);
    END IF;
    IF cardinality(p_sent_ids) > 0 THEN
        PERFORM posthaste_settle_sent(v_now, p_sent_ids, p_provider_ids, p_counted);
    END IF;
    IF json_array_length(p_unsent) > 0 THEN
        PERFORM posthaste_settle_unsent(v_now, p_unsent);
    END IF;
    IF cardinality(p_shrunk) > 0 THEN
        UPDATE posthaste_claims AS c
        SET message_ids = ARRAY(SELECT x.held_id
                                FROM unnest(c.message_ids) WITH ORDINALITY AS x (held_id, n)
                                WHERE x.held_id <> ALL (p_gone::{id_type}[]) ORDER BY x.n)
        WHERE c.id = ANY (p_shrunk);
    END IF;
    DELETE FROM posthaste_claims AS c WHERE c.id = ANY (p_ended);
    RETURN v_held;
END
$$;

-- Adds up to p_max differences up, and returns how many; whoever else does so at the same moment
-- takes other rows.
CREATE OR REPLACE FUNCTION posthaste_compact_counts(p_max integer) RETURNS bigint
LANGUAGE plpgsql SET jit = off AS $$
DECLARE
    v_count bigint;
BEGIN
    WITH gone AS (
        DELETE FROM posthaste_counts WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM posthaste_counts LIMIT p_max FOR UPDATE SKIP LOCKED))
        RETURNING status, n
    ), kept AS (
        INSERT INTO posthaste_counts (status, n)
        SELECT status, sum(n) FROM gone GROUP BY status HAVING sum(n) <> 0)
    SELECT count(*) INTO v_count FROM gone;
    RETURN v_count;
END
$$;

CREATE OR REPLACE FUNCTION posthaste_get(p_id text) RETURNS SETOF posthaste_messages
LANGUAGE plpgsql STABLE SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v_id {id_type} := posthaste_to_id(p_id);
BEGIN
    RETURN QUERY SELECT v.* FROM posthaste_messages AS v WHERE v.id = v_id;
END
$$;

CREATE OR REPLACE FUNCTION posthaste_get_attempts(p_id text)
RETURNS TABLE (number bigint, at timestamptz, class text, http_status integer, excerpt text,
               duration_ms bigint)
LANGUAGE plpgsql STABLE SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v_id {id_type} := posthaste_to_id(p_id);
BEGIN
    RETURN QUERY
    SELECT a.number, a.at, a.class, a.http_status, a.excerpt, a.duration_ms
    FROM posthaste_attempts AS a WHERE a.message_id = v_id ORDER BY a.id;
END
$$;

-- Where a list finds its candidates: states of which there are few each in the index that holds
-- them, else the whole table. $1 are the states, $2 the ids that are held.
CREATE OR REPLACE FUNCTION posthaste_list_source(p_states text[], p_by_time boolean) RETURNS text
LANGUAGE sql IMMUTABLE AS $f$
    SELECT CASE
    WHEN p_by_time THEN
        $q$SELECT m.{id} AS id, {order_at} AS order_at, m.{sent_at} AS sent_at
           FROM {table} AS m WHERE {was_sent} AND ({state}) = ANY ($1)$q$
    WHEN cardinality(p_states) = 0 THEN
        $q$SELECT m.{id} AS id, {order_at} AS order_at, m.{sent_at} AS sent_at
           FROM {table} AS m WHERE {exists}$q$
    WHEN p_states && ARRAY['sent', 'delivered', 'undelivered'] THEN
        $q$SELECT m.{id} AS id, {order_at} AS order_at, m.{sent_at} AS sent_at
           FROM {table} AS m WHERE {exists} AND CASE
               WHEN {live} AND m.{id} = ANY ($2) THEN 'sending' ELSE {state} END = ANY ($1)$q$
    ELSE concat_ws(' UNION ALL ',
        CASE WHEN 'pending' = ANY (p_states) THEN
            $q$SELECT m.{id} AS id, {order_at} AS order_at, m.{sent_at} AS sent_at
               FROM {table} AS m WHERE {live} AND m.{due_at} IS NULL AND m.{id} <> ALL ($2)
               UNION ALL SELECT m.{id}, {order_at}, m.{sent_at} FROM {table} AS m
               WHERE {live} AND m.{due_at} IS NOT NULL AND m.{id} <> ALL ($2)$q$ END,
        CASE WHEN 'sending' = ANY (p_states) THEN
            $q$SELECT m.{id} AS id, {order_at} AS order_at, m.{sent_at} AS sent_at
               FROM {table} AS m WHERE {live} AND m.{id} = ANY ($2)$q$ END,
        CASE WHEN p_states && ARRAY['failed', 'cancelled', 'expired', 'unknown'] THEN
            $q$SELECT m.{id} AS id, {order_at} AS order_at, m.{sent_at} AS sent_at
               FROM {table} AS m WHERE {parked} AND ({state}) = ANY ($1)$q$ END)
    END
$f$;

-- What a list is asked for: states, after, order (newest, oldest, last_sent), scan (how many are
-- looked at; 0: any number), and filters. Each of the functions below puts its SQL together from
-- these pieces, so that the planner sees which of them are there.
CREATE OR REPLACE FUNCTION posthaste_list_order(p_order text) RETURNS text
LANGUAGE sql IMMUTABLE AS $f$
    SELECT ' ORDER BY ' || CASE p_order WHEN 'last_sent' THEN 'c.sent_at DESC NULLS LAST, c.id DESC'
                           WHEN 'oldest' THEN '{oldest_first}' ELSE '{newest_first}' END
$f$;

CREATE OR REPLACE FUNCTION posthaste_list_candidates(p_query json) RETURNS text
LANGUAGE sql STABLE AS $f$
    SELECT 'SELECT c.id, c.order_at, c.sent_at FROM ('
        || posthaste_list_source(ARRAY(SELECT json_array_elements_text(p_query->'states')),
                                 p_query->>'order' = 'last_sent')
        || ') AS c WHERE '
        || CASE WHEN p_query->>'after' = '' THEN 'true'
                WHEN p_query->>'order' = 'oldest' THEN '{younger}' ELSE '{older}' END
        || posthaste_list_order(p_query->>'order')
        || CASE WHEN (p_query->>'scan')::bigint > 0 THEN ' LIMIT ' || (p_query->>'scan')::bigint
                ELSE '' END
$f$;

CREATE OR REPLACE FUNCTION posthaste_list_filters(p_query json) RETURNS text
LANGUAGE sql STABLE AS $f$
    SELECT concat_ws(' AND ', 'true',
        CASE WHEN p_query->>'recipient' <> '' THEN $q$v.recipient = $3->>'recipient'$q$ END,
        CASE WHEN p_query->>'provider' <> '' THEN $q$v.provider = $3->>'provider'$q$ END,
        CASE WHEN p_query->>'content' <> '' THEN $q$strpos(v.content, $3->>'content') > 0$q$ END,
        CASE WHEN (p_query->>'created_from')::bigint > 0 THEN
            $q$v.created_at >= posthaste_time(($3->>'created_from')::bigint)$q$ END,
        CASE WHEN (p_query->>'created_to')::bigint > 0 THEN
            $q$v.created_at < posthaste_time(($3->>'created_to')::bigint)$q$ END,
        CASE WHEN (p_query->>'sent_from')::bigint > 0 THEN
            $q$v.sent_at >= posthaste_time(($3->>'sent_from')::bigint)$q$ END,
        CASE WHEN (p_query->>'sent_to')::bigint > 0 THEN
            $q$v.sent_at < posthaste_time(($3->>'sent_to')::bigint)$q$ END)
$f$;

-- The values that the pieces refer to; after is the id of the message that the page before ended
-- with, or ''.
CREATE OR REPLACE FUNCTION posthaste_list_values(p_query json, OUT states text[],
                                                 OUT held {id_type}[], OUT after_id {id_type},
                                                 OUT after_at timestamptz)
LANGUAGE plpgsql STABLE SET jit = off SET enable_seqscan = off AS $$
BEGIN
    states := ARRAY(SELECT json_array_elements_text(p_query->'states'));
    IF states && ARRAY['pending', 'sending'] THEN
        held := posthaste_held();
    END IF;
    IF p_query->>'after' <> '' THEN
        after_id := posthaste_to_id(p_query->>'after');
        IF after_id IS NULL THEN
            RAISE data_exception USING MESSAGE = 'it is no id of a message';
        END IF;
        SELECT v.order_at INTO after_at FROM posthaste_messages AS v WHERE v.id = after_id;
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION posthaste_list(p_query json, p_limit bigint, p_offset bigint)
RETURNS SETOF posthaste_messages LANGUAGE plpgsql STABLE
SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    v record := posthaste_list_values(p_query);
    v_page text := ' LIMIT $6 OFFSET $7';
BEGIN
    RETURN QUERY EXECUTE
        'SELECT v.* FROM (' || posthaste_list_candidates(p_query)
        || CASE WHEN (p_query->>'scan')::bigint > 0 THEN '' ELSE v_page END
        || ') AS c JOIN posthaste_messages AS v ON v.id = c.id WHERE '
        || posthaste_list_filters(p_query) || posthaste_list_order(p_query->>'order')
        || CASE WHEN (p_query->>'scan')::bigint > 0 THEN v_page ELSE '' END
        USING v.states, v.held, p_query, v.after_id, v.after_at, p_limit, p_offset;
END
$$;

-- The last of the candidates that a list looks at, or NULL when it looks at all there are.
CREATE OR REPLACE FUNCTION posthaste_list_end(p_query json) RETURNS text LANGUAGE plpgsql STABLE
SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v record := posthaste_list_values(p_query);
    v_id text;
BEGIN
    EXECUTE 'SELECT c.id::text FROM (' || posthaste_list_candidates(p_query)
        || ') AS c OFFSET ' || (p_query->>'scan')::bigint - 1
        INTO v_id USING v.states, v.held, p_query, v.after_id, v.after_at;
    RETURN v_id;
END
$$;

CREATE OR REPLACE FUNCTION posthaste_count(p_query json, p_max bigint) RETURNS bigint
LANGUAGE plpgsql STABLE
SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    v record := posthaste_list_values(p_query);
    v_count bigint;
BEGIN
    EXECUTE 'SELECT count(*) FROM (SELECT 1 FROM (' || posthaste_list_candidates(p_query)
        || ') AS c JOIN posthaste_messages AS v ON v.id = c.id WHERE '
        || posthaste_list_filters(p_query) || ' LIMIT $6) AS found'
        INTO v_count USING v.states, v.held, p_query, v.after_id, v.after_at, p_max;
    RETURN v_count;
END
$$;

-- What operators do. A claim reads rows without locking them, so that cancelling has to wait for
-- claimers as they wait for each other.
CREATE OR REPLACE FUNCTION posthaste_cancel(p_ids text[]) RETURNS bigint LANGUAGE plpgsql
SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v_count bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(
        hashtextextended('posthaste claim', '{table}'::regclass::oid::bigint));
    UPDATE {table} AS m SET {set_cancelled}, {due_at} = NULL{touch}
    WHERE m.{id} = ANY (ARRAY(SELECT posthaste_to_id(u) FROM unnest(p_ids) AS u)) AND {live}
          AND m.{id} <> ALL (posthaste_held());
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END
$$;

CREATE OR REPLACE FUNCTION posthaste_retry(p_ids text[]) RETURNS bigint LANGUAGE plpgsql
SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v_count bigint;
BEGIN
    UPDATE {table} AS m
    SET {set_pending}, {due_at} = NULL, {attempts} = 0, {expires_at} = NULL{retouch}
    WHERE m.{id} = ANY (ARRAY(SELECT posthaste_to_id(u) FROM unnest(p_ids) AS u)) AND {parked}
          AND ({state}) IN ('failed', 'cancelled', 'expired', 'unknown');
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END
$$;

CREATE OR REPLACE FUNCTION posthaste_job_advance(
    p_id bigint, p_from text, p_state text, p_to text, p_retried bigint, p_pause_ms bigint)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := posthaste_now();
    v_count bigint;
BEGIN
    UPDATE posthaste_jobs AS j
    SET state = p_state, cursor = p_to, retried = j.retried + p_retried, updated_at = v_now,
        next_step_at = v_now + p_pause_ms * interval '1 millisecond'
    WHERE j.id = p_id AND j.cursor = p_from AND j.state = 'running';
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END
$$;

-- When the oldest message that is due and held by nobody was created: of each priority the first
-- in the order of leaving, and of those that waited and whose time has come.
CREATE OR REPLACE FUNCTION posthaste_oldest_due() RETURNS timestamptz LANGUAGE plpgsql STABLE
SET jit = off SET enable_seqscan = off SET enable_sort = off SET enable_bitmapscan = off AS $$
DECLARE
    v_now timestamptz := posthaste_now();
    v_held {id_type}[] := posthaste_held();
    v_priority bigint;
    v_at timestamptz;
    v_oldest timestamptz;
BEGIN
    SELECT min({created_at}) INTO v_oldest FROM {table} AS m
    WHERE {live} AND m.{due_at} <= v_now;
    SELECT max(m.{priority}) INTO v_priority FROM {table} AS m WHERE {live} AND m.{due_at} IS NULL;
    WHILE v_priority IS NOT NULL LOOP
        EXECUTE $q$
            SELECT {created_at} FROM {table} AS m
            WHERE {live} AND m.{due_at} IS NULL AND m.{priority} = $1 AND m.{id} <> ALL ($2)
            ORDER BY m.{priority} DESC, {order_m} LIMIT 1
            $q$ INTO v_at USING v_priority, v_held;
        v_oldest := least(v_oldest, v_at);
        SELECT max(m.{priority}) INTO v_priority FROM {table} AS m
        WHERE {live} AND m.{due_at} IS NULL AND m.{priority} < v_priority;
    END LOOP;
    RETURN v_oldest;
END
$$;

-- Counts by status, and 'oldest_due_age_ms'; all of one moment.
CREATE OR REPLACE FUNCTION posthaste_depth() RETURNS TABLE (name text, value bigint)
LANGUAGE plpgsql STABLE SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v_held {id_type}[] := posthaste_held();
BEGIN
    RETURN QUERY SELECT c.status, sum(c.n)::bigint FROM posthaste_counts AS c GROUP BY c.status;
    RETURN QUERY SELECT 'sending', count(*) FROM {table} AS m
                 WHERE {live} AND m.{id} = ANY (v_held);
    RETURN QUERY SELECT 'oldest_due_age_ms',
                        posthaste_ms(posthaste_now()) - posthaste_ms(posthaste_oldest_due());
END
$$;

-- Run by statements on the table, with the rights of whoever owns posthaste's tables: the
-- applications that insert need not know about them.
CREATE OR REPLACE FUNCTION posthaste_count_insert() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
BEGIN
    INSERT INTO posthaste_counts (status, n)
    SELECT {state}, count(*) FROM new_rows AS m WHERE {exists} GROUP BY 1;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION posthaste_count_update() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
BEGIN
    INSERT INTO posthaste_counts (status, n)
    SELECT x.status, sum(x.n) FROM (
        SELECT {state} AS status, count(*) AS n FROM new_rows AS m WHERE {exists} GROUP BY 1
        UNION ALL
        SELECT {state}, -count(*) FROM old_rows AS m WHERE {exists} GROUP BY 1) AS x
    GROUP BY x.status HAVING sum(x.n) <> 0;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION posthaste_count_delete() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
BEGIN
    INSERT INTO posthaste_counts (status, n)
    SELECT {state}, -count(*) FROM old_rows AS m WHERE {exists} GROUP BY 1;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION posthaste_count_truncate() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
BEGIN
    DELETE FROM posthaste_counts;
    RETURN NULL;
END
$$;

-- One notification a statement; to turn it off:
--   ALTER TABLE … DISABLE TRIGGER posthaste_wake
-- Every commit that notifies waits for its turn in the whole cluster, so that many small inserts
-- a second are faster without; posthaste then finds them by looking (POLL_INTERVAL).
CREATE OR REPLACE FUNCTION posthaste_wake() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('posthaste_' || TG_RELID::text, '');
    RETURN NULL;
END
$$;
