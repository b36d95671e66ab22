"""Streams of messages in and out: any number of lines, each answered, and memory that stays flat."""

import csv
import http.client
import io
import json
import pathlib

from tests.e2e.postgres_case import PostgresCase
from tests.e2e.programs import SLOW, Case, scaled, wait_until

MESSAGES = "/api/v1/messages"
NDJSON = "application/x-ndjson"
FLAT_KIB = 40_000


def resident_kib(app):
    status = pathlib.Path(f"/proc/{app.process.pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


def line(number, **more):
    return json.dumps({"to": "+15551234567", "content": f"message {number}"} | more) + "\n"


class StreamCases:
    """What holds on every store."""

    def setUp(self):
        super().setUp()
        self.app = self.serve()

    def serve(self):
        return self.posthaste("http://127.0.0.1:9/send", AUTO_START="false", ACCESS_LOG="false")

    def post(self, body, kind=NDJSON, **headers):
        """The report, line by line, and its last line apart."""
        status, text, _ = self.app.api.request(
            "POST", MESSAGES, body, {"Content-Type": kind} | headers
        )
        self.assertEqual(status, 200, text)
        report = [json.loads(one) for one in text.splitlines()]
        return report[:-1], report[-1]

    def faults(self, report):
        return {one["line"]: one["error"]["code"] for one in report if "error" in one}

    def assert_flat(self, before):
        """A sanitizer keeps what was freed, so that nothing can be said there."""
        if not SLOW:
            self.assertLess(resident_kib(self.app) - before, FLAT_KIB)

    def total(self):
        return self.app.api.get(f"{MESSAGES}?limit=1")["total"]

    def test_good_and_bad_lines(self):
        body = (
            "\ufeff" + line(1) + "\r\n{\n" + line(2, to="1") + '{"content":"x"}\n[]\n'
            + line(3, content="x" * 300_000) + line(4, color="blue") + line(5).strip()
        )  # fmt: skip
        report, sums = self.post(body.encode())
        self.assertEqual(
            self.faults(report),
            {
                3: "invalid_json",
                4: "invalid_field",
                5: "invalid_field",
                6: "invalid_field",
                7: "too_large",
                8: "invalid_field",
            },
        )
        self.assertEqual([one["line"] for one in report if "id" in one], [1, 9])
        self.assertEqual(sums, {"accepted": 2, "repeated": 0, "refused": 6})
        self.assertEqual(self.total(), 2)

    def test_csv(self):
        body = (
            "phone,content,priority,metadata,send_at\r\n"
            '+15551234567,"say ""hi"", you",7,"{""a"":1}",2090-01-01T00:00:00Z\r\n'
            '+15551234567,"two\nlines"\n'
            "nobody,x\n"
            "+15551234567,x,soon\n"
            "+15551234567,x,,,,more\n"
            '+15551234567,"open'
        )
        report, sums = self.post(body.encode(), "text/csv")
        self.assertEqual(
            self.faults(report),
            {5: "invalid_field", 6: "invalid_field", 7: "invalid_csv", 8: "invalid_csv"},
        )
        self.assertEqual((sums["accepted"], sums["refused"]), (2, 4))
        ids = [one["id"] for one in report if "id" in one]
        first, second = (self.app.api.get(f"{MESSAGES}/{name}") for name in ids)
        self.assertEqual(first["content"], 'say "hi", you')
        self.assertEqual((first["priority"], first["metadata"]), (7, {"a": 1}))
        self.assertEqual(first["due_at"], "2090-01-01T00:00:00.000Z")
        self.assertEqual(second["content"], "two\nlines")

    def test_a_stream_of_many_takes_no_memory(self):
        count = scaled(200_000)
        self.post(line(0).encode() * 1000)
        before = resident_kib(self.app)
        report, sums = self.post(
            "".join(line(i) for i in range(first, first + 500)).encode()
            for first in range(0, count, 500)
        )
        self.assertEqual(sums, {"accepted": count, "repeated": 0, "refused": 0})
        self.assertEqual([one["line"] for one in report], list(range(1, count + 1)))
        self.assertEqual(len({one["id"] for one in report}), count)
        self.assertEqual(self.total(), count + 1000)
        self.assert_flat(before)

    def test_a_stream_that_is_cut_off_and_sent_again(self):
        count = 5000
        whole = "".join(line(i) for i in range(count)).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.app.port, timeout=60)
        connection.putrequest("POST", MESSAGES)
        for name, value in {
            "Content-Type": NDJSON,
            "Idempotency-Key": "import-7",
            "Content-Length": str(len(whole)),
        }.items():
            connection.putheader(name, value)
        connection.endheaders()
        connection.send(whole[: len(whole) // 2])
        connection.close()
        report, sums = self.post(whole, **{"Idempotency-Key": "import-7"})
        self.assertEqual(sums["accepted"], count)
        self.assertEqual(len({one["id"] for one in report}), count)
        again, sums = self.post(whole, **{"Idempotency-Key": "import-7"})
        self.assertEqual(sums, {"accepted": count, "repeated": count, "refused": 0})
        self.assertEqual(again, report)
        self.assertEqual(self.total(), count)

    def test_one_used_key_keeps_no_other_line_back(self):
        self.post(line(1, idempotency_key="a").encode())
        body = line(1, idempotency_key="a") + line(2, idempotency_key="a") + line(3)
        report, sums = self.post(body.encode())
        self.assertEqual(self.faults(report), {2: "idempotency_mismatch"})
        self.assertEqual(sums, {"accepted": 2, "repeated": 1, "refused": 1})
        self.assertEqual(self.total(), 2)

    def export(self, query):
        status, text, headers = self.app.api.request("GET", f"{MESSAGES}/export?{query}")
        self.assertEqual(status, 200)
        return text, headers

    def test_an_export_is_what_was_put_in(self):
        contents = ["plain", 'quo"te', "com,ma", "two\nlines", "café \U0001f600"]
        for content in contents:
            self.assertEqual(
                self.app.api.post(MESSAGES, {"to": "+15551234567", "content": content})[0], 201
            )
        text, headers = self.export("format=csv&order=oldest")
        self.assertTrue(headers["Content-Type"].startswith("text/csv"))
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        self.assertEqual([row["content"] for row in rows], contents)
        text, headers = self.export("order=oldest")
        self.assertEqual(headers["Content-Type"], NDJSON)
        self.assertEqual([json.loads(one)["content"] for one in text.splitlines()], contents)
        text, _ = self.export("q=com")
        self.assertEqual([json.loads(one)["content"] for one in text.splitlines()], ["com,ma"])

    def test_a_large_export_takes_no_memory(self):
        count = scaled(100_000)
        self.post("".join(line(i) for i in range(count)).encode())
        before = resident_kib(self.app)
        text, _ = self.export("order=oldest")
        found = [json.loads(one)["content"] for one in text.splitlines()]
        self.assertEqual(found, [f"message {i}" for i in range(count)])
        self.assert_flat(before)

    def read_slowly(self):
        """Reads a little, lets others write, and reads on; what the list holds."""
        connection = http.client.HTTPConnection("127.0.0.1", self.app.port, timeout=60)
        connection.request("GET", f"{MESSAGES}/export")
        answer = connection.getresponse()
        text = answer.read(10_000)
        self.assert_nothing_is_held()
        body = {"to": "+15551234567", "content": "new"}
        self.assertEqual(self.app.api.post(MESSAGES, body)[0], 201)
        text += answer.read()
        connection.close()
        return [json.loads(one)["content"] for one in text.decode().splitlines()]

    def assert_nothing_is_held(self):
        pass

    def test_a_slow_reader_hinders_nobody(self):
        count = 20_000
        self.post("".join(line(i) for i in range(count)).encode())
        found = [content for content in self.read_slowly() if content != "new"]
        self.assertEqual(found, [f"message {i}" for i in reversed(range(count))])


class Streams(StreamCases, Case):
    pass


class PostgresStreams(StreamCases, PostgresCase):
    def assert_nothing_is_held(self):
        """As soon as the client's buffers are full, and for as long as they are."""
        wait_until(
            lambda: self.server.number(
                "SELECT count(*) FROM pg_stat_activity WHERE xact_start IS NOT NULL"
                " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            == 0,
            "a database without open transactions",
        )
