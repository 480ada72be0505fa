#!/usr/bin/env python3
"""Gives the files of a new clone the times that they had in the last run, where their content is the same.

    keep_times.py before|after KEPT TARGET...

cargo builds a crate again if one of its files is newer than its output. In a new clone every file is new, so all crates of
the project would be built again, although the outputs in the cache are those of the same content. `before` a run, files get
the times that KEPT has for this checkout's place; `after` it, KEPT holds until something else builds.

Nothing is changed if something else has built into one of the TARGET folders since: then it is not known of which content
their outputs are.
"""

import hashlib
import json
import os
import pathlib
import subprocess
import sys


def git(*arguments):
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout


def files():
    paths = [pathlib.Path(path) for path in git("ls-files", "-z").split("\0") if path]
    return [path for path in paths if path.is_file()]


def last_built(targets):
    """When a crate was built last, in nanoseconds."""
    folders = (folder for target in targets for depth in ("*", "*/*") for folder in target.glob(f"{depth}/.fingerprint"))
    times = (stamp.stat().st_mtime_ns for folder in folders for stamp in folder.glob("*/invoked.timestamp"))
    return max(times, default=0)


def with_known_times(known):
    """The content and the time of each file, after a file of known content got its known time."""
    kept = {}
    for path in files():
        content, time = hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns
        before = known.get(str(path), ["", time])
        if before[0] == content and before[1] < time:
            time = before[1]
            os.utime(path, ns=(time, time))
        kept[str(path)] = [content, time]
    return kept


def main():
    when, kept, targets = sys.argv[1], pathlib.Path(sys.argv[2]), [pathlib.Path(target) for target in sys.argv[3:]]
    places = json.loads(kept.read_text()) if kept.is_file() else {}
    place = str(pathlib.Path.cwd())
    here = places.get(place, {})
    if when == "before":
        is_usable = here.get("built") == last_built(targets)
        here = {"files": with_known_times(here["files"] if is_usable else {})}
    else:
        here["built"] = last_built(targets)
    kept.write_text(json.dumps({**places, place: here}))


if __name__ == "__main__":
    main()
