"""A header is the contract: every function that it declares is documented there."""

import re
import unittest

from tests.shape.c_source import Fault, code_of, declarations_of, expect_none, files


def header_faults(path, text):
    """A comment on the same line, directly above, or above the group without an empty line."""
    lines = text.splitlines()
    code = code_of(text).splitlines()

    def is_code(number):
        return bool(code[number - 1].strip())

    def is_comment(number):
        return not is_code(number) and bool(lines[number - 1].strip())

    for name, first, last in declarations_of(text):
        if any(re.search(r"/[*/]", lines[number - 1]) for number in range(first, last + 1)):
            continue
        above = first - 1
        while above > 0 and is_code(above):
            above -= 1
        if above == 0 or not is_comment(above):
            yield Fault(path, first, f"{name} is not documented: say what it promises above it")


class Tree(unittest.TestCase):
    def test_every_public_function_is_documented(self):
        headers = files("src/**/*.h")
        expect_none(self, [f for item in headers.items() for f in header_faults(*item)])


class Checker(unittest.TestCase):
    def names(self, text):
        return [str(fault).split()[1] for fault in header_faults("a.h", text)]

    def test_finds_what_is_not_documented(self):
        self.assertEqual(["f"], self.names("#define A 1\n\nvoid f(void);\n"))
        self.assertEqual(["f"], self.names("/* Of the file. */\n\nint\nf(int a,\n  int b);\n"))
        self.assertEqual(["g"], self.names("/* Of f. */\nvoid f(void);\n\nvoid g(void);\n"))

    def test_a_comment_above_beside_or_above_the_group_is_enough(self):
        self.assertEqual([], self.names("/* Of f. */\nvoid f(void);\n"))
        self.assertEqual([], self.names("\nvoid f(void); /* of f */\n"))
        group = "/* Of both,\n * at length. */\nint f(int a,\n  int b);\nint g(void);\n"
        self.assertEqual([], self.names(group))

    def test_other_declarations_need_none(self):
        self.assertEqual([], self.names("\nstruct s { int (*call)(int); };\n"))
        self.assertEqual([], self.names("\nextern const int a;\nenum e { A, B };\n"))
