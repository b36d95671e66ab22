#!/usr/bin/env python3
"""Writes a C file that holds a set of files as an array of struct embedded_file.

usage: embed.py OUTPUT NAME FILE...      gives embedded_NAME[] and embedded_NAME_count
"""

import pathlib
import sys

PIECE_BYTES = 64
# ISO C guarantees no more than 4095 bytes; gcc and clang take any length.
PRAGMA = ['#pragma GCC diagnostic ignored "-Woverlength-strings"']
# A question mark is escaped because two of them begin a trigraph.
ESCAPES = {ord("\n"): "\\n", ord('"'): '\\"', ord("\\"): "\\\\", ord("?"): "\\?"}
LITERALS = [
    ESCAPES.get(byte) or (chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}") for byte in range(256)
]


def c_literals(data):
    """The bytes as string literals, which compile many times faster than a list of numbers."""
    for at in range(0, len(data), PIECE_BYTES):
        yield '    "' + "".join(LITERALS[byte] for byte in data[at : at + PIECE_BYTES]) + '"'
    if not data:
        yield '    ""'


def c_source(name, files):
    lines = ['#include "base/embedded.h"', "", *PRAGMA, ""]
    for index, file in enumerate(files):
        literals = "\n".join(c_literals(file.read_bytes()))
        lines += [f"static const char file_{index}[] = /* {file.name} */", literals + ";", ""]
    lines += [f"const struct embedded_file embedded_{name}[] = {{"]
    for index, file in enumerate(files):
        data = f"file_{index}, sizeof file_{index} - 1"
        lines += [f'    {{"{file.name}", {data}}},']
    lines += ["};", f"const size_t embedded_{name}_count = {len(files)};", ""]
    return "\n".join(lines)


def main():
    output, name, *paths = sys.argv[1:]
    files = sorted((pathlib.Path(path) for path in paths), key=lambda file: file.name)
    if not files:
        sys.exit(f"embed.py: no files for {name}")
    pathlib.Path(output).write_text(c_source(name, files), encoding="utf-8")


if __name__ == "__main__":
    main()
