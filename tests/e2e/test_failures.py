"""Providers that fail, and what becomes of the message."""

import contextlib
import http.server
import socket
import threading

from tests.e2e.programs import Case, wait_until

DONE = {"sent", "failed"}


class ScriptedProvider:
    """A provider in the test itself, for answers that the mock provider does not give: `answer` is
    called with the request's handler."""

    def __init__(self, answer):
        requests = self.requests = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                requests.append(self.path)
                with contextlib.suppress(OSError):
                    answer(self)

            do_GET = do_POST

            def reply(self, status, body=b"", **headers):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/send"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Failures(Case):
    def scripted(self, answer):
        provider = ScriptedProvider(answer)
        self.addCleanup(provider.server.server_close)
        self.addCleanup(provider.server.shutdown)
        return provider

    def deliver(self, provider, state, **options):
        """Sends one message and waits for its end; the message."""
        app = self.posthaste(provider, **options)
        (identity,) = app.accept("hello")
        return app.wait_state(identity, state)

    def first_class(self, provider, **options):
        """How the first attempt of a message ended that fails in the end."""
        message = self.deliver(provider, "failed", MAX_RETRIES="1", **options)
        self.assertEqual(message["attempt_count"], 2)
        self.assertEqual([attempt["number"] for attempt in message["attempts"]], [1, 2])
        return message["attempts"][0]["class"]

    def test_503_is_retried_until_it_is_accepted(self):
        provider = self.provider()
        provider.behave(status=503, times=2)
        message = self.deliver(provider, "sent")
        self.assertEqual(message["attempt_count"], 3)
        self.assertIsNone(message["error"])
        attempts = message["attempts"]
        self.assertEqual([a["class"] for a in attempts], ["http_5xx", "http_5xx"])
        self.assertEqual([a["http_status"] for a in attempts], [503, 503])
        self.assertEqual(provider.stats()["requests"], 3)

    def test_408_425_and_429_are_retried(self):
        for status in (408, 425, 429):
            with self.subTest(status):
                self.setUp()
                provider = self.provider()
                provider.behave(status=status, times=1)
                self.assertEqual(self.deliver(provider, "sent")["attempt_count"], 2)

    def test_other_4xx_fail_at_once(self):
        provider = self.provider("--status", "400")
        message = self.deliver(provider, "failed")
        self.assertEqual(message["attempt_count"], 1)
        self.assertEqual(message["attempts"][0]["http_status"], 400)
        self.assertEqual(provider.stats()["requests"], 1)

    def test_attempts_are_used_up(self):
        provider = self.provider("--status", "500")
        message = self.deliver(provider, "failed", MAX_RETRIES="3")
        self.assertEqual(message["attempt_count"], 4)
        self.assertEqual(len(message["attempts"]), 4)
        self.assertEqual(provider.stats()["requests"], 4)

    def test_retry_after_is_the_least_to_wait(self):
        provider = self.provider()
        provider.behave(status=503, retry_after=1, times=1)
        self.deliver(provider, "sent")
        first, second = [request["at_ms"] for request in provider.requests()]
        self.assertGreaterEqual(second - first, 1000)

    def test_permanent_failures_do_not_hold_up_the_rest(self):
        provider = self.provider()
        provider.behave(status=400, times=2)
        app = self.posthaste(provider, MAX_IN_FLIGHT="1")
        ids = app.accept("bad", "bad", "good", "good")
        app.wait_settled()
        states = [app.message(identity)["status"] for identity in ids]
        self.assertEqual(states, ["failed", "failed", "sent", "sent"])

    def test_a_hanging_provider_is_given_up_and_the_others_go_on(self):
        provider = self.provider()
        provider.behave(hang=True, times=1)
        app = self.posthaste(provider, WEBHOOK_TIMEOUT="1s")
        ids = app.accept(*"abcde")
        app.wait_settled()
        self.assertTrue(all(app.message(identity)["status"] == "sent" for identity in ids))
        attempts = [a for identity in ids for a in app.message(identity)["attempts"]]
        self.assertEqual([a["class"] for a in attempts], ["read_timeout"])

    def test_connection_refused(self):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{closed.getsockname()[1]}/send"
            self.assertEqual(self.first_class(url), "refused")

    def test_connection_reset(self):
        self.assertEqual(self.first_class(self.provider("--reset")), "reset")

    def test_name_that_does_not_resolve(self):
        url = "http://no-such-host.invalid/send"
        self.assertEqual(self.first_class(url, WEBHOOK_TIMEOUT="3s"), "dns")

    def test_tls_that_is_none(self):
        url = self.provider().url.replace("http:", "https:")
        self.assertEqual(self.first_class(url), "tls")

    def test_connection_that_is_not_taken(self):
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            address = full.getsockname()
            waiting = [socket.socket() for _ in range(4)]
            for one in waiting:
                one.setblocking(False)
                one.connect_ex(address)
            url = f"http://127.0.0.1:{address[1]}/send"
            self.assertEqual(self.first_class(url, WEBHOOK_TIMEOUT="700ms"), "connect_timeout")
            for one in waiting:
                one.close()

    def test_redirects_are_not_followed(self):
        provider = self.scripted(lambda call: call.reply(302, Location="/elsewhere"))
        self.assertEqual(self.first_class(provider), "http_3xx")
        self.assertEqual(set(provider.requests), {"/send"})

    def test_one_deadline_covers_a_body_that_trickles(self):
        enough = threading.Event()
        self.addCleanup(enough.set)

        def trickle(call):
            call.send_response(500)
            call.send_header("Content-Length", "100000")
            call.end_headers()
            while not enough.wait(0.05):
                call.wfile.write(b"x")
                call.wfile.flush()

        provider = self.scripted(trickle)
        self.assertEqual(self.first_class(provider, WEBHOOK_TIMEOUT="1s"), "read_timeout")

    def test_a_large_body_is_cut_and_the_message_is_sent(self):
        provider = self.provider("--body-bytes", "5000000")
        self.assertEqual(self.deliver(provider, "sent")["attempt_count"], 1)

    def test_any_2xx_with_any_body_is_accepted(self):
        for status, body, provider_id in (
            (200, b"OK", None),
            (200, b"", None),
            (204, b"", None),
            (201, b'{"messageId":"abc"}', "abc"),
            (200, b'{"message_id":"def"}', "def"),
            (200, b'{"id":17}', "17"),
            (202, b'{"messageId":', None),
            (202, b"[1,2]", None),
        ):
            with self.subTest(body=body):
                self.setUp()
                provider = self.scripted(lambda call, s=status, b=body: call.reply(s, b))
                self.assertEqual(self.deliver(provider, "sent")["provider_id"], provider_id)

    def test_some_fail_and_all_arrive_in_the_end(self):
        provider = self.provider("--fail-rate", "0.2")
        app = self.posthaste(provider, MAX_RETRIES="50", RETRY_BASE="1ms", RETRY_CAP="20ms")
        ids = app.accept(*[f"message {i}" for i in range(500)])
        app.wait_settled()
        self.assertEqual(set(provider.accepted()), set(ids))
        self.assertEqual(set(provider.accepted().values()), {1})
        retried = app.metric('posthaste_messages_settled_total{outcome="retried"}')
        self.assertEqual(retried, provider.stats()["failed"])

    def test_what_waits_for_a_retry_does_not_hold_up_the_rest(self):
        provider = self.provider()
        provider.behave(status=503, retry_after=3600, times=1)
        app = self.posthaste(provider)
        (waiting,) = app.accept("waits")
        wait_until(lambda: app.message(waiting)["attempt_count"] == 1, "the first attempt")
        (later,) = app.accept("goes")
        app.wait_state(later, "sent")
        message = app.message(waiting)
        self.assertEqual(message["status"], "pending")
        self.assertIsNotNone(message["due_at"])
