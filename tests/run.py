#!/usr/bin/env python3
"""Builds what is needed and runs the tests; the last line is "N passed, N failed, N skipped".

Each end-to-end and shape test runs in a process, a process group and a temporary folder of its
own; of the C tests each program does, and its cases are read from what it prints (TAP).
"""

import argparse
import concurrent.futures
import dataclasses
import functools
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests import servers  # only now can it be found

TIME_LIMIT_S = 300
OUTPUT_LINES_MAX = 200

SANITIZER_ENVIRONMENT = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:exitcode=99",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    "TSAN_OPTIONS": "halt_on_error=1:exitcode=99",
}


@dataclasses.dataclass(frozen=True)
class Build:
    folder: str
    options: dict
    slow: bool = False  # the end-to-end tests may scale their numbers down
    sanitized: bool = False


PLAIN = Build("build", {"werror": "true"})
ASAN = Build(
    "build-asan",
    {"b_sanitize": "address,undefined", "b_lundef": "false", "swagger": "disabled"},
    slow=True,
    sanitized=True,
)
TSAN = Build("build-tsan", {"b_sanitize": "thread", "b_lundef": "false"}, sanitized=True)
COVERAGE = Build("build-coverage", {"b_coverage": "true"}, slow=True)

# What each argument runs: which kinds of tests on which build.
SUITES = {
    "unit": [(PLAIN, ["unit"])],
    "contract": [(PLAIN, ["contract"])],
    "e2e": [(PLAIN, ["e2e"])],
    "web": [(PLAIN, ["web"])],
    "shape": [(PLAIN, ["shape"])],
    "fuzz": [(PLAIN, ["fuzz"])],  # on a build of its own, see tests/fuzz/test_fuzz.py
    "asan": [(ASAN, ["unit", "contract", "e2e"])],
    "tsan": [(TSAN, ["unit", "contract"])],
    "coverage": [(COVERAGE, ["unit", "contract", "e2e"])],
}
ALL = ["shape", "unit", "contract", "e2e", "web", "asan", "tsan", "fuzz"]


@dataclasses.dataclass
class Result:
    name: str
    outcome: str  # "passed", "failed" or "skipped"
    output: str = ""


@dataclasses.dataclass
class Job:
    """One process to run; `read` makes Results of its exit status and output."""

    name: str
    command: list
    environment: dict
    read: object


# Building


