"""Includes point down the layers, and each foreign library is known by one place only."""

import re
import unittest

from tests.shape.c_source import Fault, expect_none, files

# Folders of one number stand beside each other and do not know each other.
LEVELS = {
    "base": 0,
    "log": 1,
    "config": 2,
    "metrics": 2,
    "message": 3,
    "sender": 4,
    "store": 4,
    "cache": 4,
    "api": 5,
    "cli": 5,
    "dispatcher": 5,
    "main.c": 6,
}
# (from, to): cli wires the program together, api steers the dispatcher.
BESIDE = {("cli", "api"), ("cli", "dispatcher"), ("api", "dispatcher")}

FOREIGN = {
    "curl/": "src/sender/http_client.c",
    "microhttpd.h": "src/api/server",
    "gnutls/": "src/api/server_tls.c",
    "sqlite3.h": "src/store/sqlite/",
    "libpq-fe.h": "src/store/postgres/postgres_connection.c",
    "hiredis/": "src/cache/redis_client.c",
    "openssl/": "src/base/crypto.c",
}

INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]', re.MULTILINE)


def includes_of(text):
    """(line, what is included)"""
    for match in INCLUDE.finditer(text):
        yield text.count("\n", 0, match.start(1)) + 1, match[1]


def layer_faults(path, text):
    here = path.split("/")[1]
    if here not in LEVELS:
        yield Fault(path, 1, f"src/{here} has no place in LEVELS of tests/shape/test_layers.py")
        return
    for line, target in includes_of(text):
        there = target.split("/")[0]
        if there not in LEVELS or there == here or (here, there) in BESIDE:
            continue
        if LEVELS[there] >= LEVELS[here]:
            advice = f"{here} must not know {there} ({target}): includes point down"
            yield Fault(path, line, advice)


def foreign_faults(path, text):
    for line, target in includes_of(text):
        for library, place in FOREIGN.items():
            if target.startswith(library) and not path.startswith(place):
                yield Fault(path, line, f"only {place} includes <{target}>: go through its header")


def missing_faults(path, text, present):
    for line, target in includes_of(text):
        if target.split("/")[0] in LEVELS and f"src/{target}" not in present:
            yield Fault(path, line, f"there is no src/{target}")


class Tree(unittest.TestCase):
    def setUp(self):
        self.sources = files("src/**/*.[ch]", "src/**/*.def")

    def assert_clean(self, check, *more):
        expect_none(self, [f for item in self.sources.items() for f in check(*item, *more)])

    def test_includes_point_down(self):
        self.assert_clean(layer_faults)

    def test_foreign_libraries_have_one_place(self):
        self.assert_clean(foreign_faults)

    def test_includes_exist(self):
        self.assert_clean(missing_faults, self.sources)


class Checker(unittest.TestCase):
    def assert_layers(self, count, path, target):
        faults = list(layer_faults(path, f'\n#include "{target}"\n'))
        self.assertEqual([2] * count, [fault.line for fault in faults], (path, target))

    def test_up_and_sideways_are_faults(self):
        self.assert_layers(1, "src/base/a.c", "log/log.h")
        self.assert_layers(1, "src/config/a.c", "metrics/metrics.h")
        self.assert_layers(1, "src/store/memory/a.c", "sender/sender.h")
        self.assert_layers(1, "src/message/a.c", "store/store.h")
        self.assert_layers(1, "src/dispatcher/a.c", "api/server.h")
        self.assert_layers(1, "src/api/a.c", "cli/cli.h")

    def test_down_and_within_are_fine(self):
        self.assert_layers(0, "src/log/a.c", "base/text.h")
        self.assert_layers(0, "src/store/memory/a.c", "store/store.h")
        self.assert_layers(0, "src/api/a.c", "dispatcher/dispatcher.h")
        self.assert_layers(0, "src/cli/a.c", "api/server.h")
        self.assert_layers(0, "src/main.c", "cli/cli.h")
        self.assert_layers(0, "src/base/a.c", "sys/socket.h")

    def test_a_folder_without_a_level_is_a_fault(self):
        self.assertEqual(1, len(list(layer_faults("src/new/a.c", ""))))

    def test_foreign_includes(self):
        for library, place in (
            ("curl/curl.h", "src/sender/http_client.c"),
            ("microhttpd.h", "src/api/server.c"),
            ("gnutls/gnutls.h", "src/api/server_tls.c"),
            ("sqlite3.h", "src/store/sqlite/sqlite_store.c"),
            ("libpq-fe.h", "src/store/postgres/postgres_connection.c"),
            ("hiredis/hiredis.h", "src/cache/redis_client.c"),
            ("openssl/evp.h", "src/base/crypto.c"),
        ):
            text = f"#include <{library}>\n"
            self.assertEqual([], list(foreign_faults(place, text)))
            self.assertEqual(1, len(list(foreign_faults("src/cli/a.c", text))), library)

    def test_a_missing_header_is_a_fault(self):
        text = '#include "base/text.h"\n#include "base/gone.h"\n'
        faults = list(missing_faults("src/log/a.c", text, {"src/base/text.h"}))
        self.assertEqual(["src/log/a.c:2: there is no src/base/gone.h"], list(map(str, faults)))
