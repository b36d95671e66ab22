"""The processes of a server, known by what their command lines contain: PostgreSQL's have sessions
of their own and outlive their parent, so neither a process group nor a parent finds them all."""

import contextlib
import os
import pathlib
import select
import signal


def marked(mark):
    """The ids of all processes that run with `mark` in their command line, oldest first."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdecimal() and int(name) != os.getpid() and mark.encode() in read(name, "cmdline"):
            found.append(int(name))
    return sorted(found)


def read(pid, name):
    """A file of /proc; empty when the process is gone or nothing of ours."""
    try:
        return pathlib.Path("/proc", str(pid), name).read_bytes()
    except OSError:
        return b""


def is_stopped(pid):
    """Also true of one that is gone."""
    fields = read(pid, "stat").rpartition(b")")[2].split()
    return not fields or fields[0] in (b"T", b"Z")


def send(pids, number):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def freeze(mark):
    """Returns when none of them runs any more, those included that they started meanwhile."""
    while pids := [pid for pid in marked(mark) if not is_stopped(pid)]:
        send(pids, signal.SIGSTOP)


def thaw(mark):
    send(marked(mark), signal.SIGCONT)


def end(mark):
    """Returns when none of them is left, frozen ones included."""
    while pids := marked(mark):
        with contextlib.ExitStack() as stack:
            handles = [handle for pid in pids for handle in opened(pid, stack)]
            send(pids, signal.SIGKILL)
            for handle in handles:
                select.select([handle], [], [])


def opened(pid, stack):
    """A descriptor that is readable as soon as the process has ended; none when it has."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    stack.callback(os.close, handle)
    yield handle
