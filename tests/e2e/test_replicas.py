"""Several posthaste processes on one PostgreSQL, and a PostgreSQL that is replaced under them."""

import http.client
import os
import random
import signal
import threading

from tests.e2e.postgres_case import PostgresCase
from tests.e2e.programs import scaled, wait_until

IN_FLIGHT = 64
UNSETTLED_AHEAD = 2  # DISPATCHER_UNSETTLED_AHEAD
SHORT_LEASE = {"WEBHOOK_TIMEOUT": "1s", "LEASE": "2500ms", "MAX_IN_FLIGHT": IN_FLIGHT}
KILLS = 10


def seeded(test):
    seed = int(os.environ.get("SEED", random.randrange(1 << 32)))
    print(f"{test.id()} SEED={seed}")
    return random.Random(seed)


class Replicas(PostgresCase):
    def test_they_share_the_work_and_send_each_message_once(self):
        provider = self.provider()
        replicas = [self.posthaste(provider, MAX_IN_FLIGHT="16") for _ in range(3)]
        self.fill(scaled(20_000))
        replicas[0].wait_settled()
        self.assertEqual(provider.received()["duplicates"], 0)
        self.assertEqual(len(provider.accepted()), scaled(20_000))

        def shares():
            return [r.metric('posthaste_messages_settled_total{outcome="sent"}') for r in replicas]

        wait_until(lambda: sum(shares()) == scaled(20_000), "what each has settled")
        self.assertTrue(all(share > 0 for share in shares()), shares())

    def test_both_killed_at_random_lose_nothing_and_repeat_little(self):
        rng = seeded(self)
        self.command("migrate", "up")
        total = scaled(50_000)
        self.fill(total)
        provider = self.provider()
        replicas = [self.posthaste(provider, **SHORT_LEASE) for _ in range(2)]
        for _ in range(KILLS):
            step = rng.randrange(100, total // KILLS)
            before = provider.stats()["accepted"]
            wait_until(
                lambda: provider.stats()["accepted"] >= min(before + step, total), "more messages"
            )
            victim = rng.randrange(2)
            replicas[victim].signal(signal.SIGKILL)
            replicas[victim].wait()
            replicas[victim] = self.posthaste(provider, **SHORT_LEASE)
        replicas[0].wait_settled()
        self.assertEqual(len(provider.accepted()), total)
        self.assertEqual(self.count("status = 'sent'"), total)
        duplicates = provider.received()["duplicates"]
        print(f"{duplicates} duplicates after {KILLS} kills")
        self.assertLessEqual(duplicates, KILLS * UNSETTLED_AHEAD * IN_FLIGHT)

    def test_a_frozen_one_loses_its_claims_and_is_refused_when_it_thaws(self):
        hanging, provider = self.provider("--hang"), self.provider()
        options = {"WEBHOOK_TIMEOUT": "3s", "LEASE": "4500ms"}
        frozen = self.posthaste(hanging, **options)
        ids = frozen.accept(*[f"message {i}" for i in range(20)])
        wait_until(lambda: frozen.status()["in_flight"] == 20, "requests in the air")
        frozen.signal(signal.SIGSTOP)
        other = self.posthaste(provider, **options)
        other.wait_settled()
        self.assertEqual(set(provider.accepted()), set(ids))
        frozen.signal(signal.SIGCONT)
        wait_until(
            lambda: frozen.metric("posthaste_lease_conflicts_total") == 20, "refused settles"
        )
        self.assertEqual(provider.received()["duplicates"], 0)
        self.assertEqual(self.count("status = 'sent'"), 20)

    def test_one_that_is_frozen_at_any_moment_holds_nobody_up(self):
        """In the middle of a claim or a settle as well: the other goes on."""
        rng = seeded(self)
        self.command("migrate", "up")
        total = scaled(20_000)
        self.fill(total)
        provider = self.provider()
        frozen = self.posthaste(provider, **SHORT_LEASE)
        before = rng.randrange(1, total // 4)
        wait_until(lambda: provider.stats()["accepted"] >= before, "some messages")
        frozen.signal(signal.SIGSTOP)
        other = self.posthaste(provider, **SHORT_LEASE)
        other.wait_settled()
        self.assertEqual(len(provider.accepted()), total)
        frozen.signal(signal.SIGCONT)


class Failover(PostgresCase):
    """The standby has what the primary has committed: replication is synchronous."""

    def setUp(self):
        super().setUp()
        self.standby = self.keep_server(self.server.standby(synchronous=True))

    def store_url(self):
        hosts = f"{self.server.folder},{self.standby.folder}"
        return f"postgres://posthaste@/posthaste?host={hosts}&port=5432&target_session_attrs=read-write"

    def post(self, app, count, accepted, over):
        """As a client does who tries again until it is answered 201."""
        for i in range(count):
            body = {"messages": [{"to": "+15551234567", "content": f"message {i}"}] * 5}
            while not over.is_set():
                try:
                    status, answer, headers = app.api.request("POST", "/api/v1/messages", body)
                except (OSError, http.client.HTTPException):
                    continue
                if status == 201:
                    accepted.update(answer["ids"])
                    break
                self.assertEqual(status, 503)
                self.assertIn("Retry-After", headers)

    def test_the_primary_is_killed_under_load_and_the_standby_promoted(self):
        provider = self.provider()
        app = self.posthaste(provider, **SHORT_LEASE)
        accepted, over = set(), threading.Event()
        client = threading.Thread(target=self.post, args=(app, scaled(2000), accepted, over))
        client.start()
        wait_until(lambda: provider.stats()["accepted"] >= 500 or not client.is_alive(), "load")
        self.server.kill()
        status, answer, _ = app.api.request("GET", "/readyz")
        self.assertEqual(status, 503, answer)
        self.standby.promote()
        client.join()
        wait_until(lambda: app.api.request("GET", "/readyz")[0] == 200, "readiness")
        app.wait_settled()
        over.set()
        self.assertEqual(accepted - set(provider.accepted()), set())
        stored = set(self.standby.psql("SELECT id FROM messages").split())
        self.assertEqual(accepted - stored, set())
        duplicates = provider.received()["duplicates"]
        print(f"{len(accepted)} accepted, {duplicates} duplicates")
        self.assertLessEqual(duplicates, UNSETTLED_AHEAD * IN_FLIGHT)
