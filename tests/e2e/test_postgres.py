"""posthaste on PostgreSQL: woken by it, cut off from it, and given odd rows by it."""

import json
import os
import random
import statistics
import threading
import time

from tests.e2e.postgres_case import PostgresCase
from tests.e2e.programs import Client, scaled, wait_until
from tests.servers import PgBouncer


class Postgres(PostgresCase):
    def test_messages_of_the_api_and_of_others_are_delivered_once(self):
        provider = self.provider()
        posthaste = self.posthaste(provider)
        ids = posthaste.accept(*[f"message {i}" for i in range(500)])
        self.fill(500)
        wait_until(lambda: self.count("status = 'sent'") == 1000, "a thousand messages sent")
        self.assertEqual(provider.received()["duplicates"], 0)
        self.assertEqual(len(provider.accepted()), 1000)
        self.assertEqual(posthaste.message(ids[0])["status"], "sent")
        self.assertEqual(posthaste.status()["messages"]["sent"], 1000)
        settled = 'posthaste_messages_settled_total{outcome="sent"}'
        wait_until(lambda: posthaste.metric(settled) == 1000, "the count of what was settled")
        self.assertEqual(self.server.number("SELECT count(*) FROM posthaste_claims"), 0)

    def test_an_insert_by_others_wakes_at_once(self):
        """There is no look but the one that the notification causes."""
        provider = self.provider()
        posthaste = self.posthaste(provider, POLL_INTERVAL="1h")
        posthaste.wait_line(lambda line: '"msg":"listening"' in line, "posthaste that listens")
        latencies = []
        for i in range(20):
            before = provider.stats()["accepted"]
            self.server.psql(
                "INSERT INTO messages (recipient, content) VALUES ('+15551234567', 'wake')"
            )
            wait_until(lambda: provider.stats()["accepted"] == before + 1, f"message {i}")
            sent = self.server.psql(
                "SELECT extract(epoch FROM max(sent_at) - max(created_at)) * 1000 FROM messages"
            )
            latencies.append(float(sent))
        print(f"INSERT to settled: p50 {statistics.median(latencies):.1f} ms")

    def test_without_the_trigger_they_are_found_by_looking(self):
        provider = self.provider()
        self.command("migrate", "up")
        self.server.psql("ALTER TABLE messages DISABLE TRIGGER posthaste_wake")
        self.posthaste(provider, DB_LISTEN="false", POLL_INTERVAL="50ms")
        self.fill(10)
        wait_until(lambda: provider.stats()["accepted"] == 10, "ten messages")

    def test_the_parts_of_an_address_will_do(self):
        provider = self.provider()
        posthaste = self.posthaste(
            provider,
            STORE_URL="",
            DB_HOST=self.server.folder,
            DB_PORT=self.server.port,
            DB_USER="posthaste",
            POSTGRES_DB="posthaste",
            DB_PASSWORD="un:us/ed?",
        )
        (identity,) = posthaste.accept("hello")
        posthaste.wait_state(identity, "sent")
        self.assertNotIn("un:us", posthaste.output())

    def test_an_old_schema_is_refused_with_advice(self):
        status, output = self.run_command(
            "serve", STORE_URL=self.server.url(), WEBHOOK_URL="http://127.0.0.1:9/", PORT="0"
        )
        self.assertEqual(status, 1)
        self.assertIn("posthaste migrate up", output)
        self.assertEqual(self.server.psql("SELECT to_regclass('messages')"), "")

    def test_a_newer_schema_is_refused(self):
        self.command("migrate", "up")
        self.server.psql("INSERT INTO posthaste_schema_migrations (version) VALUES (9999)")
        for action in ("up", "down"):
            status, output = self.run_command("migrate", action, STORE_URL=self.server.url())
            self.assertEqual(status, 1)
            self.assertIn("9999", output)

    def test_programs_that_start_together_migrate_once(self):
        provider = self.provider()
        programs, errors = [], []

        def start():
            try:
                programs.append(self.posthaste(provider))
            except AssertionError as error:
                errors.append(error)

        threads = [threading.Thread(target=start) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(errors, [])
        migrated = [p for p in programs if '"msg":"schema migrated"' in p.output()]
        self.assertEqual(len(migrated), 1)

    def test_hostile_rows_are_failed_and_the_queue_goes_on(self):
        self.command("migrate", "up")
        rows = {
            "no number": "('nobody', 'hello')",
            "empty number": "('', 'hello')",
            "empty": "('+15551234567', '')",
            "blank": "('+15551234567', E' \\t\\n')",
            "too long": "('+15551234567', repeat('x', 161))",
            "ten megabytes": "('+15551234567', repeat('x', 10000000))",
            "long number": "(repeat('5', 1000000), 'hello')",
            "number with an end": "(E'+1555\\n5550000', 'hello')",
        }
        for row in rows.values():
            self.server.psql(f"INSERT INTO messages (recipient, content) VALUES {row}")
        good = [
            "('+15551234567', E'control \\x01\\x1f and \\\\u0000')",
            "('+15551234567', E'quote '' \" \\\\ {\"x\":1}')",
            "('+15551234567', U&'\\+10FFFF \\FFFD \\200B')",
        ]
        for row in good:
            self.server.psql(f"INSERT INTO messages (recipient, content) VALUES {row}")
        posthaste = self.posthaste(self.provider())
        posthaste.wait_settled()
        self.assertEqual(self.count("status = 'failed' AND error ~ '^(recipient|content) '"), len(rows))
        errors = self.server.psql("SELECT error FROM posthaste_messages WHERE status = 'failed'")
        self.assertEqual(self.count("status = 'sent'"), len(good), errors)
        self.assertEqual(posthaste.status()["messages"]["failed"], len(rows))

    def test_counts_of_many_small_statements_are_added_up(self):
        posthaste = self.posthaste(self.provider(), AUTO_START="false")
        self.server.psql(
            "DO $$ BEGIN FOR i IN 1..3000 LOOP INSERT INTO messages (recipient, content)"
            " VALUES ('+15551234567', 'small'); END LOOP; END $$"
        )
        self.assertEqual(posthaste.status()["messages"]["pending"], 3000)

        def added_up():
            posthaste.status()
            return self.server.number("SELECT count(*) FROM posthaste_counts") < 10

        wait_until(added_up, "few differences")
        self.assertEqual(posthaste.status()["messages"]["pending"], 3000)

    def test_rows_changed_by_hand_are_counted(self):
        posthaste = self.posthaste(self.provider(), AUTO_START="false")
        self.fill(10)
        self.server.psql("UPDATE messages SET status = 'failed' WHERE id <= 3")
        self.server.psql("DELETE FROM messages WHERE id <= 2 OR id = 10")
        counts = posthaste.status()["messages"]
        self.assertEqual((counts["pending"], counts["failed"]), (6, 1))
        self.server.psql("TRUNCATE messages")
        counts = posthaste.status()["messages"]
        self.assertEqual((counts["pending"], counts["failed"]), (0, 0))


class CutOff(PostgresCase):
    def test_a_restart_loses_nothing_and_is_told(self):
        provider = self.provider()
        posthaste = self.posthaste(provider)
        ids = posthaste.accept(*[f"before {i}" for i in range(50)])
        posthaste.wait_settled()
        self.server.stop()
        status, answer, headers = posthaste.api.request(
            "POST", "/api/v1/messages", {"to": "+15551234567", "content": "while away"}
        )
        self.assertEqual(status, 503, answer)
        self.assertIn("Retry-After", headers)
        status, answer, _ = posthaste.api.request("GET", "/readyz")
        self.assertEqual(status, 503)
        self.assertIn("the store does not answer", json.dumps(answer))
        posthaste.wait_line(lambda line: "postgres: " in line, "the reason in the log")
        status, answer, _ = posthaste.api.request("GET", "/health")
        self.assertEqual((status, answer["dependencies"]["database"]), (503, "unhealthy"))
        self.server.start()
        wait_until(lambda: posthaste.api.request("GET", "/readyz")[0] == 200, "readiness")
        ids += wait_until(lambda: self.try_to_post(posthaste), "an accepted message")
        posthaste.wait_settled()
        self.assertEqual(set(provider.accepted()), set(ids))

    def try_to_post(self, posthaste):
        status, answer = posthaste.api.post(
            "/api/v1/messages", {"messages": [{"to": "+15551234567", "content": "after"}]}
        )
        return answer["ids"] if status == 201 else None

    def test_answers_that_came_while_it_was_away_are_settled_after(self):
        """Nothing is sent twice because the database was away at the wrong moment."""
        provider = self.provider("--latency", "300ms")
        posthaste = self.posthaste(provider)
        posthaste.accept(*[f"message {i}" for i in range(30)])
        wait_until(lambda: posthaste.status()["in_flight"] == 30, "requests in the air")
        self.server.stop(immediate=True)
        wait_until(lambda: provider.stats()["accepted"] == 30, "answers")
        self.server.start()
        wait_until(lambda: posthaste.api.request("GET", "/readyz")[0] == 200, "readiness")
        posthaste.wait_settled()
        self.assertEqual(provider.received()["duplicates"], 0)
        self.assertEqual(self.count("status = 'sent'"), 30)

    def test_connections_that_are_cut_again_and_again(self):
        """In the middle of every kind of statement: nothing accepted is lost."""
        rng = random.Random(int(os.environ.get("SEED", "7")))
        provider = self.provider()
        posthaste = self.posthaste(provider, WEBHOOK_TIMEOUT="2s", LEASE="3500ms")
        accepted, over = set(), threading.Event()

        def post():
            for i in range(scaled(4000)):
                try:
                    ids = self.try_to_post(posthaste)
                except OSError:
                    continue
                accepted.update(ids or [])
            over.set()

        client = threading.Thread(target=post)
        client.start()
        cuts = 0
        while not over.is_set():
            cuts += self.server.number(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                f" WHERE application_name = 'posthaste' AND random() < {rng.uniform(0.2, 0.9)}"
            )
        client.join()
        print(f"{cuts} connections cut, {len(accepted)} messages accepted")
        posthaste.wait_settled()
        self.assertEqual(accepted - set(provider.accepted()), set())
        self.assertGreater(len(accepted), 0)
        self.assertEqual(posthaste.status()["messages"]["failed"], 0)

    def test_a_table_that_is_locked_for_long_is_waited_out(self):
        provider = self.provider()
        posthaste = self.posthaste(provider, DB_TIMEOUT="1s", WEBHOOK_TIMEOUT="1s", LEASE="60s")
        self.fill(10)
        posthaste.wait_settled()
        locker = threading.Thread(
            target=self.server.psql,
            args=("BEGIN; LOCK TABLE messages IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(5); COMMIT",),
        )
        locker.start()
        posthaste.wait_line(lambda line: "DB_TIMEOUT" in line, "an operation that gave up")
        locker.join()
        self.fill(10)
        wait_until(lambda: provider.stats()["accepted"] == 20, "twenty messages")
        wait_until(lambda: posthaste.api.request("GET", "/readyz")[0] == 200, "readiness")

    def test_a_frozen_database_is_given_up_and_found_again(self):
        provider = self.provider()
        posthaste = self.posthaste(provider, DB_TIMEOUT="1s")
        posthaste.accept("before")
        posthaste.wait_settled()
        self.server.freeze()
        try:
            waiting = [threading.Thread(target=posthaste.api.request, args=("GET", "/readyz"))
                       for _ in range(6)]  # fmt: skip
            for client in waiting:
                client.start()
            status, answer, _ = posthaste.api.request("GET", "/livez")
            self.assertEqual((status, answer["status"]), (200, "alive"))
            for client in waiting:
                client.join()
            status = posthaste.api.request("GET", "/readyz")[0]
        finally:
            self.server.thaw()
        self.assertEqual(status, 503)
        self.fill(1)
        wait_until(lambda: provider.stats()["accepted"] == 2, "two messages")


class Poolers(PostgresCase):
    def pass_through(self, mode, **options):
        bouncer = self.keep_server(PgBouncer(self.server, mode))
        self.command("migrate", "up")
        provider = self.provider()
        posthaste = self.posthaste(provider, STORE_URL=bouncer.url(), **options)
        ids = posthaste.accept(*[f"message {i}" for i in range(200)])
        self.fill(200)
        posthaste.wait_settled()
        wait_until(lambda: provider.stats()["accepted"] == 400, "four hundred messages")
        self.assertEqual(provider.received()["duplicates"], 0)
        self.assertTrue(set(ids) <= set(provider.accepted()))
        self.assertNotIn('"level":"error"', posthaste.output())

    def test_behind_a_pooler_of_sessions(self):
        self.pass_through("session")

    def test_behind_a_pooler_of_transactions(self):
        self.pass_through("transaction", DB_POOLING="transaction")
