"""The programs that the end-to-end tests drive: posthaste and its mock provider, as real processes
on ports that the kernel chooses. What they print is read as it comes, so that a test waits for the
event itself."""

import http.client
import json
import os
import pathlib
import re
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("POSTHASTE_BINARY", str(ROOT / "build" / "posthaste"))
SLOW = os.environ.get("POSTHASTE_SLOW") == "1"
DEADLINE_S = 120
LOOK_S = 0.02


def scaled(number):
    """As many as the machine should be asked for: fewer under a sanitizer."""
    return number // 10 if SLOW else number


def wait_until(condition, what):
    """For what no event tells of: looks again and again, up to a deadline that only a failure
    reaches. Returns what the condition returned."""
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(LOOK_S)
    raise AssertionError(f"waited {DEADLINE_S} s in vain: {what}")


class Program:
    """A process whose lines are collected by a thread."""

    def __init__(self, arguments, environment=None, directory=None, **options):
        clean = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        clean |= {n: v for n, v in os.environ.items() if n.endswith("SAN_OPTIONS")}
        self.lines = []
        self.changed = threading.Condition()
        self.process = subprocess.Popen(
            [BINARY, *arguments],
            env=clean | (environment or {}),
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            **options,
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()
        with self.changed:
            self.lines.append(None)
            self.changed.notify_all()

    def wait_line(self, matches, what):
        """The first line for which `matches` is true, printed already or yet to come."""
        seen = 0
        end = time.monotonic() + DEADLINE_S
        with self.changed:
            while True:
                for line in self.lines[seen:]:
                    if line is not None and matches(line):
                        return line
                if self.lines and self.lines[-1] is None:
                    raise AssertionError(f"ended before {what}:\n{self.output()}")
                seen = len(self.lines)
                if not self.changed.wait(end - time.monotonic()):
                    raise AssertionError(f"no {what}:\n{self.output()}")

    def output(self):
        return "\n".join(line for line in self.lines if line is not None)

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self):
        """The exit status."""
        status = self.process.wait(DEADLINE_S)
        self.reader.join(DEADLINE_S)
        return status

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.wait()
        self.process.stdout.close()


class Client:
    """JSON over HTTP to one address; any status is an answer."""

    def __init__(self, port):
        self.port = port

    def request(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
        try:
            if isinstance(body, (dict, list)):
                body = json.dumps(body).encode()
                headers = {"Content-Type": "application/json"} | (headers or {})
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            text = answer.read()
            is_json = answer.headers.get("Content-Type", "").startswith("application/json")
            return answer.status, json.loads(text) if is_json else text.decode(), answer.headers
        finally:
            connection.close()

    def get(self, path):
        status, body, _ = self.request("GET", path)
        assert status == 200, (path, status, body)
        return body

    def post(self, path, body=None):
        status, answer, _ = self.request("POST", path, body)
        return status, answer


class MockProvider(Program):
    def __init__(self, *flags):
        super().__init__(["mock-provider", "--port", "0", *flags])
        line = self.wait_line(lambda text: "listening" in text, "provider that listens")
        self.url = line.split()[-1]
        self.client = Client(int(re.search(r":(\d+)/", self.url)[1]))

    def received(self):
        return self.client.get("/received")

    def requests(self, limit=1000):
        return self.client.get(f"/requests?limit={limit}")["requests"]

    def stats(self):
        return self.client.get("/stats")

    def behave(self, **behaviour):
        status, answer = self.client.post("/behave", behaviour)
        assert status == 200, answer

    def accepted(self):
        """How often each message was accepted, by id."""
        counts = self.received()["counts"]
        return {name: count["accepted"] for name, count in counts.items() if count["accepted"]}


class Posthaste(Program):
    """`posthaste serve`; options as in the environment, continuous unless said otherwise."""

    def __init__(self, directory, url, process_options=None, **options):
        self.database = pathlib.Path(directory) / "queue.db"
        environment = {
            "STORE_URL": f"sqlite:{self.database}",
            "WEBHOOK_URL": url,
            "PORT": "0",
            "PROCESSING_INTERVAL": "0",
            "RETRY_BASE": "50ms",
            "RATE_LIMIT": "0",
            "SHUTDOWN_GRACE": "20s",
        }
        environment |= {name: str(value) for name, value in options.items()}
        super().__init__(["serve"], environment, directory, **(process_options or {}))
        line = self.wait_line(lambda text: '"msg":"listening"' in text, "posthaste that listens")
        self.port = json.loads(line)["port"]
        self.api = Client(self.port)

    def accept(self, *contents, to="+15551234567"):
        """Posts messages; their ids, in order."""
        messages = [{"to": to, "content": content} for content in contents]
        status, answer = self.api.post("/api/v1/messages", {"messages": messages})
        assert status == 201, (status, answer)
        return answer["ids"]

    def message(self, identity):
        return self.api.get(f"/api/v1/messages/{identity}")

    def wait_state(self, identity, state):
        def reached():
            message = self.message(identity)
            return message if message["status"] == state else None

        return wait_until(reached, f"message {identity} {state}\n{self.output()[-3000:]}")

    def status(self):
        return self.api.get("/api/v1/messaging/status")

    def wait_settled(self):
        """Until nothing waits or is under way."""

        def settled():
            counts = self.status()["messages"]
            return counts if counts["pending"] + counts["sending"] == 0 else None

        return wait_until(settled, "an empty queue")

    def metric(self, series):
        for line in self.api.get("/metrics").splitlines():
            if line.startswith(series + " "):
                return float(line.split()[-1])
        raise AssertionError(f"no metric {series}")

    def sql(self, statement, *parameters):
        """Plain SQL from another process's point of view."""
        connection = sqlite3.connect(self.database, timeout=30)
        try:
            with connection:
                return connection.execute(statement, parameters).fetchall()
        finally:
            connection.close()

    def stop(self):
        """An orderly end; the totals that the log ends with."""
        self.signal(signal.SIGTERM)
        status = self.wait()
        assert status == 0, f"exit status {status}\n{self.output()[-3000:]}"
        lines = [line for line in self.lines if line and '"msg":"dispatcher"' in line]
        return json.loads(lines[-1])


class Case(unittest.TestCase):
    """A test with a folder of its own, whose programs are ended and, on failure, heard."""

    def setUp(self):
        self.programs = []
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.addCleanup(self._end_programs)

    def _end_programs(self):
        for program in reversed(self.programs):
            program.kill()
            if any(line and "Sanitizer" in line for line in program.lines):
                raise AssertionError(program.output())

    def keep(self, program):
        self.programs.append(program)
        return program

    def provider(self, *flags):
        return self.keep(MockProvider(*flags))

    def posthaste(self, provider, **options):
        url = provider if isinstance(provider, str) else provider.url
        return self.keep(Posthaste(self.folder, url, **options))

    def run_command(self, *arguments, **environment):
        """Runs a command to its end: status and all that it printed."""
        program = self.keep(Program(arguments, environment, self.folder))
        return program.wait(), program.output()
