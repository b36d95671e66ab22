#!/usr/bin/env python3
"""Measures how fast posthaste drains a waiting queue on SQLite and on PostgreSQL, beside what limits
it in the same run: what the mock provider takes from a bare HTTP client (wrk, if it is installed),
and what the store takes when messages are only claimed and settled.

usage: bench/run.py [--store sqlite|postgres] [--messages N] [--claims N] [--in-flight N]

Prints one line per measurement. Compare the ratios: absolute figures vary with the machine.
"""

import argparse
import json
import pathlib
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.servers import PostgresServer  # noqa: E402

PROGRAM = ROOT / "build" / "posthaste"
CLAIMS = ROOT / "build" / "bench_claims"
WRK_SECONDS = 3
POLL_SECONDS = 0.02
WRK_SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"to":"+15551234567","content":"Benchmark message"}'
"""


class Sqlite:
    name = "sqlite"

    def __init__(self, folder):
        self.folder = folder

    def place(self, name):
        """The STORE_URL of a new database."""
        return f"sqlite:{self.folder / name}.db"

    def fill(self, name, count):
        with sqlite3.connect(self.folder / f"{name}.db") as connection:
            connection.executemany(
                "INSERT INTO messages (recipient, content) VALUES (?, 'Benchmark message')",
                ((f"+1555{i:07d}",) for i in range(count)),
            )

    def remove(self):
        """Nothing: it goes with the folder."""


class Postgres:
    name = "postgres"

    def __init__(self, _folder):
        self.server = PostgresServer(
            shared_buffers="512MB", max_wal_size="4GB", checkpoint_timeout="15min"
        )

    def place(self, name):
        """The STORE_URL of a new database."""
        self.server.create_database(name)
        return self.server.url(name)

    def fill(self, name, count):
        self.server.psql(
            "INSERT INTO messages (recipient, content)"
            f" SELECT '+1555' || lpad(i::text, 7, '0'), 'Benchmark message'"
            f" FROM generate_series(1, {count}) AS i",
            name,
        )

    def remove(self):
        self.server.remove()


STORES = {"sqlite": Sqlite, "postgres": Postgres}


def start(arguments, marker, environment=None, stream="stdout"):
    """Starts the program and returns it with the line that says where it listens."""
    process = subprocess.Popen(
        [PROGRAM, *arguments], env=environment, text=True, **{stream: subprocess.PIPE}
    )
    for line in getattr(process, stream):
        if marker in line:
            return process, line
    sys.exit(f"bench: {arguments[0]} ended before it was listening")


def stop(process):
    process.send_signal(signal.SIGTERM)
    process.communicate()


def get(url):
    with urllib.request.urlopen(url) as answer:
        return json.load(answer)


class Provider:
    """The mock provider, which counts what it receives."""

    def __init__(self):
        self.process, line = start(["mock-provider", "--port", "0"], "listening")
        self.url = line.split()[-1]
        self.base = self.url.removesuffix("/send")

    def received(self):
        """Since the last call."""
        counts = get(f"{self.base}/received")
        request = urllib.request.Request(f"{self.base}/received", method="DELETE")
        urllib.request.urlopen(request).close()
        return counts


def measure_provider(url, folder):
    """Requests per second that wrk gets through to the mock provider; None without wrk."""
    if shutil.which("wrk") is None:
        return None
    script = folder / "post.lua"
    script.write_text(WRK_SCRIPT)
    run = subprocess.run(
        ["wrk", "-t1", "-c64", f"-d{WRK_SECONDS}s", "-s", script, url],
        check=True,
        capture_output=True,
        text=True,
    )
    return float(next(line for line in run.stdout.splitlines() if "Requests/sec" in line).split()[1])


def measure_claims(store, count):
    """Claim and settle alone, and how the time of a claim changes over the run."""
    command = [CLAIMS, store.place("claims"), str(count)]
    run = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(run.stdout)


def measure_drain(store, provider, arguments):
    """Messages per second, CPU microseconds of posthaste's per message, what was received."""
    url = store.place("drain")
    migrate = [PROGRAM, "migrate", "up", "--store-url", url]
    subprocess.run(migrate, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    store.fill("drain", arguments.messages)
    environment = {
        "STORE_URL": url,
        "WEBHOOK_URL": provider.url,
        "PORT": "0",
        "PROCESSING_INTERVAL": "0",
        "MAX_IN_FLIGHT": str(arguments.in_flight),
    }
    provider.received()
    begin = time.monotonic()
    process, line = start(["serve"], '"listening"', environment, "stderr")
    status = f"http://127.0.0.1:{json.loads(line)['port']}/api/v1/messaging/status"
    while get(status)["messages"]["sent"] < arguments.messages:
        time.sleep(POLL_SECONDS)
    seconds = time.monotonic() - begin
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    stop(process)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return arguments.messages / seconds, cpu / arguments.messages * 1e6, provider.received()


def measure_store(store, provider, limit, arguments):
    """False when a message was lost."""
    claims = measure_claims(store, arguments.claims)
    rate, cpu_us, received = measure_drain(store, provider, arguments)
    lost = arguments.messages - received["unique"]
    shares = [f"{rate / claims['messages_per_s']:.0%} of claim and settle alone"]
    if limit is not None:
        shares.append(f"{rate / limit:.0%} of what the provider takes")
    print(
        f"{store.name}: claim and settle alone {claims['messages_per_s']:.0f} messages/s of"
        f" {arguments.claims}; a claim of 500 takes {claims['claim_us_first']:.0f} us in the first"
        f" tenth, {claims['claim_us_last']:.0f} us in the last"
    )
    print(
        f"{store.name}: drain of {arguments.messages} {rate:.0f} messages/s ({', '.join(shares)}),"
        f" {cpu_us:.1f} us CPU each, duplicates {received['duplicates']}, lost {lost}"
    )
    return lost == 0


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", choices=STORES, help="both without it")
    parser.add_argument("--messages", type=int, default=200_000, help="to drain")
    parser.add_argument("--claims", type=int, default=1_000_000, help="to claim and settle")
    parser.add_argument("--in-flight", type=int, default=256)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    kept = True
    provider = Provider()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        limit = measure_provider(provider.url, folder)
        if limit is not None:
            print(f"provider: {limit:.0f} requests/s from wrk")
        for kind in [arguments.store] if arguments.store else STORES:
            store = STORES[kind](folder)
            try:
                kept = measure_store(store, provider, limit, arguments) and kept
            finally:
                store.remove()
    stop(provider.process)
    if not kept:
        sys.exit("bench: messages were lost")


if __name__ == "__main__":
    main()
