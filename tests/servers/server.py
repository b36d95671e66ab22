"""What the servers have in common: a process that says when it is ready, and its end."""

import signal
import subprocess
import threading

from . import processes
from .home import clear, give, home
from .tools import DEADLINE_S, ServerError, clean_environment, ordinary_user


class Output:
    """What a process prints, collected by a thread until all that write it have ended."""

    def __init__(self, stream):
        self.lines = []
        self.is_over = False
        self.changed = threading.Condition()
        threading.Thread(target=self._read, args=(stream,), daemon=True).start()

    def _read(self, stream):
        with stream:
            for line in stream:
                self._change(line)
        self._change(None)

    def _change(self, line):
        with self.changed:
            if line is None:
                self.is_over = True
            else:
                self.lines.append(line)
            self.changed.notify_all()

    def has(self, text):
        return any(text in line for line in self.lines)

    def wait_for(self, text):
        """Raises ServerError when the process ends, or the deadline comes, without it."""
        with self.changed:
            self.changed.wait_for(lambda: self.has(text) or self.is_over, DEADLINE_S)
            if not self.has(text):
                raise ServerError(f"the server did not say {text!r} but:\n{''.join(self.lines)}")

    def text(self):
        with self.changed:
            return "".join(self.lines)


class Server:
    """All its processes have the folder, with a slash at its end, in their command lines."""

    def __init__(self):
        self.folder = home().new_folder()
        self.mark = f"{self.folder}/"
        self.process = None
        self.printed = None

    def write(self, name, text):
        """A file in its folder, readable to it; the path."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        give(path)
        return str(path)

    def launch(self, command, ready):
        """Starts it, in our process group, and waits until it prints `ready`."""
        if self.is_running():
            raise ServerError("the server runs already: stop it first")
        self.process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            **ordinary_user(),
        )
        self.printed = Output(self.process.stdout)
        self.printed.wait_for(ready)

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def output(self):
        """What it has printed since its last start."""
        return self.printed.text() if self.printed else ""

    def end(self, number=signal.SIGTERM):
        """An orderly end, asked for by a signal; nothing when it does not run."""
        if not self.is_running():
            return
        self.process.send_signal(number)
        try:
            self.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired as error:
            raise ServerError(f"the server does not end:\n{self.output()}") from error

    def freeze(self):
        """Nothing of it runs until `thaw`: whoever is connected waits."""
        processes.freeze(self.mark)

    def thaw(self):
        processes.thaw(self.mark)

    def kill(self):
        """As a crash does: all of its processes at once, frozen or not. None is left."""
        processes.end(self.mark)
        if self.process is not None:
            self.process.wait()

    def remove(self):
        """Ends it and takes its folder away."""
        self.kill()
        clear(self.folder)
