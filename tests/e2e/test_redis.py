"""Redis as the cache: what it remembers, and that nobody waits for it."""

import contextlib
import signal
import threading

from tests.e2e.postgres_case import PostgresCase
from tests.e2e.programs import Case, wait_until
from tests.servers import RedisServer, ServerError

WRITTEN = "posthaste_cache_written_total"
DROPPED = "posthaste_cache_dropped_total"
UP = "posthaste_cache_up"


class RedisCase(Case):
    def redis(self, **options):
        server = RedisServer(**options)
        self.addCleanup(server.remove)
        return server

    def assert_delivers(self, app, count=50):
        for identity in app.accept(*[f"message {i}" for i in range(count)]):
            app.wait_state(identity, "sent")

    def health(self, app):
        status, answer, _ = app.api.request("GET", "/health")
        self.assertEqual(status, 200, answer)
        return answer

    def wait_health(self, app, word):
        wait_until(lambda: self.health(app)["status"] == word, f"{word} health")


class Cache(RedisCase):
    def test_lists_are_enriched_from_it(self):
        redis = self.redis()
        app = self.posthaste(self.provider(), CACHE_URL=redis.url())
        self.assert_delivers(app)
        wait_until(lambda: app.metric(WRITTEN) == 50, "fifty entries")
        messages = app.api.get("/api/v1/messages?status=sent")["messages"]
        self.assertEqual(len(messages), 50)
        for message in messages:
            self.assertEqual(message["message_id"], message["provider_id"])
            self.assertRegex(message["cached_at"], r"^\d{4}-\d\d-\d\dT.*Z$")
        self.assertEqual(app.metric('posthaste_cache_lookups_total{result="hit"}'), 50)
        (key,) = redis.cli("--scan", "--pattern", "posthaste:delivery:7:*").split()
        self.assertRegex(redis.cli("get", key), r'^{"message_id":".+","sent_at":".+Z"}$')
        self.assertGreater(int(redis.cli("pttl", key)), 86_000_000)
        self.assertLessEqual(int(redis.cli("pttl", key)), 86_400_000)

    def test_one_list_is_one_exchange(self):
        redis = self.redis()
        app = self.posthaste(self.provider(), CACHE_URL=redis.url())
        self.assert_delivers(app)
        wait_until(lambda: app.metric(WRITTEN) == 50, "fifty entries")
        app.api.get("/api/v1/messages?status=sent")
        calls = redis.cli("info", "commandstats")
        self.assertIn("cmdstat_mget:calls=1,", calls)
        self.assertNotIn("cmdstat_get:", calls)

    def test_the_parts_of_an_address_will_do(self):
        redis = self.redis(password="p@ss:w/rd?#%")
        app = self.posthaste(
            self.provider(),
            REDIS_HOST="127.0.0.1",
            REDIS_PORT=redis.port,
            REDIS_PASSWORD="p@ss:w/rd?#%",
            REDIS_DATABASE="5",
            REDIS_TTL="60",
        )
        self.assert_delivers(app, 3)
        wait_until(lambda: app.metric(WRITTEN) == 3, "three entries")
        self.assertEqual(self.health(app)["dependencies"]["redis"], "healthy")
        keys = redis.cli("-n", "5", "--scan", "--pattern", "posthaste:delivery:*").split()
        self.assertEqual(len(keys), 3)
        self.assertNotIn("w/rd", app.output())

    def test_keys_of_the_systems_before_are_written_too(self):
        time = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
        for style, key, value in (
            ("000", "{provider}", rf"^{time}\.\d+Z$"),
            ("001", "message:1", '{{"message_id":"1","messageId":"{provider}","sent_at":".+","status":"SENT"}}'),
            ("002", "delivery:1", '^{{"message_id":"{provider}","timestamp":".+Z"}}$'),
            ("003", "{provider}", rf"^{time}Z$"),
            ("004", "message_sent:{provider}", '^{{"message_id":"{provider}","sent_at":".+Z"}}$'),
        ):
            with self.subTest(style=style):
                redis = self.redis()
                app = self.posthaste(
                    self.provider(), STORE_URL="memory:", CACHE_URL=redis.url(), REDIS_KEY_STYLE=style
                )
                (identity,) = app.accept("hello")
                provider = app.wait_state(identity, "sent")["provider_id"]
                wait_until(lambda: app.metric(WRITTEN) == 1, "the entry")
                name = key.format(provider=provider)
                expected = value.format(provider=provider) if "{{" in value else value
                self.assertRegex(redis.cli("get", name), expected)
                self.assertGreater(int(redis.cli("pttl", name)), 0)
                self.assertIn("cached_at", app.api.get("/api/v1/messages")["messages"][0])

    def test_without_a_cache_nothing_is_missed(self):
        app = self.posthaste(self.provider(), CACHE_URL="none")
        self.assert_delivers(app, 3)
        self.assertNotIn("redis", self.health(app)["dependencies"])
        self.assertNotIn("message_id", app.api.get("/api/v1/messages")["messages"][0])


