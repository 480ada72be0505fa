#!/usr/bin/env python3
"""What messages and notices cost on AWS: calls counted, not estimated, and held to the budget.

    cost.py SAM BUILT_TEMPLATE

The built functions run in an emulator that is not ours. Their queues are emptied here and handed to them as full event
records, so that the size of a batch is what the scenario says; every call goes through a counting proxy, retries of the
SDK and new connections included. `prices.py` turns calls into dollars. Prints a line per scenario, its parts, and
`N passed, N failed` at last.
"""

import json
import pathlib
import sys
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "tools"))

import prices  # noqa: E402
from deployed import BOT, Deployment, queue_url  # noqa: E402
from emulator import Emulator  # noqa: E402
from fake_group import FakeGroup  # noqa: E402

MESSAGES = 100
# Of a storm: messages of one alert key in one batch.
PER_KEY = 20
# Groups that each message notifies, where notices are counted.
GROUPS = 10
# Write units of the alert alone; the incident, the log and what else is counted come on top.
INCIDENT, LOG = ("INCIDENT", "TIMELINE", "DELIVERY"), ("LOG",)


class Gate:
    """Collects what was measured against what was promised."""

    def __init__(self):
        self.passed = self.failed = 0

    def at_most(self, what, figure, limit, unit=""):
        kept = figure <= limit
        self.passed, self.failed = self.passed + kept, self.failed + (not kept)
        print(f"    {'ok  ' if kept else 'FAIL'} {what}: {figure:.2f}{unit} (at most {limit:.2f}{unit})", flush=True)


class Scene:
    """A deployment whose event sources are held: this gives the functions their batches."""

    def __init__(self, deployment, emulator, group):
        self.deployment, self.emulator, self.group = deployment, emulator, group
        self.sqs = emulator.client("sqs")
        deployment.api_key = deployment.invoke("ConsoleFunction", {"larkspur": "create_api_key"})["api_key"]

    def space(self, name, destinations=()):
        return self.deployment.api("POST", "/spaces", {"name": name, "destinations": list(destinations)})["id"]

    def destination(self, n):
        settings = {"url": BOT[:-4] + f"{n:04}"}
        body = {"name": f"group {n}", "channel": "feishu_bot", "settings": settings}
        return self.deployment.api("POST", "/destinations", body)["id"]

    def post(self, integration, texts):
        with ThreadPoolExecutor(2) as senders:
            answers = list(senders.map(lambda text: self.deployment.post(integration, text), texts))
        assert all(status == 200 and json.loads(body)["code"] == 0 for status, body in answers), answers[:3]

    def take(self, queue):
        """All that the queue holds, as records of an event."""
        url, records = queue_url(self.sqs, queue), []
        while True:
            got = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"])
            if not got.get("Messages"):
                return records
            for message in got["Messages"]:
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                records.append(
                    {
                        "messageId": message["MessageId"],
                        "receiptHandle": message["ReceiptHandle"],
                        "body": message["Body"],
                        "attributes": message["Attributes"],
                        "messageAttributes": {},
                        "md5OfBody": message["MD5OfBody"],
                        "eventSource": "aws:sqs",
                        "eventSourceARN": f"arn:aws:sqs:us-east-1:000000000000:{queue}",
                        "awsRegion": "us-east-1",
                    }
                )

    def invoke(self, function, records, batch):
        for start in range(0, len(records), batch):
            answer = self.deployment.invoke(function, {"Records": records[start : start + batch]})
            assert not answer.get("batchItemFailures"), answer

    def counted(self):
        """Begins to count; the second call ends it and gives what was called since, and connections opened."""
        proxy = self.emulator.proxy
        journal, connections = proxy.journal, proxy.connections
        proxy.journal, proxy.connections = ([] if journal is None else None), 0
        return journal, connections


