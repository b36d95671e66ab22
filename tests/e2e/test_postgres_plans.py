"""The plans of the statements: none of them reads the whole table, however empty, fresh, full or
stale its statistics are."""

import json
import re

from tests.e2e.postgres_case import PostgresCase
from tests.e2e.programs import scaled

LOG_PLANS = """
LOAD 'auto_explain';
SET auto_explain.log_min_duration = 0;
SET auto_explain.log_nested_statements = on;
SET client_min_messages = log;
"""
ONE_OF_EACH = """
SELECT * FROM posthaste_insert(ARRAY['+15551234567'], ARRAY['hello'], ARRAY[0], '[]');
SELECT * FROM posthaste_insert(ARRAY['+15551234567'], ARRAY['hello'], ARRAY[0],
                               json_build_array(json_build_object(
                                   'n', 1, 'key', gen_random_uuid(), 'fingerprint', 'x',
                                   'due_at_ms', 4102444800000, 'metadata', '{}')));
SELECT * FROM posthaste_claim(50, 60000, 'test', 'token a', '', '');
SELECT * FROM posthaste_claimed((SELECT max(id) FROM posthaste_claims));
SELECT * FROM posthaste_claim(50, 60000, 'test', 'token b', '1', '');
SELECT * FROM posthaste_extend(1, 'token a', 60000);
SELECT posthaste_settle(ARRAY[c.id], ARRAY[c.token], ARRAY[c.message_ids[1]::text], ARRAY['x'],
                        ARRAY[1], json_build_array(json_build_object('id', c.message_ids[2]::text,
                        'kind', 'retry', 'delay_ms', 0, 'counted', 1, 'number', 1, 'at_ms', 0,
                        'class', 'http_5xx', 'http_status', 503, 'excerpt', '', 'duration_ms', 1)),
                        ARRAY[]::bigint[], ARRAY[c.id], ARRAY[c.message_ids[2]::text])
FROM posthaste_claims AS c WHERE c.token = 'token a';
SELECT posthaste_take_back(clock_timestamp() + interval '1 hour');
SELECT * FROM posthaste_get('7');
SELECT * FROM posthaste_get_attempts('7');
SELECT posthaste_cancel(ARRAY['7', '8']);
SELECT posthaste_retry(ARRAY['7', '8']);
SELECT * FROM posthaste_depth();
"""


def query(*states, after="", order="newest", **filters):
    """A query as posthaste_list and the others take it."""
    filters = {"recipient": "", "provider": "", "content": ""} | filters
    ranges = dict.fromkeys(("created_from", "created_to", "sent_from", "sent_to"), 0)
    scan = 100_000 if any(filters.values()) else 0
    whole = {"states": states, "after": after, "order": order, "scan": scan, **ranges, **filters}
    return "'" + json.dumps(whole) + "'"


BULK = ("sent", "delivered", "undelivered")
LISTS = [
    query(),
    query(after="5"),
    query(order="oldest"),
    query(order="oldest", after="5"),
    query(*BULK, order="last_sent"),
    query(*BULK, order="last_sent", recipient="+15551234567"),
    *(query(state) for state in ("pending", "sending", "sent", "failed", "cancelled")),
    query("pending", "sending", "failed", order="oldest", after="5"),
    query("pending", "sending", "sent", after="5"),
    query(recipient="+15551234567"),
    query("pending", "failed", after="5", content="hello", created_from=1, sent_to=2),
]
ONE_OF_EACH_LIST = "".join(
    f"SELECT count(*) FROM posthaste_list({one}, 20, 0);\n" for one in LISTS
) + "".join(
    f"SELECT posthaste_list_end({one}); SELECT posthaste_count({one}, 10000);\n"
    for one in LISTS
    if '"scan": 0' not in one
)


class Plans(PostgresCase):
    SETTINGS = {"autovacuum": "off"}  # nobody changes the statistics but the test

    def setUp(self):
        super().setUp()
        self.command("migrate", "up")

    def plans(self):
        """What auto_explain said, with the statements."""
        return self.server.psql_notices(LOG_PLANS + ONE_OF_EACH + ONE_OF_EACH_LIST)

    def assert_no_table_is_read_whole(self, state):
        plans = self.plans()
        self.assertIn("Index", plans)
        whole = re.findall(r"Seq Scan on messages\b.*", plans)
        self.assertEqual(whole, [], f"{state}:\n{plans}")
        self.assertNotIn("JIT:", plans)

    def test_on_an_empty_table(self):
        self.assert_no_table_is_read_whole("empty")

    def test_on_a_fresh_table_that_was_analysed_empty(self):
        self.server.psql("ANALYZE")
        self.fill(scaled(100_000))
        self.assert_no_table_is_read_whole("analysed when empty")

    def test_on_a_table_of_rows_that_are_done(self):
        self.fill(scaled(200_000))
        self.server.psql("UPDATE messages SET status = 'sent', sent_at = now()")
        self.server.psql("ANALYZE")
        self.fill(100)
        self.assert_no_table_is_read_whole("done")

    def test_on_a_table_of_rows_that_are_due_and_analysed(self):
        self.fill(scaled(200_000))
        self.server.psql("ANALYZE")
        self.assert_no_table_is_read_whole("due")

    def test_on_a_table_whose_rows_are_all_claimed(self):
        self.fill(5000)
        for i in range(5):
            self.server.psql(f"SELECT posthaste_claim(1000, 60000, 'test', 'held {i}', '', '')")
        self.server.psql("ANALYZE")
        self.assert_no_table_is_read_whole("claimed")
