#!/usr/bin/env python3
"""Fetches the files of the Swagger UI that the program carries, through npm, into a folder.

usage: fetch-swagger-ui.py FOLDER      prints the paths of the files

What is there already is checked and kept, so that only the first time needs the network. Without
npm or network it fails and says why.
"""

import base64
import hashlib
import pathlib
import subprocess
import sys
import tarfile
import tempfile

VERSION = "5.35.0"
# Of the packed file, as npm writes it. For another version: npm view swagger-ui-dist@VERSION dist
SHA512 = "U06rpMtW9V3XPGOBeamTUSr0Z09jMX4IJuANpE/EZbAhw0G8CgwrzU4YmXkn/h0wCDNsXdGarTNNHC3sU8yVUQ=="
ARCHIVE = f"swagger-ui-dist-{VERSION}.tgz"
FILES = (
    "LICENSE",
    "NOTICE",
    "favicon-32x32.png",
    "swagger-ui-bundle.js",
    "swagger-ui-bundle.js.LICENSE.txt",
    "swagger-ui.css",
)
NPM = [
    *("npm", "pack", f"swagger-ui-dist@{VERSION}"),
    *("--ignore-scripts", "--loglevel=error"),
    *("--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=20000"),
]
TIME_LIMIT_S = 60
# How lines of npm begin that say nothing to a person.
CODES = ("npm ", "code ", "errno ", "syscall ")


class FetchError(Exception):
    """Why there are no files, in words."""


def pack(folder):
    """Has npm put the archive into the folder."""
    try:
        done = subprocess.run(
            NPM,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            timeout=TIME_LIMIT_S,
            check=False,
        )
    except FileNotFoundError as error:
        raise FetchError("npm is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise FetchError(f"npm was not ready after {TIME_LIMIT_S} s") from error
    if done.returncode != 0:
        raise FetchError("npm could not fetch it: " + reason(done.stderr))


def reason(lines):
    """What npm complains about first; below that it gives advice."""
    for line in lines.splitlines():
        words = line.removeprefix("npm error ").removeprefix("npm ERR! ")
        if words and not words.startswith(CODES):
            return words
    return "it does not say why"


def is_genuine(archive):
    digest = hashlib.sha512(archive.read_bytes()).digest()
    return base64.b64encode(digest).decode() == SHA512


def fetch(archive):
    with tempfile.TemporaryDirectory(dir=archive.parent) as folder:
        pack(folder)
        fetched = pathlib.Path(folder, ARCHIVE)
        if not fetched.is_file() or not is_genuine(fetched):
            raise FetchError(f"what npm brought is not the {ARCHIVE} that is expected")
        fetched.rename(archive)


def unpack(archive):
    """Writes only what differs, so that nothing is built again without need."""
    with tarfile.open(archive) as packed:
        for name in FILES:
            data = packed.extractfile(f"package/{name}").read()
            file = archive.parent / name
            if not file.is_file() or file.read_bytes() != data:
                file.write_bytes(data)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / ARCHIVE
    try:
        if not archive.is_file() or not is_genuine(archive):
            fetch(archive)
        unpack(archive)
    except (FetchError, OSError, tarfile.TarError, KeyError) as error:
        sys.exit(str(error))
    for name in FILES:
        print(folder / name)


if __name__ == "__main__":
    main()
