"""The plans of the statements: none of them reads the whole table, however empty, fresh, full or
stale its statistics are."""

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
SELECT * FROM posthaste_insert(ARRAY['+15551234567'], ARRAY['hello'], ARRAY[0]);
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
SELECT count(*) FROM posthaste_list('', '', 20);
SELECT count(*) FROM posthaste_list('', '5', 20);
SELECT count(*) FROM posthaste_list('pending', '', 20);
SELECT count(*) FROM posthaste_list('sending', '', 20);
SELECT count(*) FROM posthaste_list('sent', '', 20);
SELECT count(*) FROM posthaste_list('failed', '', 20);
SELECT * FROM posthaste_depth();
"""


class Plans(PostgresCase):
    SETTINGS = {"autovacuum": "off"}  # nobody changes the statistics but the test

    def setUp(self):
        super().setUp()
        self.command("migrate", "up")

    def plans(self):
        """What auto_explain said, with the statements."""
        return self.server.psql_notices(LOG_PLANS + ONE_OF_EACH)

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
