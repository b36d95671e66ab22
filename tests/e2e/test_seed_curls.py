"""The seeds' own paths as their users drive them: the curl commands of each seed's text, and all
the answers that go with it, each as it stands in golden/seed_NNN/NAME.http:

    subset                          optional: others may be there beside what is listed
    200                             the status
    Content-Type: application/json  headers that have to be there
                                    an empty line
    {"id": "<id>", "total": 1}      the body

A JSON body is compared by what it means, the order of members included, and any other text letter
by letter; of a subset, the members or lines that are listed are looked for. A string like "<id>"
stands for what varies: see KINDS."""

import datetime
import email
import inspect
import json
import pathlib
import re
import shlex
import subprocess
import unittest

from tests.e2e.programs import DEADLINE_S, Case, wait_until

FOLDER = pathlib.Path(__file__).parent / "golden"
SEED_ADDRESS = re.compile(r"http://localhost:\d+")
SERIES = re.compile(r'[a-z_]+(\{([a-z_]+="[^"]*",?)+\})? [0-9.e+-]+|# (HELP|TYPE) [a-z_]+ .+')


def text_like(pattern):
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


KINDS = {
    "<bool>": lambda value: isinstance(value, bool),
    "<int>": lambda value: type(value) is int and value >= 0,
    "<text>": text_like(r"(?s:.+)"),
    "<id>": text_like(r"[0-9A-Za-z-]{1,36}"),
    "<uuid>": text_like(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "<time>": text_like(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z"),
    "<duration>": text_like(r"(\d+h)?(\d+m)?\d+(\.\d+)?s"),
}


class Members(list):
    """A JSON object: names and values in their order."""


class Answer:
    """What `curl --include` printed."""

    def __init__(self, printed):
        head, _, self.body = printed.partition("\r\n\r\n")
        first, _, fields = head.partition("\r\n")
        self.status = int(first.split()[1])
        self.headers = email.message_from_string(fields)


class Golden:
    """What an answer has to be."""

    def __init__(self, text):
        head, _, self.body = text.partition("\n\n")
        lines = head.splitlines()
        self.subset = lines[0] == "subset"
        status, *fields = lines[1:] if self.subset else lines
        self.status = int(status)
        self.headers = dict(field.split(": ", 1) for field in fields)

    def faults(self, answer):
        """In what the answer differs, in words."""
        if answer.status != self.status:
            yield f"the status is {answer.status}, not {self.status}"
        for name, value in self.headers.items():
            if answer.headers[name] != value:
                yield f"{name} is {answer.headers[name]!r}, not {value!r}"
        if self.headers.get("Content-Type") == "application/json":
            yield from self._json_faults(answer.body)
        elif self.subset:
            lines = answer.body.splitlines()
            yield from (f"no line {line!r}" for line in self.body.splitlines() if line not in lines)
        elif answer.body != self.body:
            yield f"the body is not {self.body!r}"

    def _json_faults(self, body):
        try:
            value = json.loads(body, object_pairs_hook=Members)
        except ValueError as error:
            yield f"no JSON: {error}"
        else:
            golden = json.loads(self.body, object_pairs_hook=Members)
            yield from self._differences(golden, value, "the body")

    def _differences(self, golden, value, place):
        if isinstance(golden, str) and golden in KINDS:
            if not KINDS[golden](value):
                yield f"{place} is {value!r}, no {golden}"
        elif type(golden) is not type(value):
            yield f"{place} is {value!r}, nothing like {golden!r}"
        elif isinstance(golden, Members):
            yield from self._member_differences(golden, value, place)
        elif isinstance(golden, list):
            if len(golden) != len(value):
                yield f"{place} has {len(value)} items, not {len(golden)}"
            for i, pair in enumerate(zip(golden, value)):
                yield from self._differences(*pair, f"{place}[{i}]")
        elif golden != value:
            yield f"{place} is {value!r}, not {golden!r}"

    def _member_differences(self, golden, value, place):
        expected, names = ([name for name, _ in members] for members in (golden, value))
        if names != expected and not self.subset:
            yield f"{place} has the members {names}, not {expected}"
        present = dict(value)
        for name, member in golden:
            if name in present:
                yield from self._differences(member, present[name], f"{place}.{name}")
            elif self.subset:
                yield f"{place} has no member {name}: {names}"


class SeedCurls(Case):
    """A program with an empty queue that does not dispatch yet."""

    seed = None  # the folder of its goldens
    options = {}

    def setUp(self):
        super().setUp()
        self.mock = self.provider()
        self.app = self.run_posthaste(**self.options)

    def run_posthaste(self, **options):
        return self.posthaste(self.mock, AUTO_START="false", RATE_LIMIT="0", **options)

    def curl(self, command):
        """Runs a command as it stands in a seed's text, but against our port."""
        program, *words = shlex.split(command)
        self.assertEqual(program, "curl")
        words = [SEED_ADDRESS.sub(f"http://127.0.0.1:{self.app.port}", word) for word in words]
        ours = ["--disable", "--silent", "--show-error", "--include", "--noproxy", "*"]
        limit = ["--max-time", str(DEADLINE_S)]
        done = subprocess.run([program, *ours, *limit, *words], stdout=subprocess.PIPE, check=True)
        return Answer(done.stdout.decode())

    def expect(self, name, command):
        """Compares an answer with the golden of this name; returns its body."""
        path = FOLDER / self.seed / f"{name}.http"
        answer = self.curl(command)
        faults = list(Golden(path.read_text(encoding="utf-8")).faults(answer))
        if faults:
            self.fail("\n".join([f"{self.seed}/{name}: {command}", *faults, answer.body]))
        return answer.body

    def expect_swagger(self, command):
        """The pages of the documentation are not always built in."""
        self.assertIn(self.curl(command).status, (200, 404))

    def switch(self, verb):
        status, answer = self.app.api.post(f"/api/v1/messaging/{verb}")
        self.assertEqual(status, 200, answer)

    def wait_stopped(self):
        """Only then is it sure that nothing more is claimed."""
        wait_until(lambda: self.app.status()["state"] == "stopped", "a dispatcher that has stopped")

    def send(self, *contents):
        """One after the other, so that their times tell them apart; dispatches meanwhile only."""
        self.switch("start")
        for content in contents:
            self.app.wait_state(self.app.accept(content)[0], "sent")
        self.switch("stop")
        self.wait_stopped()

    def break_store(self):
        self.app.sql("ALTER TABLE messages RENAME TO elsewhere")


class SeedZero(SeedCurls):
    seed = "seed_000"

    def test_the_readme(self):
        self.send("Hello, world!", "Another message")
        self.app.accept("Not yet sent")
        self.expect_swagger("curl http://localhost:9000/swagger/index.html#/")
        self.expect("messages", "curl http://localhost:9000/message")
        self.expect("start", "curl -X POST http://localhost:9000/start")
        self.expect("start_again", "curl -X POST http://localhost:9000/start")
        self.expect("stop", "curl -X POST http://localhost:9000/stop")
        self.expect("stop_again", "curl -X POST http://localhost:9000/stop")

    def test_messages_by_state(self):
        self.expect("messages_empty", "curl http://localhost:9000/message")
        self.expect("messages_empty", "curl http://localhost:9000/message?is_sent=false")
        self.send("Hello, world!", "Another message")
        self.app.accept("Not yet sent")
        self.expect("messages", "curl http://localhost:9000/message?is_sent=true")
        self.expect("messages_unsent", "curl http://localhost:9000/message?is_sent=false")

    def test_messages_by_page(self):
        self.app.accept(*[f"Message {i}" for i in range(1, 13)])
        self.switch("start")
        self.app.wait_settled()
        address = "curl 'http://localhost:9000/message?"
        self.expect("page_default", f"{address}'")
        self.expect("page_default", f"{address}limit=10&page=1'")
        self.expect("page_default", f"{address}limit=ten&page=first'")
        self.expect("page_2", f"{address}page=2'")
        self.expect("page_2_of_3", f"{address}limit=3&page=2'")
        self.expect("messages_empty", f"{address}limit=10&page=3'")

    def test_a_store_that_does_not_answer(self):
        self.break_store()
        self.expect("messages_failure", "curl http://localhost:9000/message")


class SeedOne(SeedCurls):
    """Batches of two, the next of which is far away."""

    seed = "seed_001"
    options = {"PROCESSING_INTERVAL": "90m", "BATCH_SIZE": "2"}

    def send_a_batch(self):
        self.app.accept("first", "second")
        self.switch("start")
        self.app.wait_settled()
        wait_until(lambda: self.app.status()["claimed"] == 0, "a dispatcher with nothing in hand")

    def create(self, name, body):
        kind = "-H 'Content-Type: application/json'"
        address = "http://localhost:8080/api/v1/messages"
        self.expect(name, f"curl -X POST {address} {kind} -d {shlex.quote(body)}")

    def test_message_management(self):
        address = "http://localhost:8080/api/v1/messages"
        self.expect("messages_empty", f"curl {address}")
        self.create("create", '{"phoneNumber":"+15551234567","content":"first"}')
        self.expect("message_pending", f"curl {address}/1")
        self.switch("start")
        self.app.wait_state("1", "sent")
        self.expect("message_sent", f"curl {address}/1")
        self.expect("message_unknown", f"curl {address}/7")

    def test_messages_by_page(self):
        self.send_a_batch()
        self.app.accept("third")
        address = "curl 'http://localhost:8080/api/v1/messages?"
        self.expect("messages", f"{address}'")
        self.expect("messages_sent", f"{address}status=sent'")
        self.expect("messages_sent", f"{address}status=SENT&limit=20&offset=0'")
        self.expect("messages_sent_page", f"{address}status=sent&limit=1&offset=1'")
        self.expect("messages_page", f"{address}limit=1&offset=2'")

    def test_bad_messages(self):
        self.create("create_no_json", "phoneNumber")
        self.create("create_without_phone", '{"content":"first"}')
        self.create("create_without_content", '{"phoneNumber":"+15551234567"}')
        self.create("create_bad_phone", '{"phoneNumber":"12","content":"first"}')
        long = "x" * 161
        self.create("create_too_long", f'{{"phoneNumber":"+15551234567","content":"{long}"}}')

    def test_processing_control(self):
        address = "http://localhost:8080/api/v1/messaging"
        self.expect("stop_again", f"curl -X POST {address}/stop")
        self.expect("start", f"curl -X POST {address}/start")
        self.expect("start_again", f"curl -X POST {address}/start")
        self.expect("stop", f"curl -X POST {address}/stop")
        self.expect("start", f"curl -X POST {address}/start")

    def test_status(self):
        address = "http://localhost:8080/api/v1"
        self.expect("status_stopped", f"curl {address}/messaging/status")
        self.expect("scheduler_stopped", f"curl {address}/scheduler/status")
        day = self.today()
        self.send_a_batch()
        self.app.accept("third")
        body = self.expect("status_running", f"curl {address}/messaging/status")
        self.expect("scheduler_running", f"curl {address}/scheduler/status")
        if self.today() == day:
            self.assertEqual(json.loads(body)["processedToday"], 2)

    @staticmethod
    def today():
        return datetime.datetime.now(datetime.timezone.utc).date()

    def test_processing_by_hand(self):
        self.send_a_batch()
        self.app.accept(*[f"message {i}" for i in range(7)])
        address = "curl -X POST http://localhost:8080/api/v1/messaging/process"
        self.expect("process_1", f"{address}?batch_size=1")
        self.expect("process_2", f"{address}?batch_size=2")
        self.expect("process_2", address)
        for bad in ("none", "0", "11"):
            self.app.accept("one more", "and another")
            self.expect("process_2", f"{address}?batch_size={bad}")
        self.expect("process_2", f"{address}?batch_size=10")
        self.expect("process_0", address)
        self.assertEqual(self.mock.received()["duplicates"], 0)

    def test_processing_by_hand_of_what_is_refused(self):
        self.send_a_batch()
        self.app.accept("refused")
        self.mock.behave(status=400)
        self.expect("process_failed", "curl -X POST http://localhost:8080/api/v1/messaging/process")

    def test_health(self):
        self.expect("health", "curl http://localhost:8080/health")


class SeedTwo(SeedCurls):
    seed = "seed_002"

    def wait_cached(self):
        """The cache hears of a delivery soon, not at once."""

        def is_cached():
            messages = self.app.api.get("/api/messages/sent")["messages"]
            return messages and all("message_id" in message for message in messages)

        wait_until(is_cached, "a cache that knows of all")

    def test_the_readme(self):
        self.app.accept("Hello, this is a test message")
        self.app.accept("And this is another one")
        self.expect("health", "curl http://localhost:8080/health")
        self.expect("start", "curl -X POST http://localhost:8080/api/messaging/start")
        self.app.wait_settled()
        self.wait_cached()
        self.expect("sent", "curl http://localhost:8080/api/messages/sent")
        self.expect("stop", "curl -X POST http://localhost:8080/api/messaging/stop")

    def test_control_twice(self):
        self.expect("stop_again", "curl -X POST http://localhost:8080/api/messaging/stop")
        self.expect("start", "curl -X POST http://localhost:8080/api/messaging/start")
        self.expect("start_again", "curl -X POST http://localhost:8080/api/messaging/start")
        self.expect("health_running", "curl http://localhost:8080/health")
        self.expect("stop", "curl -X POST http://localhost:8080/api/messaging/stop")

    def test_sent_messages_only(self):
        self.app.accept("Not yet sent")
        self.expect("sent_empty", "curl http://localhost:8080/api/messages/sent")

    def test_sent_messages_that_no_cache_knows(self):
        self.app = self.run_posthaste(CACHE_URL="none")
        self.send("Hello, this is a test message")
        self.expect("sent_uncached", "curl http://localhost:8080/api/messages/sent")

    def test_monitoring(self):
        self.expect("version", "curl http://localhost:8080/version")
        metrics = self.expect("metrics", "curl http://localhost:8080/metrics")
        self.assertEqual([], [line for line in metrics.splitlines() if not SERIES.fullmatch(line)])

    def test_a_store_that_does_not_answer(self):
        self.break_store()
        self.expect("sent_failure", "curl http://localhost:8080/api/messages/sent")
        self.expect("health_failure", "curl http://localhost:8080/health")


class SeedThree(SeedCurls):
    seed = "seed_003"

    def control(self, name, body):
        address = "http://localhost:8080/api/v1/cron/control"
        kind = "-H 'Content-Type: application/json'"
        self.expect(name, f"curl -X POST {address} {kind} -d {shlex.quote(body)}")

    def test_the_readme(self):
        self.expect_swagger("curl http://localhost:8080/swagger/index.html")
        self.expect("welcome", "curl http://localhost:8080/")
        self.expect("health", "curl http://localhost:8080/health")

    def test_control(self):
        self.control("stop", '{"action":"stop"}')
        self.control("start", '{"action":"start"}')
        self.control("start", '{"action":"start"}')
        self.assertEqual(self.app.status()["state"], "running")
        self.control("stop", '{"action": "stop"}')
        self.control("stop", '{"action": "stop"}')
        self.wait_stopped()

    def test_bad_control(self):
        for body in ("", "start", "{", '["start"]'):
            self.control("control_no_json", body)
        for body in ("{}", '{"action":"pause"}', '{"action":"START"}', '{"action":1}'):
            self.control("control_bad_action", body)
        self.assertEqual(self.app.status()["state"], "stopped")

    def test_sent_messages(self):
        address = "http://localhost:8080/api/v1/list/sent-messages"
        self.expect("sent_empty", f"curl {address}")
        self.send("first", "second")
        self.app.accept("Not yet sent")
        self.expect("sent", f"curl {address}")

    def test_a_store_that_does_not_answer(self):
        self.break_store()
        self.expect("sent_failure", "curl http://localhost:8080/api/v1/list/sent-messages")


class SeedFour(SeedCurls):
    seed = "seed_004"

    def test_the_readme(self):
        self.expect("start", "curl -X POST http://localhost:8080/api/v1/scheduler/start")
        for content in ("Test mesajı 9", "Test mesajı 10"):
            self.app.wait_state(self.app.accept(content)[0], "sent")
        self.expect("sent", 'curl "http://localhost:8080/api/v1/messages/sent?page=1&per_page=10"')
        self.expect_swagger("curl http://localhost:8080/swagger/index.html")
        self.expect("stop", "curl -X POST http://localhost:8080/api/v1/scheduler/stop")

    def test_control_twice(self):
        self.expect("stop_again", "curl -X POST http://localhost:8080/api/v1/scheduler/stop")
        self.expect("start", "curl -X POST http://localhost:8080/api/v1/scheduler/start")
        self.expect("start_again", "curl -X POST http://localhost:8080/api/v1/scheduler/start")
        self.expect("stop", "curl -X POST http://localhost:8080/api/v1/scheduler/stop")

    def test_sent_messages_by_page(self):
        address = "curl 'http://localhost:8080/api/v1/messages/sent?"
        self.expect("sent_empty", f"{address}'")
        self.expect("sent_clamped", f"{address}per_page=500'")
        self.send("Test mesajı 9", "Test mesajı 10")
        self.app.accept("Not yet sent")
        self.expect("sent", f"{address}'")
        self.expect("sent_page", f"{address}page=2&per_page=1'")
        self.expect("sent_beyond", f"{address}page=3&per_page=1'")

    def test_bad_pages(self):
        address = "curl 'http://localhost:8080/api/v1/messages/sent?"
        for bad in ("0", "-1", "first", "1.5"):
            self.expect("bad_page", f"{address}page={bad}'")
            self.expect("bad_per_page", f"{address}per_page={bad}'")

    def test_a_store_that_does_not_answer(self):
        self.break_store()
        self.expect("sent_failure", "curl http://localhost:8080/api/v1/messages/sent")


class Checker(unittest.TestCase):
    GOLDEN = """200
Content-Type: application/json

{"id": "<id>", "sent": [{"n": 1}], "at": "<time>"}
"""
    BODY = '{"id":"7","sent":[{"n":1}],"at":"2026-01-31T09:30:00.250Z"}'

    @staticmethod
    def count(golden, body, status="200 OK", kind="application/json"):
        answer = Answer(f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\n\r\n{body}")
        return len(list(Golden(golden).faults(answer)))

    def test_an_answer_that_fits(self):
        self.assertEqual(self.count(self.GOLDEN, self.BODY), 0)
        more = self.BODY.replace('{"n":1}', '{"m":0,"n":1}')
        self.assertEqual(self.count("subset\n" + self.GOLDEN, more), 0)
        self.assertEqual(self.count("200\n\n", ""), 0)
        self.assertEqual(self.count("subset\n200\n\nb 2\n", "a 1\nb 2\n"), 0)

    def test_each_difference(self):
        for old, new in (
            *(("7", ""), ("1}", "2}"), ("1}", "1.0}"), ("1}", "true}"), ("1}", "1},{}")),
            *(('"n"', '"m"'), ('{"n"', '{"m":0,"n"'), ("Z", ""), ('[{"n":1}]', "null")),
        ):
            body = self.BODY.replace(old, new)
            self.assertGreater(self.count(self.GOLDEN, body), 0, body)
        reordered = json.dumps(dict(sorted(json.loads(self.BODY).items())))
        for body in ("", self.BODY + "null", reordered):
            self.assertGreater(self.count(self.GOLDEN, body), 0, body)
        self.assertEqual(self.count(self.GOLDEN, self.BODY, status="201 Created"), 1)
        self.assertEqual(self.count(self.GOLDEN, self.BODY, kind="text/plain"), 1)
        self.assertEqual(self.count("subset\n" + self.GOLDEN, '{"id":"7"}'), 2)
        self.assertEqual(self.count("200\n\n", "null"), 1)
        self.assertEqual(self.count("subset\n200\n\nb 2\n", "a 1\nb 23\n"), 1)

    def test_each_golden_is_used(self):
        for kind in SeedCurls.__subclasses__():
            used = re.findall(r'(?:expect|create|control)\("(\w+)"', inspect.getsource(kind))
            present = [path.stem for path in (FOLDER / kind.seed).iterdir()]
            self.assertEqual(sorted(set(used)), sorted(present), kind.seed)
