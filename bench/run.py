#!/usr/bin/env python3
"""Measures how fast posthaste drains a waiting queue on SQLite, beside what the mock provider can
take from a bare HTTP client (wrk, if it is installed) in the same run.

usage: bench/run.py [--messages N] [--in-flight N]

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
PROGRAM = ROOT / "build" / "posthaste"
WRK_SECONDS = 3
POLL_SECONDS = 0.02
WRK_SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"to":"+15551234567","content":"Benchmark message"}'
"""


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


def fill(database, count):
    """Lets the program make its schema, then inserts the messages with plain SQL."""
    subprocess.run(
        [PROGRAM, "migrate", "up", "--store-url", f"sqlite:{database}"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    with sqlite3.connect(database) as connection:
        connection.executemany(
            "INSERT INTO messages (recipient, content) VALUES (?, 'Benchmark message')",
            ((f"+1555{i:07d}",) for i in range(count)),
        )


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


def measure_drain(folder, send_url, received_url, arguments):
    database = folder / "bench.db"
    fill(database, arguments.messages)
    environment = {
        "STORE_URL": f"sqlite:{database}",
        "WEBHOOK_URL": send_url,
        "PORT": "0",
        "PROCESSING_INTERVAL": "0",
        "MAX_IN_FLIGHT": str(arguments.in_flight),
    }
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
    return arguments.messages / seconds, cpu / arguments.messages * 1e6, get(received_url)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--in-flight", type=int, default=256)
    arguments = parser.parse_args()
    provider, line = start(["mock-provider", "--port", "0"], "listening")
    send_url = line.split()[-1]
    base = send_url.removesuffix("/send")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        limit = measure_provider(send_url, folder)
        urllib.request.urlopen(urllib.request.Request(f"{base}/received", method="DELETE")).close()
        rate, cpu_us, received = measure_drain(folder, send_url, f"{base}/received", arguments)
    stop(provider)
    if limit is not None:
        print(f"provider: {limit:.0f} requests/s from wrk")
    share = f", {rate / limit:.0%} of what the provider takes" if limit else ""
    print(
        f"sqlite: drain {rate:.0f} messages/s{share}, {cpu_us:.1f} us CPU each, duplicates "
        f"{received['duplicates']}, lost {arguments.messages - received['unique']}"
    )
    if received["unique"] != arguments.messages:
        sys.exit("bench: messages were lost")


if __name__ == "__main__":
    main()
