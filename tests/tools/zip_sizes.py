#!/usr/bin/env python3
"""Sizes of the functions that `sam build` wrote, zipped as they are uploaded.    zip_sizes.py BUILD_FOLDER"""

import io
import pathlib
import sys
import zipfile

# In MB: today's sizes, rounded up, so that an added dependency is noticed. The goals are 3.5
# (ingest), 4.5 (evaluate), 4.8 (notify) and 5.0 (callbacks). Of ingest's code the SDK's runtime and clients are 2 MB,
# HTTP/2 0.8 and TLS 0.7. The clients built for size (opt-level "s") make the zip 2 % smaller and a message 6 % dearer.
LIMITS = {"IngestFunction": 3.8, "EvaluateFunction": 5.35, "NotifyFunction": 5.6, "CallbacksFunction": 5.25}


def zipped(path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, path.name)
    return len(buffer.getvalue())


def main():
    too_large = 0
    for bootstrap in sorted(pathlib.Path(sys.argv[1]).glob("*/bootstrap")):
        name, size, limit = bootstrap.parent.name, zipped(bootstrap) / 1e6, LIMITS.get(bootstrap.parent.name)
        note = f"  (at most {limit})" if limit else ""
        print(f"    {size:5.2f} MB zipped, {bootstrap.stat().st_size / 1e6:5.2f} MB  {name}{note}")
        too_large += limit is not None and size > limit
    return 1 if too_large else 0


if __name__ == "__main__":
    sys.exit(main())