class Outage(RedisCase):
    def posthaste(self, provider, **options):
        """With patience: on a busy machine a good Redis may be slower than the usual timeout."""
        return super().posthaste(provider, CACHE_TIMEOUT="3s", **options)

    def assert_is_away(self, app):
        """Delivery and the API go on; what was not remembered is counted."""
        self.assert_delivers(app)
        self.wait_health(app, "degraded")
        answer = self.health(app)
        self.assertEqual(answer["dependencies"], {"database": "healthy", "redis": "unhealthy"})
        wait_until(lambda: app.metric(UP) == 0 and app.metric(DROPPED) > 0, "what is forgotten")
        message = app.api.get("/api/v1/messages?status=sent")["messages"][0]
        self.assertNotIn("cached_at", message)
        self.assertEqual(app.api.request("GET", "/readyz")[0], 200)

    def assert_is_back(self, app):
        """What is delivered from now on is remembered again."""
        self.wait_health(app, "healthy")
        self.assert_delivers(app, 5)

        def remembered():
            newest = app.api.get("/api/v1/messages?limit=5")["messages"]
            return all("cached_at" in message for message in newest)

        wait_until(remembered, "five more entries")

    def test_never_there(self):
        app = self.posthaste(self.provider(), CACHE_URL="redis://127.0.0.1:1/0")
        self.assert_is_away(app)

    def test_stopped_and_started(self):
        redis = self.redis()
        app = self.posthaste(self.provider(), CACHE_URL=redis.url())
        self.assert_delivers(app, 5)
        redis.stop()
        self.assert_is_away(app)
        redis.start()
        self.assert_is_back(app)

    def test_frozen_and_thawed(self):
        redis = self.redis()
        app = self.posthaste(self.provider(), CACHE_URL=redis.url())
        self.assert_delivers(app, 5)
        redis.freeze()
        self.assert_is_away(app)
        redis.thaw()
        self.assert_is_back(app)

    def test_out_of_memory(self):
        redis = self.redis()
        app = self.posthaste(self.provider(), CACHE_URL=redis.url())
        self.assert_delivers(app, 5)
        redis.cli("config", "set", "maxmemory", "1")
        self.assert_is_away(app)
        self.assertIn("OOM", app.output())
        redis.cli("config", "set", "maxmemory", "0")
        self.assert_is_back(app)

    def test_a_wrong_password(self):
        redis = self.redis(password="right")
        url = redis.url().replace("right", "hunter2")
        app = self.posthaste(self.provider(), CACHE_URL=url)
        self.assert_is_away(app)
        self.assertIn("WRONGPASS", app.output())
        self.assertNotIn("hunter2", app.output())
        redis.cli("config", "set", "requirepass", "hunter2")
        self.assert_is_back(app)

    def test_values_that_are_not_ours(self):
        redis = self.redis()
        app = self.posthaste(self.provider(), CACHE_URL=redis.url())
        self.assert_delivers(app, 4)
        wait_until(lambda: app.metric(WRITTEN) == 4, "four entries")
        odd = ["not JSON", '{"message_id":7,"sent_at":"x"}', "x" * 100_000]
        for number, value in enumerate(odd, start=1):
            (key,) = redis.cli("--scan", "--pattern", f"posthaste:delivery:{number}:*").split()
            redis.cli("set", key, value)
        (key,) = redis.cli("--scan", "--pattern", "posthaste:delivery:4:*").split()
        redis.cli("del", key)
        redis.cli("lpush", key, "a list")
        for message in app.api.get("/api/v1/messages?status=sent")["messages"]:
            self.assertNotIn("cached_at", message)
        self.assertEqual(self.health(app)["status"], "healthy")


