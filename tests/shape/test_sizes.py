"""Functions, files, lines, parameter lists and nesting stay small."""

import unittest

from tests.shape.c_source import Fault, c_files, expect_none, functions_of

FUNCTION_LINES_MAX = 70
SOURCE_LINES_MAX = 700
HEADER_LINES_MAX = 200
COLUMNS_MAX = 100
PARAMETERS_MAX = 5
NESTING_MAX = 3

# Functions whose parameter list someone else decides: (file, function).
IMPOSED_PARAMETERS = {
    ("src/api/server_body.c", "server_on_request"),  # MHD_AccessHandlerCallback
    ("src/api/server_tls.c", "give_certificate"),  # gnutls_certificate_retrieve_function3
}


def file_faults(path, text):
    lines = text.splitlines()
    limit = HEADER_LINES_MAX if path.endswith(".h") else SOURCE_LINES_MAX
    if len(lines) > limit:
        yield Fault(path, limit + 1, f"the file has {len(lines)} lines, at most {limit}: split it")
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS_MAX:
            yield Fault(path, number, f"{len(line)} columns, at most {COLUMNS_MAX}: break the line")


def function_faults(path, text):
    for one in functions_of(text):
        lines = one.line_end - one.line + 1
        if lines > FUNCTION_LINES_MAX:
            advice = f"{one.name} has {lines} lines, at most {FUNCTION_LINES_MAX}: split it"
            yield Fault(path, one.line, advice)
        if one.parameters > PARAMETERS_MAX and (path, one.name) not in IMPOSED_PARAMETERS:
            advice = f"{one.name} takes {one.parameters} parameters, at most {PARAMETERS_MAX}"
            yield Fault(path, one.line, f"{advice}: use a struct")
        if one.nesting > NESTING_MAX:
            advice = f"{one.name} nests {one.nesting} levels, at most {NESTING_MAX}"
            yield Fault(path, one.line, f"{advice}: take the inner part out")


class Tree(unittest.TestCase):
    def test_files_are_small(self):
        expect_none(self, [f for item in c_files().items() for f in file_faults(*item)])

    def test_functions_are_small(self):
        expect_none(self, [f for item in c_files().items() for f in function_faults(*item)])

    def test_the_functions_are_found_at_all(self):
        found = {one.name for text in c_files().values() for one in functions_of(text)}
        self.assertLessEqual({"main", "text_trim", "queue_pop", "check_failed"}, found)


def nesting_of(body):
    (one,) = functions_of("void f(void) {\n" + body + "\n}\n")
    return one.nesting


class Checker(unittest.TestCase):
    def test_finds_a_long_function(self):
        body = "    g();\n"
        exact = "static int f(void)\n{\n" + body * 67 + "}\n"
        self.assertEqual([], list(function_faults("a.c", exact)))
        faults = list(function_faults("a.c", "\n" + exact.replace("}", body + "}")))
        self.assertEqual([("a.c", 2)], [(fault.path, fault.line) for fault in faults])
        self.assertIn("f has 71 lines", str(faults[0]))

    def test_finds_a_long_file_and_a_long_line(self):
        self.assertEqual([], list(file_faults("a.c", "x\n" * 700)))
        self.assertEqual(1, len(list(file_faults("a.c", "x\n" * 701))))
        self.assertEqual([], list(file_faults("a.h", "x\n" * 200)))
        self.assertEqual(1, len(list(file_faults("a.h", "x\n" * 201))))
        self.assertEqual([], list(file_faults("a.c", "x" * 100)))
        (long_line,) = file_faults("a.c", "\n" + "x" * 101)
        self.assertEqual("a.c:2: 101 columns, at most 100: break the line", str(long_line))

    def test_counts_parameters(self):
        def count(parameters):
            (one,) = functions_of(f"struct x *f({parameters}) {{}}")
            return one.parameters

        self.assertEqual(0, count("void"))
        self.assertEqual(1, count("int (*call)(int, int)"))
        self.assertEqual(2, count("const char *format, int a[2], ..."))
        six = "int f(int a, int b, int c, int d, int e, int g) {}"
        self.assertEqual(1, len(list(function_faults("a.c", six))))
        self.assertEqual([], list(function_faults("a.c", six.replace(", int g", ""))))

    def test_counts_nesting_with_and_without_braces(self):
        self.assertEqual(0, nesting_of("g();"))
        self.assertEqual(3, nesting_of("for (;;) { while (a) { if (b) g(); } }"))
        self.assertEqual(4, nesting_of("for (;;) while (a) if (b) switch (c) { case 1: g(); }"))
        self.assertEqual(2, nesting_of("do { if (a) g(); } while (b); if (c) g();"))
        self.assertEqual(1, nesting_of("if (a) g(); else if (b) g(); else if (c) g(); else g();"))
        self.assertEqual(2, nesting_of("if (a) g(); else { if (b) g(); }"))
        self.assertEqual(2, nesting_of("switch (a) { case B: default: if (c) g(); break; }"))
        self.assertEqual(2, nesting_of("json_array_foreach(a, i, v) { if (c) g(); } h();"))
        self.assertEqual(1, nesting_of("done: if (a) g();"))
        self.assertEqual(0, nesting_of("int a = b ? c : d; struct x y = {.z = (q){1}};"))
        self.assertEqual(1, nesting_of("if (a) return (struct x){0}; if (b) g();"))

    def test_comments_and_text_are_no_code(self):
        self.assertEqual(0, nesting_of('g("if (a) { for"); /* if (b) */ // while (c)\n'))
        (one,) = functions_of("#define X(a) \\\n  void f(a) { if (a) g(); }\nint h(void) {}\n")
        self.assertEqual(("h", 3), (one.name, one.line))
