"""What strangers can send, made up by libFuzzer: each target runs for a minute on a build with
AddressSanitizer. FUZZ_SECONDS makes it longer or shorter."""

import fcntl
import os
import pathlib
import shutil
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
BUILD = ROOT / "build-fuzz"
SECONDS = int(os.environ.get("FUZZ_SECONDS", "60"))
INPUT_SECONDS_MAX = 60
OUTPUT_MAX = 6000
OPTIONS = (
    "-Dfuzz=enabled",
    "-Dtests=disabled",
    "-Dswagger=disabled",
    "-Db_sanitize=address,undefined",
    "-Db_lundef=false",
    "-Doptimization=1",
)


def run(*command, **options):
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
        **options,
    )
    return done.returncode, done.stdout


def build():
    """Others that want the same wait for it."""
    BUILD.mkdir(exist_ok=True)
    with open(BUILD / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        steps = [("ninja", "-C", str(BUILD))]
        if not (BUILD / "build.ninja").exists():
            steps.insert(0, ("meson", "setup", str(BUILD), str(ROOT), *OPTIONS))
        for step in steps:
            status, output = run(*step, env=os.environ | {"CC": "clang"})
            assert status == 0, output[-OUTPUT_MAX:]


@unittest.skipIf(
    shutil.which("clang") is None and os.environ.get("CI") != "true",
    "there is no clang here; scripts/install-deps.sh test brings it",
)
class Fuzz(unittest.TestCase):
    def fuzz(self, target):
        build()
        found = BUILD / "found" / target
        found.mkdir(parents=True, exist_ok=True)
        status, output = run(
            str(BUILD / f"fuzz_{target}"),
            f"-max_total_time={SECONDS}",
            f"-timeout={INPUT_SECONDS_MAX}",
            f"-artifact_prefix={found}-",
            "-print_final_stats=1",
            str(found),
            str(HERE / "corpus" / target),
            cwd=BUILD,
        )
        self.assertEqual(status, 0, output[-OUTPUT_MAX:])
        self.assertIn("stat::number_of_executed_units", output)

    def test_address(self):
        self.fuzz("address")

    def test_csv(self):
        self.fuzz("csv")

    def test_lines(self):
        self.fuzz("lines")

    def test_message(self):
        self.fuzz("message")

    def test_query(self):
        self.fuzz("query")

    def test_request(self):
        self.fuzz("request")

    def test_each_target_is_run(self):
        written = {path.stem.removeprefix("fuzz_") for path in HERE.glob("fuzz_*.c")}
        run_here = {name.removeprefix("test_") for name in dir(self) if name.startswith("test_")}
        self.assertEqual(written, run_here - {"each_target_is_run"})
        self.assertEqual(written, {path.name for path in (HERE / "corpus").iterdir()})
