"""The audit: who did what, when and from where; a stop names the start that it ends."""

import signal

from tests.e2e.postgres_case import PostgresCase
from tests.e2e.programs import Case

ADMIN, READER = "admin-0123456789abcdef", "reader-0123456789abcdef"


class AuditCases:
    """What holds on every store."""

    def serve(self, **options):
        return self.posthaste("http://127.0.0.1:9/send", **options)

    def entries(self, app, query="", **headers):
        return app.api.request("GET", f"/api/v1/audit{query}", None, headers)[1]

    def test_starts_and_stops_are_linked(self):
        app = self.serve()
        for path in ("/stop", "/start", "/api/messaging/stop", "/api/v1/scheduler/start"):
            self.assertEqual(app.api.post(path)[0], 200)
        app.api.post("/start")  # it is running already: nothing was done
        found = self.entries(app)["entries"][::-1]
        self.assertEqual([one["action"] for one in found], ["start", "stop"] * 2 + ["start"])
        self.assertEqual([one["actor"] for one in found], ["posthaste"] + ["anonymous"] * 4)
        self.assertEqual([one["address"] for one in found[1:]], ["127.0.0.1"] * 4)
        ids = [one["id"] for one in found]
        linked = [one["start_id"] for one in found]
        self.assertEqual(linked, [None, ids[0], None, ids[2], None])
        for one in found[1:]:
            self.assertRegex(one["request_id"], "^[0-9a-f-]{36}$")

    def test_the_end_of_the_program_ends_a_start_and_a_kill_does_not(self):
        first = self.serve()
        first.signal(signal.SIGTERM)
        self.assertEqual(first.wait(), 0)
        second = self.serve()
        second.kill()
        third = self.serve(AUTO_START="false")
        found = self.entries(third)["entries"][::-1]
        self.assertEqual([one["action"] for one in found], ["start", "stop", "start"])
        self.assertEqual(found[1]["start_id"], found[0]["id"])
        self.assertEqual(found[1]["detail"], "the program ends")

    def test_keys_that_were_refused(self):
        keys = f"ops:admin:{ADMIN},viewer:read:{READER}"
        app = self.serve(AUTO_START="false", API_KEYS=keys)
        admin = {"X-API-Key": ADMIN}
        app.api.request("POST", "/stop", None, {"X-API-Key": READER, "X-Request-Id": "mine"})
        app.api.request("GET", "/api/v1/messages", None, {"X-API-Key": "nobody-knows-this-key"})
        app.api.request("GET", "/api/v1/messages")  # no key at all is no use of one
        newest, oldest = self.entries(app, **admin)["entries"]
        self.assertEqual((newest["action"], newest["actor"]), ("refused", "anonymous"))
        self.assertEqual((oldest["actor"], oldest["subject"]), ("viewer", "/stop"))
        self.assertEqual((oldest["request_id"], oldest["address"]), ("mine", "127.0.0.1"))
        self.assertNotIn("nobody-knows-this-key", app.output())
        self.assertEqual(app.api.request("GET", "/api/v1/audit")[0], 401)

    def test_refusals_do_not_fill_the_database(self):
        app = self.serve(AUTO_START="false", API_KEY=ADMIN)
        for number in range(200):
            app.api.request("GET", "/api/v1/messages", None, {"X-API-Key": f"guess-{number:020}"})
        page = self.entries(app, "?limit=1000", **{"X-API-Key": ADMIN})
        self.assertLess(len(page["entries"]), 150)

    def test_it_has_pages(self):
        app = self.serve(AUTO_START="false")
        for _ in range(4):
            app.api.post("/start")
            app.api.post("/stop")
        ids, before = [], ""
        while before is not None:
            page = self.entries(app, f"?limit=3&before={before}")
            ids += [one["id"] for one in page["entries"]]
            before = page["next_before"]
        self.assertEqual(len(ids), 8)
        self.assertEqual(ids, sorted(ids, reverse=True))


class Audit(AuditCases, Case):
    pass


class PostgresAudit(AuditCases, PostgresCase):
    pass
