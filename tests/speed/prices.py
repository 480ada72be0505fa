"""What AWS charges, and the arithmetic from counted calls to dollars per million messages."""

import json
import math

# us-east-1, on demand, without the free tier; read on 2026-11-22 from aws.amazon.com/{api-gateway,lambda,sqs,sns,dynamodb,
# cloudwatch,secrets-manager}/pricing and /ec2/pricing/on-demand. Dollars per million, unless noted.
HTTP_API = 1.00
LAMBDA_REQUEST = 0.20
LAMBDA_GB_SECOND = 16.6667  # x86_64, the default; arm64 13.3334
SQS = 0.40
SQS_FIFO = 0.50
SNS = 0.50
WRITE_UNIT = 0.625
READ_UNIT = 0.125
LOG_GB = 0.50  # a GB
EGRESS_GB = 0.09  # a GB
SECRET_MONTH = 0.40  # each
ALARM_MONTH = 0.10  # each beyond the free ones
FREE_ALARMS = 10
STORED_GB_MONTH = 0.25  # a GB

# Units.
WRITE_BYTES = 1024
READ_BYTES = 4096
CHUNK_BYTES = 64 * 1024
BATCH = 10  # the most that one ReceiveMessage or DeleteMessageBatch moves
ACCESS_LOG_BYTES = 72  # of a request to the intake: id, address, status, route
ANSWER_BYTES = 350  # of the gateway to a sender, headers included

# Milliseconds that are billed, because calls take longer on AWS than on this machine: a queue's answer within ingest, a
# handful of writes in a row within evaluate, a provider's answer within notify.
INGEST_MS = 10
EVALUATE_MS, EVALUATE_MS_PER_MESSAGE = 25, 2
NOTIFY_MS = 300
TIMERS_MS = 50

# Polling of an idle queue: Lambda keeps so many long polls of 20 seconds open.
POLLERS = 2
MONTH_SECONDS = 30 * 24 * 3600


def lambda_dollars(invocations, milliseconds, memory_mb):
    return invocations * (LAMBDA_REQUEST + memory_mb / 1024 * milliseconds / 1000 * LAMBDA_GB_SECOND)


def item_bytes(item):
    """Of an item in DynamoDB's JSON: names and values, as the documentation on item sizes counts them."""
    return sum(len(name.encode()) + value_bytes(value) for name, value in item.items())


def value_bytes(value):
    ((kind, content),) = value.items()
    if kind == "S":
        return len(content.encode())
    if kind == "B":
        return len(content) * 3 // 4
    if kind == "N":
        return math.ceil(len(content.lstrip("-0").replace(".", "")) / 2) + 1
    if kind in ("BOOL", "NULL"):
        return 1
    if kind == "M":
        return 3 + item_bytes(content) + len(content)
    if kind == "L":
        return 3 + sum(value_bytes(each) + 1 for each in content)
    return sum(value_bytes({kind[0]: each}) for each in content)  # a set


def write_units(size):
    return max(1, math.ceil(size / WRITE_BYTES))


def read_units(size, consistent):
    return max(1, math.ceil(size / READ_BYTES)) * (1 if consistent else 0.5)


class Bill:
    """The units of calls that were counted."""

    def __init__(self, journal):
        self.writes = self.reads = self.sqs = self.fifo = self.sns = 0
        # The largest item of each kind (the word that its key begins with), and how many units were written of it.
        self.largest, self.written = {}, {}
        for action, resource, request, answer in journal:
            service, operation = action.split(":")
            if service == "sns":
                self.sns += math.ceil(len(request) / CHUNK_BYTES)
            elif service == "sqs":
                chunks = math.ceil(len(request) / CHUNK_BYTES) if operation.startswith("Send") else 1
                if resource.startswith("Notices"):
                    self.fifo += chunks
                else:
                    self.sqs += chunks
            elif service == "dynamodb":
                self._dynamodb(operation, json.loads(request), json.loads(answer or b"{}"))

    def _dynamodb(self, operation, request, answer):
        if operation == "PutItem":
            # What is refused is billed as well.
            self._write(request["Item"])
        elif operation == "UpdateItem":
            self._write(answer.get("Attributes") or answer.get("Item") or request["Key"])
        elif operation == "DeleteItem":
            self._write(request["Key"])
        elif operation == "BatchWriteItem":
            for write in (write for table in request["RequestItems"].values() for write in table):
                self._write(write["PutRequest"]["Item"] if "PutRequest" in write else write["DeleteRequest"]["Key"])
        elif operation == "TransactWriteItems":
            for write in (next(iter(item.values())) for item in request["TransactItems"]):
                self._write(write.get("Item") or write["Key"], times=2)
        elif operation == "GetItem":
            self.reads += read_units(item_bytes(answer.get("Item", {})), request.get("ConsistentRead"))
        elif operation == "Query":
            size = sum(item_bytes(item) for item in answer.get("Items", []))
            self.reads += read_units(size, request.get("ConsistentRead"))
        elif operation == "BatchGetItem":
            for table, found in answer.get("Responses", {}).items():
                consistent = request["RequestItems"][table].get("ConsistentRead")
                self.reads += sum(read_units(item_bytes(item), consistent) for item in found)
        else:
            raise ValueError(f"the price of {operation} is not known")

    def _write(self, item, times=1):
        kind = item["pk"]["S"].split("#")[0]
        size = item_bytes(item)
        self.largest[kind] = max(size, self.largest.get(kind, 0))
        self.writes += times * write_units(size)
        self.written[kind] = self.written.get(kind, 0) + times * write_units(size)

    def without(self, *kinds):
        """Write units of all other kinds."""
        return self.writes - sum(self.written.get(kind, 0) for kind in kinds)


def idle(queues, fifo_queues, secrets, alarms, timers_mb, timers_reads):
    """Dollars a month of a deployment that nothing happens to, by its parts."""
    polls = POLLERS * MONTH_SECONDS / 20 / 1e6
    sweeps = MONTH_SECONDS / 60 / 1e6
    return {
        "event sources that poll": polls * (SQS * queues + SQS_FIFO * fifo_queues),
        "secrets": secrets * SECRET_MONTH,
        "alarms": max(0, alarms - FREE_ALARMS) * ALARM_MONTH,
        "timers": lambda_dollars(sweeps, TIMERS_MS, timers_mb) + sweeps * timers_reads * 0.5 * READ_UNIT,
        "stored bytes, logs": 0.01,
    }
