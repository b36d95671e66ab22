"""The throw-away servers do what the tests that use them rely on."""

import os
import signal
import socket
import subprocess
import sys
import unittest

from tests.e2e.programs import ROOT, wait_until
from tests.servers import PgBouncer, PostgresServer, RedisServer, ServerError, processes
from tests.servers.tools import postgres_program, run

# Starts one of each, a frozen one too, says where, and waits.
ABANDONED = """
from tests.servers import PgBouncer, PostgresServer, RedisServer, home
database = PostgresServer()
PgBouncer(database)
PostgresServer().freeze()
RedisServer().freeze()
print(home().folder, flush=True)
input()
"""


class ServerCase(unittest.TestCase):
    def keep(self, server):
        self.addCleanup(server.remove)
        return server


class Postgres(ServerCase):
    def setUp(self):
        self.server = self.keep(PostgresServer(tcp=True))
        self.server.psql("CREATE TABLE numbers (i int); INSERT INTO numbers VALUES (1), (2)")

    def count(self, server=None):
        return (server or self.server).number("SELECT count(*) FROM numbers")

    def test_psql_prints_plainly_and_fails_with_the_servers_words(self):
        self.assertEqual(self.server.psql("SELECT i, i + 1 FROM numbers ORDER BY i"), "1|2\n2|3")
        with self.assertRaisesRegex(ServerError, 'relation "nowhere" does not exist'):
            self.server.psql("SELECT FROM nowhere")
        with self.assertRaisesRegex(ServerError, "division by zero"):
            self.server.psql_file("INSERT INTO numbers VALUES (3);\nSELECT 1 / 0;")
        self.assertEqual(self.count(), 3)

    def test_both_urls_lead_to_it_and_its_databases(self):
        self.server.create_database("other")
        for url in (
            self.server.url("other", options="-csearch_path=place"),
            self.server.tcp_url("other", options="-csearch_path=place"),
        ):
            query = "SELECT current_database(), current_setting('search_path')"
            said = run([postgres_program("psql"), "-X", "-A", "-t", "-d", url, "-c", query])
            self.assertEqual(said, "other|place\n")

    def test_is_durable_and_nobody_special(self):
        self.assertEqual(self.server.psql("SHOW fsync"), "on")
        owner = os.stat(f"/proc/{self.server.process.pid}").st_uid
        self.assertNotEqual(owner, 0)

    def test_keeps_data_and_port_over_stops_and_kills(self):
        port = self.server.port
        self.server.restart()
        self.assertEqual(self.count(), 2)
        self.server.stop(immediate=True)
        self.server.start()
        self.assertEqual(self.count(), 2)
        self.server.kill()
        self.assertEqual(processes.marked(self.server.mark), [])
        self.server.start()
        self.assertIn("was not properly shut down", self.server.output())
        self.assertEqual(self.count(), 2)
        self.assertEqual(self.server.number("SHOW port"), port)

    def test_a_frozen_one_answers_nobody_until_it_thaws(self):
        self.server.freeze()
        pids = processes.marked(self.server.mark)
        self.assertGreater(len(pids), 1)
        self.assertTrue(all(processes.is_stopped(pid) for pid in pids))
        self.server.thaw()
        self.assertEqual(self.count(), 2)

    def test_a_standby_streams_and_is_promoted(self):
        standby = self.keep(self.server.standby())
        self.server.psql("INSERT INTO numbers VALUES (3)")
        wait_until(lambda: self.count(standby) == 3, "the row on the standby")
        with self.assertRaisesRegex(ServerError, "read-only"):
            standby.psql("INSERT INTO numbers VALUES (4)")
        self.server.kill()
        standby.promote()
        standby.psql("INSERT INTO numbers VALUES (4)")
        self.assertEqual(self.count(standby), 4)

    def test_a_synchronous_standby_has_all_that_was_committed(self):
        standby = self.keep(self.server.standby(synchronous=True))
        self.server.psql("INSERT INTO numbers VALUES (3)")
        self.server.kill()
        standby.promote()
        self.assertEqual(self.count(standby), 3)

    def test_settings_go_to_the_server_and_its_standby(self):
        server = self.keep(PostgresServer(max_connections=20, work_mem="1MB"))
        standby = self.keep(server.standby(work_mem="2MB"))
        for each, memory in ((server, "1MB"), (standby, "2MB")):
            self.assertEqual(each.number("SHOW max_connections"), 20)
            self.assertEqual(each.psql("SHOW work_mem"), memory)


