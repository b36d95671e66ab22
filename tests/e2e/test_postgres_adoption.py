"""Tables that were there before posthaste: each seed's own, as its program makes it."""

import threading

from tests.e2e.postgres_case import PostgresCase
from tests.e2e.programs import scaled, wait_until
from tests.e2e.seed_tables import S0, S1, S2, S3


class Adoption:
    """What holds for every seed's table."""

    TABLE = None

    def prepare(self):
        self.server.psql_file(self.TABLE.create + self.TABLE.rows)

    def count_sent(self):
        return self.server.number(f"SELECT count(*) FROM messages WHERE {self.TABLE.is_sent}")

    def old_rows(self):
        """What the old application reads, but for the flag."""
        return self.server.psql(
            f"SELECT id, {self.TABLE.recipient}, {self.TABLE.content} FROM messages ORDER BY id"
        )

    def test_what_is_unsent_is_delivered_and_the_old_flag_set(self):
        self.prepare()
        before = self.old_rows()
        report = self.command("migrate", "up")
        self.assertIn("table messages is adopted", report)
        self.assertEqual(self.count_sent(), self.TABLE.sent)
        provider = self.provider()
        posthaste = self.posthaste(provider, AUTO_MIGRATE="false")
        posthaste.wait_settled()
        self.assertEqual(provider.stats()["accepted"], self.TABLE.unsent)
        self.assertEqual(self.count_sent(), self.TABLE.sent + self.TABLE.unsent)
        self.assertEqual(self.old_rows(), before)
        self.assertEqual(posthaste.status()["messages"]["sent"], self.count_sent())

    def test_an_old_style_insert_is_delivered_while_posthaste_runs(self):
        self.prepare()
        self.command("migrate", "up")
        provider = self.provider()
        posthaste = self.posthaste(provider)
        posthaste.wait_settled()
        sent = self.count_sent()
        self.server.psql(self.TABLE.old_insert)
        wait_until(lambda: self.count_sent() == sent + 1, "the old insert's flag")
        contents = [request["content"] for request in provider.requests()]
        self.assertEqual(contents.count("old style"), 1)

    def test_a_message_through_the_api_is_a_row_like_the_others(self):
        self.prepare()
        self.command("migrate", "up")
        posthaste = self.posthaste(self.provider())
        (identity,) = posthaste.accept("through the API")
        message = posthaste.wait_state(identity, "sent")
        self.assertEqual(message["id"], identity)
        row = self.server.psql(
            f"SELECT {self.TABLE.content}, {self.TABLE.is_sent} FROM messages"
            f" WHERE id::text = '{identity}'"
        )
        self.assertEqual(row, "through the API|t")

    def test_a_row_that_breaks_a_rule_is_failed_with_the_reason(self):
        self.prepare()
        self.command("migrate", "up")
        self.server.psql(self.TABLE.bad_insert)
        self.server.psql(self.TABLE.old_insert)
        posthaste = self.posthaste(self.provider())
        posthaste.wait_settled()
        failed = self.server.psql(
            "SELECT error FROM posthaste_messages WHERE status = 'failed' AND error IS NOT NULL"
        )
        self.assertRegex(failed, "^(recipient|content) ")
        self.assertEqual(self.count_sent(), self.TABLE.sent + self.TABLE.unsent + 1)

    def test_what_is_cancelled_is_delivered_only_when_it_is_sent_again(self):
        self.prepare()
        before = self.old_rows()
        self.command("migrate", "up")
        for change, left in (("cancel", "cancelled"), ("retry", "pending")):
            changed = self.server.number(
                f"SELECT posthaste_{change}(ARRAY(SELECT id::text FROM posthaste_messages))"
            )
            self.assertGreaterEqual(changed, self.TABLE.unsent)
            self.assertEqual(self.count(f"status = '{left}'"), changed)
            self.assertEqual(self.count_sent(), self.TABLE.sent)
        posthaste = self.posthaste(self.provider())
        posthaste.wait_settled()
        self.assertEqual(self.count_sent(), self.TABLE.sent + changed)
        self.assertEqual(self.old_rows(), before)

    def test_down_takes_away_exactly_what_was_added(self):
        self.prepare()
        before = self.server.dump_schema()
        self.command("migrate", "up")
        self.assertNotEqual(self.server.dump_schema(), before)
        self.command("migrate", "up")
        posthaste = self.posthaste(self.provider())
        posthaste.wait_settled()
        posthaste.stop()
        rows = self.old_rows()
        self.command("migrate", "down")
        self.assertEqual(self.server.dump_schema(), before)
        self.assertEqual(self.old_rows(), rows)
        self.assertEqual(self.count_sent(), self.TABLE.sent + self.TABLE.unsent)

    def test_a_dry_run_prints_sql_that_works_and_changes_nothing(self):
        self.prepare()
        before = self.server.dump_schema()
        sql = self.command("migrate", "up", "--dry-run")
        self.assertIn("ADD COLUMN", sql)
        self.assertEqual(self.server.dump_schema(), before)
        self.server.psql_file(sql)
        self.assertIn("up to date", self.command("migrate", "status"))
        self.command("migrate", "down")
        self.assertEqual(self.server.dump_schema(), before)


