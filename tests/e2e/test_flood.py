"""Clients that are many, slow, endless or rude: the others are served as before."""

import asyncio
import json
import os
import pathlib

from tests.e2e.crowd import (
    ask,
    clients_possible,
    connect,
    connect_and_be_heard,
    post_bytes,
    read_answer,
)
from tests.e2e.postgres_case import PostgresCase
from tests.e2e.programs import SLOW, Case, scaled, wait_until

MESSAGES = "/api/v1/messages"
SMALL = {"to": "+15551234567", "content": "hello"}
CROWD = 10_000


def resident_kib(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


def descriptors(process):
    return len(os.listdir(f"/proc/{process.pid}/fd"))


class Flood(Case):
    def serve(self, **options):
        return self.posthaste("http://127.0.0.1:9/send", AUTO_START="false", **options)

    def assert_well(self, app):
        self.assertEqual(app.api.request("GET", "/livez")[0], 200)
        self.assertEqual(app.api.post(MESSAGES, SMALL)[0], 201)

    def test_ten_thousand_idle_connections(self):
        app = self.serve(IDLE_TIMEOUT="1h")
        before = descriptors(app.process)
        crowd = clients_possible(scaled(CROWD))

        async def scene():
            writers = []
            for _ in range(crowd):
                writers.append((await connect(app.port))[1])
            answers = [await ask(app.port, post_bytes(MESSAGES, SMALL)) for _ in range(20)]
            self.assertEqual([status for status, _ in answers], [201] * 20)
            for writer in writers:
                writer.close()

        asyncio.run(scene())
        wait_until(lambda: descriptors(app.process) <= before + 2, "connections forgotten")
        self.assert_well(app)

    def test_connections_beyond_the_maximum_are_told(self):
        app = self.serve(CONNECTIONS_MAX=50)

        async def scene():
            held = [await connect_and_be_heard(app.port) for _ in range(50)]
            first = await ask(app.port, post_bytes(MESSAGES, SMALL))
            self.assertEqual(first[0], 503)
            self.assertEqual(json.loads(first[1])["error"]["code"], "overloaded")
            for _, writer in held:
                writer.close()

        asyncio.run(scene())
        wait_until(lambda: app.api.request("GET", "/livez")[0] == 200, "room again")
        self.assert_well(app)

    def test_one_address_cannot_take_all_connections(self):
        app = self.serve(CONNECTIONS_PER_ADDRESS=20)

        async def scene():
            held = [await connect_and_be_heard(app.port, "127.0.0.2") for _ in range(20)]
            reader, writer = await connect(app.port, "127.0.0.2")
            self.assertEqual((await read_answer(reader))[0], 503)
            writer.close()
            self.assertEqual((await ask(app.port, post_bytes(MESSAGES, SMALL)))[0], 201)
            for _, other in held:
                other.close()

        asyncio.run(scene())
        self.assert_well(app)

    def test_slow_senders_are_cut_off_and_hold_nobody(self):
        """A thousand clients that send a byte now and then; each hears 408."""
        app = self.serve(REQUEST_TIMEOUT="2s")
        crowd = scaled(1000)

        async def drip(request):
            reader, writer = await connect(app.port)
            answer = asyncio.create_task(read_answer(reader))
            for byte in request:
                if answer.done():
                    break
                writer.write(bytes([byte]))
                await asyncio.wait([answer], timeout=0.3)
            writer.close()
            return await answer

        async def scene():
            head = b"GET /livez HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 50
            body = b"POST /api/v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n\r\n"
            slow = [
                asyncio.create_task(drip(head if i % 2 else body)) for i in range(crowd)
            ]
            for _ in range(20):
                self.assertEqual((await ask(app.port, post_bytes(MESSAGES, SMALL)))[0], 201)
            answers = await asyncio.gather(*slow)
            heard = [answer[0] for answer in answers if answer is not None]
            self.assertEqual(set(heard), {408})

        asyncio.run(scene())
        self.assert_well(app)

    def test_a_body_that_never_ends(self):
        app = self.serve(BODY_MAX=65536, REQUEST_TIMEOUT="3s")
        before = resident_kib(app.process)

        async def pour(kind):
            reader, writer = await connect(app.port)
            writer.write(
                b"POST /api/v1/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                + kind
            )
            piece = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
            try:
                for _ in range(4000):
                    writer.write(piece if b"chunked" in kind else b" " * 0x8000)
                    await writer.drain()
            except ConnectionError:
                pass
            answer = await read_answer(reader)
            writer.close()
            return answer

        async def scene():
            endless = [
                pour(b"Transfer-Encoding: chunked\r\n\r\n"),
                pour(b"Content-Length: 999999999999\r\n\r\n"),
            ]
            answers = await asyncio.gather(*endless)
            for answer in answers:
                self.assertTrue(answer is None or answer[0] in (408, 413), answer)

        asyncio.run(scene())
        if not SLOW:  # a sanitizer keeps what was freed
            self.assertLess(resident_kib(app.process) - before, 60_000)
        self.assert_well(app)

    def test_pipelined_and_chunked_requests(self):
        app = self.serve()

        async def scene():
            reader, writer = await connect(app.port)
            writer.write(post_bytes(MESSAGES, SMALL) * 50)
            statuses = [(await read_answer(reader))[0] for _ in range(50)]
            self.assertEqual(statuses, [201] * 50)
            payload = json.dumps(SMALL).encode()
            chunks = b"".join(b"1\r\n" + bytes([byte]) + b"\r\n" for byte in payload)
            writer.write(
                b"POST /api/v1/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"
            )
            self.assertEqual((await read_answer(reader))[0], 201)
            writer.close()

        asyncio.run(scene())
        self.assertEqual(app.api.get(f"{MESSAGES}?limit=1")["total"], 51)

    def test_what_is_too_long_is_told(self):
        app = self.serve()
        cases = [
            (f"GET /api/v1/messages?q={'x' * 9000} HTTP/1.1\r\nHost: x\r\n\r\n", 414),
            (f"GET /livez HTTP/1.1\r\nHost: x\r\nX: {'y' * 30000}\r\n\r\n", 431),
            ("GET /livez HTTP/1.1\r\nHost: x\r\n" + "X: y\r\n" * 5000 + "\r\n", 431),
        ]
        for request, status in cases:
            with self.subTest(status=status):
                answer = asyncio.run(ask(app.port, request.encode()))
                self.assertEqual(answer[0], status)
        deep = b"[" * 200 + b"]" * 200
        status, body, _ = app.api.request(
            "POST", MESSAGES, deep, {"Content-Type": "application/json"}
        )
        self.assertEqual((status, body["error"]["code"]), (400, "invalid_json"))
        self.assert_well(app)


class Crash(PostgresCase):
    def test_what_was_answered_is_there_after_a_kill(self):
        """Ten thousand clients post at the same time, and the process is killed in the middle of
        it: every id that was answered 201 is in the database, none twice."""
        app = self.posthaste("http://127.0.0.1:9/send", AUTO_START="false")
        crowd = clients_possible(scaled(CROWD))
        answered = {}
        first = asyncio.Event()

        async def hear(number, reader):
            answer = await read_answer(reader)
            if answer is None:
                return
            self.assertEqual(answer[0], 201, answer)
            answered[json.loads(answer[1])["id"]] = f"message {number}"
            first.set()

        async def scene():
            """All are connected before the first one posts; half have posted at the kill."""
            clients = [await connect(app.port) for _ in range(crowd)]
            ears = [
                asyncio.create_task(hear(number, reader))
                for number, (reader, _) in enumerate(clients)
            ]
            for number, (_, writer) in enumerate(clients):
                writer.write(post_bytes(MESSAGES, SMALL | {"content": f"message {number}"}))
                if number == crowd // 4:
                    await first.wait()
                elif number == crowd // 2:
                    app.process.kill()
                elif number % 50 == 0:
                    await asyncio.sleep(0)
            await asyncio.gather(*ears)
            for _, writer in clients:
                writer.close()

        asyncio.run(scene())
        app.wait()
        rows = self.server.psql("SELECT id || ' ' || content FROM messages").splitlines()
        stored = dict(row.split(" ", 1) for row in rows)
        self.assertGreater(len(answered), 0)
        self.assertLess(len(answered), crowd)
        self.assertEqual(answered, {name: stored.get(name) for name in answered})
        self.assertEqual(len(set(stored.values())), len(rows))
        self.assertLessEqual(len(rows), crowd)
