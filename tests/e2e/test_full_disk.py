"""A disk that is full: clear answers, nothing lost, and on by itself when there is space again."""

import resource
import sqlite3
import subprocess
import unittest

from tests.e2e.programs import Case, wait_until

DISK_BYTES = 1_000_000
BALLAST_BYTES = 400_000
LARGER_DISK_BYTES = 1_500_000
SMALLER_BALLAST_BYTES = 300_000
POSTS_AFTER = 30
FILE_BYTES_MAX = 400_000
CONTENT = "x" * 150


class FullDisk(Case):
    def mount(self, disk_bytes, ballast_bytes):
        """Makes the test's folder a small disk; the file in it that takes so much of it."""
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={disk_bytes}", "tmpfs", self.folder],
            capture_output=True,
            text=True,
        )
        if mounted.returncode != 0:
            raise unittest.SkipTest(f"no tmpfs can be mounted here: {mounted.stderr}")
        self.addCleanup(subprocess.run, ["umount", "-l", self.folder], check=True)
        ballast = self.folder / "ballast"
        ballast.write_bytes(bytes(ballast_bytes))
        return ballast

    def fill(self, app, at_once=20):
        """Posts until the disk is full; the ids that were answered 201."""
        accepted = []
        refused = 0
        while refused < 20:
            messages = [{"to": "+15551234567", "content": CONTENT}] * at_once
            status, answer = app.api.post("/api/v1/messages", {"messages": messages})
            if status == 201:
                accepted += answer["ids"]
                continue
            refused += 1
            self.assertEqual(status, 503)
            self.assertEqual(answer["error"]["code"], "unavailable")
        return accepted

    def assert_recovers(self, app, provider, accepted):
        app.wait_settled()
        self.assertEqual(set(accepted) - set(provider.accepted()), set())
        self.assertEqual(provider.received()["duplicates"], 0)
        app.wait_state(app.accept("goes again")[0], "sent")
        wait_until(lambda: app.api.request("GET", "/readyz")[0] == 200, "readiness")

    def test_a_disk_that_is_full_and_gets_space_again(self):
        ballast = self.mount(DISK_BYTES, BALLAST_BYTES)
        provider = self.provider()
        app = self.posthaste(provider, RETRY_BASE="10ms")
        accepted = self.fill(app)
        ballast.unlink()
        self.assert_recovers(app, provider, accepted)

    def resting(self):
        """Nobody but the test writes or reads."""
        return self.posthaste("http://127.0.0.1:1/", AUTO_START="false")

    def assert_takes_more(self, app, accepted):
        """More than SQLite's log can, had it taken the space that was made."""
        for _ in range(POSTS_AFTER):
            accepted += app.accept(*[CONTENT] * 5)
        self.assertEqual(app.status()["messages"]["pending"], len(accepted))

    def test_space_that_is_made_goes_to_the_database_first(self):
        ballast = self.mount(LARGER_DISK_BYTES, SMALLER_BALLAST_BYTES)
        app = self.resting()
        accepted = self.fill(app, at_once=5)
        ballast.unlink()
        self.assert_takes_more(app, accepted)

    def test_a_reader_is_in_the_way_only_while_it_reads(self):
        """All of the log is in the database then, but it cannot be begun again yet."""
        ballast = self.mount(LARGER_DISK_BYTES, SMALLER_BALLAST_BYTES)
        app = self.resting()
        accepted = self.fill(app, at_once=5)
        reader = sqlite3.connect(app.database, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM messages").fetchall()
        ballast.unlink()
        accepted += app.accept(CONTENT)
        reader.execute("COMMIT")
        self.assert_takes_more(app, accepted)
        reader.close()

    def test_a_file_that_may_not_grow_and_then_may(self):
        provider = self.provider()
        limits = (FILE_BYTES_MAX, resource.RLIM_INFINITY)
        app = self.posthaste(
            provider,
            process_options={
                "preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            },
        )
        accepted = self.fill_file(app)
        resource.prlimit(app.process.pid, resource.RLIMIT_FSIZE, (-1, resource.RLIM_INFINITY))
        self.assert_recovers(app, provider, accepted)

    def fill_file(self, app):
        """As fill, with a dispatcher at rest, so that rows stay and the file cannot be reused."""
        app.api.post("/api/v1/messaging/stop")
        accepted = self.fill(app)
        app.api.post("/api/v1/messaging/start")
        return accepted
