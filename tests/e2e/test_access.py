"""Request ids, the headers of every answer, and the access log."""

import json
import signal

from tests.e2e.programs import Case

UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"


class Access(Case):
    def serve(self, **options):
        return self.posthaste(self.provider(), AUTO_START="false", **options)

    def request_line(self, app, identity):
        line = app.wait_line(lambda text: f'"request_id":"{identity}"' in text, "an access line")
        return json.loads(line)

    def test_an_id_is_kept_or_made(self):
        app = self.serve()
        _, _, headers = app.api.request("GET", "/version", headers={"X-Request-Id": "abc-123/4"})
        self.assertEqual(headers["X-Request-Id"], "abc-123/4")
        for odd in ("", "two words", "x" * 129, "ğ".encode().decode("latin-1")):
            _, _, headers = app.api.request("GET", "/version", headers={"X-Request-Id": odd})
            self.assertRegex(headers["X-Request-Id"], UUID)

    def test_every_answer_has_the_headers(self):
        app = self.serve()
        posted = {"to": "+15551234567", "content": "hello"}
        for method, path, body in (
            ("GET", "/health", None), ("GET", "/nothing", None), ("DELETE", "/health", None),
            ("POST", "/api/v1/messages", posted), ("POST", "/api/v1/messages", b"{"),
            ("GET", "/metrics", None), ("POST", "/start", None),
        ):  # fmt: skip
            _, _, headers = app.api.request(method, path, body)
            self.assertEqual(headers["X-Content-Type-Options"], "nosniff", path)
            self.assertEqual(headers["Cache-Control"], "no-store")
            self.assertEqual(headers["X-Frame-Options"], "DENY")
            self.assertEqual(headers["Referrer-Policy"], "no-referrer")
            self.assertRegex(headers["X-Request-Id"], UUID)

    def test_a_request_is_a_line(self):
        app = self.serve()
        posted = {"to": "+15551234567", "content": "a secret text"}
        app.api.request("POST", "/api/v1/messages?q=1", posted, headers={"X-Request-Id": "one"})
        line = self.request_line(app, "one")
        self.assertEqual((line["msg"], line["level"]), ("request", "info"))
        self.assertEqual((line["method"], line["path"]), ("POST", "/api/v1/messages"))
        self.assertEqual(line["status"], 201)
        self.assertGreaterEqual(line["us"], 0)
        app.api.request("GET", "/nothing", headers={"X-Request-Id": "two"})
        self.assertEqual(self.request_line(app, "two")["status"], 404)
        self.assertNotIn("secret", app.output())

    def test_health_is_no_line(self):
        app = self.serve()
        app.api.request("GET", "/livez", headers={"X-Request-Id": "routine"})
        app.api.request("GET", "/version", headers={"X-Request-Id": "ordinary"})
        self.request_line(app, "ordinary")
        self.assertNotIn("routine", app.output())

    def test_it_can_be_turned_off(self):
        app = self.serve(ACCESS_LOG="false")
        _, _, headers = app.api.request("GET", "/version", headers={"X-Request-Id": "unseen"})
        self.assertEqual(headers["X-Request-Id"], "unseen")
        app.signal(signal.SIGTERM)
        self.assertEqual(app.wait(), 0)
        self.assertNotIn("unseen", app.output())
