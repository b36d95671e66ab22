"""When messages leave, how long they are good for, and how they are found."""

import datetime
import json

from tests.e2e.programs import Case, wait_until

MESSAGES = "/api/v1/messages"
ONE = {"to": "+15551234567", "content": "hello"}


class Scheduling(Case):
    def setUp(self):
        super().setUp()
        self.mock = self.provider()

    def post(self, app, **more):
        status, answer = app.api.post(MESSAGES, ONE | more)
        self.assertEqual(status, 201, answer)
        return answer["id"]

    def sent(self):
        return set(self.mock.accepted())

    def at(self, app, seconds):
        """So many seconds from now, by a clock that is surely the program's."""
        moment = app.api.get("/api/v1/messaging/status")["since"]
        parsed = datetime.datetime.fromisoformat(moment.replace("Z", "+00:00"))
        return (parsed + datetime.timedelta(seconds=seconds)).isoformat()

    def test_a_message_waits_for_its_time(self):
        app = self.posthaste(self.mock)
        later = self.post(app, send_at="2090-01-01T00:00:00Z")
        soon = self.post(app, send_at=self.at(app, 2))
        past = self.post(app, send_at="2001-01-01T03:00:00+03:00")
        app.wait_state(past, "sent")
        app.wait_state(soon, "sent")
        message = app.api.get(f"{MESSAGES}/{later}")
        self.assertEqual(message["status"], "pending")
        self.assertEqual(message["due_at"], "2090-01-01T00:00:00.000Z")
        self.assertEqual(self.sent(), {soon, past})

    def test_a_message_expires_unsent(self):
        app = self.posthaste(self.mock, AUTO_START="false")
        name = self.post(app, expires_at=self.at(app, 2))
        good = self.post(app, expires_at="2090-01-01T00:00:00Z")
        wait_until(
            lambda: app.api.post(MESSAGES, ONE | {"expires_at": self.at(app, 2)})[0] == 422,
            "the end of its time",
        )
        app.api.post("/api/v1/messaging/start")
        app.wait_state(good, "sent")
        app.wait_state(name, "expired")
        message = app.api.get(f"{MESSAGES}/{name}")
        self.assertIn("its time was over at", message["error"])
        self.assertEqual(message["attempt_count"], 0)
        self.assertNotIn(name, self.sent())

    def test_a_retry_after_the_end_is_none(self):
        app = self.posthaste(self.mock, RETRY_BASE="1h")
        self.mock.behave(status=503)
        name = self.post(app, expires_at=self.at(app, 600))
        app.wait_state(name, "expired")
        self.assertEqual(app.api.get(f"{MESSAGES}/{name}")["attempt_count"], 1)

    def test_a_message_may_have_attempts_of_its_own(self):
        app = self.posthaste(self.mock, MAX_RETRIES=9, RETRY_BASE="1ms", RETRY_CAP="2ms")
        self.mock.behave(status=503)
        once, thrice = self.post(app, max_attempts=1), self.post(app, max_attempts=3)
        for name, attempts in ((once, 1), (thrice, 3)):
            app.wait_state(name, "failed")
            self.assertEqual(app.api.get(f"{MESSAGES}/{name}")["attempt_count"], attempts)

    def test_retries_keep_to_a_schedule(self):
        app = self.posthaste(self.mock, MAX_RETRIES=3, RETRY_SCHEDULE="1ms,150ms,2ms")
        self.mock.behave(status=503)
        app.wait_state(self.post(app), "failed")
        waits = [
            json.loads(line)["retry_in_ms"]
            for line in app.output().splitlines()
            if '"retry_in_ms"' in line
        ]
        self.assertEqual(len(waits), 3)
        for wait, planned in zip(waits, (1, 150, 2)):
            self.assertGreaterEqual(wait, planned)
            self.assertLessEqual(wait, planned * 1.25 + 1)
        status, output = self.run_command(
            "serve", WEBHOOK_URL="http://127.0.0.1:9/", PORT="0", RETRY_SCHEDULE="soon"
        )
        self.assertEqual(status, 1)
        self.assertIn("RETRY_SCHEDULE", output)

    def test_metadata_and_provider_are_kept(self):
        app = self.posthaste(self.mock)
        metadata = {"order": 7, "nested": {"a": [1, None, "\u00e9"]}}
        name = self.post(app, metadata=metadata, provider="webhook")
        message = app.api.get(f"{MESSAGES}/{name}")
        self.assertEqual((message["metadata"], message["provider"]), (metadata, "webhook"))
        found = app.api.get(f"{MESSAGES}?provider=webhook")["messages"]
        self.assertEqual([one["id"] for one in found], [name])

    def test_what_is_refused(self):
        app = self.posthaste(self.mock, AUTO_START="false")
        cases = {
            "send_at": ["tomorrow", 5, "2090-01-01"],
            "expires_at": ["2001-01-01T00:00:00Z", None],
            "metadata": ["x", [], {"long": "x" * 5000}],
            "max_attempts": [0, 1.5, "3", 10**9],
            "provider": ["pigeon", 1],
            "priority": [10**6],
        }
        for field, values in cases.items():
            for value in values:
                status, answer = app.api.post(MESSAGES, ONE | {field: value})
                self.assertEqual((status, answer["error"]["field"]), (422, field), (field, value))
        both = ONE | {"send_at": "2090-01-02T00:00:00Z", "expires_at": "2090-01-01T00:00:00Z"}
        self.assertEqual(app.api.post(MESSAGES, both)[1]["error"]["field"], "expires_at")

    def test_a_pause(self):
        app = self.posthaste(self.mock)
        self.assertEqual(app.api.post("/api/v1/messaging/pause?for=1h")[0], 200)
        status = app.api.get("/api/v1/messaging/status")
        self.assertEqual((status["state"], status["by"]), ("paused", "anonymous"))
        self.assertGreater(status["resumes_in_ms"], 0)
        name = self.post(app)
        self.assertEqual(app.api.post("/api/v1/messaging/pause?for=1s")[0], 200)
        app.wait_state(name, "sent")
        self.assertEqual(app.api.get("/api/v1/messaging/status")["state"], "running")
        app.api.post("/api/v1/messaging/pause")
        self.assertIsNone(app.api.get("/api/v1/messaging/status")["resumes_in_ms"])
        app.api.post("/api/v1/messaging/stop")
        self.assertEqual(app.api.post("/api/v1/messaging/pause")[0], 409)


