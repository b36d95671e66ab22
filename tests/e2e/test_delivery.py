"""Messages that are delivered."""

import concurrent.futures

from tests.e2e.programs import Case, scaled, wait_until

HUNDRED = 100


class Delivery(Case):
    def accept_many(self, app, count):
        """In hundreds, by four clients at once; the ids."""
        batches = [[f"message {i}" for i in range(n, n + HUNDRED)] for n in range(0, count, HUNDRED)]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            return [name for ids in pool.map(lambda batch: app.accept(*batch), batches) for name in ids]

    def test_all_that_is_accepted_is_delivered_once_and_all_agree_on_it(self):
        count = scaled(20_000)
        provider = self.provider()
        app = self.posthaste(provider)
        ids = self.accept_many(app, count)
        self.assertEqual(len(set(ids)), count)
        counts = app.wait_settled()
        self.assertEqual(counts["sent"], count)
        received = provider.received()
        self.assertEqual((received["total"], received["unique"]), (count, count))
        self.assertEqual(set(provider.accepted()), set(ids))
        self.assertEqual(app.metric('posthaste_messages{status="sent"}'), count)
        self.assertEqual(app.metric('posthaste_messages_settled_total{outcome="sent"}'), count)
        self.assertEqual(app.metric("posthaste_messages_accepted_total"), count)
        self.assertEqual(app.sql("SELECT count(*) FROM messages WHERE status = 'sent'"), [(count,)])
        status, printed = self.run_command("list", STORE_URL=f"sqlite:{app.database}")
        self.assertEqual(status, 0)
        self.assertIn(f"sent {count}", printed)
        totals = app.stop()
        self.assertEqual((totals["sent"], totals["retried"], totals["failed"]), (count, 0, 0))

    def test_a_batch_leaves_at_start_and_one_at_every_interval(self):
        provider = self.provider()
        app = self.posthaste(provider, AUTO_START="false", PROCESSING_INTERVAL="2s")
        app.accept(*[f"message {i}" for i in range(6)])
        app.api.post("/api/v1/messaging/start")
        app.wait_settled()
        times = [request["at_ms"] for request in provider.requests()]
        self.assertEqual(len(times), 6)
        # Two arrive together, and none of the next two before the interval is over; the clock that
        # is read here is the provider's, which is a little late at times.
        for first, following in ((0, 2), (2, 4)):
            self.assertGreater(times[following] - times[first], 1000)

    def test_defaults_send_two_and_leave_the_rest(self):
        provider = self.provider()
        app = self.posthaste(provider, AUTO_START="false", PROCESSING_INTERVAL="2m", BATCH_SIZE="2")
        app.accept("one", "two", "three", "four")
        app.api.post("/api/v1/messaging/start")
        wait_until(lambda: app.status()["messages"]["sent"] == 2, "two messages sent")
        self.assertEqual(app.status()["messages"]["pending"], 2)
        self.assertGreater(app.status()["next_batch_in_ms"], 60_000)
        self.assertEqual(provider.received()["total"], 2)

    def test_rows_inserted_by_sql_are_found_and_delivered(self):
        provider = self.provider()
        app = self.posthaste(provider)
        app.sql("INSERT INTO messages (recipient, content) VALUES ('+905551234567', 'Merhaba dünya')")
        app.wait_state("1", "sent")
        request = provider.requests()[0]
        self.assertEqual((request["to"], request["content"]), ("+905551234567", "Merhaba dünya"))

    def test_rows_that_break_a_rule_are_failed_with_the_reason_and_do_not_stop_the_queue(self):
        provider = self.provider()
        app = self.posthaste(provider, AUTO_START="false")
        insert = "INSERT INTO messages (recipient, content) VALUES (?, ?)"
        app.sql(insert, "nobody", "x")
        app.sql(insert, "+15551234567", "x" * 10_000_000)
        app.sql(insert, "+15551234567", "")
        app.sql(insert, "+15551234567", b"\xff\xfe")
        app.sql(insert, "+15551234567", "ş" * 161)
        app.sql(insert, "+15551234567", "ş" * 160)
        app.api.post("/api/v1/messaging/start")
        app.wait_settled()
        for identity, reason in (
            ("1", "is no telephone number"), ("2", "65536 bytes"), ("3", "is empty"),
            ("4", "not valid UTF-8"), ("5", "161 characters"),
        ):
            message = app.message(identity)
            self.assertEqual(message["status"], "failed")
            self.assertIn(reason, message["error"])
            self.assertEqual(message["attempt_count"], 0)
        self.assertEqual(app.message("6")["status"], "sent")
        self.assertEqual(provider.received()["total"], 1)

    def test_with_one_in_flight_the_order_is_priority_then_age(self):
        provider = self.provider()
        app = self.posthaste(provider, MAX_IN_FLIGHT="1", AUTO_START="false")
        for content, priority in (("a", 0), ("b", 0), ("urgent", 9), ("c", 0), ("low", -1)):
            status, _ = app.api.post(
                "/api/v1/messages",
                {"to": "+15551234567", "content": content, "priority": priority},
            )
            self.assertEqual(status, 201)
        app.api.post("/api/v1/messaging/start")
        app.wait_settled()
        order = [request["content"] for request in provider.requests()]
        self.assertEqual(order, ["urgent", "a", "b", "c", "low"])

    def test_the_request_is_as_documented(self):
        provider = self.provider()
        app = self.posthaste(provider, WEBHOOK_AUTH_KEY="secret-key", WEBHOOK_AUTH_HEADER="X-Key")
        (identity,) = app.accept('quotes " and \\ and 😀')
        message = app.wait_state(identity, "sent")
        request = provider.requests()[0]
        headers = {name.lower(): value for name, value in request["headers"].items()}
        self.assertEqual(request["content"], 'quotes " and \\ and 😀')
        self.assertEqual(headers["content-type"], "application/json")
        self.assertEqual(headers["x-key"], "secret-key")
        self.assertEqual(headers["idempotency-key"], identity)
        version = app.api.get("/version")["version"]
        self.assertEqual(headers["user-agent"], f"posthaste/{version}")
        self.assertRegex(message["provider_id"], r"^[0-9a-f-]{36}$")
        self.assertNotIn("secret-key", app.output())

    def test_two_processes_on_one_file_share_the_work(self):
        count = scaled(4_000)
        provider = self.provider()
        first = self.posthaste(provider, AUTO_START="false")
        second = self.posthaste(provider, AUTO_START="false")
        ids = self.accept_many(first, count)
        for app in (first, second):
            app.api.post("/api/v1/messaging/start")
        first.wait_settled()
        self.assertEqual(provider.received()["total"], count)
        self.assertEqual(set(provider.accepted()), set(ids))
        self.assertEqual(first.stop()["sent"] + second.stop()["sent"], count)

    def test_messages_accepted_while_stopped_wait_for_the_start(self):
        provider = self.provider()
        app = self.posthaste(provider, AUTO_START="false")
        (identity,) = app.accept("later")
        self.assertEqual(app.message(identity)["status"], "pending")
        self.assertEqual(app.api.post("/api/v1/messaging/start")[0], 200)
        app.wait_state(identity, "sent")

    def test_samples_are_generated_when_asked_for(self):
        provider = self.provider()
        app = self.posthaste(provider, GENERATE_INTERVAL="50ms")
        wait_until(lambda: provider.received()["unique"] >= 3, "three samples")
        self.assertRegex(provider.requests()[0]["to"], r"^\+1555\d{7}$")

    def test_the_memory_store_delivers_as_well(self):
        count = scaled(2_000)
        provider = self.provider()
        app = self.posthaste(provider, STORE_URL="memory:")
        self.accept_many(app, count)
        self.assertEqual(app.wait_settled()["sent"], count)
        self.assertEqual(provider.received()["total"], count)