class Bouncer(ServerCase):
    def backends(self, mode):
        """The process ids that serve two transactions of one client, another coming between."""
        server = self.keep(PostgresServer())
        bouncer = self.keep(PgBouncer(server, mode, pool_size=2))
        ask = "SELECT pg_backend_pid();\n"
        between = f"\\! {postgres_program('psql')} -X -d '{bouncer.url()}' -c 'SELECT 1' >&2\n"
        command = [postgres_program("psql"), "-X", "-A", "-t", "-d", bouncer.url(), "-f", "-"]
        said = run(command, ask + between + ask).split()
        self.assertEqual(len(said), 2, said)
        for pid in said:
            self.assertIn(int(pid), processes.marked(server.mark))
        return server, bouncer

    def test_a_session_pool(self):
        self.backends("session")

    def test_a_transaction_pool_that_restarts(self):
        server, bouncer = self.backends("transaction")
        bouncer.stop()
        bouncer.start()
        plain = [postgres_program("psql"), "-X", "-A", "-t"]
        said = run([*plain, "-d", bouncer.url(), "-c", "SELECT 5"])
        self.assertEqual(said, "5\n")
        self.assertEqual(server.number("SELECT 6"), 6)


class Redis(ServerCase):
    def test_asks_for_the_password_and_knows_the_settings(self):
        server = self.keep(RedisServer(password="a secret", maxmemory="2mb"))
        self.assertEqual(server.cli("CONFIG", "GET", "maxmemory"), "maxmemory\n2097152")
        server.password = None
        with self.assertRaisesRegex(ServerError, "NOAUTH"):
            server.cli("GET", "a")

    def test_stops_and_starts_empty_on_the_same_port(self):
        server = self.keep(RedisServer())
        port = server.port
        for stop in (server.stop, server.kill):
            self.assertEqual(server.cli("SET", "a", "1"), "OK")
            stop()
            with self.assertRaisesRegex(ServerError, "refused"):
                server.cli("GET", "a")
            server.start()
            self.assertEqual(server.cli("GET", "a"), "")
        self.assertEqual(server.port, port)

    def test_a_frozen_one_answers_nobody_until_it_thaws(self):
        server = self.keep(RedisServer())
        server.freeze()
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(b"PING\r\n")
            client.setblocking(False)
            self.assertTrue(processes.is_stopped(server.process.pid))
            self.assertRaises(BlockingIOError, client.recv, 100)
            server.thaw()
            client.setblocking(True)
            self.assertEqual(client.recv(100), b"+PONG\r\n")


class Abandoned(unittest.TestCase):
    """Whatever becomes of the process that started them, nothing of its servers is left."""

    def start(self):
        owner = subprocess.Popen(
            [sys.executable, "-c", ABANDONED],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        folder = owner.stdout.readline().strip()
        self.assertNotEqual(folder, "")
        marks = [f"{folder}/{number}/" for number in (1, 2, 3, 4)]
        self.assertEqual([mark for mark in marks if not processes.marked(mark)], [])
        return owner, folder

    def expect_nothing(self, owner, folder):
        with owner:
            wait_until(lambda: not os.path.exists(folder), f"{folder} to be removed")
        self.assertEqual(processes.marked(f"{folder}/"), [])

    def test_it_ends(self):
        owner, folder = self.start()
        owner.communicate("\n")
        self.assertEqual(owner.returncode, 0)
        self.assertFalse(os.path.exists(folder))
        self.expect_nothing(owner, folder)

    def test_it_is_killed(self):
        owner, folder = self.start()
        owner.kill()
        self.expect_nothing(owner, folder)

    def test_it_is_killed_with_its_group(self):
        owner, folder = self.start()
        os.killpg(owner.pid, signal.SIGKILL)
        self.expect_nothing(owner, folder)


if __name__ == "__main__":
    unittest.main()
