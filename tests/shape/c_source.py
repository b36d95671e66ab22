"""Reads C just well enough to measure it: what is code and what is comment or text, where the
functions are, and how deep their control flow goes."""

import dataclasses
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

COMMENT_OR_LITERAL = re.compile(
    r"""/\*.*?\*/ | //[^\n]* | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'""",
    re.VERBOSE | re.DOTALL,
)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
TOKEN = re.compile(r"[A-Za-z_]\w*|\.\.\.|->|[0-9][\w.]*|\S")
CLOSING = {"(": ")", "{": "}", "[": "]"}
CONTROL = {"if", "for", "while", "switch"}
# Words before a "(" that neither name a function nor make a loop.
NO_NAME = {"__attribute__", "alignas", "_Alignas", "_Static_assert", "typeof", "return", "sizeof"}


@dataclasses.dataclass(frozen=True)
class Token:
    text: str
    line: int


@dataclasses.dataclass(frozen=True)
class Function:
    name: str
    line: int  # of the first word of its definition
    line_end: int  # of its closing brace
    parameters: int
    nesting: int


@dataclasses.dataclass(frozen=True)
class Fault:
    """`str(fault)` is the message: where, what, and what to do about it."""

    path: str
    line: int
    advice: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.advice}"


def files(*patterns):
    """{path below the root: text} of the project's files, sorted by path."""
    found = {path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file()}
    paths = sorted(path for path in found if path.suffix != ".pyc")
    return {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8", errors="replace")
        for path in paths
    }


def c_files():
    return files("src/**/*.[ch]", "tests/**/*.[ch]")


def expect_none(test, faults):
    """Fails the test with one line for each fault."""
    lines = [str(fault) for fault in faults]
    if lines:
        test.fail("\n" + "\n".join(lines))


def _blanked(match):
    """Spaces, and the same line ends, so that all places stay where they are."""
    return re.sub(r"[^\n]", " ", match[0])


def code_of(text):
    """The text without comments and without what stands in quotes."""
    return COMMENT_OR_LITERAL.sub(
        lambda match: _blanked(match) if match[0][0] == "/" else _emptied(match[0]), text
    )


def _emptied(literal):
    return literal[0] + " " * (len(literal) - 2) + literal[-1]


def tokens_of(text):
    """The tokens of the code, preprocessor directives left out."""
    code = DIRECTIVE.sub(_blanked, code_of(text))
    result = []
    line, seen = 1, 0
    for match in TOKEN.finditer(code):
        line += code.count("\n", seen, match.start())
        seen = match.start()
        result.append(Token(match[0], line))
    return result


def after_group(tokens, at):
    """The place after the bracket that closes the one at `at`."""
    depth = 0
    for place in range(at, len(tokens)):
        depth += tokens[place].text in CLOSING
        depth -= tokens[place].text in CLOSING.values()
        if depth == 0:
            return place + 1
    return len(tokens)


def top_level(tokens):
    """(head, body) of everything at file level: body is None where a ';' ends it."""
    head_at = at = 0
    while at < len(tokens):
        text = tokens[at].text
        if text == ";":
            yield tokens[head_at:at], None
            head_at = at = at + 1
        elif text == "{":
            end = after_group(tokens, at)
            head = tokens[head_at:at]
            if is_function_head(head):
                yield head, tokens[at:end]
                head_at = end
            at = end
        elif text in CLOSING:
            at = after_group(tokens, at)
        else:
            at += 1


def is_function_head(head):
    words = [token.text for token in head]
    return "(" in words and "=" not in words


def name_place(head):
    """Where the name stands that the parameter list follows."""
    for place in range(len(head) - 1):
        word = head[place].text
        if head[place + 1].text == "(" and word not in NO_NAME and word.isidentifier():
            return place
    return None


def count_parameters(head, name_at):
    end = after_group(head, name_at + 1)
    inside = head[name_at + 2 : end - 1]
    if [token.text for token in inside] in ([], ["void"]):
        return 0
    commas = depth = 0
    for token in inside:
        depth += token.text in CLOSING
        depth -= token.text in CLOSING.values()
        commas += token.text == "," and depth == 0
    variadic = inside[-1].text == "..."
    return commas + 1 - variadic


def functions_of(text):
    for head, body in top_level(tokens_of(text)):
        name_at = name_place(head) if body else None
        if name_at is not None:
            yield Function(
                name=head[name_at].text,
                line=head[0].line,
                line_end=body[-1].line,
                parameters=count_parameters(head, name_at),
                nesting=Nesting(body).deepest,
            )


def declarations_of(header):
    """(name, first line, last line) of the functions that a header declares."""
    for head, body in top_level(tokens_of(header)):
        name_at = name_place(head)
        is_other = any(token.text in ("typedef", "=", "{") for token in head)
        if body is None and name_at is not None and not is_other:
            yield head[name_at].text, head[0].line, head[-1].line


class Nesting:
    """How many if, for, while, switch and do stand inside each other; `else if` is no level of
    its own, a loop macro (name, arguments, statement) is one."""

    def __init__(self, body):
        self.tokens = body
        self.deepest = 0
        self.statement(0, 0)

    def text(self, at):
        return self.tokens[at].text if at < len(self.tokens) else ""

    def statement(self, at, depth):
        """Reads the statement at `at`, which stands inside `depth` levels; the place after it."""
        word = self.text(at)
        if word == "{":
            return self.block(at, depth)
        if word in CONTROL or self.is_loop_macro(at):
            return self.controlled(at, depth)
        if word == "do":
            return self.simple(self.inner(at + 1, depth))
        if word in ("case", "default") or self.text(at + 1) == ":":
            return self.after_label(at)
        return self.simple(at)

    def block(self, at, depth):
        at += 1
        while self.text(at) not in ("}", ""):
            at = self.statement(at, depth)
        return at + 1

    def inner(self, at, depth):
        self.deepest = max(self.deepest, depth + 1)
        return self.statement(at, depth + 1)

    def controlled(self, at, depth):
        at = self.inner(after_group(self.tokens, at + 1), depth)
        if self.text(at) != "else":
            return at
        if self.text(at + 1) == "if":
            return self.controlled(at + 1, depth)
        return self.inner(at + 1, depth)

    def is_loop_macro(self, at):
        word = self.text(at)
        if not word.isidentifier() or word in NO_NAME or self.text(at + 1) != "(":
            return False
        following = self.text(after_group(self.tokens, at + 1))
        return following == "{" or following.isidentifier()

    def after_label(self, at):
        while self.text(at) not in (":", ""):
            at += 1
        return at + 1

    def simple(self, at):
        while self.text(at) not in (";", ""):
            at = after_group(self.tokens, at) if self.text(at) in CLOSING else at + 1
        return at + 1
