"""Who sends the same request again gets the same answer, and nothing is sent twice."""

import json
import threading

from tests.e2e.postgres_case import PostgresCase
from tests.e2e.programs import Case, scaled

MESSAGES = "/api/v1/messages"
ONE = {"to": "+15551234567", "content": "hello", "metadata": {"order": 7}}
ROUNDS = 50


class IdempotencyCases:
    """What holds on every store."""

    def setUp(self):
        super().setUp()
        self.app = self.serve()

    def serve(self, **options):
        return self.posthaste("http://127.0.0.1:9/send", AUTO_START="false", **options)

    def post(self, body, key=None, app=None, **headers):
        if key is not None:
            headers["Idempotency-Key"] = key
        return (app or self.app).api.request("POST", MESSAGES, body, headers)

    def total(self):
        return self.app.api.get(f"{MESSAGES}?limit=1")["total"]

    def test_the_same_again_gets_the_same_answer(self):
        for body in (ONE, {"messages": [ONE, ONE | {"content": "other"}]}):
            with self.subTest(body=body):
                key = f"key-{len(json.dumps(body))}"
                status, first, headers = self.post(body, key)
                self.assertEqual((status, headers["Idempotent-Replayed"]), (201, None))
                status, second, headers = self.post(body, key)
                self.assertEqual((status, headers["Idempotent-Replayed"]), (201, "true"))
                self.assertEqual(second, first)
        self.assertEqual(self.total(), 3)

    def test_another_body_is_refused(self):
        self.post(ONE, "k")
        for body in (ONE | {"content": "x"}, {"messages": [ONE]}, {"messages": [ONE, ONE]}):
            status, answer, _ = self.post(body, "k")
            self.assertEqual((status, answer["error"]["code"]), (422, "idempotency_mismatch"))
        self.assertEqual(self.total(), 1)

    def test_a_message_may_bear_its_own_key(self):
        keyed = ONE | {"idempotency_key": "own"}
        first = self.post(keyed)[1]
        self.assertEqual(self.post(keyed)[1]["id"], first["id"])
        status, answer, _ = self.post({"messages": [ONE, keyed, ONE]})
        self.assertEqual((status, answer["ids"][1]), (201, first["id"]))
        self.assertEqual(self.post(keyed | {"content": "x"})[0], 422)
        self.assertEqual(self.post({"messages": [keyed | {"idempotency_key": "t"}] * 2})[0], 422)
        self.assertEqual(self.total(), 3)

    def test_keys_that_are_none(self):
        for key in ("", "two words", "x" * 256, "caf\u00e9"):
            self.assertEqual(self.post(ONE, key.encode("latin-1"))[0], 422)
            self.assertEqual(self.post(ONE | {"idempotency_key": key})[0], 422)
        self.assertEqual(self.total(), 0)

    def test_keys_are_those_of_whoever_bears_the_api_key(self):
        keys = "a:send:0123456789abcdef,b:send:fedcba9876543210,c:admin:abcdefabcdefabcd"
        app = self.serve(API_KEYS=keys, STORE_URL="memory:")
        ids = {
            self.post(ONE, "k", app, **{"X-API-Key": secret})[1]["id"]
            for secret in ("0123456789abcdef", "fedcba9876543210") * 2
        }
        self.assertEqual(len(ids), 2)

    def race(self, apps):
        for number in range(scaled(ROUNDS)):
            answers = []

            def client(app, key=f"race-{number}", answers=answers):
                answers.append(self.post(ONE, key, app)[:2])

            threads = [threading.Thread(target=client, args=(app,)) for app in apps]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual([status for status, _ in answers], [201] * len(apps))
            self.assertEqual(len({answer["id"] for _, answer in answers}), 1, answers)
        self.assertEqual(self.total(), scaled(ROUNDS))

    def test_clients_that_race_with_one_key(self):
        self.race([self.app] * 4)


class Idempotency(IdempotencyCases, Case):
    pass


class PostgresIdempotency(IdempotencyCases, PostgresCase):
    def test_clients_that_race_at_two_replicas(self):
        self.race([self.app, self.serve()] * 2)