def run_quietly(command):
    """What the command printed; raises CalledProcessError, which holds it too."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=True,
    )
    return done.stdout


def introspect(build, what):
    done = subprocess.run(
        ["meson", "introspect", what, build.folder],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def configure(build):
    options = {"tests": "enabled", **build.options}
    arguments = [f"-D{name}={value}" for name, value in options.items()]
    if not (ROOT / build.folder / "build.ninja").exists():
        run_quietly(["meson", "setup", build.folder, *arguments])
        return
    present = {row["name"]: row["value"] for row in introspect(build, "--buildoptions")}
    if any(str(present[name]).lower() != value for name, value in options.items()):
        run_quietly(["meson", "configure", build.folder, *arguments])


def make(build):
    """None, or the failed case that a broken build is."""
    try:
        configure(build)
        run_quietly(["meson", "compile", "-C", build.folder])
    except subprocess.CalledProcessError as error:
        return Result(f"build {build.folder}", "failed", error.stdout or str(error))
    return None


# Running one job


running = set()


def run_job(job):
    with tempfile.TemporaryDirectory(prefix="posthaste-", ignore_cleanup_errors=True) as folder:
        stdout_path, stderr_path = (pathlib.Path(folder, name) for name in ("stdout", "stderr"))
        own = pathlib.Path(folder, "tmp")
        own.mkdir()
        with open(stdout_path, "wb") as stdout, open(stderr_path, "wb") as stderr:
            process = subprocess.Popen(
                job.command,
                cwd=ROOT,
                env={**os.environ, **job.environment, "TMPDIR": str(own)},
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
            status = wait(process)
        output, errors = (
            path.read_text(encoding="utf-8", errors="replace")
            for path in (stdout_path, stderr_path)
        )
    return job.read(job, status, output, errors)


def wait(process):
    """The end of the process in words, "" when it was a good one; its group is gone afterwards."""
    running.add(process)
    try:
        code = process.wait(TIME_LIMIT_S)
        words = "" if code == 0 else f"exit status {code}"
        if code < 0:
            words = f"killed by {signal.Signals(-code).name}"
    except subprocess.TimeoutExpired:
        words = f"not over after {TIME_LIMIT_S} s"
    kill_group(process)
    process.wait()
    running.discard(process)
    return words


def kill_group(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def stop(number, _frame):
    """Ctrl-C reaches only us, because each test has a group of its own. No servers are left: each
    process that starts some has a guard, which ends them after it."""
    for process in list(running):
        kill_group(process)
    os._exit(128 + number)


# C tests


TAP_LINE = re.compile(r"^(not ok|ok) \d+ ?-? ?(.*)$")


def read_tap(job, status, output, errors):
    results = []
    planned = 0
    for line in output.splitlines():
        plan = re.fullmatch(r"1\.\.(\d+)", line)
        case = TAP_LINE.match(line)
        if plan:
            planned += int(plan[1])
        elif case:
            results.append(tap_case(job, case))
        elif results and results[-1].outcome == "failed":
            results[-1].output += line.removeprefix("# ") + "\n"
    failed_all_told = any(result.outcome == "failed" for result in results)
    lost = planned - len(results)
    if lost > 0 or (status and not failed_all_told) or not results:
        why = f"{job.name}: {status or 'ended early'}\n{errors or output}"
        results.append(Result(f"{job.name}: the program", "failed", why))
        results += [
            Result(f"{job.name}: a case that was not reached", "failed") for _ in range(lost - 1)
        ]
    first_failed = next((result for result in results if result.outcome == "failed"), None)
    if first_failed and errors not in first_failed.output:
        first_failed.output += errors
    return results


def tap_case(job, case):
    name = case[2]
    if name.startswith("# SKIP"):
        return Result(f"{job.name}: {name.removeprefix('# SKIP').strip()}", "skipped")
    return Result(f"{job.name}: {name}", "passed" if case[1] == "ok" else "failed")


@functools.cache
def server_environment():
    """The servers that C tests share, one of each for the whole run; they end when we do."""
    return {
        "POSTHASTE_TEST_POSTGRES_URL": servers.PostgresServer().url(),
        "POSTHASTE_TEST_REDIS_URL": servers.RedisServer().url(),
    }


def c_jobs(build, kind):
    for test in introspect(build, "--tests"):
        if test["suite"] == [f"posthaste:{kind}"]:
            yield Job(
                f"{kind} {test['name'].removeprefix(kind + '_')}",
                [*prefix(build), *test["cmd"]],
                environment_of(build) | server_environment() | {"CMOCKA_MESSAGE_OUTPUT": "TAP"},
                read_tap,
            )


# Python tests


def read_unittest(job, status, output, errors):
    if status:
        return [Result(job.name, "failed", f"{status}\n{output}{errors}")]
    if re.search(r"^OK \(.*skipped=[1-9]", errors, re.MULTILINE):
        return [Result(job.name, "skipped")]
    return [Result(job.name, "passed")]


def test_ids(suite, module):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from test_ids(test, module)
        else:
            # A module that cannot be imported is run whole, so that it fails with the reason.
            yield test.id() if test.id().startswith(module) else module


@functools.cache
def template_environment():
    """Where the first test that needs a PostgreSQL server leaves a template for the others."""
    return {servers.TEMPLATE_VARIABLE: str(servers.home().folder / "template")}


def python_jobs(build, kind):
    os.environ["POSTHASTE_BINARY"] = environment_of(build)["POSTHASTE_BINARY"]
    loader = unittest.TestLoader()
    for file in sorted((ROOT / "tests" / kind).glob("test_*.py")):
        module = f"tests.{kind}.{file.stem}"
        for name in test_ids(loader.loadTestsFromName(module), module):
            yield Job(
                name.removeprefix("tests.").replace(".", " ", 1),
                [*prefix(build), sys.executable, "-m", "unittest", name],
                environment_of(build) | template_environment(),
                read_unittest,
            )


# Suites


@functools.cache
def fixed_addresses():
    """Sanitizers of older compilers fail at random where the kernel spreads addresses wider than
    they expect; setarch turns that off, where it is allowed to."""
    command = ["setarch", "-R"]
    if shutil.which("setarch") is None:
        return []
    done = subprocess.run([*command, "true"], stderr=subprocess.DEVNULL, check=False)
    return command if done.returncode == 0 else []


def prefix(build):
    return fixed_addresses() if build.sanitized else []


def environment_of(build):
    environment = {"POSTHASTE_BINARY": str(ROOT / build.folder / "posthaste")}
    if build.sanitized:
        environment |= SANITIZER_ENVIRONMENT
    if build.slow:
        environment["POSTHASTE_SLOW"] = "1"
    return environment


def jobs_of(build, kinds):
    for kind in kinds:
        yield from (c_jobs if kind in ("unit", "contract") else python_jobs)(build, kind)


def run_suite(suite, pattern):
    results = []
    for build, kinds in SUITES[suite]:
        broken = make(build)
        if broken:
            results.append(broken)
            continue
        # A pattern may name a case within a C program, so all of those run and are picked after.
        try:
            jobs = [
                job
                for job in jobs_of(build, kinds)
                if job.read is read_tap or pattern in job.name
            ]
        except servers.ServerError as error:
            results.append(Result("servers for the tests", "failed", str(error)))
            continue
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as workers:
            for some in workers.map(run_job, jobs):
                results += [one for one in some if pattern in one.name]
    return results


def show(suite, results, seconds):
    for result in results:
        if result.outcome == "failed":
            print(f"FAILED {suite}: {result.name}")
            for line in result.output.rstrip().splitlines()[-OUTPUT_LINES_MAX:]:
                print(f"    {line}")
    print(f"{suite}: {counts(results)} in {seconds:.1f} s", flush=True)


def counts(results):
    outcomes = [result.outcome for result in results]
    return ", ".join(f"{outcomes.count(word)} {word}" for word in ("passed", "failed", "skipped"))


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"{', '.join(SUITES)}, all")
    parser.add_argument("-k", dest="pattern", default="", help="only cases with this in their name")
    arguments = parser.parse_args()
    unknown = set(arguments.suites) - set(SUITES) - {"all"}
    if unknown:
        parser.error(f"no such suite: {', '.join(sorted(unknown))}")
    if not arguments.suites or "all" in arguments.suites:
        arguments.suites = ALL
    return arguments


def main():
    arguments = parse_arguments()
    os.chdir(ROOT)
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    everything = []
    for suite in arguments.suites:
        started = time.monotonic()
        results = run_suite(suite, arguments.pattern)
        show(suite, results, time.monotonic() - started)
        everything += results
    print(counts(everything), flush=True)
    bad = not everything or any(result.outcome == "failed" for result in everything)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
