"""The live API is what /openapi.json says: every operation, status, type and shape."""

import http.client
import json
import pathlib
import re
import sqlite3

import jsonschema
import yaml

from tests.e2e.programs import Case, wait_until
from tests.e2e.test_swagger import is_carried

KEYS = {right: f"{right}-0123456789abcdef" for right in ("read", "send", "control", "admin")}
API_KEYS = ",".join(f"{right}:{right}:{secret}" for right, secret in KEYS.items())
ADMIN = {"Authorization": f"Bearer {KEYS['admin']}"}
JSON = {"Content-Type": "application/json"}
GOOD = {"to": "+15551234567", "content": "hello"}

# How each operation is brought to answer each status: path, body, further headers. What the gate
# answers for all of them alike is asked in a loop below. {sent}, {pending}, {failed}, {later} and
# {job} stand for ids.
CASES = {
    "messages_create": {
        "200": ("/api/v1/messages", b"{}\n", {"Content-Type": "application/x-ndjson"}),
        "201": ("/api/v1/messages", GOOD, {}),
        "400": ("/api/v1/messages", b"{", JSON),
        "415": ("/api/v1/messages", b"x", {"Content-Type": "text/plain"}),
        "422": ("/api/v1/messages", {"to": "1"}, {}),
    },
    "messages_list": {
        "200": ("/api/v1/messages?page=1&status=sent,pending", None, {}),
        "422": ("/api/v1/messages?limit=0", None, {}),
    },
    "messages_export": {
        "200": ("/api/v1/messages/export?format=csv", None, {}),
        "422": ("/api/v1/messages/export?format=xml", None, {}),
    },
    "seed_004_sent": {
        "200": ("/api/v1/messages/sent", None, {}),
        "400": ("/api/v1/messages/sent?page=x", None, {}),
    },
    "messages_get": {
        "200": ("/api/v1/messages/{failed}", None, {}),
        "404": ("/api/v1/messages/999", None, {}),
    },
    "messages_attempts": {
        "200": ("/api/v1/messages/{failed}/attempts", None, {}),
        "404": ("/api/v1/messages/999/attempts", None, {}),
    },
    "messages_cancel": {
        "200": ("/api/v1/messages/{pending}/cancel", None, {}),
        "404": ("/api/v1/messages/999/cancel", None, {}),
        "409": ("/api/v1/messages/{sent}/cancel", None, {}),
    },
    "messages_retry": {
        "200": ("/api/v1/messages/{failed}/retry", None, {}),
        "404": ("/api/v1/messages/999/retry", None, {}),
        "409": ("/api/v1/messages/{sent}/retry", None, {}),
    },
    "retries_create": {
        "200": ("/api/v1/retries", {"preview": True}, {}),
        "202": ("/api/v1/retries", {"filter": {"status": "expired"}, "rate": 5}, {}),
        "400": ("/api/v1/retries", b"[", JSON),
        "415": ("/api/v1/retries", b"x", {"Content-Type": "text/plain"}),
        "422": ("/api/v1/retries", {"filter": {"status": "sent"}}, {}),
    },
    "retries_list": {
        "200": ("/api/v1/retries", None, {}),
        "422": ("/api/v1/retries?limit=x", None, {}),
    },
    "retries_get": {
        "200": ("/api/v1/retries/{job}", None, {}),
        "404": ("/api/v1/retries/999", None, {}),
    },
    "retries_stop": {
        "200": ("/api/v1/retries/{job}/stop", None, {}),
        "404": ("/api/v1/retries/999/stop", None, {}),
        "409": ("/api/v1/retries/{job}/stop", None, {}),
    },
    "messaging_start": {
        "200": ("/api/v1/messaging/start", None, {}),
        "409": ("/api/v1/messaging/start", None, {}),
    },
    "messaging_pause": {
        "200": ("/api/v1/messaging/pause?for=1h", None, {}),
        "422": ("/api/v1/messaging/pause?for=ever", None, {}),
    },
    "messaging_stop": {
        "200": ("/api/v1/messaging/stop", None, {}),
        "409": ("/api/v1/messaging/stop", None, {}),
    },
    "messaging_status": {"200": ("/api/v1/messaging/status", None, {})},
    "seed_001_process": {"200": ("/api/v1/messaging/process?batch_size=1", None, {})},
    "audit_list": {
        "200": ("/api/v1/audit?limit=3", None, {}),
        "422": ("/api/v1/audit?before=x", None, {}),
    },
    "events_get": {"422": ("/api/v1/events?types=none", None, {})},
    "health_get": {"200": ("/health", None, {})},
    "livez_get": {"200": ("/livez", None, {})},
    "readyz_get": {"200": ("/readyz", None, {})},
    "metrics_get": {"200": ("/metrics", None, {})},
    "version_get": {"200": ("/version", None, {})},
    "openapi_get": {"200": ("/openapi.json", None, {})},
    "openapi_get_yaml": {"200": ("/openapi.yaml", None, {})},
    "swagger_redirect": {"301": ("/swagger", None, {})},
    "swagger_document": {"200": ("/swagger/doc.json", None, {})},
    "swagger_get": {
        "200": ("/swagger/swagger-initializer.js", None, {}),
        "404": ("/swagger/nothing", None, {}),
    },
    "seed_000_messages": {"200": ("/message?is_sent=false", None, {})},
    "seed_000_start": {"200": ("/start", None, {}), "400": ("/start", None, {})},
    "seed_000_stop": {"200": ("/stop", None, {}), "400": ("/stop", None, {})},
    "seed_001_status": {"200": ("/api/v1/scheduler/status", None, {})},
    "seed_002_start": {"200": ("/api/messaging/start", None, {})},
    "seed_002_stop": {"200": ("/api/messaging/stop", None, {})},
    "seed_002_sent": {"200": ("/api/messages/sent", None, {})},
    "seed_003_welcome": {"200": ("/", None, {})},
    "seed_003_control": {
        "200": ("/api/v1/cron/control", {"action": "start"}, {}),
        "202": ("/api/v1/cron/control", {"action": "stop"}, {}),
        "400": ("/api/v1/cron/control", {"action": "dance"}, {}),
    },
    "seed_003_sent": {"200": ("/api/v1/list/sent-messages", None, {})},
    "seed_004_start": {
        "200": ("/api/v1/scheduler/start", None, {}),
        "400": ("/api/v1/scheduler/start", None, {}),
    },
    "seed_004_stop": {
        "200": ("/api/v1/scheduler/stop", None, {}),
        "400": ("/api/v1/scheduler/stop", None, {}),
    },
}

