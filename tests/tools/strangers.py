"""What has no business with the embedded AWS services, for tests/faults/embedded.rs: a web page, and another user.

    strangers.py page JSON      a page of another origin in headless Chromium
    strangers.py user JSON      a program of the same user; the standard library alone

JSON: `ports`, all on which the program under test listens, and `base`, its public address. Each asks every port as an SDK would.
An answer that has anything of AWS in it ends this with a sentence and exit code 1.
"""

import http.server
import json
import os
import sys
import threading
import urllib.error
import urllib.request

SIGNATURE = "AWS4-HMAC-SHA256 Credential=local/20990101/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=0"
API_KEY = {"pk": {"S": "APIKEY#stranger"}, "sk": {"S": "APIKEY"}, "name": {"S": "stranger"}}
CALLS = [
    ("dynamodb", "DynamoDB_20120810.ListTables", {}),
    ("dynamodb", "DynamoDB_20120810.PutItem", {"TableName": "larkspur-Storage-ConfigTable", "Item": API_KEY}),
    ("sqs", "AmazonSQS.ListQueues", {}),
    ("secretsmanager", "secretsmanager.GetSecretValue", {"SecretId": "larkspur-Storage-DataKey"}),
]
FORM = "Action=ListTopics&Version=2010-03-31"
# Words of any answer of AWS, also of a refusal.
MARKS = ["TableNames", "QueueUrls", "SecretString", "ListTopicsResponse", "amazonaws", "amazon.coral", "Exception", "dynamodb"]


def requests():
    for service, target, body in CALLS:
        yield {"x-amz-target": target, "content-type": "application/x-amz-json-1.0", "x-amz-date": "20990101T000000Z",
               "authorization": SIGNATURE.format(service)}, json.dumps(body)
    yield {"content-type": "application/x-www-form-urlencoded", "authorization": SIGNATURE.format("sns")}, FORM


def is_of_aws(text):
    return any(mark.lower() in text.lower() for mark in MARKS)


def user(known):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for port in known["ports"]:
        for path in ("/", "/000000000000/larkspur-Messages"):
            for headers, body in requests():
                request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body.encode(), headers)
                try:
                    with opener.open(request, timeout=20) as answer:
                        status, text = answer.status, answer.read().decode(errors="replace")
                except urllib.error.HTTPError as refused:
                    status, text = refused.code, refused.read().decode(errors="replace")
                if is_of_aws(text) or status == 200:
                    sys.exit(f"user {os.getuid()} asked port {port} {headers.get('x-amz-target')}: {status} {text[:200]}")


class Page(http.server.BaseHTTPRequestHandler):
    """An empty page of an origin of its own."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>elsewhere</title>")

    def log_message(self, *_):
        pass


# Once as an SDK asks, which needs the other side's consent (CORS), and once as any form is sent, whose answer is hidden.
SCRIPT = """async ([ports, requests]) => {
  const read = [];
  for (const port of ports) for (const [headers, body] of requests) {
    try {
      const answer = await fetch(`http://127.0.0.1:${port}/`, {method: 'POST', headers, body});
      read.push(`${port} ${headers['x-amz-target']}: ${answer.status} ${(await answer.text()).slice(0, 200)}`);
    } catch { /* no consent, or nobody there */ }
    try {
      const answer = await fetch(`http://127.0.0.1:${port}/`, {method: 'POST', mode: 'no-cors', body});
      if (answer.type !== 'opaque') read.push(`${port}: ${answer.type}`);
    } catch { /* nobody there */ }
  }
  return read;
}"""


def page(known):
    from playwright.sync_api import sync_playwright
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"])
        opened = chromium.new_page()
        opened.goto(f"http://127.0.0.1:{server.server_port}/")
        read = opened.evaluate(SCRIPT, [known["ports"], list(requests())])
        chromium.close()
    if read:
        sys.exit(f"the page read: {read}")


if __name__ == "__main__":
    {"page": page, "user": user}[sys.argv[1]](json.loads(sys.argv[2]))