class SeedZero(Adoption, PostgresCase):
    TABLE = S0

    def test_deleted_rows_are_not_there(self):
        self.prepare()
        self.command("migrate", "up")
        provider = self.provider()
        posthaste = self.posthaste(provider)
        posthaste.wait_settled()
        self.assertNotIn("deleted", [request["content"] for request in provider.requests()])
        self.assertEqual(self.server.psql("SELECT is_sent FROM messages WHERE content = 'deleted'"), "f")
        self.server.psql("UPDATE messages SET deleted_at = now() WHERE id = 1")
        self.assertEqual(posthaste.status()["messages"]["sent"], S0.sent + S0.unsent - 1)


class SeedOne(Adoption, PostgresCase):
    TABLE = S1

    def test_its_own_columns_are_kept_true(self):
        self.prepare()
        self.command("migrate", "up")
        provider = self.provider()
        provider.behave(status=503, times=2)
        self.server.psql("DELETE FROM messages")
        self.server.psql(S1.old_insert)
        self.posthaste(provider).wait_settled()
        row = self.server.psql(
            "SELECT status, retry_count, sent_at IS NOT NULL, external_id, posthaste_attempts,"
            " updated_at > created_at FROM messages"
        )
        identity = provider.requests()[-1]["messageId"] if "messageId" in provider.requests()[-1] else None
        status, retries, sent_at, external, attempts, updated = row.split("|")
        self.assertEqual((status, retries, sent_at, attempts, updated), ("SENT", "2", "t", "3", "t"))
        self.assertNotEqual(external, "")
        if identity is not None:
            self.assertEqual(external, identity)

    def test_what_fails_for_good_is_failed_there_too(self):
        self.prepare()
        self.command("migrate", "up")
        provider = self.provider()
        provider.behave(status=503)
        self.server.psql("DELETE FROM messages")
        self.server.psql(S1.old_insert)
        self.posthaste(provider, MAX_RETRIES="6", RETRY_CAP="50ms").wait_settled()
        self.assertEqual(
            self.server.psql("SELECT status, retry_count, posthaste_attempts FROM messages"),
            "FAILED|3|7",
        )

    def test_the_oldest_leaves_first(self):
        self.prepare()
        self.command("migrate", "up")
        provider = self.provider()
        self.posthaste(provider, MAX_IN_FLIGHT="1").wait_settled()
        order = [request["content"] for request in provider.requests()]
        self.assertEqual(order, [f"hello {i}" for i in range(1, 31) if i % 3])


class SeedTwo(Adoption, PostgresCase):
    TABLE = S2


class SeedThree(Adoption, PostgresCase):
    TABLE = S3


