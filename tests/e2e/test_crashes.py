"""Processes that are killed, stopped, frozen, or run side by side: nothing is lost, and what is sent
twice is bounded."""

import http.client
import os
import random
import signal
import threading

from tests.e2e.programs import Case, Client, scaled, wait_until

IN_FLIGHT = 64
UNSETTLED_AHEAD = 2  # DISPATCHER_UNSETTLED_AHEAD
ENDS = 10
CLIENTS = 3
PER_POST = 20


class Crashes(Case):
    def setUp(self):
        super().setUp()
        seed = int(os.environ.get("SEED", random.randrange(1 << 32)))
        print(f"SEED={seed}")
        self.random = random.Random(seed)
        self.port = None  # of the process that the clients post to; None while there is none

    def start(self, provider):
        app = self.posthaste(provider, MAX_IN_FLIGHT=IN_FLIGHT)
        self.port = app.port
        return app

    def post_all(self, count, accepted, done):
        """Posts messages as clients do who try again until they are answered; ids answered 201
        come into `accepted`."""
        lock = threading.Lock()
        turns = iter(range(0, count, PER_POST))

        def client():
            while True:
                with lock:
                    first = next(turns, None)
                if first is None:
                    return
                body = [
                    {"to": "+15551234567", "content": f"message {first + i}"}
                    for i in range(PER_POST)
                ]
                while not self.post_once(body, accepted, lock):
                    done.wait(0.01)

        threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        return threads

    def post_once(self, messages, accepted, lock):
        """False when it has to be tried again: the process was gone, or said so."""
        port = self.port
        if port is None:
            return False
        try:
            status, answer = Client(port).post("/api/v1/messages", {"messages": messages})
        except (OSError, ValueError, http.client.HTTPException):
            return False
        if status == 201:
            with lock:
                accepted.update(answer["ids"])
        return status == 201

    def run_with_ends(self, number):
        """20,000 messages while the process is ended ten times; the accepted ids."""
        provider = self.provider()
        app = self.start(provider)
        accepted, done = set(), threading.Event()
        threads = self.post_all(scaled(20_000), accepted, done)
        for _ in range(ENDS):
            settled = self.random.randrange(50, scaled(1_500))
            before = provider.stats()["accepted"]
            wait_until(
                lambda: provider.stats()["accepted"] >= before + settled
                or not any(thread.is_alive() for thread in threads),
                "some more messages",
            )
            self.port = None
            app.signal(number)
            status = app.wait()
            self.assertEqual(status, -number if number == signal.SIGKILL else 0, app.output()[-2000:])
            app = self.start(provider)
        for thread in threads:
            thread.join()
        done.set()
        app.wait_settled()
        return app, provider, accepted

    def test_kill_loses_nothing_and_repeats_little(self):
        app, provider, accepted = self.run_with_ends(signal.SIGKILL)
        delivered = provider.accepted()
        self.assertEqual(accepted - set(delivered), set(), "accepted and never delivered")
        self.assertEqual(app.status()["messages"]["failed"], 0)
        duplicates = provider.received()["duplicates"]
        print(f"{duplicates} duplicates after {ENDS} kills")
        self.assertLessEqual(duplicates, ENDS * UNSETTLED_AHEAD * IN_FLIGHT)

    def test_orderly_stops_repeat_nothing(self):
        _, provider, accepted = self.run_with_ends(signal.SIGTERM)
        self.assertEqual(set(provider.accepted()), accepted)
        self.assertEqual(provider.received()["duplicates"], 0)

    def test_a_killed_process_loses_its_claims_to_the_other_at_once(self):
        hanging, provider = self.provider("--hang"), self.provider()
        options = {"WEBHOOK_TIMEOUT": "10m", "MAX_IN_FLIGHT": IN_FLIGHT}
        first = self.posthaste(hanging, **options)
        ids = first.accept(*[f"message {i}" for i in range(100)])
        wait_until(lambda: first.status()["in_flight"] == IN_FLIGHT, "requests in the air")
        second = self.posthaste(provider, **options)
        first.signal(signal.SIGKILL)
        first.wait()
        second.wait_settled()
        self.assertEqual(set(provider.accepted()), set(ids))
        attempts = second.message(ids[0])["attempts"]
        self.assertEqual([attempt["class"] for attempt in attempts], ["lease_expired"])

    def test_a_frozen_process_is_fenced_when_it_thaws(self):
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
        self.assertEqual(frozen.status()["messages"]["sent"], 20)

    def test_stop_lets_requests_in_the_air_finish(self):
        provider = self.provider("--latency", "500ms")
        app = self.posthaste(provider, MAX_IN_FLIGHT="4")
        app.accept(*[f"message {i}" for i in range(12)])
        wait_until(lambda: app.status()["in_flight"] == 4, "four requests in the air")
        status, answer = app.api.post("/api/v1/messaging/stop")
        self.assertEqual((status, answer["state"]), (200, "stopping"))
        wait_until(lambda: app.status()["state"] == "stopped", "the end of the stop")
        counts = app.status()["messages"]
        self.assertEqual((counts["sent"], counts["pending"]), (4, 8))
        self.assertEqual(provider.received()["total"], 4)
        app.api.post("/api/v1/messaging/start")
        app.wait_settled()
        self.assertEqual(provider.received()["duplicates"], 0)

    def test_requests_beyond_the_grace_period_are_cut_off_and_kept(self):
        provider = self.provider("--hang")
        app = self.posthaste(provider, SHUTDOWN_GRACE="200ms", WEBHOOK_TIMEOUT="10m")
        app.accept("a", "b")
        wait_until(lambda: app.status()["in_flight"] == 2, "requests in the air")
        app.stop()
        again = self.posthaste(provider, AUTO_START="false")
        for identity in ("1", "2"):
            message = again.message(identity)
            self.assertEqual((message["status"], message["attempt_count"]), ("pending", 1))
            self.assertEqual(message["attempts"][0]["class"], "aborted")

    def test_a_second_signal_ends_at_once_and_loses_nothing(self):
        provider = self.provider("--hang")
        app = self.posthaste(provider, WEBHOOK_TIMEOUT="10m", SHUTDOWN_GRACE="10m")
        (identity,) = app.accept("a")
        wait_until(lambda: app.status()["in_flight"] == 1, "a request in the air")
        app.signal(signal.SIGTERM)
        app.wait_line(lambda line: '"msg":"stopping"' in line, "a stop that begins")
        app.signal(signal.SIGTERM)
        self.assertEqual(app.wait(), -signal.SIGTERM)
        provider.behave()
        self.posthaste(provider).wait_state(identity, "sent")
