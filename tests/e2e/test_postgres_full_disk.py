"""The database's disk is full: clear answers, nothing lost, and on by itself when there is space."""

import os
import pathlib
import subprocess
import unittest

from tests.e2e.postgres_case import PostgresCase
from tests.e2e.programs import wait_until

DISK = "80m"
BALLAST_BYTES = 30_000_000
CONTENT = "x" * 160


class FullDatabaseDisk(PostgresCase):
    def move_to_small_disk(self):
        """The data onto a small disk, but for the log, without which a server does not live. The
        file that fills a part of the disk."""
        data = self.server.data
        self.server.stop()
        kept = data.with_name("kept")
        data.rename(kept)
        data.mkdir(mode=0o700)
        owner = kept.stat()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0700,uid={owner.st_uid},gid={owner.st_gid}",
             "tmpfs", data],
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
        if mounted.returncode != 0:
            raise unittest.SkipTest(f"no tmpfs can be mounted here: {mounted.stderr}")
        self.addCleanup(subprocess.run, ["umount", "-l", data], check=True)
        log = data.with_name("log")
        (kept / "pg_wal").rename(log)
        subprocess.run(["cp", "-a", f"{kept}/.", data], check=True)
        (data / "pg_wal").symlink_to(log)
        self.server.start()
        ballast = pathlib.Path(data, "ballast")
        ballast.write_bytes(bytes(BALLAST_BYTES))
        os.chown(ballast, owner.st_uid, owner.st_gid)
        return ballast

    def fill_by_api(self, app):
        """Posts until the disk is full; the ids that were answered 201."""
        accepted, refused = [], 0
        while refused < 20:
            body = {"messages": [{"to": "+15551234567", "content": CONTENT}] * 500}
            status, answer, headers = app.api.request("POST", "/api/v1/messages", body)
            if status == 201:
                accepted += answer["ids"]
                continue
            refused += 1
            self.assertEqual(status, 503)
            self.assertIn("Retry-After", headers)
        return accepted

    def test_it_gets_space_again(self):
        ballast = self.move_to_small_disk()
        provider = self.provider()
        app = self.posthaste(provider, PROCESSING_INTERVAL="0", AUTO_START="false")
        accepted = self.fill_by_api(app)
        self.assertIn("make space", app.output())
        app.api.post("/api/v1/messaging/start")
        ballast.unlink()
        app.wait_settled()
        self.assertEqual(set(accepted) - set(provider.accepted()), set())
        self.assertEqual(provider.received()["duplicates"], 0)
        wait_until(lambda: app.api.request("GET", "/readyz")[0] == 200, "readiness")
        app.wait_state(app.accept("goes again")[0], "sent")
