"""Programs of the installed packages, and the user to run servers as."""

import functools
import os
import pathlib
import pwd
import re
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEADLINE_S = 120  # reached by a failure only
ORDINARY_USERS = ("postgres", "nobody")
POSTGRES_BINARIES = "/usr/lib/postgresql"  # Debian's, one folder per version
SEARCH_PATH = "/usr/bin:/usr/sbin:/usr/local/bin:/usr/local/sbin"


class ServerError(Exception):
    """A server that did not do what was asked of it, with what it printed."""


@functools.cache
def ordinary_user():
    """Options for subprocess: empty when we are ordinary ourselves."""
    if os.geteuid() != 0:
        return {}
    for name in ORDINARY_USERS:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise ServerError(f"there is no user to run servers as; make one of {ORDINARY_USERS}")


@functools.cache
def postgres_program(name):
    """A program of the newest PostgreSQL: the real one, not the wrapper that is on the path."""
    servers = pathlib.Path(POSTGRES_BINARIES).glob("*/bin/postgres")
    newest = max(servers, key=version_of, default=None)
    if newest is None:
        raise missing("postgres", "postgresql")
    return str(newest.with_name(name))


def version_of(path):
    """The numbers in it, to be compared as such."""
    return [int(number) for number in re.findall(r"\d+", str(path))]


@functools.cache
def system_program(name, package):
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:{SEARCH_PATH}")
    if path is None:
        raise missing(name, package)
    return path


def missing(name, package):
    words = f"{name} is not installed (Debian package: {package}); scripts/install-deps.sh test"
    return ServerError(f"{words} installs all that the tests need")


def clean_environment():
    """Nothing of the user's own PostgreSQL settings (PGHOST and the like), and plain English."""
    names = [name for name in os.environ if not name.startswith(("PG", "LC_", "LANG"))]
    return {name: os.environ[name] for name in names} | {"LC_ALL": "C.UTF-8"}


def run(command, text="", **options):
    """What the command printed, `text` being its standard input."""
    try:
        done = subprocess.run(
            command,
            env=clean_environment(),
            input=text,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=DEADLINE_S,
            check=False,
            **options,
        )
    except subprocess.TimeoutExpired as error:
        raise ServerError(f"{command[0]}: not over after {DEADLINE_S} s") from error
    if done.returncode != 0:
        status = f"exit status {done.returncode}"
        raise ServerError(f"{command[0]}: {status}\n{done.stdout}{done.stderr}")
    return done.stdout