class Lists(Case):
    def setUp(self):
        super().setUp()
        self.app = self.posthaste("http://127.0.0.1:9/", AUTO_START="false")
        self.ids = []
        for number in range(25):
            body = {"to": f"+1555000{number % 3:04}", "content": f"number {number:02}"}
            self.ids.append(self.app.api.post(MESSAGES, body)[1]["id"])

    def ids_of(self, query):
        return [one["id"] for one in self.app.api.get(f"{MESSAGES}?{query}")["messages"]]

    def test_filters(self):
        self.assertEqual(self.ids_of("recipient=%2B15550000001"), self.ids[1::3][::-1])
        self.assertEqual(self.ids_of("q=number%2007"), [self.ids[7]])
        self.assertEqual(self.ids_of("q=none"), [])
        self.assertEqual(self.ids_of("status=sent,failed"), [])
        self.assertEqual(len(self.ids_of("status=sent,pending")), 25)
        created = self.app.api.get(f"{MESSAGES}/{self.ids[10]}")["created_at"]
        after = self.ids_of(f"created_from={created}&order=oldest")
        before = self.ids_of(f"created_to={created}&order=oldest")
        self.assertEqual(before + after, self.ids)
        self.assertIn(self.ids[10], after)

    def test_pages(self):
        page = self.app.api.get(f"{MESSAGES}?page=2&per_page=10&order=oldest")
        self.assertEqual([one["id"] for one in page["messages"]], self.ids[10:20])
        self.assertEqual((page["total"], page["total_pages"], page["page"]), (25, 3, 2))
        self.assertEqual(self.ids_of("page=4&per_page=10"), [])
        self.assertEqual(self.ids_of("offset=20&limit=3&order=oldest"), self.ids[20:23])
        counted = self.app.api.get(f"{MESSAGES}?q=number&total=true&limit=1")
        self.assertEqual((counted["total"], counted["total_is_exact"]), (25, True))

    def test_a_cursor_is_stable_in_both_orders(self):
        for order, expected in (("oldest", self.ids), ("newest", self.ids[::-1])):
            found, cursor = [], ""
            while cursor is not None:
                query = f"limit=4&order={order}&cursor={cursor}&q=number"
                page = self.app.api.get(f"{MESSAGES}?{query}")
                found += [one["id"] for one in page["messages"]]
                cursor = page["next_cursor"]
                self.app.api.post(MESSAGES, ONE)
            self.assertEqual(found, expected)

    def test_what_is_refused(self):
        for query, field in (
            ("status=gone", "status"),
            ("limit=1001", "limit"),
            ("page=0", "page"),
            ("order=best", "order"),
            ("created_from=now", "created_from"),
            ("cursor=x", "cursor"),
            ("cursor=1&offset=1", "cursor"),
            ("total=maybe", "total"),
            ("offset=1000001", "offset"),
        ):
            status, answer, _ = self.app.api.request("GET", f"{MESSAGES}?{query}")
            self.assertEqual((status, answer["error"]["field"]), (422, field), query)
