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
