#!/usr/bin/env python3
"""Deploys the built functions to an independent AWS emulator and sends messages through them, from end to end.

    deployed.py SAM BUILT_TEMPLATE

SAM is the `sam` command, BUILT_TEMPLATE what `sam build` wrote. Prints one line per check, the AWS calls per message, and
`N passed, N failed` at last. Access rules are enforced: a call that a function's role does not allow fails a check.
"""

import json
import re
import sys
import time
import traceback
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from emulator import Emulator
from fake_group import FakeGroup

BOT = "https://open.feishu.cn/open-apis/bot/v2/hook/0c0ffee0-0000-4000-8000-00000000cafe"
SIGNING_SECRET = "canary-signing-secret"
SUCCESS = b'{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}'
BURST = 100
FLOOD = 200


class Deployment:
    """What an operator and a sender see of it."""

    def __init__(self, emulator, outputs):
        self.emulator, self.outputs, self.api_key = emulator, outputs, None
        self.host = f"{outputs['ApiId']}.execute-api.localhost:{emulator.port}"

    def request(self, path, body=None, method=None, key=None):
        """Status and body, by the API's own host name."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Host": self.host, "Content-Type": "application/json"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        request = urllib.request.Request(self.emulator.url + path, data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def api(self, method, path, body=None):
        status, content = self.request("/api/v1" + path, body, method, self.api_key)
        expect(status < 300, f"{method} {path} answers {status} {content[:300]}")
        return json.loads(content) if content else None

    def integration(self, name, space, push_mode):
        limits = {"per_second": 1000, "per_minute": 10000, "open_alerts": 10000}
        body = {"name": name, "space": space, "title_from": "first_line", "push_mode": push_mode, "limits": limits}
        return self.api("POST", "/integrations", body)

    def post(self, integration, text):
        path = "/" + integration["url"].split("/", 3)[3]
        return self.request(path, {"msg_type": "text", "content": {"text": text}}, "POST")

    def outcomes(self, integration, at_least, within=60):
        """The outcomes of an integration's messages, once there are so many."""
        deadline = time.monotonic() + within
        while True:
            items, after = [], ""
            while True:
                page = self.api("GET", f"/integrations/{integration['id']}/messages?limit=100{after}")
                items += page["items"]
                if not page["next"]:
                    break
                after = f"&after={page['next']}"
            if len(items) >= at_least or time.monotonic() > deadline:
                return [item["outcome"] for item in items]
            time.sleep(0.2)

    def function(self, name):
        functions = self.emulator.client("lambda").list_functions()["Functions"]
        return next(f["FunctionName"] for f in functions if f"-{name}-" in f["FunctionName"])

    def invoke(self, name, payload):
        answer = self.emulator.client("lambda").invoke(FunctionName=self.function(name), Payload=json.dumps(payload))
        content = answer["Payload"].read()
        expect("FunctionError" not in answer, f"{name} fails: {content[:300]}")
        return json.loads(content)


def expect(condition, otherwise):
    if not condition:
        raise AssertionError(otherwise)