# What a store that is gone does not hinder; its 503 says only that all connections may be taken.
NEEDS_NO_STORE = {
    "messaging_start", "messaging_stop", "messaging_pause", "events_get", "livez_get",
    "metrics_get", "version_get", "openapi_get", "openapi_get_yaml", "swagger_redirect",
    "swagger_get", "swagger_document", "seed_000_start", "seed_000_stop", "seed_001_status",
    "seed_001_process", "seed_002_start", "seed_002_stop", "seed_003_welcome", "seed_003_control",
    "seed_004_start", "seed_004_stop", "audit_list", "retries_list", "retries_get",
    "retries_stop", "messages_export",
}  # fmt: skip
# Asked for elsewhere: 408 of slow clients and 503 of full ones in test_flood, the endless 200 of
# the events in test_events, a 409 of a paused dispatcher and of a row that others refuse.
ELSEWHERE = {("messages_create", "409"), ("messaging_pause", "409"), ("events_get", "200")}


class Document:
    def __init__(self, document):
        self.document = document
        self.operations = {}
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                self.operations[operation["operationId"]] = (method.upper(), path, operation)

    def documented(self):
        return {
            (name, status)
            for name, (_, _, operation) in self.operations.items()
            for status in operation["responses"]
        }

    def right(self, name):
        """The right that it needs; None where it is open."""
        description = self.operations[name][2].get("description", "")
        needed = re.search(r"the right to (\w+) is needed", description)
        return needed[1] if needed else None

    def fault(self, name, status, headers, body):
        """Why this answer is not one that the document allows; None when it is."""
        answers = self.operations[name][2]["responses"]
        if str(status) not in answers:
            return f"{status} is not documented"
        content = answers[str(status)].get("content")
        kind = (headers.get("Content-Type") or "").split(";")[0]
        if content is None:
            return f"has a body: {body!r}" if body else None
        if kind not in content:
            return f"is {kind}, and documented are {list(content)}"
        if kind != "application/json":
            return None
        schema = content[kind]["schema"] | {"components": self.document["components"]}
        faults = jsonschema.Draft202012Validator(schema).iter_errors(json.loads(body))
        return "; ".join(f"{list(f.path)}: {f.message}" for f in faults) or None


