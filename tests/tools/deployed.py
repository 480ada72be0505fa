#!/usr/bin/env python3
"""Deploys the built functions to an independent AWS emulator and sends messages through them, from end to end.

    deployed.py SAM BUILT_TEMPLATE

SAM is the `sam` command, BUILT_TEMPLATE what `sam build` wrote. Prints one line per check, the AWS calls per message, and
`N passed, N failed` at last. Access rules are enforced: a call that a function's role does not allow fails a check.
"""

import html
import json
import re
import sys
import time
import traceback
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from slack_sdk.signature import SignatureVerifier

from emulator import Emulator
from fake_group import FakeGroup

BOT = "https://open.feishu.cn/open-apis/bot/v2/hook/0c0ffee0-0000-4000-8000-00000000cafe"
SIGNING_SECRET = "canary-signing-secret"
SUCCESS = b'{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}'
PASSWORD = "correct horse battery staple"
BURST = 100
FLOOD = 200


class Deployment:
    """What an operator and a sender see of it."""

    def __init__(self, emulator, outputs):
        self.emulator, self.outputs, self.api_key = emulator, outputs, None
        self.host = f"{outputs['ApiId']}.execute-api.localhost:{emulator.port}"

    def request(self, path, body=None, method=None, key=None, headers=None):
        """Status and body, by the API's own host name."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Host": self.host, "Content-Type": "application/json", **(headers or {})}
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


class Person:
    """A browser without scripts: follows no redirect by itself, keeps cookies, and posts the form that a page shows."""

    def __init__(self, deployment):
        self.deployment, self.cookies = deployment, {}

    def open(self, path, form=None):
        """Status, headers and text of a page, or of what a form answers."""
        headers = {"Host": self.deployment.host, "Cookie": "; ".join(f"{n}={v}" for n, v in self.cookies.items())}
        if form is not None:
            # As browsers do where a page says no-referrer.
            headers |= {"Origin": "null", "Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}
        data = None if form is None else urllib.parse.urlencode(form).encode()
        request = urllib.request.Request(self.deployment.emulator.url + path, data=data, headers=headers)
        try:
            answer = urllib.request.build_opener(NoRedirect).open(request, timeout=60)
        except urllib.error.HTTPError as error:
            answer = error
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.split(";")[0].partition("=")
            self.cookies[name] = value
        return answer.status, answer.headers, answer.read().decode()

    def press(self, path, action):
        """Opens a page and presses the button that leads to `action`; where the answer leads."""
        status, _, page = self.open(path)
        page = html.unescape(page)
        expect(status == 200 and action in page, f"{path} answers {status} without {action}: {page[:500]}")
        main = page.split("<main", 1)[1]
        hidden = {name: re.search(f'name="{name}" value="([^"]*)"', main)[1] for name in ("form_token", "episode")}
        status, headers, answer = self.open(action, hidden)
        expect(status == 303, f"{action} answers {status} {answer[:500]}")
        return headers["Location"]


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


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

    # Proves: same-everywhere
    def a_message_is_answered_as_feishu_does_and_reaches_the_group():
        content = lambda word: {"any": [{"all": [{"field": "content", "op": "match", "values": [word]}]}]}
        rules = {"type": "by_rules", "trigger": [{}], "close": [content("/RESOLVED/")], "unmatched": "discard"}
        rules["key"] = [{"field": "content", "pattern": r"/host=(\S+)/"}]
        world["seed"] = deployment.integration("seed", world["space"], rules)
        status, body = deployment.post(world["seed"], "FIRING disk full host=db-1")
        expect((status, body) == (200, SUCCESS), f"{status} {body}")
        world["seen"] = group.sees("disk full host=db-1", within=30)
        expect(world["seen"], f"the group sees {group.shown}")

    def a_resolved_message_closes_the_alert_and_notifies_the_same_group():
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

    def an_incident_is_left_alone_that_has_a_repetition_and_a_next_level():
        settings = {"url": BOT + "02"}
        second = deployment.api("POST", "/destinations", {"name": "second", "channel": "feishu_bot", "settings": settings})["id"]
        space = deployment.api("POST", "/spaces", {"name": "Levels", "destinations": []})["id"]
        first = deployment.api("GET", f"/spaces/{world['space']}")["destinations"][0]
        levels = [
            {"groups": [{"destination": first}], "repeat": {"times": 1, "every_seconds": 30}, "next": {"after_minutes": 1}},
            {"groups": [{"destination": second}]},
        ]
        deployment.api("POST", f"/spaces/{space}/escalation-rules", {"name": "Always", "levels": levels})
        slow = deployment.integration("levels", space, {"type": "each_message"})
        deployment.post(slow, "nobody reacts")
        expect(group.sees("nobody reacts", within=30), f"the group sees {group.shown}")
        world["left alone"] = time.monotonic()

    def a_person_becomes_administrator_by_a_link_sees_the_incidents_and_acknowledges_one():
        answer = deployment.invoke("ConsoleFunction", {"larkspur": "create_setup_link"})
        link = urllib.parse.urlparse(next(value for value in answer.values() if "/set-up/" in str(value))).path
        person = Person(deployment)
        status, headers, page = person.open(link)
        expect(status == 200 and "password" in page, f"{status} {page[:300]}")
        ada = {"name": "Ada", "email": "ada@example.com", "password": PASSWORD}
        status, headers, page = person.open(link, ada)
        expect((status, headers["Location"]) == (303, "/incidents"), f"{status} {headers} {page[:300]}")
        cookie = headers["Set-Cookie"]
        expect("HttpOnly" in cookie and "SameSite=Lax" in cookie, f"the session is kept by {cookie.split('=')[0]}")
        expect(Person(deployment).open(link)[0] == 410, "the link is good once")
        deployment.post(world["seed"], "FIRING disk full host=db-7")
        expect(group.sees("host=db-7", within=30), f"the group sees {group.shown}")
        incident = deployment.api("GET", "/incidents?progress=triggered&limit=1")["items"][0]
        status, headers, page = person.open("/incidents")
        expect(status == 200 and "disk full host=db-7" in html.unescape(page), f"{status} {page[-2000:]}")
        place = f"/incidents/{incident['id']}"
        person.press(place, f"{place}/acknowledge")
        shown = deployment.api("GET", place)
        expect(shown["progress"] == "processing" and "Ada" in json.dumps(shown["timeline"]), f"{shown}")
        expect(group.sees("host=db-7", "Acknowledged", within=30), f"the group sees {group.shown}")
        expect(Person(deployment).open(place)[1]["Location"].startswith("/sign-in?next="), "a stranger is asked to sign in")

    def every_page_is_guarded_by_its_headers_and_an_unknown_path_is_nobodys():
        for path in ("/incidents", "/sign-in", "/set-up/first.gone"):
            _, headers, _ = Person(deployment).open(path)
            wanted = {"Cache-Control": "no-store", "Referrer-Policy": "same-origin", "X-Content-Type-Options": "nosniff"}
            kept = {name: headers[name] for name in wanted}
            expect(kept == wanted and "default-src 'none'" in headers["Content-Security-Policy"], f"{path}: {headers}")
        for path in ("/nothing", "/api", "/.env", "/incidents/..%2f..%2f"):
            status, _, page = Person(deployment).open(path)
            expect(status in (303, 404) and "Traceback" not in page, f"{path} answers {status} {page[:300]}")

    def a_message_is_tried_without_effect_and_replayed_with_it():
        path = f"/integrations/{world['seed']['id']}"
        body = {"msg_type": "text", "content": {"text": "FIRING host=db-9"}}
        tried = deployment.api("POST", f"{path}/try", {"body": body})
        expect(tried["outcome"] == "triggered" and tried["alert_key"] == "db-9", f"{tried}")
        newest = deployment.api("GET", f"{path}/messages?limit=1")["items"][0]
        deployment.api("POST", f"{path}/messages/{newest['id']}/replay")
        expect(len(deployment.outcomes(world["seed"], 5)) == 5, "the replayed message has an outcome")

    def an_unknown_key_is_refused_in_the_protocol():
        status, body = deployment.request("/open-apis/bot/v2/hook/000000000000000000", b"{}", "POST")
        expect(status == 200 and json.loads(body)["code"] == 19001, f"{status} {body}")

    # Proves: fault 72
    def a_callback_that_slacks_own_package_signed_links_a_chat_user_and_a_forged_one_does_not():
        secret = "signing-secret-of-the-app"
        settings = {"team_id": "T01", "app_id": "A01", "signing_secret": secret, "token": "xoxb-1"}
        account = deployment.api("POST", "/accounts", {"name": "Acme", "channel": "slack_app", "settings": settings})["id"]
        member = deployment.api("POST", "/members", {"name": "Ada"})["id"]
        code = deployment.api("POST", f"/accounts/{account}/link-codes", {"member": member})["command"]
        event = {"type": "message", "channel_type": "im", "user": "U01", "channel": "D01", "text": code}
        body = json.dumps({"type": "event_callback", "event_id": "Ev1", "team_id": "T01", "api_app_id": "A01", "event": event})
        links = lambda: [link["user"] for link in deployment.api("GET", f"/members/{member}")["links"]]
        for key, status, linked in (("another secret", 401, []), (secret, 200, ["U01"])):
            at = str(int(time.time()))
            signature = SignatureVerifier(key).generate_signature(timestamp=at, body=body)
            headers = {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": signature}
            answer = deployment.request(f"/callbacks/slack/{account}/events", body.encode(), "POST", headers=headers)
            expect(answer == (status, b"") and links() == linked, f"{key}: {answer}, linked {links()}")

    def a_poison_message_reaches_the_dead_queue_and_its_neighbour_the_group():
        sqs = emulator.client("sqs")
        sqs.send_message(QueueUrl=queue_url(sqs, "MessagesQueue"), MessageBody="no message", MessageGroupId="poison")
        deployment.post(world["seed"], "FIRING disk full host=db-3")
        expect(group.sees("host=db-3", within=30), "the neighbour is shown")
        dead = sqs.receive_message(QueueUrl=deployment.outputs["MessagesDeadQueueUrl"], WaitTimeSeconds=20)
        expect([m["Body"] for m in dead.get("Messages", [])] == ["no message"], f"the dead queue holds {dead}")

    def a_message_that_failed_while_a_setting_was_wrong_is_redriven_and_takes_effect():
        sqs, functions, name = emulator.client("sqs"), emulator.client("lambda"), deployment.function("EvaluateFunction")
        queue, dead = queue_url(sqs, "MessagesQueue"), deployment.outputs["MessagesDeadQueueUrl"]
        arn = lambda url: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        waits = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
        # 24 minutes are eight tries three minutes apart: here two, a second apart.
        redrive = json.dumps({"deadLetterTargetArn": arn(dead), "maxReceiveCount": 2})
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "1", "RedrivePolicy": redrive})
        right = functions.get_function_configuration(FunctionName=name)["Environment"]
        wrong = {"Variables": right["Variables"] | {"ALERTS_TABLE": "no-such-table"}}
        begin = len(emulator.log())
        functions.update_function_configuration(FunctionName=name, Environment=wrong)
        status, _ = deployment.post(world["seed"], "FIRING disk full host=db-8")
        expect(status == 200, "the sender is answered all the same")
        deadline = time.monotonic() + 60
        while not any("db-8" in body for body in peek(sqs, dead)) and time.monotonic() < deadline:
            time.sleep(0.5)
        expect(time.monotonic() < deadline, f"the dead queue holds {peek(sqs, dead)}")
        functions.update_function_configuration(FunctionName=name, Environment=right)
        kept = {part: waits[part] for part in ("VisibilityTimeout", "RedrivePolicy")}
        sqs.set_queue_attributes(QueueUrl=queue, Attributes=kept)
        expect(not group.sees("host=db-8", within=0.1), "nobody has been notified so far")
        # What SQS's own redrive does, which the emulator lacks: sent again, under an id of its own, and deleted there.
        for message in sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=10).get("Messages", []):
            if "db-8" in message["Body"]:
                sqs.send_message(QueueUrl=queue, MessageBody=message["Body"], MessageGroupId=world["seed"]["id"])
                sqs.delete_message(QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"])
        expect(group.sees("host=db-8", within=60), f"the group sees {group.shown[-3:]}")
        world["refused on purpose"] = begin, len(emulator.log())

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

    def what_fell_due_has_reached_its_groups_to_the_second():
        times = [at for at, (path, text) in zip(group.at, group.shown) if "nobody reacts" in text]
        deadline = world["left alone"] + 90
        while len(times) < 3 and time.monotonic() < deadline:
            time.sleep(0.5)
            times = [at for at, (path, text) in zip(group.at, group.shown) if "nobody reacts" in text]
        paths = [path[-2:] for path, text in group.shown if "nobody reacts" in text]
        expect(paths == ["fe", "fe", "02"], f"notified: {paths}")
        late = [times[1] - times[0] - 30, times[2] - times[0] - 60]
        expect(all(-1 < seconds < 20 for seconds in late), f"late by {late} s")
        print(f"         repeated {late[0]:+.1f} s, escalated {late[1]:+.1f} s from when it was due")

    def a_burst_of_new_alerts_is_counted():
        silent = deployment.api("POST", "/spaces", {"name": "Silent", "destinations": []})["id"]
        each = deployment.integration("each", silent, {"type": "each_message"})
        world["calls"]["each message opens an alert"] = burst(deployment, emulator, each, lambda n: f"alert {n}")
        storm = deployment.integration("storm", silent, {"type": "by_title"})
        world["calls"]["storm over one alert key"] = burst(deployment, emulator, storm, lambda n: f"storm\n{n}")

    # Proves: same-everywhere
    def the_ledger_balances():
        hours = deployment.api("GET", "/ledger?hours=2")["items"]
        expect(hours and all(hour["balanced"] for hour in hours), f"{hours}")
        taken = sum(hour["messages"]["received"] for hour in hours)
        expect(taken >= 2 * BURST + FLOOD + 4, f"{hours}")

    def no_call_was_refused_and_no_log_holds_a_secret():
        log = emulator.log()
        begin, end = world["refused on purpose"]
        refused = re.findall(r".*(?:AccessDenied|not authorized to perform).*", log[:begin] + log[end:])
        expect(not refused, refused[:3])
        for secret in (BOT.rsplit("/", 1)[1], SIGNING_SECRET, deployment.api_key, world["seed"]["url"].rsplit("/", 1)[1]):
            expect(secret not in log, "a secret is in the log")

    # Proves: finding A1
    def an_incident_that_reaches_nobody_becomes_the_metric_that_its_alarm_watches():
        alarms = emulator.client("cloudwatch").describe_alarms()["MetricAlarms"]
        alarm = next(alarm for alarm in alarms if alarm["MetricName"] == "Untold")
        watched = alarm["Namespace"], alarm["MetricName"], tuple(one["Name"] for one in alarm.get("Dimensions", []))
        # The bursts were in a space without destinations.
        expect(emulator.metrics()[watched] >= BURST, f"{watched} is watched, {emulator.metrics()} is written")

    # Proves: finding A6
    def a_second_deployment_takes_over_the_tables_and_the_data_key_that_the_first_one_leaves():
        kept = {"ConfigTable": "ConfigTableName", "AlertsTable": "AlertsTableName", "DataKey": "DataKeyArn"}
        parameters = {f"Existing{name}": deployment.outputs[output] for name, output in kept.items()}
        alerts = deployment.api("GET", "/alerts?status=closed")["items"]
        emulator.delete("larkspur")
        again = Deployment(emulator, world["again"](parameters | {"AlarmsToNobody": "yes"}))
        again.api_key = deployment.api_key
        expect(again.api("GET", "/alerts?status=closed")["items"] == alerts, "the alerts are there")
        ops = again.api("GET", f"/spaces/{world['space']}")["destinations"][0]
        tested = again.api("POST", f"/destinations/{ops}/test")
        expect(tested["outcome"] == "delivered", f"what is sealed with the kept data key opens: {tested}")

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


def peek(sqs, url):
    """The bodies that a queue holds; they stay there."""
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0).get("Messages", [])
    return [message["Body"] for message in messages]


def queue_url(sqs, name):
    return next(url for url in sqs.list_queues()["QueueUrls"] if f"-{name}-" in url)


def main():
    sam, built = sys.argv[1:]
    group, emulator = FakeGroup(), Emulator()
    passed, failed = 0, 0
    calls = {}
    try:
        hosts = {"ProviderBase": group.base}
        outputs = emulator.deploy(sam, built, "larkspur", {"AlarmsToNobody": "yes"}, hosts)
        print("    ok   sam deploy")
        world = {"deployment": Deployment(emulator, outputs), "group": group, "emulator": emulator, "calls": calls}
        world["again"] = lambda parameters: emulator.deploy(sam, built, "again", parameters, hosts)
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