def checks(world):
    """The checks in order; each works with what those before it made."""
    deployment, group, emulator = world["deployment"], world["group"], world["emulator"]

    def the_first_api_key_is_made_by_invoking_the_console():
        deployment.api_key = deployment.invoke("ConsoleFunction", {"larkspur": "create_api_key"})["api_key"]

    def a_destination_is_saved_and_its_test_arrives():
        settings = {"url": BOT, "secret": SIGNING_SECRET}
        saved = deployment.api("POST", "/destinations", {"name": "ops", "channel": "feishu_bot", "settings": settings})
        tested = deployment.api("POST", f"/destinations/{saved['id']}/test")
        expect(tested["outcome"] == "delivered" and group.shown, f"{tested}")
        space = deployment.api("POST", "/spaces", {"name": "Payments", "destinations": [saved["id"]]})
        world["space"] = space["id"]

    def a_message_is_answered_as_feishu_does_and_reaches_the_group():
        content = lambda word: {"any": [{"all": [{"field": "content", "op": "match", "values": [word]}]}]}
        rules = {"type": "by_rules", "trigger": [{}], "close": [content("/RESOLVED/")], "unmatched": "discard"}
        rules["key"] = [{"field": "content", "pattern": r"/host=(\S+)/"}]
        world["seed"] = deployment.integration("seed", world["space"], rules)
        status, body = deployment.post(world["seed"], "FIRING disk full host=db-1")
        expect((status, body) == (200, SUCCESS), f"{status} {body}")
        world["seen"] = group.sees("disk full host=db-1", within=30)
        expect(world["seen"], f"the group sees {group.shown}")

    def a_resolved_message_closes_the_alert_and_tells_the_same_group():
        deployment.post(world["seed"], "RESOLVED host=db-1")
        outcomes = deployment.outcomes(world["seed"], 2)
        expect(sorted(outcomes) == ["recovered", "triggered"], f"{outcomes}")
        expect(group.sees("host=db-1", after=world["seen"]), f"the group sees {group.shown}")
        alerts = deployment.api("GET", "/alerts?status=closed")["items"]
        expect([alert["alert_key"] for alert in alerts] == ["db-1"], f"{alerts}")

    def an_incident_shows_its_deliveries_and_can_be_acted_on():
        deployment.post(world["seed"], "FIRING disk full host=db-2")
        expect(group.sees("host=db-2", within=30), f"the group sees {group.shown}")
        incident = deployment.api("GET", "/incidents?progress=triggered")["items"][0]
        for action in ("acknowledge", "snooze", "close"):
            body = {"minutes": 5} if action == "snooze" else {}
            deployment.api("POST", f"/incidents/{incident['id']}/{action}", body)
        deadline = time.monotonic() + 30
        while True:
            shown = deployment.api("GET", f"/incidents/{incident['id']}")
            states = [delivery["state"] for delivery in shown["deliveries"]]
            if states and "pending" not in states or time.monotonic() > deadline:
                break
            time.sleep(0.2)
        expect(states == ["delivered"] and shown["progress"] == "closed", f"{shown}")
        status, _ = deployment.request(f"/incidents/{incident['id']}")
        expect(status == 200, f"the page answers {status}")

    def a_message_is_tried_without_effect_and_replayed_with_it():
        path = f"/integrations/{world['seed']['id']}"
        body = {"msg_type": "text", "content": {"text": "FIRING host=db-9"}}
        tried = deployment.api("POST", f"{path}/try", {"body": body})
        expect(tried["outcome"] == "triggered" and tried["alert_key"] == "db-9", f"{tried}")
        newest = deployment.api("GET", f"{path}/messages?limit=1")["items"][0]
        deployment.api("POST", f"{path}/messages/{newest['id']}/replay")
        expect(len(deployment.outcomes(world["seed"], 4)) == 4, "the replayed message has an outcome")

    def an_unknown_key_is_refused_in_the_protocol():
        status, body = deployment.request("/open-apis/bot/v2/hook/000000000000000000", b"{}", "POST")
        expect(status == 200 and json.loads(body)["code"] == 19001, f"{status} {body}")

    def a_poison_message_reaches_the_dead_queue_and_its_neighbour_the_group():
        sqs = emulator.client("sqs")
        sqs.send_message(QueueUrl=queue_url(sqs, "MessagesQueue"), MessageBody="no message", MessageGroupId="poison")
        deployment.post(world["seed"], "FIRING disk full host=db-3")
        expect(group.sees("host=db-3", within=30), "the neighbour is shown")
        dead = sqs.receive_message(QueueUrl=deployment.outputs["MessagesDeadQueueUrl"], WaitTimeSeconds=20)
        expect([m["Body"] for m in dead.get("Messages", [])] == ["no message"], f"the dead queue holds {dead}")

    def a_flood_is_folded_and_shows_every_alert():
        flood = deployment.integration("flood", world["space"], {"type": "each_message"})
        names = [f"flood-{n:03}." for n in range(FLOOD)]
        with emulator.held(deployment.function("EvaluateFunction")), ThreadPoolExecutor(8) as senders:
            expect(all(status == 200 for status, _ in senders.map(lambda name: deployment.post(flood, name), names)), "sent")
        before, deadline = len(group.shown), time.monotonic() + 150
        while time.monotonic() < deadline:
            shown = "".join(text for _, text in group.shown[before:])
            missing = [name for name in names if name not in shown]
            if not missing:
                break
            time.sleep(0.5)
        posts = len(group.shown) - before
        expect(not missing, f"{len(missing)} of {FLOOD} are never shown, first {missing[:3]}")
        expect(posts <= FLOOD / 2, f"{posts} posts for {FLOOD} alerts")
        print(f"         {FLOOD} alerts in {posts} posts")

    def the_minutes_sweep_does_what_it_may():
        deployment.invoke("TimersFunction", {"larkspur": "sweep"})

    def a_burst_of_new_alerts_is_counted():
        silent = deployment.api("POST", "/spaces", {"name": "Silent", "destinations": []})["id"]
        each = deployment.integration("each", silent, {"type": "each_message"})
        world["calls"]["each message opens an alert"] = burst(deployment, emulator, each, lambda n: f"alert {n}")
        storm = deployment.integration("storm", silent, {"type": "by_title"})
        world["calls"]["storm over one alert key"] = burst(deployment, emulator, storm, lambda n: f"storm\n{n}")

    def the_ledger_balances():
        hours = deployment.api("GET", "/ledger?hours=2")["items"]
        expect(hours and all(hour["balanced"] for hour in hours), f"{hours}")
        taken = sum(hour["messages"]["received"] for hour in hours)
        expect(taken >= 2 * BURST + FLOOD + 4, f"{hours}")

    def no_call_was_refused_and_no_log_holds_a_secret():
        log = emulator.log()
        refused = re.findall(r".*(?:AccessDenied|not authorized to perform).*", log)
        expect(not refused, refused[:3])
        for secret in (BOT.rsplit("/", 1)[1], SIGNING_SECRET, deployment.api_key, world["seed"]["url"].rsplit("/", 1)[1]):
            expect(secret not in log, "a secret is in the log")

    return [check for check in locals().values() if callable(check)]


