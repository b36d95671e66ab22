"""The commands, the configuration, and starts that must not be."""

import re
import resource
import signal
import sqlite3

from tests.e2e.programs import Case, Client, Program


class Commands(Case):
    def test_unknown_commands_and_options_are_one_clear_line(self):
        status, printed = self.run_command("frobnicate")
        self.assertEqual((status, len(printed.splitlines())), (2, 1))
        self.assertIn("frobnicate", printed)
        status, printed = self.run_command("serve", "--frobnicate", "1", WEBHOOK_URL="http://x/")
        self.assertEqual((status, len(printed.splitlines())), (2, 1))
        self.assertIn("--frobnicate", printed)

    def test_version_and_help(self):
        for argument in ("version", "--version"):
            status, printed = self.run_command(argument)
            self.assertEqual(status, 0)
            self.assertRegex(printed, r"Version: \d+\.\d+\.\d+")
        for argument in ("help", "--help"):
            status, printed = self.run_command(argument)
            self.assertEqual(status, 0)
            for word in ("serve", "mock-provider", "--batch-size", "2m"):
                self.assertIn(word, printed)

    def test_all_faults_of_a_configuration_are_told_at_once(self):
        status, printed = self.run_command(
            "serve",
            BATCH_SIZE="many", PROCESSING_INTERVAL="soon", PORT="1", SERVER_PORT="2",
            LOG_LEVEL="loud", LEASE="5s", STORE_URL="oracle:x", WEBHOOK_URL="ftp://x",
        )
        self.assertEqual(status, 2)
        for name in ("BATCH_SIZE", "PROCESSING_INTERVAL", "SERVER_PORT", "LOG_LEVEL", "LEASE",
                     "STORE_URL", "WEBHOOK_URL"):
            self.assertIn(name, printed)
        self.assertEqual(len(printed.splitlines()), 7)

    def test_a_webhook_url_is_needed(self):
        status, printed = self.run_command("serve")
        self.assertEqual(status, 2)
        self.assertIn("WEBHOOK_URL: is not set", printed)

    def test_flags_come_before_environment_before_file_before_default(self):
        (self.folder / ".env").write_text("BATCH_SIZE=3\nMAX_RETRIES=4\nBATCH_SIZ=9\n")
        status, printed = self.run_command(
            "config", "--max-in-flight", "7", MAX_IN_FLIGHT="8", MAX_RETRIES="5",
            WEBHOOK_AUTH_KEY="very-secret",
        )
        self.assertEqual(status, 0)
        lines = printed.splitlines()
        for line in ("MAX_IN_FLIGHT=7", "MAX_RETRIES=5", "BATCH_SIZE=3", "PORT=8080"):
            self.assertIn(line, lines)
        self.assertIn("did you mean BATCH_SIZE", printed)
        self.assertNotIn("very-secret", printed)

    def test_send_and_list_work_on_the_database(self):
        store = {"STORE_URL": f"sqlite:{self.folder}/queue.db"}
        status, printed = self.run_command("send", "--to", "+905551234567", "Merhaba", **store)
        self.assertEqual((status, printed.splitlines()[-1]), (0, "1"))
        status, printed = self.run_command("send", "--to", "905551234567", "Merhaba", **store)
        self.assertEqual(status, 2)
        self.assertIn("must begin with +", printed)
        status, printed = self.run_command("list", "--status", "pending", **store)
        self.assertEqual(status, 0)
        self.assertIn("+905551234567", printed)
        self.assertIn("pending 1", printed)
        provider = self.provider()
        self.posthaste(provider).wait_state("1", "sent")

    def test_migrations_go_up_and_down(self):
        store = {"STORE_URL": f"sqlite:{self.folder}/queue.db"}
        for action, words in (("status", "migrate up` is needed"), ("up", "applied 0001"),
                              ("up", "up to date"), ("status", "up to date"),
                              ("down", "took back 0001"), ("down", "nothing to take back")):
            status, printed = self.run_command("migrate", action, **store)
            self.assertEqual(status, 0, printed)
            self.assertIn(words, printed)
        self.assertEqual(self.run_command("migrate", "sideways", **store)[0], 2)

    def test_migration_files_are_created_in_order(self):
        (self.folder / "db" / "sqlite").mkdir(parents=True)
        for number, name in (("0001", "first_one"), ("0002", "second")):
            status, printed = self.run_command("migrate", "create", name)
            self.assertEqual(status, 0, printed)
            for direction in ("up", "down"):
                self.assertTrue((self.folder / f"db/sqlite/{number}_{name}.{direction}.sql").exists())
        self.assertEqual(self.run_command("migrate", "create", "../x")[0], 2)

    def test_a_database_newer_than_the_program_is_refused(self):
        store = {"STORE_URL": f"sqlite:{self.folder}/queue.db"}
        self.run_command("migrate", "up", **store)
        with sqlite3.connect(self.folder / "queue.db") as connection:
            connection.execute("INSERT INTO schema_migrations (version, name) VALUES (99, 'x')")
        connection.close()
        status, printed = self.run_command("serve", WEBHOOK_URL="http://127.0.0.1:9/", **store)
        self.assertEqual(status, 1)
        self.assertIn("schema version 99", printed)
        self.assertIn("newer posthaste", printed)

    def test_a_file_that_is_no_database_is_refused(self):
        (self.folder / "queue.db").write_bytes(b"not a database " * 1000)
        status, printed = self.run_command(
            "serve", WEBHOOK_URL="http://127.0.0.1:9/", STORE_URL=f"sqlite:{self.folder}/queue.db"
        )
        self.assertEqual(status, 1)
        self.assertIn("not a database", printed)

    def test_a_port_that_is_taken_is_named(self):
        provider = self.provider()
        app = self.posthaste(provider)
        status, printed = self.run_command(
            "serve", PORT=str(app.port), WEBHOOK_URL=provider.url, STORE_URL="memory:"
        )
        self.assertEqual(status, 1)
        self.assertIn(f":{app.port}: address already in use", printed)

    def test_too_few_descriptors_are_told_at_the_start(self):
        app = self.keep(
            Program(
                ["serve"],
                {"WEBHOOK_URL": "http://127.0.0.1:9/", "STORE_URL": "memory:", "PORT": "0"},
                self.folder,
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)),
            )
        )
        self.assertEqual(app.wait(), 1)
        self.assertIn("MAX_IN_FLIGHT 64 needs 192 file descriptors", app.output())

    def test_the_demo_delivers_and_a_second_start_goes_on(self):
        for total in (10, 20):
            demo = self.keep(Program(["demo"], {"PORT": "0"}, self.folder))
            line = demo.wait_line(lambda text: "The API is at" in text, "address of the API")
            demo.wait_line(lambda text: "message accepted by the provider" in text, "delivery")
            api = Client(int(re.search(r":(\d+)$", line)[1]))
            self.assertEqual(api.get("/api/v1/messaging/status")["messages"]["sent"], total)
            demo.signal(signal.SIGINT)
            self.assertEqual(demo.wait(), 0, demo.output())

    def test_the_demo_never_sends_to_a_real_provider(self):
        provider = self.provider()
        demo = self.keep(Program(["demo"], {"PORT": "0", "WEBHOOK_URL": provider.url}, self.folder))
        demo.wait_line(lambda text: "The API is at" in text, "address of the API")
        self.assertEqual(provider.received()["total"], 0)
