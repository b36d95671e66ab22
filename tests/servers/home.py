"""Where the servers of this process live, and what ends them when the process does."""

import atexit
import contextlib
import functools
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading

from . import processes
from .tools import ROOT, ServerError, ordinary_user

# Not TMPDIR: that of a test is closed to other users, and a socket's path may have 107 bytes only.
PLACE = "/tmp"
SHARED_MEMORY_LINE = 6  # of postmaster.pid, from 0: "key id"

lock = threading.Lock()


class Home:
    """A folder with one subfolder per server. A guard, which lives in a session of its own and so
    survives whatever ends us, waits until we are gone, ends what still runs, and removes it."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="posthaste-servers-", dir=PLACE))
        give(self.folder)
        self.servers = 0
        self.guard = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.guard", str(self.folder)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        if not self.guard.stdout.readline():
            raise ServerError("the guard, which ends the servers with the tests, did not start")
        atexit.register(self.close)

    def close(self):
        """Ends all servers and takes their folders away."""
        self.guard.communicate()

    def new_folder(self):
        """For one more server."""
        with lock:
            self.servers += 1
            folder = self.folder / str(self.servers)
        folder.mkdir(0o700)
        give(folder)
        return folder


def give(path):
    """Makes it the ordinary user's."""
    user = ordinary_user()
    if user:
        os.chown(path, user["user"], user["group"])


@functools.cache
def make_home():
    return Home()


def home():
    """The one of this process."""
    with lock:
        return make_home()


def clear(folder):
    """Ends the servers in the folder and removes it, with the shared memory that a PostgreSQL that
    was killed leaves behind."""
    processes.end(f"{folder}/")
    for file in pathlib.Path(folder).rglob("postmaster.pid"):
        remove_shared_memory(file)
    shutil.rmtree(folder, ignore_errors=True)


def remove_shared_memory(file):
    with contextlib.suppress(OSError, IndexError):
        identity = file.read_text(encoding="utf-8").splitlines()[SHARED_MEMORY_LINE].split()[1]
        subprocess.run(
            ["ipcrm", "-m", identity], stderr=subprocess.DEVNULL, check=False, **ordinary_user()
        )
