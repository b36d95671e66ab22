"""The Swagger UI as the program serves it; tests/web looks at it with a browser."""

import http.client
import pathlib
import re
import unittest

from tests.e2e.programs import BINARY, DEADLINE_S, ROOT, Case

TYPES = {
    "index.html": "text/html; charset=utf-8",
    "swagger-initializer.js": "text/javascript; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
    "favicon-32x32.png": "image/png",
    "LICENSE": "text/plain; charset=utf-8",
}


def is_carried():
    """Whether the program was built with the Swagger UI."""
    targets = pathlib.Path(BINARY).parent / "meson-info" / "intro-targets.json"
    return "swagger-ui-bundle.js" in targets.read_text(encoding="utf-8")


class SwaggerCase(Case):
    def setUp(self):
        super().setUp()
        self.app = self.posthaste(self.provider(), AUTO_START="false")

    def fetch(self, path, method="GET"):
        """Status, headers and bytes."""
        connection = http.client.HTTPConnection("127.0.0.1", self.app.port, timeout=DEADLINE_S)
        self.addCleanup(connection.close)
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def assert_not_found(self, path, words):
        status, body, _ = self.app.api.request("GET", path)
        self.assertEqual((status, body["error"]["code"]), (404, "not_found"))
        self.assertRegex(body["error"]["message"], words)


class Always(SwaggerCase):
    def test_the_short_paths_lead_to_the_page(self):
        for path in ("/swagger", "/swagger/"):
            status, headers, body = self.fetch(path)
            self.assertEqual((status, headers["Location"]), (301, "/swagger/index.html"))
            self.assertEqual(body, b"")

    def test_other_methods_are_refused(self):
        status, headers, _ = self.fetch("/swagger/index.html", "POST")
        self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"))

    def test_the_short_way_to_the_document(self):
        self.assertEqual(self.app.api.get("/swagger/doc.json"), self.app.api.get("/openapi.json"))


@unittest.skipUnless(is_carried(), "this build is without the Swagger UI")
class Carried(SwaggerCase):
    def test_each_file_is_there_with_its_type(self):
        for name, content_type in TYPES.items():
            status, headers, body = self.fetch(f"/swagger/{name}")
            self.assertEqual((status, headers["Content-Type"]), (200, content_type), name)
            self.assertTrue(body, name)

    def test_files_are_served_byte_for_byte(self):
        built = pathlib.Path(BINARY).parent / "swagger-ui"
        for folder, name in (
            (ROOT / "web" / "swagger", "index.html"),
            (built, "swagger-ui-bundle.js"),
            (built, "favicon-32x32.png"),
        ):
            self.assertEqual(self.fetch(f"/swagger/{name}")[2], (folder / name).read_bytes(), name)

    def test_the_page_is_asked_for_again_and_may_load_only_from_here(self):
        _, headers, _ = self.fetch("/swagger/index.html")
        self.assertEqual(headers.get_all("Cache-Control"), ["no-cache"])
        self.assertEqual(headers.get_all("X-Content-Type-Options"), ["nosniff"])
        policy = headers["Content-Security-Policy"].split("; ")
        self.assertLessEqual({"default-src 'none'", "script-src 'self'"}, set(policy))
        self.assertNotIn("http", headers["Content-Security-Policy"])

    def test_the_page_names_only_files_that_are_there(self):
        _, _, page = self.fetch("/swagger/index.html")
        names = re.findall(r'(?:src|href)="([^"]+)"', page.decode())
        self.assertIn("swagger-ui-bundle.js", names)
        for name in names:
            path = name if name.startswith("/") else f"/swagger/{name}"
            self.assertEqual(self.fetch(path)[0], 200, path)

    def test_other_names_are_not_found(self):
        for name in ("nothing.js", "index.htm", "..%2fLICENSE"):
            self.assert_not_found(f"/swagger/{name}", "nothing at this path")


@unittest.skipIf(is_carried(), "this build has the Swagger UI")
class LeftOut(SwaggerCase):
    def test_the_answer_says_how_to_get_it(self):
        for name in ("index.html", "swagger-ui-bundle.js", "swagger-initializer.js"):
            self.assert_not_found(f"/swagger/{name}", "built without .* -Dswagger=enabled")