def intake_dollars(bill, messages, batch, log_bytes, write_units, published=1.0):
    """Dollars per million messages, of which `batch` make one invocation of evaluate; `published`: the share of what is
    published that counts. Sending notices is part of what notices cost."""
    received = 2 * max(1, batch / prices.BATCH) / batch  # ReceiveMessage and DeleteMessageBatch, by Lambda itself
    milliseconds = prices.EVALUATE_MS + prices.EVALUATE_MS_PER_MESSAGE * batch
    return {
        "HTTP API": prices.HTTP_API,
        "ingest": prices.lambda_dollars(1, prices.INGEST_MS, 128),
        "evaluate": prices.lambda_dollars(1 / batch, milliseconds, 256),
        "queues": (bill.sqs / messages + received) * prices.SQS,
        "topic": bill.sns / messages * prices.SNS * published,
        "writes": write_units / messages * prices.WRITE_UNIT,
        "reads": bill.reads / messages * prices.READ_UNIT,
        "logs": log_bytes / messages / 1000 * prices.LOG_GB,
        "access log": prices.ACCESS_LOG_BYTES / 1000 * prices.LOG_GB,
        "answer": prices.ANSWER_BYTES / 1000 * prices.EGRESS_GB,
    }


def show(what, parts):
    detail = " ".join(f"{name}={dollars:.3f}" for name, dollars in parts.items() if dollars >= 0.0005)
    print(f"         {what}: {detail}")
    return sum(parts.values())


def messages(scene, integration, texts, batch):
    """Intake and evaluation of so many messages; the bill, the connections and the bytes logged."""
    # The processes are there, and have read what they keep.
    scene.post(integration, [texts[0] + " first"])
    scene.invoke("EvaluateFunction", scene.take("MessagesQueue"), batch)
    logged = log_bytes(scene.emulator)
    scene.counted()
    scene.post(integration, texts)
    records = scene.take("MessagesQueue")
    assert len(records) == len(texts), f"{len(records)} of {len(texts)} are in the queue"
    scene.invoke("EvaluateFunction", records, batch)
    journal, connections = scene.counted()
    calls = {}
    for action, resource, _, _ in journal:
        calls[f"{action} {resource}"] = calls.get(f"{action} {resource}", 0) + 1
    for call, count in sorted(calls.items(), key=lambda item: -item[1]):
        print(f"         {count / len(texts):6.2f}  {call}")
    return prices.Bill(journal), connections, log_bytes(scene.emulator) - logged


def log_bytes(emulator):
    """What the functions themselves have written: at level WARN, AWS adds nothing."""
    written = (line.split(": ", 1)[1] for line in emulator.function_logs())
    return sum(len(line) for line in written if not line.startswith(("START ", "END ", "REPORT ")))


def each_message_opens_an_alert(scene, gate):
    integration = scene.deployment.integration("each", scene.space("Each", [scene.destination(100)]), {"type": "each_message"})
    texts = [f"disk full on db-{n}\nused {n}%, threshold 90%, host=db-{n}.example.com" for n in range(MESSAGES)]
    bill, connections, logged = messages(scene, integration, texts, 10)
    # Half of the changes are of incidents.
    alone = intake_dollars(bill, MESSAGES, 10, logged, bill.without(*INCIDENT, *LOG), published=0.5)
    whole = intake_dollars(bill, MESSAGES, 10, logged, bill.writes)
    gate.at_most("each message opens an alert: intake and alert", show("parts", alone), 2.80, " $/M")
    gate.at_most("the same with its incident and the message log", show("parts", whole), 4.50, " $/M")
    show_items(bill, MESSAGES)
    gate.at_most("the alert's item", max(bill.largest.get("ALERT", 0), bill.largest.get("STATE", 0)), 1024, " bytes")
    gate.at_most("log of a healthy message", logged / MESSAGES, 150, " bytes")
    # Of warm processes: what runs at the same time for the first time.
    gate.at_most("new connections per message", connections / MESSAGES, 0.25)


def a_storm(scene, gate):
    integration = scene.deployment.integration("storm", scene.space("Storm", [scene.destination(101)]), {"type": "by_title"})
    texts = [f"storm {n % (MESSAGES // PER_KEY)}\nused {n}%" for n in range(MESSAGES)]
    bill, _, logged = messages(scene, integration, texts, MESSAGES)
    without = intake_dollars(bill, MESSAGES, MESSAGES, logged, bill.without(*LOG))
    whole = intake_dollars(bill, MESSAGES, MESSAGES, logged, bill.writes)
    gate.at_most(f"storm, {PER_KEY} messages per key and batch: without log", show("parts", without), 2.00, " $/M")
    gate.at_most("the same with the message log", show("parts", whole), 3.50, " $/M")
    show_items(bill, MESSAGES)
    gate.at_most("the alert state's item", bill.largest["STATE"], 1024, " bytes")


