#!/usr/bin/env python3
"""Lints template.yaml as CloudFormation will see it: transformed by AWS's own SAM translator, then cfn-lint.

`sam validate --lint` misses wrong references and short visibility inside SAM's own resources; this does not. The one
mistake that cfn-lint lets pass, a batch of more than ten without a window, is looked for here. Exit status 0 is clean.
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

from samtranslator.parser import parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
# AWS China lacks resource types and properties that other regions have.
REGIONS = ["us-east-1", "cn-north-1", "cn-northwest-1"]


def transformed(path):
    template = yaml_parse(path.read_text())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
    return Translator({}, parser.Parser()).translate(template, {})


def batches_without_window(template):
    for name, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] != "AWS::Lambda::EventSourceMapping":
            continue
        if properties.get("BatchSize", 10) > 10 and properties.get("MaximumBatchingWindowInSeconds", 0) < 1:
            yield f"{name}: BatchSize above 10 needs MaximumBatchingWindowInSeconds of at least 1"


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        # Beside the nested templates, so that cfn-lint compares parameters and outputs with theirs. W3002 says that their
        # paths are local, which is what `sam deploy` wants.
        (folder / "infra").mkdir()
        for nested in sorted((ROOT / "infra").glob("*.yaml")):
            shutil.copy(nested, folder / "infra")
        template = transformed(ROOT / "template.yaml")
        (folder / "template.json").write_text(json.dumps(template, indent=1))
        files = ["template.json", *(f"infra/{path.name}" for path in sorted((folder / "infra").iterdir()))]
        lint = subprocess.run(["cfn-lint", "-r", *REGIONS, "-i", "W3002", "-t", *files], cwd=folder)
    faults = list(batches_without_window(template))
    print("\n".join(faults) or f"{len(files)} templates, {len(template['Resources'])} resources in the first")
    return 1 if faults or lint.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
