"""Server-sent events: what happens is told while it happens, and nobody who comes back misses any."""

import http.client
import json
import os

from tests.e2e.programs import Case, wait_until

MESSAGES = "/api/v1/messages"
ONE = {"to": "+15551234567", "content": "hello"}
LISTENERS = 50


class Listener:
    """A connection that reads events one by one."""

    def __init__(self, port, query="", last=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        headers = {"Last-Event-ID": last} if last else {}
        self.connection.request("GET", f"/api/v1/events{query}", headers=headers)
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200
        assert self.answer.headers["Content-Type"] == "text/event-stream"
        assert self.block() == {"retry": "2000"}

    def block(self):
        """The fields up to the next empty line; comments are passed over."""
        fields = {}
        while True:
            line = self.answer.readline().decode().rstrip("\n")
            if line == "" and fields:
                return fields
            if line and not line.startswith(":"):
                name, value = line.split(": ", 1)
                fields[name] = value

    def next(self, *kinds):
        """The next event, or the next of these kinds."""
        while True:
            fields = self.block()
            if not kinds or fields["event"] in kinds:
                return fields["event"], json.loads(fields["data"]), fields.get("id")

    def close(self):
        self.connection.sock.close()
        self.answer.close()


class Events(Case):
    def setUp(self):
        super().setUp()
        self.mock = self.provider()
        self.app = self.posthaste(self.mock, MAX_RETRIES=1, RETRY_BASE="1ms")

    def listen(self, query="", last=None):
        listener = Listener(self.app.port, query, last)
        self.addCleanup(listener.close)
        return listener

    def post(self, **more):
        return self.app.api.post(MESSAGES, ONE | more)[1]["id"]

    def test_the_life_of_messages(self):
        listener = self.listen()
        name = self.post()
        self.assertEqual(listener.next()[:1], ("accepted",))
        kind, data, _ = listener.next()
        self.assertEqual((kind, data["message_id"]), ("sent", name))
        self.mock.behave(status=400)
        self.post()
        self.assertEqual([listener.next()[0] for _ in range(2)], ["accepted", "failed"])
        self.mock.behave(status=503)
        self.post()
        kinds = [listener.next()[0] for _ in range(3)]
        self.assertEqual(kinds, ["accepted", "retried", "failed"])

    def test_what_operators_do(self):
        listener = self.listen("?types=started,stopped,paused,cancelled")
        for verb, kind in (("pause", "paused"), ("start", "started"), ("stop", "stopped")):
            self.assertEqual(self.app.api.post(f"/api/v1/messaging/{verb}")[0], 200)
            found, data, _ = listener.next()
            self.assertEqual((found, data["detail"]), (kind, "by anonymous"))
        name = self.post()
        self.assertEqual(self.app.api.post(f"{MESSAGES}/{name}/cancel")[0], 200)
        kind, data, _ = listener.next()
        self.assertEqual((kind, data["message_id"]), ("cancelled", name))

    def test_a_pause_that_is_over_is_told(self):
        listener = self.listen("?types=paused,started")
        self.app.api.post("/api/v1/messaging/pause?for=50ms")
        self.assertEqual([listener.next()[0] for _ in range(2)], ["paused", "started"])
        self.post()
        self.assertEqual(self.listen("", None).answer.status, 200)

    def test_one_goes_on_where_one_was(self):
        listener = self.listen("?types=accepted")
        names = [self.post() for _ in range(20)]
        seen = [listener.next() for _ in range(7)]
        listener.close()
        names += [self.post() for _ in range(20)]
        again = self.listen("?types=accepted", seen[-1][2])
        seen += [again.next() for _ in range(len(names) - len(seen))]
        self.assertEqual([data["message_id"] for _, data, _ in seen], names)

    def test_what_is_lost_is_told(self):
        self.post()
        for unknown in ("0000000000000000-1", "x"):
            self.assertEqual(self.listen("", unknown).next()[0], "lost")

    def test_bad_types_are_refused(self):
        status, answer, _ = self.app.api.request("GET", "/api/v1/events?types=sent,gone")
        self.assertEqual((status, answer["error"]["field"]), (422, "types"))

    def test_many_listen_and_hang_up(self):
        folder = f"/proc/{self.app.process.pid}/fd"
        before = len(os.listdir(folder))
        listeners = [self.listen("?types=sent") for _ in range(LISTENERS)]
        name = self.post()
        for listener in listeners:
            self.assertEqual(listener.next()[1]["message_id"], name)
        for listener in listeners:
            listener.close()
        wait_until(lambda: len(os.listdir(folder)) <= before + 2, "listeners forgotten")
        self.post()
