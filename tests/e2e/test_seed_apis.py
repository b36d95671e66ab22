"""The seeds' own paths: what a client written for each of them sends, and the answers it knows."""

from tests.e2e.programs import Case

TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"


class SeedApi(Case):
    def setUp(self):
        super().setUp()
        self.app = self.posthaste(self.provider(), AUTO_START="false")

    def ask(self, method, path, body=None):
        """Status and body; a JSON one as it means, anything else as text."""
        status, answer, _ = self.app.api.request(method, path, body)
        return status, answer

    def state(self):
        return self.app.status()["state"]


class SeedZero(SeedApi):
    def test_start_and_stop(self):
        self.assertEqual(self.ask("POST", "/stop"), (400, {"error": "sender is not running"}))
        self.assertEqual(self.ask("POST", "/start"), (200, ""))
        self.assertEqual(self.state(), "running")
        self.assertEqual(self.ask("POST", "/start"), (400, {"error": "sender is already running"}))
        self.assertEqual(self.ask("POST", "/stop"), (200, ""))
        self.assertEqual(self.state(), "stopped")


class SeedTwo(SeedApi):
    def test_start_and_stop(self):
        path = "/api/messaging/"
        started = {"status": "started", "message": "Message processing started successfully"}
        running = {"status": "running", "message": "Message processing is already running"}
        stopped = {"status": "stopped", "message": "Message processing stopped successfully"}
        idle = {"status": "stopped", "message": "Message processing is not running"}
        self.assertEqual(self.ask("POST", path + "stop"), (200, idle))
        self.assertEqual(self.ask("POST", path + "start"), (200, started))
        self.assertEqual(self.ask("POST", path + "start"), (200, running))
        self.assertEqual(self.ask("POST", path + "stop"), (200, stopped))
        self.assertEqual(self.state(), "stopped")


class SeedThree(SeedApi):
    def test_the_greeting(self):
        self.assertEqual(self.ask("GET", "/"), (200, {"message": "Welcome to Messaging Server V1!"}))

    def test_control(self):
        path = "/api/v1/cron/control"
        for _ in range(2):
            answer = self.ask("POST", path, {"action": "start"})
            self.assertEqual(answer, (200, {"message": "Cron job started"}))
            self.assertEqual(self.state(), "running")
        for _ in range(2):
            answer = self.ask("POST", path, {"action": "stop"})
            self.assertEqual(answer, (202, {"message": "Cron job will be stopped"}))
            self.assertEqual(self.state(), "stopped")

    def test_bad_control(self):
        path = "/api/v1/cron/control"
        wrong = (400, {"error": "action must be 'start' or 'stop'"})
        self.assertEqual(self.ask("POST", path, {"action": "pause"}), wrong)
        self.assertEqual(self.ask("POST", path, {"action": 7}), wrong)
        self.assertEqual(self.ask("POST", path, {}), wrong)
        for body in (b"", b"start", b"{", b'["start"]'):
            self.assertEqual(self.ask("POST", path, body), (400, {"error": "invalid JSON payload"}))
        self.assertEqual(self.state(), "stopped")


class SeedFour(SeedApi):
    def test_start_and_stop(self):
        path = "/api/v1/scheduler/"
        idle = (400, {"error": "Scheduler is not running"})
        running = (400, {"error": "Scheduler is already running"})
        self.assertEqual(self.ask("POST", path + "stop"), idle)
        status, answer = self.ask("POST", path + "start")
        self.assertEqual((status, list(answer)), (200, ["is_active", "started_at", "message"]))
        self.assertIs(answer["is_active"], True)
        self.assertRegex(answer["started_at"], TIME)
        self.assertEqual(answer["message"], "Scheduler started successfully")
        self.assertEqual(self.ask("POST", path + "start"), running)
        status, answer = self.ask("POST", path + "stop")
        self.assertEqual((status, list(answer)), (200, ["is_active", "stopped_at", "message"]))
        self.assertIs(answer["is_active"], False)
        self.assertRegex(answer["stopped_at"], TIME)
        self.assertEqual(answer["message"], "Scheduler stopped successfully")
        self.assertEqual(self.state(), "stopped")
