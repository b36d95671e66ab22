"""Calls that have a better way in this project."""

import unittest

from tests.shape.c_source import Fault, expect_none, files, tokens_of

INSTEAD = {
    "strcpy": "struct buffer or snprintf",
    "strcat": "struct buffer",
    "sprintf": "snprintf or buffer_printf",
    "vsprintf": "vsnprintf",
    "gets": "fgets",
    "strtok": "text_cut",
    "atoi": "text_to_int64",
    "atol": "text_to_int64",
    "localtime": "timestamp_format (times are UTC)",
    "gmtime": "timestamp_format or gmtime_r",
    "ctime": "timestamp_format",
    "asctime": "timestamp_format",
    "rand": "struct random",
    "system": "a library; the program starts no shell",
    "popen": "a library; the program starts no shell",
}
MAY_EXIT = ("src/main.c", "src/cli/")


def call_faults(path, text):
    tokens = tokens_of(text)
    for before, name, after in zip([None, *tokens], tokens, tokens[1:]):
        is_member = before is not None and before.text in (".", "->")
        if after.text != "(" or is_member:
            continue
        if name.text in INSTEAD:
            yield Fault(path, name.line, f"{name.text} is not used here: {INSTEAD[name.text]}")
        if name.text in ("exit", "_exit") and not path.startswith(MAY_EXIT):
            yield Fault(path, name.line, "only main and commands exit: return a status instead")


class Tree(unittest.TestCase):
    def test_no_banned_calls(self):
        sources = files("src/**/*.[ch]")
        expect_none(self, [f for item in sources.items() for f in call_faults(*item)])


class Checker(unittest.TestCase):
    def test_finds_each_banned_call(self):
        for name in INSTEAD:
            faults = list(call_faults("src/a.c", f"void f(void)\n{{\n    {name} (a);\n}}"))
            self.assertEqual([3], [fault.line for fault in faults], name)

    def test_exit_is_for_main_and_commands(self):
        code = "void f(void) { exit(1); }"
        self.assertEqual(1, len(list(call_faults("src/store/a.c", code))))
        self.assertEqual([], list(call_faults("src/main.c", code)))
        self.assertEqual([], list(call_faults("src/cli/demo.c", code)))

    def test_looks_at_calls_only(self):
        code = 'void f(void) { x->exit(1); y.rand(); g("gets(a)"); /* atoi(b) */ int rand = 1; }'
        self.assertEqual([], list(call_faults("src/a.c", code)))
