"""A proxy between the functions and the emulator that counts every AWS call, retries of the SDK included."""

import collections
import http.client
import http.server
import json
import threading
import urllib.parse


class CountingProxy:
    """Listens on a free port of this machine; `calls` counts (action, resource), `connections` what was opened."""

    def __init__(self, target_port):
        self.calls = collections.Counter()
        self.connections = 0
        # Every call with its answer, (action, resource, request, answer), from when someone makes this a list.
        self.journal = None
        self._lock = threading.Lock()
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                with proxy._lock:
                    proxy.connections += 1

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                call = named(self.headers, body)
                with proxy._lock:
                    proxy.calls[call] += 1
                upstream = http.client.HTTPConnection("127.0.0.1", target_port, timeout=60)
                # The Host header stays as the caller signed it.
                upstream.request("POST", self.path, body, dict(self.headers))
                answer = upstream.getresponse()
                content = answer.read()
                if proxy.journal is not None:
                    proxy.journal.append((*call, body, content))
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("connection", "content-length", "date", "server", "transfer-encoding"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
                upstream.close()

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def take(self):
        """The counts since the last call of this."""
        with self._lock:
            counts, self.calls = self.calls, collections.Counter()
        return counts

    def stop(self):
        self._server.shutdown()


def named(headers, body):
    """`("dynamodb:PutItem", "AlertsTable")`: the action as IAM calls it, and the logical name of what it is done to."""
    target = headers.get("X-Amz-Target")
    if not target:  # SNS speaks the older form
        fields = urllib.parse.parse_qs(body.decode())
        return f"sns:{fields['Action'][0]}", logical(fields.get("TopicArn", [""])[0])
    service, action = target.split(".", 1)
    service = {"AmazonSQS": "sqs", "secretsmanager": "secretsmanager"}.get(service, "dynamodb")
    request = json.loads(body)
    items = request.get("TransactItems")
    names = [
        request.get("QueueUrl"),
        request.get("SecretId"),
        request.get("TableName"),
        *request.get("RequestItems", {}),
        *(next(iter(item.values())).get("TableName") for item in items or []),
    ]
    return f"{service}:{action}", " ".join(sorted({logical(name) for name in names if name}))


def logical(physical):
    """CloudFormation calls a resource stack-LogicalName-random."""
    parts = physical.removesuffix(".fifo").rsplit("/", 1)[-1].rsplit(":", 1)[-1].split("-")
    named = [part for part in parts if part.endswith(("Queue", "Table", "Topic", "Key"))]
    return named[-1] if named else physical
