#!/usr/bin/env python3
"""Breaks promises on purpose, one at a time, and sees whether their test turns red.

    break_promises.py [PART_OF_A_TEST_NAME]

Each is a change of one place, from tests/fixtures/broken_promises.json, made in a copy of what is committed. Prints one row
per promise; ends with 1 if a promise can be broken unnoticed. Takes about a minute each.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("LARKSPUR_CACHE", pathlib.Path.home() / ".cache/larkspur"))
# The test runner's own words: tests ran, and some failed.
TESTS_FAILED = 100


def run(copy, entry, environment):
    """Whether the test is red, and the runner's output."""
    packages = ["-p", entry["package"], "-p", "local"]  # scenarios start the program
    command = ["cargo", "nextest", "run", "--locked", *packages, "--no-tests", "fail", "-E", f"test({entry['test']})"]
    done = subprocess.run(command, cwd=copy, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


def broken(copy, entry, environment):
    path = copy / entry["file"]
    whole = path.read_text()
    if whole.count(entry["old"]) != 1:
        return "NOT APPLIED: the place is not there, or not once"
    path.write_text(whole.replace(entry["old"], entry["new"]))
    try:
        code, output = run(copy, entry, environment)
    finally:
        path.write_text(whole)
    if code == TESTS_FAILED and re.search(r"[1-9]\d* (failed|timed out)", output):
        return "red"
    print(output[-3000:], file=sys.stderr)
    return "GREEN: nobody noticed" if code == 0 else "DOES NOT BUILD"


def main():
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    entries = json.loads((ROOT / "tests/fixtures/broken_promises.json").read_text())
    environment = os.environ | {"CARGO_TERM_COLOR": "never", "CARGO_INCREMENTAL": "0"}
    environment.setdefault("CARGO_TARGET_DIR", str(CACHE / "broken-target"))
    environment.setdefault("LARKSPUR_TEST_PYTHON", str(CACHE / "test/bin/python"))
    unnoticed = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder, "larkspur")
        subprocess.run(["git", "clone", "--quiet", "--shared", ROOT, copy], check=True)
        print("| promise | broken by | test | result |\n|---|---|---|---|")
        for entry in entries:
            if wanted not in entry["test"]:
                continue
            result = broken(copy, entry, environment)
            unnoticed += result != "red"
            print(f"| {entry['promise']} | {entry['broken']} | `{entry['test']}` | {result} |", flush=True)
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main())