class OtherTables(PostgresCase):
    def refuse(self, create, *words, **environment):
        self.server.psql(create)
        before = self.server.dump_schema()
        status, output = self.run_command("migrate", "up", STORE_URL=self.server.url(), **environment)
        self.assertEqual(status, 1, output)
        for word in words:
            self.assertIn(word, output)
        self.assertEqual(self.server.dump_schema(), before)

    def test_without_a_recipient_it_is_refused(self):
        self.refuse(
            "CREATE TABLE messages (id serial PRIMARY KEY, content text, is_sent boolean)",
            "no column like recipient",
            "COLUMN_RECIPIENT",
        )

    def test_without_a_flag_it_is_refused(self):
        self.refuse(
            "CREATE TABLE messages (id serial PRIMARY KEY, phone text, content text)", "COLUMN_SENT"
        )

    def test_with_a_unique_content_it_is_refused(self):
        self.refuse(
            "CREATE TABLE messages (id serial PRIMARY KEY, phone text, content text UNIQUE,"
            " is_sent boolean)",
            "column content is unique",
        )

    def test_without_a_key_it_is_refused(self):
        self.refuse(
            "CREATE TABLE messages (phone text, content text, is_sent boolean)", "no primary key"
        )

    def test_a_view_is_refused(self):
        self.refuse("CREATE VIEW messages AS SELECT 1 AS id", "no ordinary table")

    def test_a_column_that_is_not_there_is_named(self):
        self.refuse(
            "CREATE TABLE messages (id serial PRIMARY KEY, phone text, content text,"
            " is_sent boolean)",
            "no column fone",
            "COLUMN_RECIPIENT",
            COLUMN_RECIPIENT="fone",
        )

    def test_odd_names_may_be_given(self):
        self.server.psql(
            'CREATE SCHEMA "Old App"; CREATE TABLE "Old App"."SMS Out" ("Key" bigserial PRIMARY KEY,'
            ' "select" text, "The ""text""" text, done boolean)'
        )
        self.server.psql(
            'INSERT INTO "Old App"."SMS Out" ("select", "The ""text""") VALUES (\'+15551234567\','
            " 'odd')"
        )
        names = {
            "TABLE": '"Old App"."SMS Out"',
            "COLUMN_RECIPIENT": "select",
            "COLUMN_CONTENT": 'The "text"',
            "COLUMN_SENT": "done",
        }
        self.command("migrate", "up", **names)
        provider = self.provider()
        self.posthaste(provider, **names).wait_settled()
        self.assertEqual(self.server.psql('SELECT done FROM "Old App"."SMS Out"'), "t")
        self.assertEqual(provider.requests()[0]["content"], "odd")

    def test_a_column_that_would_refuse_outcomes_is_left_alone(self):
        """A provider that gives each message the same long id."""
        for kind in ("varchar(20)", "varchar(255) UNIQUE"):
            with self.subTest(kind=kind):
                self.server.psql(
                    "CREATE TABLE messages (id serial PRIMARY KEY, phone text, content text,"
                    f" is_sent boolean, external_id {kind});"
                    "INSERT INTO messages (phone, content) SELECT '+15551234567', 'x'"
                    " FROM generate_series(1, 3)"
                )
                self.command("migrate", "up")
                posthaste = self.posthaste(self.provider())
                posthaste.wait_settled()
                self.assertEqual(self.count("status = 'sent' AND provider_id IS NOT NULL"), 3)
                posthaste.stop()
                self.command("migrate", "down")
                self.server.psql("DROP TABLE messages")

    def test_rows_without_a_text_are_failed(self):
        self.server.psql(
            "CREATE TABLE messages (id serial PRIMARY KEY, phone text, content text, is_sent boolean);"
            "INSERT INTO messages (phone, content) VALUES ('+15551234567', NULL), (NULL, 'x')"
        )
        self.command("migrate", "up")
        self.posthaste(self.provider()).wait_settled()
        reasons = self.server.psql("SELECT error FROM posthaste_messages ORDER BY id")
        self.assertEqual(reasons, "content is empty\nrecipient is empty; give a number like +15551234567")

    def test_a_row_that_refuses_its_outcome_is_held_and_the_others_go_on(self):
        """A constraint of the owner's that posthaste cannot know of."""
        self.server.psql(S2.create)
        self.server.psql(
            "ALTER TABLE messages ADD CHECK (NOT (sent AND content = 'never sent'));"
            "INSERT INTO messages (phone_number, content) SELECT '+15551234567',"
            " CASE WHEN i % 10 = 0 THEN 'never sent' ELSE 'fine' END FROM generate_series(1, 50) AS i"
        )
        self.command("migrate", "up")
        provider = self.provider()
        posthaste = self.posthaste(provider)
        wait_until(lambda: self.count("status = 'sent'") == 45, "what can be settled")
        wait_until(lambda: posthaste.status()["claimed"] == 0, "the end of all claims")
        self.assertEqual(self.count("status = 'sending'"), 5)
        posthaste.wait_line(lambda line: "its row refuses it" in line, "a warning")
        held = self.server.psql("SELECT DISTINCT left(owner, 20) FROM posthaste_claims")
        self.assertEqual(held, "refused by the table")
        self.server.psql(S2.old_insert)
        wait_until(lambda: self.count("status = 'sent'") == 46, "another message")
        self.assertEqual(provider.received()["duplicates"], 0)

    def test_a_trigger_that_refuses_a_message_refuses_that_one_only(self):
        self.command("migrate", "up")
        self.server.psql_file(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'not this one'; END $$;"
            "CREATE TRIGGER refuse BEFORE INSERT ON messages FOR EACH ROW"
            " WHEN (new.content = 'bad') EXECUTE FUNCTION refuse()"
        )
        posthaste = self.posthaste(self.provider())
        body = {"to": "+15551234567", "content": "bad"}
        status, answer, _ = posthaste.api.request("POST", "/api/v1/messages", body)
        self.assertEqual(status, 422)
        self.assertIn("does not take this", answer["error"]["message"])
        posthaste.wait_line(lambda line: "not this one" in line, "the reason in the log")
        posthaste.wait_state(posthaste.accept("good")[0], "sent")

    def test_a_new_table_may_have_an_odd_name(self):
        name = {"TABLE": '"Out; box"'}
        self.command("migrate", "up", **name)
        posthaste = self.posthaste(self.provider(), **name)
        (identity,) = posthaste.accept("hello")
        posthaste.wait_state(identity, "sent")
        self.assertEqual(self.server.psql('SELECT status FROM "Out; box"'), "sent")
        posthaste.stop()
        self.command("migrate", "down", **name)
        self.assertEqual(self.server.psql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), "0")

    def test_a_large_table_is_adopted_while_others_write(self):
        """A million rows, and an application that goes on inserting: none of its inserts waits
        for the whole time, and every row is counted."""
        self.server.psql(S2.create)
        rows = scaled(1000000)
        self.server.psql(
            "INSERT INTO messages (phone_number, content, sent)"
            f" SELECT '+15551234567', 'old ' || i, true FROM generate_series(1, {rows}) AS i"
        )
        inserted, done, stop = [0], [], threading.Event()

        def keep_inserting():
            while not stop.is_set():
                self.server.psql(S2.old_insert)
                inserted[0] += 1
                done.append(0)

        application = threading.Thread(target=keep_inserting)
        application.start()
        wait_until(lambda: inserted[0] > 0, "an insert")
        before = inserted[0]
        self.command("migrate", "up")
        during = inserted[0] - before
        stop.set()
        application.join()
        self.assertGreater(during, 0)
        depth = dict(
            line.split("|") for line in self.server.psql("SELECT * FROM posthaste_depth()").splitlines()
        )
        self.assertEqual(int(depth["sent"]), rows)
        self.assertEqual(int(depth["pending"]), inserted[0])

    def test_an_application_of_few_rights_goes_on_inserting(self):
        self.server.psql(S2.create)
        self.server.psql(
            "CREATE ROLE app LOGIN; GRANT INSERT, SELECT ON messages TO app;"
            " GRANT USAGE ON SEQUENCE messages_id_seq TO app"
        )
        self.command("migrate", "up")
        self.server.psql(f"SET ROLE app; {S2.old_insert}")
        self.assertEqual(self.count("status = 'pending'"), 1)

    def test_what_was_begun_and_broken_off_is_taken_up_again(self):
        """As after a power cut between the parts: columns are there, an index is not valid."""
        self.server.psql(S2.create + S2.rows)
        before = self.server.dump_schema()
        sql = self.command("migrate", "up", "--dry-run")
        begun = sql[: sql.index("posthaste_delayed")].rpartition("CREATE INDEX")[0]
        self.server.psql_file(begun)
        self.server.psql("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'posthaste_ready'::regclass")
        self.command("migrate", "up")
        self.assertEqual(
            self.server.psql("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), "0"
        )
        self.posthaste(self.provider()).wait_settled()
        self.programs[-1].stop()
        self.command("migrate", "down")
        self.assertEqual(self.server.dump_schema(), before)
