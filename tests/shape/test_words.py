"""Nothing in the tree is left for later: what is open stands in the issues."""

import re
import unittest

from tests.shape.c_source import Fault, expect_none, files

# Put together, so that this file does not find itself.
OPEN_ENDS = re.compile(r"\b(%s)\b" % "|".join(["TO" + "DO", "FIX" + "ME", "X" * 3]))
PLACES = (
    *("*.md", "Makefile", "meson.build", ".ci/*", "scripts/*", "docs/**/*.md", "deploy/**/*"),
    *("src/**/*", "tests/**/*.[chp]*", "bench/**/*.[chp]*", "db/**/*.sql", "web/**/*.[hcj]*"),
)


def word_faults(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        found = OPEN_ENDS.search(line)
        if found:
            yield Fault(path, number, f"{found[1]}: do it now, or open an issue instead")


class Tree(unittest.TestCase):
    def test_no_open_ends(self):
        expect_none(self, [f for item in files(*PLACES).items() for f in word_faults(*item)])


class Checker(unittest.TestCase):
    def test_finds_the_words_and_only_those(self):
        for word in ("TO" + "DO", "FIX" + "ME", "X" * 3):
            self.assertEqual([2], [f.line for f in word_faults("a.c", f"\n/* {word}: later */")])
        self.assertEqual([], list(word_faults("a.sh", "mktemp /tmp/a." + "X" * 6)))
