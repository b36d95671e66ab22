"""What the tests have from npm: installed once for each build, beside the program, as the lock
file says."""

import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import unittest

from tests.e2e.programs import BINARY

HERE = pathlib.Path(__file__).resolve().parent
FOLDER = pathlib.Path(BINARY).parent / "web"
LISTS = ("package.json", "package-lock.json")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
TIME_LIMIT_S = 250
INSTALL = (
    *("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"),
    *("--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=20000"),
)
# Between us and the registry, or in place of it.
NO_NETWORK = (
    "ENOTFOUND",
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ENETUNREACH",
    "ETIMEDOUT",
    "ECONNRESET",
    "CERT",
)


def program(*names):
    """The path of the first of them that is here; the test is skipped where none is."""
    for name in names:
        path = shutil.which(name)
        if path:
            return path
    raise unittest.SkipTest(f"there is no {names[0]} here; scripts/install-deps.sh test brings it")


def run(*command):
    """Where node_modules is; all that it printed. It has to succeed."""
    done = subprocess.run(
        command,
        cwd=FOLDER,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=TIME_LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, f"{command[0]}: exit status {done.returncode}\n{done.stdout}"
    return done.stdout


def install():
    """Brings node_modules about. Other tests that want the same wait for it."""
    npm = program("npm")
    wanted = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in LISTS)).hexdigest()
    stamp = FOLDER / "installed"
    FOLDER.mkdir(exist_ok=True)
    with open(FOLDER / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
            return
        for name in LISTS:
            shutil.copy(HERE / name, FOLDER)
        try:
            run(npm, *INSTALL)
        except AssertionError as error:
            if any(word in str(error) for word in NO_NETWORK):
                raise unittest.SkipTest("npm reaches no registry from here") from error
            raise
        stamp.write_text(wanted, encoding="utf-8")


def tool(name):
    """The path of a program that one of the packages has."""
    return os.path.join(FOLDER, "node_modules", ".bin", name)
