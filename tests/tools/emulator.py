"""MiniStack, an AWS emulator that is not ours, with access rules enforced: a call that a role does not allow is refused."""

import collections
import contextlib
import datetime
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import boto3

from counting_proxy import CountingProxy

REGION = "us-east-1"
LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"]

# On AWS a batch needs the permission of its single form, and has none of its own; the emulator asks for one.
BATCHES = {"sqs:SendMessage": "sqs:SendMessageBatch", "sns:Publish": "sns:PublishBatch"}


class Emulator:
    def __init__(self):
        self.port = free_port()
        self.proxy = CountingProxy(self.port)
        self._folder = tempfile.TemporaryDirectory()
        self.log_path = pathlib.Path(self._folder.name, "log")
        environment = os.environ | {
            "AUTH": "true",
            # What the functions call: through the proxy, which counts.
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.proxy.port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "LOG_LEVEL": "INFO",
            # A name, because lambda_http refuses an address in the Host header.
            "MINISTACK_HOST": "localhost",
            "TMPDIR": self._folder.name,
        }
        with open(self.log_path, "wb") as log:
            command = [pathlib.Path(sys.executable).parent / "ministack"]
            self._process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        self._wait()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def client(self, service):
        return boto3.client(
            service, endpoint_url=self.url, region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test"
        )

    def deploy(self, sam, built_template, stack, parameters, hosts):
        """`sam deploy`, as an operator runs it; the stack's outputs. `hosts` is what the template keeps for tests."""
        built_template = with_hosts(pathlib.Path(built_template), hosts)
        environment = os.environ | {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_ENDPOINT_URL": self.url,
            "SAM_CLI_TELEMETRY": "0",
        }
        command = [sam, "deploy", "--resolve-s3", "--template-file", built_template, "--stack-name", stack]
        command += ["--region", REGION, "--no-confirm-changeset"]
        command += ["--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
        command += ["--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items())]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise RuntimeError(f"sam deploy failed:\n{done.stdout[-4000:]}")
        self._allow_batches()
        stacks = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stacks[0]["Outputs"]}

    def delete(self, stack):
        """Deletes the stack, as `sam delete` does, and waits until it is gone.

        The stacks that it nests first: the emulator keeps what is to be retained only where a stack is deleted by itself.
        """
        cloudformation = self.client("cloudformation")
        stacks = cloudformation.describe_stacks()["Stacks"]
        nested = [one["StackName"] for one in stacks if one["StackName"].startswith(f"{stack}-")]
        for name in [*nested, stack]:
            stack_id = next(one["StackId"] for one in stacks if one["StackName"] == name)
            cloudformation.delete_stack(StackName=name)
            cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack_id, WaiterConfig={"Delay": 1})

    @contextlib.contextmanager
    def held(self, function):
        """Meanwhile the function is given nothing from its queue."""
        functions = self.client("lambda")
        mapping = functions.list_event_source_mappings(FunctionName=function)["EventSourceMappings"][0]["UUID"]
        functions.update_event_source_mapping(UUID=mapping, Enabled=False)
        try:
            yield
        finally:
            functions.update_event_source_mapping(UUID=mapping, Enabled=True)

    def _allow_batches(self):
        iam = self.client("iam")
        for role in iam.list_roles()["Roles"]:
            for policy in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]:
                named = {"RoleName": role["RoleName"], "PolicyName": policy}
                document = iam.get_role_policy(**named)["PolicyDocument"]
                for statement in document["Statement"]:
                    actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
                    statement["Action"] = actions + [BATCHES[action] for action in actions if action in BATCHES]
                iam.put_role_policy(**named, PolicyDocument=json.dumps(document))

    def log(self):
        return self.log_path.read_text(errors="replace")

    def function_logs(self):
        """What the functions wrote, each function's lines in their order."""
        logs, lines = self.client("logs"), []
        for group in logs.describe_log_groups()["logGroups"]:
            events = logs.filter_log_events(logGroupName=group["logGroupName"])["events"]
            lines += [f"{group['logGroupName'].rsplit('/', 1)[-1]}: {event['message'].rstrip()}" for event in events]
        return lines

    def metrics(self):
        """What the functions' lines become as metrics, as often as they do: only of lines that Lambda passes on."""
        levels = self.client("lambda").list_functions()["Functions"]
        levels = {f["FunctionName"]: f.get("LoggingConfig", {}).get("ApplicationLogLevel", "INFO") for f in levels}
        least = max(levels.values(), key=LEVELS.index)
        lines = (line.split(": ", 1)[1] for line in self.function_logs())
        return collections.Counter(metric for line in lines if passes(line, least) for metric in metrics_of(line))

    def stop(self):
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self.proxy.stop()
        self._folder.cleanup()

    def _wait(self):
        for _ in range(200):
            if self._process.poll() is not None:
                break
            try:
                urllib.request.urlopen(self.url + "/_ministack/health", timeout=1)
                return
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"the emulator does not start:\n{self.log()[-2000:]}")


def with_hosts(built_template, hosts):
    """A copy of the template, beside it, in which the mapping `ForTests` holds these hosts."""
    text = built_template.read_text()
    for name, value in hosts.items():
        text, replaced = re.subn(rf"\b{name}: (''|\"\")", f"{name}: {value}", text)
        assert replaced == 1, f"the mapping ForTests holds one {name}"
    copy = built_template.with_name("template-for-tests.yaml")
    copy.write_text(text)
    return copy


def passes(line, least):
    """Whether Lambda passes a function's line on to the log, where the log format is JSON.

    A line without a valid `level`, or without a `timestamp` in RFC 3339, counts as INFO; no rule exempts metrics. Source:
    AWS Lambda Developer Guide, "Log-level filtering" (read 2026-11).
    """
    try:
        record = json.loads(line)
        datetime.datetime.fromisoformat(record["timestamp"].replace("Z", "+00:00"))
        level = record["level"]
    except (ValueError, KeyError, TypeError, AttributeError):
        level = "INFO"
    return LEVELS.index(level if level in LEVELS else "INFO") >= LEVELS.index(least)


def metrics_of(line):
    """The metrics of one line in the embedded metric format: namespace, name, names of the dimensions."""
    try:
        record = json.loads(line)
        blocks = record["_aws"]["CloudWatchMetrics"]
    except (ValueError, KeyError, TypeError):
        return
    for block in blocks:
        for metric in block["Metrics"]:
            for dimensions in block["Dimensions"]:
                yield block["Namespace"], metric["Name"], tuple(dimensions)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
