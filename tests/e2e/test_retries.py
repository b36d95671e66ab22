"""Messages that operators take back, or have sent again: one, or all of a filter."""

from tests.e2e.postgres_case import PostgresCase
from tests.e2e.programs import Case, wait_until

MESSAGES = "/api/v1/messages"
RETRIES = "/api/v1/retries"
ONE = {"to": "+15551234567", "content": "hello"}


class RetryCases:
    """What holds on every store."""

    def setUp(self):
        super().setUp()
        self.mock = self.provider()

    def serve(self, **options):
        return self.posthaste(self.mock, MAX_RETRIES=0, **options)

    def fail_many(self, app, count, content="hello"):
        """So many messages that the provider has refused; it takes them from now on."""
        self.mock.behave(status=400)
        body = {"messages": [ONE | {"content": content}] * count}
        ids = app.api.post(MESSAGES, body)[1]["ids"]
        wait_until(lambda: self.state_count(app, "failed") >= count, "messages failed")
        self.mock.behave(status=200)
        return ids

    def state_count(self, app, state):
        return app.api.get(f"{MESSAGES}?limit=1&status={state}")["total"]

    def job(self, app, name):
        return app.api.get(f"{RETRIES}/{name}")

    def wait_job(self, app, name, state):
        return wait_until(
            lambda: self.job(app, name) if self.job(app, name)["state"] == state else None,
            f"a job that is {state}",
        )

    def test_a_message_is_taken_back(self):
        app = self.serve(AUTO_START="false")
        name = app.api.post(MESSAGES, ONE)[1]["id"]
        status, answer = app.api.post(f"{MESSAGES}/{name}/cancel")
        self.assertEqual((status, answer["status"]), (200, "cancelled"))
        self.assertEqual(app.api.post(f"{MESSAGES}/{name}/cancel")[0], 409)
        self.assertEqual(app.api.post(f"{MESSAGES}/999999/cancel")[0], 404)
        other = app.api.post(MESSAGES, ONE)[1]["id"]
        app.api.post("/api/v1/messaging/start")
        app.wait_state(other, "sent")
        self.assertEqual(app.api.post(f"{MESSAGES}/{other}/cancel")[0], 409)
        self.assertEqual(set(self.mock.accepted()), {other})
        entries = app.api.get("/api/v1/audit")["entries"]
        actions = [(one["action"], one["subject"]) for one in entries]
        self.assertEqual(actions.count(("cancel", name)), 1)

    def test_a_message_is_sent_again(self):
        app = self.serve()
        name = self.fail_many(app, 1)[0]
        status, answer = app.api.post(f"{MESSAGES}/{name}/retry")
        self.assertEqual((status, answer["attempt_count"]), (200, 0))
        app.wait_state(name, "sent")
        self.assertEqual(app.api.post(f"{MESSAGES}/{name}/retry")[0], 409)
        self.assertEqual(len(app.api.get(f"{MESSAGES}/{name}/attempts")["attempts"]), 1)

    def test_all_of_a_filter_are_sent_again(self):
        app = self.serve()
        self.fail_many(app, 30, "left alone")
        ids = self.fail_many(app, 1200, "wanted")
        wish = {"filter": {"status": "failed", "q": "wanted"}}
        status, preview = app.api.post(RETRIES, wish | {"preview": True})
        self.assertEqual((status, preview), (200, {"matched": 1200, "matched_is_exact": True}))
        status, job = app.api.post(RETRIES, wish)
        self.assertEqual((status, job["state"], job["matched"]), (202, "running", 1200))
        done = self.wait_job(app, job["id"], "done")
        self.assertEqual(done["retried"], 1200)
        wait_until(lambda: self.state_count(app, "sent") == 1200, "all sent")
        self.assertEqual(self.state_count(app, "failed"), 30)
        self.assertEqual(set(self.mock.accepted()), set(ids))
        self.assertEqual(app.api.get(RETRIES)["retries"][0]["id"], job["id"])

    def test_a_slow_job_is_stopped(self):
        app = self.serve()
        self.fail_many(app, 40)
        job = app.api.post(RETRIES, {"rate": 1})[1]
        wait_until(lambda: self.job(app, job["id"])["retried"] > 0, "a step")
        status, stopped = app.api.post(f"{RETRIES}/{job['id']}/stop")
        self.assertEqual((status, stopped["state"]), (200, "stopped"))
        self.assertEqual(app.api.post(f"{RETRIES}/{job['id']}/stop")[0], 409)
        self.assertLess(self.job(app, job["id"])["retried"], 40)
        self.assertGreater(self.state_count(app, "failed"), 0)

    def test_a_job_goes_on_after_a_kill(self):
        app = self.serve()
        ids = self.fail_many(app, 12)
        job = app.api.post(RETRIES, {"rate": 4})[1]
        wait_until(lambda: self.job(app, job["id"])["retried"] > 0, "a step")
        app.kill()
        again = self.serve(LEASE="32s")
        done = self.wait_job(again, job["id"], "done")
        self.assertLessEqual(done["retried"], 12)
        wait_until(lambda: set(self.mock.accepted()) == set(ids), "all sent")

    def test_bad_wishes(self):
        app = self.serve()
        cases = [
            ({"filter": {"status": "sent"}}, "status"),
            ({"filter": {"color": "blue"}}, "color"),
            ({"filter": []}, "filter"),
            ({"rate": -1}, "rate"),
            ({"preview": 1}, "preview"),
            ({"speed": 1}, "speed"),
        ]
        for body, field in cases:
            status, answer = app.api.post(RETRIES, body)
            self.assertEqual((status, answer["error"]["field"]), (422, field))
        self.assertEqual(app.api.get(RETRIES), {"retries": []})


class Retries(RetryCases, Case):
    pass


class PostgresRetries(RetryCases, PostgresCase):
    def test_replicas_share_a_job(self):
        first, second = self.serve(), self.serve()
        ids = self.fail_many(first, 2000)
        job = second.api.post(RETRIES, {})[1]
        self.assertEqual(self.wait_job(first, job["id"], "done")["retried"], 2000)
        wait_until(lambda: self.state_count(first, "sent") == 2000, "all sent")
        self.assertEqual(self.mock.accepted(), dict.fromkeys(ids, 1))
