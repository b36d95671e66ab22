#!/usr/bin/env bash
# Builds everything, tests included, with one compiler and warnings as errors.
#
# usage: warnings.sh gcc|clang
set -euo pipefail

compiler=$1
directory=build-lint-$compiler
[ -f "$directory/build.ninja" ] ||
    CC=$compiler meson setup "$directory" --werror -Dtests=enabled >/dev/null
meson compile -C "$directory"