def notices_sent_singly(scene, gate, batch, limit):
    """Every notice to a group of its own, so that each is a post of its own; so many to one invocation."""
    space = scene.space("Loud", [scene.destination(10 * batch + n) for n in range(GROUPS)])
    integration = scene.deployment.integration("loud", space, {"type": "each_message"})
    scene.take("NoticesQueue")  # notices of the scenes before
    journal, sent, posts, logged = [], 0, 0, 0
    for n in range(6):
        if n == 1:  # the process has started, and has read what it keeps
            journal, sent, posts, logged = [], 0, len(scene.group.shown), log_bytes(scene.emulator)
        scene.counted()
        scene.post(integration, [f"cpu hot on web-{n}"])
        scene.invoke("EvaluateFunction", scene.take("MessagesQueue"), 10)
        notices = [call for call in scene.counted()[0] if call[1].startswith("Notices")]
        records = scene.take("NoticesQueue")
        scene.counted()
        scene.invoke("NotifyFunction", records, batch)
        journal += notices + scene.counted()[0]
        sent += len(records)
        time.sleep(0.3)  # a group takes five in a second
    shown = len(scene.group.shown) - posts
    assert shown == sent == 5 * GROUPS, f"{shown} posts of {sent} notices"
    bill = prices.Bill(journal)
    parts = {
        "queues": (bill.fifo / sent + 2 / batch) * prices.SQS_FIFO + bill.sqs / sent * prices.SQS,
        "notify": prices.lambda_dollars(1 / batch, prices.NOTIFY_MS, 128),
        "writes": bill.writes / sent * prices.WRITE_UNIT,
        "reads": bill.reads / sent * prices.READ_UNIT,
        "logs": (log_bytes(scene.emulator) - logged) / sent / 1000 * prices.LOG_GB,
    }
    gate.at_most(f"notices that are sent singly, {batch} to an invocation", show("parts", parts), limit, " $/M")
    show_items(bill, sent)


def show_items(bill, count):
    for kind, largest in sorted(bill.largest.items()):
        print(f"         {bill.written[kind] / count:6.2f}  write units of {kind}, largest item {largest} bytes")


def an_idle_month(emulator, gate):
    cloudwatch, secrets = emulator.client("cloudwatch"), emulator.client("secretsmanager")
    mappings = emulator.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    fifo = sum("Notices" in mapping["EventSourceArn"] for mapping in mappings)
    parts = prices.idle(
        queues=len(mappings) - fifo,
        fifo_queues=fifo,
        secrets=len(secrets.list_secrets()["SecretList"]),
        alarms=len(cloudwatch.describe_alarms()["MetricAlarms"]),
        timers_mb=128,
        timers_reads=8,
    )
    gate.at_most("an idle month", show("parts", parts), 0.99, " $")


def main():
    sam, built = sys.argv[1:]
    group, emulator, gate = FakeGroup(), Emulator(), Gate()
    try:
        outputs = emulator.deploy(sam, built, "larkspur", {"AlarmsToNobody": "yes"}, {"ProviderBase": group.base})
        scene = Scene(Deployment(emulator, outputs), emulator, group)
        an_idle_month(emulator, gate)
        evaluate, notify = scene.deployment.function("EvaluateFunction"), scene.deployment.function("NotifyFunction")
        with emulator.held(evaluate), emulator.held(notify):
            each_message_opens_an_alert(scene, gate)
            a_storm(scene, gate)
            # One to an invocation is the dearest there is. The model counts a FIFO queue's requests at the price of a
            # standard one's ($0.40); at their own, the floor of three writes and two requests is $3.63.
            notices_sent_singly(scene, gate, 1, 3.85)
            notices_sent_singly(scene, gate, GROUPS, 3.60)
    except Exception:
        print(emulator.log()[-2000:])
        raise
    finally:
        emulator.stop()
        group.stop()
    print(f"{gate.passed} passed, {gate.failed} failed")
    return 1 if gate.failed else 0


if __name__ == "__main__":
    sys.exit(main())
