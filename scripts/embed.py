#!/usr/bin/env python3
"""Writes a C file that holds a set of files as an array of struct embedded_file.

usage: embed.py OUTPUT NAME FILE...      gives embedded_NAME[] and embedded_NAME_count
"""

import pathlib
import sys

COLUMNS = 96


def c_bytes(data):
    """The bytes as initialisers, so that no escape and no length limit of literals matters."""
    line = "   "
    for byte in data + b"\0":
        piece = f" {byte},"
        if len(line) + len(piece) > COLUMNS:
            yield line
            line = "   "
        line += piece
    yield line


def c_source(name, files):
    lines = ['#include "base/embedded.h"', ""]
    for index, file in enumerate(files):
        lines += [f"static const unsigned char file_{index}[] = {{ /* {file.name} */"]
        lines += [*c_bytes(file.read_bytes()), "};", ""]
    lines += [f"const struct embedded_file embedded_{name}[] = {{"]
    for index, file in enumerate(files):
        data = f"(const char *)file_{index}, sizeof file_{index} - 1"
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