def burst(deployment, emulator, integration, text):
    """Sends many messages, hands them to evaluate in full batches, as under load, and counts the AWS calls."""
    deployment.post(integration, text(0))
    deployment.outcomes(integration, 1)
    emulator.proxy.take()
    with emulator.held(deployment.function("EvaluateFunction")):
        for n in range(1, BURST + 1):
            status, body = deployment.post(integration, text(n))
            expect((status, body) == (200, SUCCESS), f"{status} {body}")
    outcomes = deployment.outcomes(integration, BURST + 1)
    expect(len(outcomes) == BURST + 1, f"{len(outcomes)} of {BURST + 1} have an outcome")
    # What the test itself asked of the API to see the outcomes reads only.
    return {call: n for call, n in emulator.proxy.take().items() if not call[0].endswith(":Query")}


def queue_url(sqs, name):
    return next(url for url in sqs.list_queues()["QueueUrls"] if f"-{name}-" in url)


def main():
    sam, built = sys.argv[1:]
    group, emulator = FakeGroup(), Emulator()
    passed, failed = 0, 0
    calls = {}
    try:
        outputs = emulator.deploy(sam, built, "larkspur", {"Architecture": "x86_64", "ProviderBase": group.base})
        print("    ok   sam deploy")
        world = {"deployment": Deployment(emulator, outputs), "group": group, "emulator": emulator, "calls": calls}
        for check in checks(world):
            name = check.__name__.replace("_", " ")
            started = time.monotonic()
            try:
                check()
                passed += 1
                print(f"    ok   {name} ({time.monotonic() - started:.1f} s)", flush=True)
            except Exception as error:
                failed += 1
                print(f"    FAIL {name}: {error}", flush=True)
                if not isinstance(error, AssertionError):
                    traceback.print_exc()
                print(emulator.log()[-4000:])
                print("\n".join(emulator.function_logs()[-40:]))
                break  # the later checks work with what this one made
    finally:
        emulator.stop()
        group.stop()
    for kind, counts in calls.items():
        print(f"AWS calls by the functions, {BURST} messages, {kind}:")
        for (action, resource), count in sorted(counts.items(), key=lambda item: -item[1]):
            print(f"    {count / BURST:7.2f}  {action} {resource}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
