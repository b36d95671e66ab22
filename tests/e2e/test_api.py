"""What the API answers: statuses, shapes, and words for bad input."""

import json
import sqlite3

from tests.e2e.programs import Case, wait_until

MESSAGES = "/api/v1/messages"
GOOD = {"to": "+15551234567", "content": "hello"}


class Api(Case):
    def setUp(self):
        super().setUp()
        self.mock = self.provider()
        self.app = self.posthaste(self.mock, AUTO_START="false")

    def refused(self, body, status, code, field=None, headers=None):
        """Asserts the answer to a POST of messages, and that nothing was stored."""
        answered, answer, _ = self.app.api.request("POST", MESSAGES, body, headers)
        error = answer["error"]
        self.assertEqual((answered, error["code"], error.get("field")), (status, code, field), answer)
        self.assertTrue(error["message"])
        self.assertEqual(self.app.sql("SELECT count(*) FROM messages"), [(0,)])

    def test_one_message_and_many_are_created(self):
        status, one = self.app.api.post(MESSAGES, GOOD)
        self.assertEqual((status, one["id"], one["ids"]), (201, "1", ["1"]))
        self.assertEqual((one["to"], one["content"], one["status"]), ("+15551234567", "hello", "pending"))
        status, many = self.app.api.post(MESSAGES, {"messages": [GOOD] * 3})
        self.assertEqual((status, many["ids"], many["count"]), (201, ["2", "3", "4"], 3))
        for name in ("recipient", "phone", "phone_number", "phoneNumber"):
            status, _ = self.app.api.post(MESSAGES, {name: "+15551234567", "content": "x"})
            self.assertEqual(status, 201)

    def test_bad_fields_are_named_and_nothing_is_stored(self):
        for body, field in (
            ({"to": "15551234567", "content": "x"}, "to"),
            ({"phone": "+0123", "content": "x"}, "phone"),
            ({"to": "+1234567890123456", "content": "x"}, "to"),
            ({"content": "x"}, "to"),
            ({"to": "+15551234567", "phone": "+15551234567", "content": "x"}, "phone"),
            ({"to": "+15551234567"}, "content"),
            ({"to": "+15551234567", "content": "  "}, "content"),
            ({"to": "+15551234567", "content": "ş" * 161}, "content"),
            ({"to": "+15551234567", "content": 5}, "content"),
            (GOOD | {"color": "red"}, "color"),
            (GOOD | {"priority": "high"}, "priority"),
            ({"messages": []}, "messages"),
            ({"messages": {}}, "messages"),
            ({"messages": [GOOD], "to": "x"}, "messages"),
            ({"messages": [GOOD, GOOD | {"content": ""}]}, "messages[1].content"),
            ({"messages": [GOOD, 7]}, "messages[1]"),
            ({"messages": [GOOD] * 10_001}, "messages"),
            ([GOOD], None),
        ):
            with self.subTest(field=field):
                self.refused(body, 422, "invalid_field", field)

    def test_what_is_no_json_is_refused(self):
        kind = {"Content-Type": "application/json"}
        for body in ("", "{", '{"to":"+15551234567","to":"x"}', '{"a":"\\u0000"}', "[" * 100_000, b"\xff"):
            self.refused(body, 400, "invalid_json", None, kind)
        self.refused("to=x", 415, "unsupported_media_type", None, {"Content-Type": "text/plain"})

    def test_a_body_over_the_limit_is_refused(self):
        body = json.dumps(GOOD | {"content": "x" * (17 << 20)})
        self.refused(body, 413, "payload_too_large", None, {"Content-Type": "application/json"})

    def test_ten_thousand_come_at_once(self):
        status, answer = self.app.api.post(MESSAGES, {"messages": [GOOD] * 10_000})
        self.assertEqual((status, len(set(answer["ids"]))), (201, 10_000))

    def test_lists_go_from_the_newest_by_cursor(self):
        ids = self.app.accept(*[f"message {i}" for i in range(7)])
        seen, cursor = [], ""
        while cursor is not None:
            page = self.app.api.get(f"{MESSAGES}?limit=3&cursor={cursor}")
            seen += [message["id"] for message in page["messages"]]
            cursor = page["next_cursor"]
            self.app.accept("comes in between")
        self.assertEqual(seen, ids[::-1])
        self.assertEqual(self.app.api.get(f"{MESSAGES}?status=sent")["messages"], [])
        self.assertEqual(len(self.app.api.get(f"{MESSAGES}?status=pending&limit=1000")["messages"]), 10)

    def test_bad_list_arguments_are_named(self):
        for query, field in (("status=lost", "status"), ("limit=0", "limit"), ("limit=1001", "limit"),
                             ("limit=x", "limit"), ("cursor=x", "cursor"), ("cursor=-5", "cursor"),
                             ("cursor=007", "cursor"), ("cursor=1%00", "cursor")):
            status, answer, _ = self.app.api.request("GET", f"{MESSAGES}?{query}")
            self.assertEqual((status, answer["error"]["field"]), (422, field))

    def test_unknown_things_and_wrong_methods(self):
        for path in ("/nothing", f"{MESSAGES}/77", f"{MESSAGES}/x", f"{MESSAGES}/1/2", "/api/v1/"):
            status, answer, _ = self.app.api.request("GET", path)
            self.assertEqual((status, answer["error"]["code"]), (404, "not_found"), path)
        for path, allow in ((MESSAGES, "POST, GET, HEAD"), ("/health", "GET, HEAD"),
                            ("/api/v1/messaging/start", "POST")):
            status, answer, headers = self.app.api.request("DELETE", path)
            self.assertEqual((status, headers["Allow"]), (405, allow))

    def test_start_and_stop_say_where_they_are_not_possible(self):
        post = self.app.api.post
        status, answer = post("/api/v1/messaging/stop")
        self.assertEqual((status, answer["error"]["message"]), (409, "the dispatcher is not running"))
        self.assertEqual(post("/api/v1/messaging/start")[1]["state"], "running")
        status, answer = post("/api/v1/messaging/start")
        self.assertEqual(
            (status, answer["error"]["message"]), (409, "the dispatcher is already running")
        )
        self.assertEqual(self.app.status()["state"], "running")
        self.assertEqual(post("/api/v1/messaging/stop")[1]["state"], "stopped")

    def test_health_pages(self):
        health = self.app.api.get("/health")
        self.assertEqual((health["status"], health["processing_status"]), ("healthy", "stopped"))
        self.assertEqual(health["dependencies"], {"database": "healthy"})
        self.assertEqual(self.app.api.get("/livez"), {"status": "alive"})
        self.assertEqual(self.app.api.get("/readyz"), {"status": "ready"})
        self.assertEqual(set(self.app.api.get("/version")), {"version", "build_time", "git_commit"})
        self.assertIn("# TYPE posthaste_in_flight gauge", self.app.api.get("/metrics"))

    def test_a_store_that_is_locked_is_no_false_success_and_not_ready(self):
        self.app.api.post("/api/v1/messaging/start")
        self.app.sql("INSERT INTO messages (recipient, content) VALUES ('+15551234567', 'first')")
        self.app.wait_state("1", "sent")
        other = sqlite3.connect(self.app.database, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        other.execute("INSERT INTO messages (recipient, content) VALUES ('+15551234567', 'x')")
        status, answer, headers = self.app.api.request("POST", MESSAGES, GOOD)
        self.assertEqual((status, answer["error"]["code"]), (503, "unavailable"))
        self.assertEqual(headers["Retry-After"], "1")
        other.execute("COMMIT")
        other.close()
        self.app.wait_state(self.app.accept("again")[0], "sent")
        self.app.wait_settled()
        self.assertEqual(self.mock.received()["duplicates"], 0)

    def test_a_store_whose_tables_are_gone_is_not_ready_and_unhealthy(self):
        self.app.sql("ALTER TABLE messages RENAME TO elsewhere")
        for path in ("/readyz", "/health"):
            self.assertEqual(self.app.api.request("GET", path)[0], 503)
        self.assertEqual(self.app.api.request("GET", "/livez")[0], 200)
        self.app.sql("ALTER TABLE elsewhere RENAME TO messages")
        wait_until(lambda: self.app.api.request("GET", "/readyz")[0] == 200, "readiness")
