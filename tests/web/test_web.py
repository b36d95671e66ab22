"""The OpenAPI document as a linter sees it, and the Swagger UI as a browser does."""

import json
import unittest

from tests.e2e.programs import Case
from tests.e2e.test_swagger import is_carried
from tests.web import node


class Web(Case):
    def setUp(self):
        super().setUp()
        node.install()
        self.app = self.posthaste(self.provider(), AUTO_START="false")

    def test_the_linter_finds_no_error_in_the_document(self):
        document = self.folder / "openapi.json"
        document.write_text(json.dumps(self.app.api.get("/openapi.json")), encoding="utf-8")
        rules = str(node.HERE / "spectral.json")
        node.run(node.tool("spectral"), "lint", "--ruleset", rules, str(document))

    @unittest.skipUnless(is_carried(), "this build is without the Swagger UI")
    def test_a_message_is_sent_from_the_page(self):
        browser = node.program(*node.BROWSERS)
        script = str(node.HERE / "browser_test.mjs")
        node.run(node.program("node"), script, f"http://127.0.0.1:{self.app.port}", browser)


class Signatures(Case):
    """What posthaste signs is good for the reference library of Standard Webhooks."""

    SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    OLD = "whsec_c2VjcmV0IG9mIGxhc3QgeWVhciwgc3RpbGwgdXNlZA=="
    OTHER = "whsec_bm9ib2R5IGhhcyBldmVyIGhlYXJkIG9mIHRoaXMgb25l"

    def verify(self, secret, body, headers):
        script = str(node.HERE / "verify_webhook.mjs")
        return node.run(node.program("node"), script, secret, body, json.dumps(headers))

    def test_a_signature_is_verified(self):
        node.install()
        mock = self.provider()
        app = self.posthaste(mock, WEBHOOK_SECRET=f"{self.OLD},{self.SECRET}")
        (identity,) = app.accept("signed \u00e9 \U0001f600")
        app.wait_state(identity, "sent")
        request = mock.requests()[0]
        headers = {name.lower(): value for name, value in request["headers"].items()}
        body = {"to": request["to"], "content": request["content"]}
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        self.assertEqual(headers["webhook-id"], identity)
        for secret in (self.OLD, self.SECRET):
            self.assertEqual(json.loads(self.verify(secret, text, headers)), body)
        for secret, changed in ((self.OTHER, text), (self.SECRET, text + " ")):
            with self.assertRaises(AssertionError):
                self.verify(secret, changed, headers)
        self.assertNotIn("whsec_", app.output())