class Truth(Case):
    def setUp(self):
        super().setUp()
        self.mock = self.provider()
        self.seen = set()

    def serve(self, **options):
        settings = {"AUTO_START": "false", "API_KEYS": API_KEYS} | options
        return self.posthaste(self.mock, **settings)

    def ask(self, app, name, case, key="admin"):
        """Asks, and holds the answer against the document; its status."""
        path, body, headers = case
        method = self.document.operations[name][0]
        if isinstance(body, dict):
            body, headers = json.dumps(body).encode(), JSON | headers
        if key is not None:
            headers = headers | {"Authorization": f"Bearer {KEYS[key]}"}
        status, text, answered = self.raw(app, method, path, body, headers)
        fault = self.document.fault(name, status, answered, text)
        self.assertIsNone(fault, f"{name} {method} {path} {status}: {fault}\n{text[:500]}")
        self.seen.add((name, str(status)))
        return str(status)

    def raw(self, app, method, path, body, headers):
        connection = http.client.HTTPConnection("127.0.0.1", app.port, timeout=60)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, text, answer.headers

    def make_messages(self, app):
        """One of each kind, by their names in the cases."""
        ids = {}

        def post(path, body=None):
            return app.api.request("POST", path, body, ADMIN)

        def status_of(name):
            return app.api.request("GET", f"/api/v1/messages/{ids[name]}", None, ADMIN)[1]["status"]

        post("/api/v1/messaging/start")
        ids["sent"] = post("/api/v1/messages", GOOD)[1]["id"]
        wait_until(lambda: status_of("sent") == "sent", "a message sent")
        self.mock.behave(status=400)
        failing = post("/api/v1/messages", {"messages": [GOOD] * 30})[1]["ids"]
        ids["failed"], ids["last"] = failing[0], failing[-1]
        for name in ("failed", "last"):
            wait_until(lambda name=name: status_of(name) == "failed", "a message failed")
        self.mock.behave(status=200)
        post("/api/v1/messaging/stop")
        later = GOOD | {"send_at": "2090-01-01T00:00:00Z", "metadata": {"a": 1}, "max_attempts": 2}
        ids["pending"] = post("/api/v1/messages", later)[1]["id"]
        post("/api/v1/messages", GOOD)
        slow = {"filter": {"status": "failed"}, "rate": 1}
        ids["job"] = post("/api/v1/retries", slow)[1]["id"]
        return ids

    def not_built(self):
        return set() if is_carried() else {("swagger_get", "200")}

    def ask_cases(self, app, ids):
        for name, cases in CASES.items():
            for status, (path, body, headers) in cases.items():
                if (name, status) in self.not_built():
                    continue
                with self.subTest(operation=name, status=status):
                    filled = re.sub(r"\{(\w+)\}", lambda match: str(ids[match[1]]), path)
                    found = self.ask(app, name, (filled, body, headers))
                    self.assertEqual(found, status)

    def first_case(self, name):
        path, body, headers = next(iter(CASES[name].values()))
        return re.sub(r"\{\w+\}", "1", path), body, headers

    def ask_without_right(self, app):
        for name in self.document.operations:
            right = self.document.right(name)
            if right is None:
                continue
            other = "send" if right == "read" else "read"
            with self.subTest(operation=name):
                self.assertEqual(self.ask(app, name, self.first_case(name), None), "401")
                self.assertEqual(self.ask(app, name, self.first_case(name), other), "403")

    def ask_too_often(self):
        app = self.serve(RATE_LIMIT=1)
        for name, (_, _, operation) in self.document.operations.items():
            if "429" not in operation["responses"]:
                continue
            with self.subTest(operation=name):
                self.raw(app, "GET", "/nothing", None, ADMIN)
                self.assertEqual(self.ask(app, name, self.first_case(name)), "429")

    def ask_too_much(self):
        app = self.serve(BODY_MAX=1024)
        for name, (_, _, operation) in self.document.operations.items():
            if "413" not in operation["responses"]:
                continue
            with self.subTest(operation=name):
                case = (self.first_case(name)[0], b" " * 2000, JSON)
                self.assertEqual(self.ask(app, name, case), "413")

    def ask_without_store(self, app):
        with sqlite3.connect(app.database) as database:
            for table in ("messages", "idempotency_keys"):
                database.execute(f"ALTER TABLE {table} RENAME TO gone_{table}")
        database.close()
        for name in set(self.document.operations) - NEEDS_NO_STORE:
            with self.subTest(operation=name):
                case = self.first_case(name)
                if name == "messages_create":
                    case = CASES[name]["201"]
                self.assertIn(self.ask(app, name, case), ("500", "503"))

    def test_every_documented_answer_is_given_and_nothing_else(self):
        app = self.serve()
        self.document = Document(app.api.get("/openapi.json"))
        self.assertEqual(set(CASES), set(self.document.operations))
        ids = self.make_messages(app)
        self.ask_cases(app, ids)
        self.ask_without_right(app)
        self.ask_too_often()
        self.ask_too_much()
        self.ask_without_store(app)
        missing = self.document.documented() - self.seen - ELSEWHERE
        left = {(name, status) for name, status in missing if status not in ("408", "503")}
        self.assertEqual(left - self.not_built(), set())

    def test_the_other_forms_are_the_same(self):
        app = self.serve()
        document = app.api.get("/openapi.json")
        text = app.api.request("GET", "/openapi.yaml")[1]
        self.assertEqual(yaml.safe_load(text), document)
        kept = pathlib.Path(__file__).resolve().parents[2] / "docs" / "openapi.json"
        self.assertEqual(json.loads(kept.read_text(encoding="utf-8")), document)

    def test_other_methods_are_refused_with_those_allowed(self):
        app = self.serve()
        self.document = Document(app.api.get("/openapi.json"))
        paths = {}
        for method, path, _ in self.document.operations.values():
            paths.setdefault(re.sub(r"\{\w+\}", "1", path), set()).add(method)
        for path, methods in paths.items():
            for method in {"GET", "POST", "PUT", "DELETE", "PATCH"} - methods:
                with self.subTest(path=path, method=method):
                    status, _, headers = self.raw(app, method, path, None, {})
                    self.assertEqual(status, 405)
                    allowed = set(headers["Allow"].split(", ")) - {"HEAD"}
                    self.assertEqual(allowed, methods)

    def test_head_is_get_without_the_body(self):
        app = self.serve()
        self.document = Document(app.api.get("/openapi.json"))
        for name, (method, _, _) in self.document.operations.items():
            if method != "GET" or name == "events_get":
                continue
            with self.subTest(operation=name):
                path = self.first_case(name)[0]
                status, body, headers = self.raw(app, "HEAD", path, None, ADMIN)
                got, _, like = self.raw(app, "GET", path, None, ADMIN)
                self.assertEqual((status, body), (got, b""))
                self.assertEqual(headers.get("Content-Type"), like.get("Content-Type"))