class Guard(RedisCase, PostgresCase):
    """What the provider had accepted when its process died is settled, and not sent again."""

    OPTIONS = {"WEBHOOK_TIMEOUT": "1s", "LEASE": "2500ms", "DB_TIMEOUT": "60s"}

    def lock_claims(self):
        """From now on nobody can settle, until `unlock`."""
        locker = threading.Thread(target=self.hold_lock)
        locker.start()
        self.addCleanup(locker.join)
        wait_until(
            lambda: self.server.number(
                "SELECT count(*) FROM pg_locks WHERE granted AND mode = 'ExclusiveLock'"
                " AND relation = 'posthaste_claims'::regclass"
            ),
            "the lock",
        )

    def hold_lock(self):
        with contextlib.suppress(ServerError):
            self.server.psql(
                "SET application_name = 'locker'; BEGIN;"
                " LOCK TABLE posthaste_claims IN EXCLUSIVE MODE; SELECT pg_sleep(120)"
            )

    def end_backends(self, name):
        self.server.psql(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            f" WHERE application_name = '{name}'"
        )

    def die_before_settling(self, redis, count):
        """A dispatcher whose answers came while the database let nobody settle."""
        provider = self.provider("--latency", "500ms")
        first = self.posthaste(provider, CACHE_URL=redis.url(), **self.OPTIONS)
        ids = first.accept(*[f"message {i}" for i in range(count)])
        wait_until(lambda: first.status()["in_flight"] == count, "requests in the air")
        self.lock_claims()
        wait_until(lambda: provider.stats()["accepted"] == count, "answers")
        wait_until(lambda: int(redis.cli("dbsize")) >= count, "entries")
        first.signal(signal.SIGKILL)
        first.wait()
        self.end_backends("posthaste")
        self.end_backends("locker")
        self.assertEqual(self.count("status = 'sent'"), 0)
        return provider, ids

    def test_accepted_messages_are_not_sent_again(self):
        redis = self.redis()
        provider, ids = self.die_before_settling(redis, 30)
        second = self.posthaste(provider, CACHE_URL=redis.url(), **self.OPTIONS)
        second.wait_settled()
        self.assertEqual(provider.received()["duplicates"], 0)
        self.assertEqual(self.count("status = 'sent' AND attempts = 1"), 30)
        message = second.message(ids[0])
        accepted = {r["id"]: r for r in provider.requests()}
        self.assertIn(ids[0], accepted)
        self.assertTrue(message["provider_id"])
        self.assertEqual([a["class"] for a in message["attempts"]], ["lease_expired"])

    def test_without_what_redis_knew_they_are_sent_again(self):
        redis = self.redis()
        provider, _ = self.die_before_settling(redis, 5)
        redis.cli("flushall")
        second = self.posthaste(provider, CACHE_URL=redis.url(), **self.OPTIONS)
        second.wait_settled()
        self.assertEqual(provider.received()["duplicates"], 5)
        self.assertEqual(self.count("status = 'sent' AND attempts = 2"), 5)

    def test_what_was_sent_before_and_is_wanted_again_is_sent_again(self):
        redis = self.redis()
        provider, ids = self.die_before_settling(redis, 5)
        self.server.psql("UPDATE messages SET sent_at = now() - interval '1 hour'")
        second = self.posthaste(provider, CACHE_URL=redis.url(), **self.OPTIONS)
        second.wait_settled()
        self.assertEqual(provider.received()["duplicates"], len(ids))

    def test_the_same_id_of_another_message_is_another_message(self):
        redis = self.redis()
        provider, ids = self.die_before_settling(redis, 5)
        self.server.psql("UPDATE messages SET content = 'something else'")
        second = self.posthaste(provider, CACHE_URL=redis.url(), **self.OPTIONS)
        second.wait_settled()
        contents = [request["content"] for request in provider.requests()]
        self.assertEqual(contents.count("something else"), len(ids))
