"""Who is let in: keys and rights, the rate limit, pages of other origins, TLS."""

import hashlib
import signal
import socket
import ssl
import subprocess

from tests.e2e.programs import Case, Client, wait_until

MESSAGES = "/api/v1/messages"
ONE = {"to": "+15551234567", "content": "hello"}
SECRET = "a-secret-of-some-length"
HASHED = "sha256:" + hashlib.sha256(SECRET.encode()).hexdigest()


class Gate(Case):
    def serve(self, **options):
        return self.posthaste("http://127.0.0.1:9/send", AUTO_START="false", **options)

    def status(self, app, path="/version", method="GET", **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return app.api.request(method, path, None, named)[0]

    def refused_start(self, **options):
        """What the program says that will not start."""
        environment = {"WEBHOOK_URL": "http://127.0.0.1:9/", "PORT": "0"} | options
        status, output = self.run_command("serve", **environment)
        self.assertEqual(status, 2 if "posthaste serve:" not in output else 1, output)
        return output


class Keys(Gate):
    def test_every_form_of_a_key(self):
        keys_file = self.folder / "keys"
        keys_file.write_text(f"# ours\n\nshop:send+read:{HASHED}\n", encoding="ascii")
        forms = [
            {"API_KEYS": f"shop:send+read:{SECRET}"},
            {"API_KEYS": f"other:read:0123456789abcdef, shop:read:{HASHED}"},
            {"API_KEYS_FILE": keys_file},
            {"API_KEY": SECRET},
        ]
        for form in forms:
            with self.subTest(form=form):
                app = self.serve(STORE_URL="memory:", **form)
                self.assertEqual(self.status(app, MESSAGES), 401)
                self.assertEqual(self.status(app, MESSAGES, Authorization=f"Bearer {SECRET}"), 200)
                self.assertEqual(self.status(app, MESSAGES, Authorization=f"bearer {SECRET}"), 200)
                self.assertEqual(self.status(app, MESSAGES, X_API_Key=SECRET), 200)
                for bad in (f"Basic {SECRET}", "Bearer", f"Bearer {SECRET}x", f"Bearer {HASHED}"):
                    self.assertEqual(self.status(app, MESSAGES, Authorization=bad), 401)
                self.assertEqual(self.status(app, "/health"), 200)
                self.assertNotIn(SECRET, app.output())

    def test_rights_are_kept(self):
        app = self.serve(API_KEYS=f"shop:send:{SECRET}")
        header = {"X-API-Key": SECRET}
        self.assertEqual(app.api.request("POST", MESSAGES, ONE, header)[0], 201)
        self.assertEqual(app.api.request("GET", MESSAGES, None, header)[0], 403)
        self.assertEqual(app.api.request("POST", "/start", None, header)[0], 403)

    def test_bad_keys_are_told_without_showing_them(self):
        for keys in (f"shop:read:{SECRET},", f"shop:fly:{SECRET}", "shop:read:short", SECRET):
            output = self.refused_start(API_KEYS=keys)
            self.assertIn("key", output)
            self.assertNotIn(SECRET, output)
        status, output = self.run_command("config", API_KEYS=f"a:read:{SECRET}", API_KEY=SECRET)
        self.assertEqual(status, 0)
        self.assertNotIn(SECRET, output)

    def test_others_are_not_let_in_without_keys(self):
        output = self.refused_start(BIND="0.0.0.0")
        self.assertIn("BIND", output)
        self.assertIn("API_KEYS", output)
        self.assertEqual(self.status(self.serve(BIND="0.0.0.0", ALLOW_ANONYMOUS="true")), 200)
        self.assertEqual(self.status(self.serve(BIND="0.0.0.0", API_KEY=SECRET)), 200)


class RateLimit(Gate):
    def burst(self, app, count, path="/version", **headers):
        return [self.status(app, path, **headers) for _ in range(count)]

    def test_a_hundred_a_minute(self):
        app = self.serve(RATE_LIMIT="100")
        statuses = self.burst(app, 110)
        self.assertEqual(statuses[:100], [200] * 100)
        self.assertIn(429, statuses[100:])
        status, body, headers = app.api.request("GET", "/version")
        if status == 429:
            self.assertEqual(body["error"]["code"], "rate_limited")
            self.assertGreaterEqual(int(headers["Retry-After"]), 1)
        self.assertEqual(headers["RateLimit-Limit"], "100")
        self.assertEqual(headers["RateLimit-Remaining"], "0")

    def test_health_and_metrics_do_not_count(self):
        app = self.serve(RATE_LIMIT="1")
        for path in ("/health", "/livez", "/readyz", "/metrics"):
            self.assertEqual(self.burst(app, 5, path), [200] * 5)

    def test_each_key_has_its_own(self):
        keys = f"a:read:{SECRET},b:read:{SECRET}b"
        app = self.serve(RATE_LIMIT="2", API_KEYS=keys)
        self.assertEqual(self.burst(app, 3, X_API_Key=SECRET), [200, 200, 429])
        self.assertEqual(self.burst(app, 3, X_API_Key=SECRET + "b"), [200, 200, 429])
        self.assertEqual(self.burst(app, 3), [200, 200, 429])

    def test_seed_004_says_it_in_its_own_words(self):
        app = self.serve(RATE_LIMIT="1")
        self.burst(app, 1)
        status, body, _ = app.api.request("POST", "/api/v1/scheduler/start")
        self.assertEqual(status, 429)
        self.assertEqual(
            body,
            {
                "error": "Rate limit exceeded",
                "message": "Too many requests, please try again later",
            },
        )

    def test_proxies_are_believed_only_when_trusted(self):
        for trusted, expected in (("", [200, 429]), ("127.0.0.0/8", [200, 200])):
            app = self.serve(RATE_LIMIT="1", TRUSTED_PROXIES=trusted)
            statuses = [
                self.status(app, X_Forwarded_For=f"203.0.113.9, {address}")
                for address in ("192.0.2.1", "192.0.2.2")
            ]
            self.assertEqual(statuses, expected)


class Pages(Gate):
    ORIGIN = "https://shop.example.com"

    def headers(self, app, method, **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        status, _, answered = app.api.request(method, MESSAGES, None, named)
        return status, answered

    def test_off_unless_configured(self):
        status, headers = self.headers(self.serve(), "OPTIONS", Origin=self.ORIGIN)
        self.assertEqual((status, headers["Access-Control-Allow-Origin"]), (405, None))

    def test_allowed_origins(self):
        app = self.serve(CORS_ORIGINS=f"{self.ORIGIN},https://other.example.com", API_KEY=SECRET)
        status, headers = self.headers(
            app, "OPTIONS", Origin=self.ORIGIN, Access_Control_Request_Method="POST"
        )
        self.assertEqual(status, 204)
        self.assertEqual(headers["Access-Control-Allow-Origin"], self.ORIGIN)
        self.assertIn("POST", headers["Access-Control-Allow-Methods"])
        self.assertIn("Idempotency-Key", headers["Access-Control-Allow-Headers"])
        status, headers = self.headers(app, "GET", Origin=self.ORIGIN, X_API_Key=SECRET)
        self.assertEqual((status, headers["Access-Control-Allow-Origin"]), (200, self.ORIGIN))
        status, headers = self.headers(app, "GET", Origin="https://bad.example.com")
        self.assertEqual((status, headers["Access-Control-Allow-Origin"]), (401, None))
        self.assertEqual(headers["Vary"], "Origin")

    def test_bad_origins_are_told(self):
        self.assertIn("CORS_ORIGINS", self.refused_start(CORS_ORIGINS="shop.example.com"))


class Tls(Gate):
    def make_certificate(self, name):
        """A self-signed one for this name; the paths of it and of its key."""
        certificate, key = self.folder / "cert.pem", self.folder / "key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout", key, "-out", certificate],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        return certificate, key

    def shown(self, app):
        return ssl.get_server_certificate(("127.0.0.1", app.port))

    def test_https_with_a_certificate_that_is_replaced(self):
        certificate, key = self.make_certificate("first.example.com")
        app = self.serve(TLS_CERT=certificate, TLS_KEY=key)
        first = self.shown(app)
        self.assertEqual(first.strip(), certificate.read_text(encoding="ascii").strip())
        plain = ssl.create_default_context(cadata=first)
        plain.check_hostname = False
        with socket.create_connection(("127.0.0.1", app.port)) as raw:
            with plain.wrap_socket(raw) as secure:
                secure.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                self.assertTrue(secure.recv(100).startswith(b"HTTP/1.1 200"))
        with self.assertRaises(OSError):
            Client(app.port).get("/livez")
        self.make_certificate("second.example.com")
        app.signal(signal.SIGHUP)
        wait_until(lambda: self.shown(app) != first, "the new certificate")
        second = self.shown(app)
        certificate.write_text("broken", encoding="ascii")
        app.signal(signal.SIGHUP)
        app.wait_line(lambda line: "the old one stays" in line, "a word about it")
        self.assertEqual(self.shown(app), second)

    def test_a_certificate_that_is_none_is_told(self):
        certificate, key = self.make_certificate("x.example.com")
        self.assertIn("TLS_KEY", self.refused_start(TLS_CERT=certificate))
        output = self.refused_start(TLS_CERT="/nowhere.pem", TLS_KEY=key)
        self.assertIn("TLS_CERT", output)
