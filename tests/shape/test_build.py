"""Every file is part of the build, and meson.build names it."""

import re
import unittest

from tests.shape.c_source import ROOT, Fault, expect_none, files
from tests.shape.test_layers import includes_of

BUILT = (
    "src/**/*.c",
    "tests/unit/test_*.c",
    "tests/contract/test_*.c",
    "tests/support/*.c",
    "db/sqlite/*.sql",
)


def unlisted_faults(paths, meson):
    listed = set(re.findall(r"'([^']+)'", re.sub(r"#.*", "", meson)))
    for path in paths:
        if path not in listed:
            yield Fault(path, 1, "meson.build does not list it: add it there, or remove the file")


def dead_faults(sources):
    """Headers and tables that nobody includes but the source file of the same name."""
    users = {}
    for path, text in sources.items():
        for _, target in includes_of(text):
            users.setdefault(f"src/{target}", set()).add(path)
    for path in sources:
        stem, _, suffix = path.rpartition(".")
        if suffix != "c" and not users.get(path, set()) - {f"{stem}.c"}:
            yield Fault(path, 1, "nothing includes it but its own source file: is it needed?")


class Tree(unittest.TestCase):
    def test_meson_lists_every_source(self):
        meson = (ROOT / "meson.build").read_text(encoding="utf-8")
        expect_none(self, unlisted_faults(files(*BUILT), meson))

    def test_no_dead_headers(self):
        expect_none(self, dead_faults(files("src/**/*.[ch]", "src/**/*.def")))


class Checker(unittest.TestCase):
    def test_finds_what_is_not_listed(self):
        meson = "files(\n  'src/a.c',\n  # 'src/b.c',\n)"
        faults = list(unlisted_faults(["src/a.c", "src/b.c"], meson))
        self.assertEqual(["src/b.c"], [fault.path for fault in faults])

    def test_finds_a_dead_header(self):
        sources = {
            "src/x/a.c": '#include "x/a.h"\n',
            "src/x/a.h": "",
            "src/x/b.c": '#include "x/b.h"\n#include "x/t.def"\n',
            "src/x/b.h": '#include "x/c.h"\n',
            "src/x/c.h": "",
            "src/x/t.def": "",
            "src/main.c": '#include "x/b.h"\n',
        }
        self.assertEqual(["src/x/a.h"], [fault.path for fault in dead_faults(sources)])
