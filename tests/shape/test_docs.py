"""What is generated from a table says what the table says."""

import os
import subprocess
import unittest

from tests.shape.c_source import ROOT

GENERATED = {
    "docs/configuration.md": ["config", "--markdown"],
    ".env.example": ["config", "--env-example"],
    "docs/openapi.json": ["openapi"],
    "docs/api.md": ["openapi", "--markdown"],
}


def difference(present, made):
    """The first line in which they differ, in words; None when they are equal."""
    if present == made:
        return None
    pairs = zip(present.splitlines() + ["(the end)"], made.splitlines() + ["(the end)"])
    for number, (old, new) in enumerate(pairs, 1):
        if old != new:
            return f"line {number} is {old!r}, the program says {new!r}"
    return "they end differently"


class Tree(unittest.TestCase):
    def check(self, path):
        command = [os.environ["POSTHASTE_BINARY"], *GENERATED[path]]
        made = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
        present = (ROOT / path).read_text(encoding="utf-8")
        again = f"posthaste {' '.join(GENERATED[path])} > {path}"
        self.assertIsNone(difference(present, made), f"{path}: write it again: {again}")

    def test_configuration_page(self):
        self.check("docs/configuration.md")

    def test_openapi(self):
        self.check("docs/openapi.json")

    def test_list_of_paths(self):
        self.check("docs/api.md")

    def test_env_example(self):
        self.check(".env.example")


class Checker(unittest.TestCase):
    def test_finds_the_first_difference(self):
        self.assertIsNone(difference("a\nb\n", "a\nb\n"))
        self.assertIn("line 2 is 'b'", difference("a\nb\n", "a\nc\n"))
        self.assertIn("line 2 is '(the end)'", difference("a\n", "a\nb\n"))
        self.assertIsNotNone(difference("a\n", "a"))
