#!/usr/bin/env python3
"""Records what a Larkspur leaves to the one that replaces it, for tests/faults/upgrade.rs.

    record_upgrade.py LARKSPUR FOLDER      LARKSPUR: the binary of `cargo build -p local`, of any age

It is given everything that it can keep, and killed while messages, notices and due work are under way. FOLDER then holds
`config.jsonl` and `alerts.jsonl` (items in DynamoDB's JSON), `queues.jsonl` (what waited), `answers.jsonl` (what the API said at
every address that shows something, just before) and `about.json`: keys, ids, and what groups were shown. What an old binary does
not know yet is left out.

The clock of the recording is far ahead, so that a test can start at the very moment at which it ended.
"""

import atexit
import calendar
import contextlib
import http.cookiejar
import json
import os
import pathlib
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

from fake_group import FakeGroup

START = "2099-01-04T12:00:00Z"
PASSWORD = "correct horse battery staple"


class Recording:
    def __init__(self, larkspur, data, providers):
        environment = os.environ | {
            "LARKSPUR_TEST_CLOCK": "1", "LARKSPUR_PROVIDER_BASE": providers, "LARKSPUR_PERSONAL_ACK_LINKS": "1",
            "LARKSPUR_TEST_CLOCK_AHEAD": str(seconds_until(START, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()))),
        }
        command = [larkspur, "--listen", "127.0.0.1:0", "--data", str(data)]
        server = [sys.executable, pathlib.Path(__file__).with_name("smtp_server.py"), "--port", "0"]
        self.mail = subprocess.Popen(server, stdout=subprocess.PIPE, text=True)
        self.mail_port = json.loads(self.mail.stdout.readline())["port"]
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.start = next(json.loads(line) for line in self.process.stdout if line.startswith("{"))
        self.base, self.left_out, self.known = self.start["listening"], [], {}
        self.cookies = http.cookiejar.CookieJar()
        self.browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))
        self.advance(seconds_until(START, self.advance(0)))

    def request(self, method, url, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.start['api_key']}"}
        request = urllib.request.Request(url, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def advance(self, seconds):
        """Moves the clock and waits a moment for what is due; the time that it is then."""
        status, text = self.request("POST", f"{self.base}/_local/clock", {"advance_seconds": int(seconds)})
        assert status == 200, text
        time.sleep(2 if seconds else 0)
        return json.loads(text)["now"]

    def api(self, method, path, body=None):
        status, text = self.request(method, f"{self.base}/api/v1{path}", body)
        assert status < 300, f"{method} {path}: {status} {text}"
        return json.loads(text) if text else None

    def make(self, name, path, body, method="POST"):
        """Something to be kept under a name; `None` if this Larkspur knows no such thing yet."""
        status, text = self.request(method, f"{self.base}/api/v1{path}", body)
        if status >= 300:
            self.left_out.append(f"{name}: {status} {text[:120]}")
            return None
        self.known[name] = json.loads(text)["id"] if '"id"' in text else name
        return json.loads(text)

    def sends(self, integration, text):
        body = {"msg_type": "text", "content": {"text": text}}
        status, answer = self.request("POST", integration["url"], body)
        assert status == 200, answer

    def says(self, integration, text):
        """Sent, and done with."""
        before = len(self.messages(integration))
        self.sends(integration, text)
        deadline = time.monotonic() + 30
        while len(self.messages(integration)) == before:
            assert time.monotonic() < deadline, f"{text} has no outcome"
            time.sleep(0.1)

    def messages(self, integration):
        return self.api("GET", f"/integrations/{integration['id']}/messages?limit=100")["items"]

    def form(self, path, fields):
        body = urllib.parse.urlencode(fields).encode()
        request = urllib.request.Request(self.base + path, body, {"Origin": self.base})
        with self.browser.open(request, timeout=60) as answer:
            return answer.read().decode()

    def answers(self):
        """What the API shows, by its address: every list, and each thing in it by itself."""
        lists = ["/destinations", "/spaces", "/integrations", "/mapping-tables", "/alerts", "/incidents", "/members", "/teams",
                 "/schedules", "/providers", "/sign-in/oidc"]
        shown = {}
        for path in lists:
            status, text = self.request("GET", f"{self.base}/api/v1{path}")
            if status != 200:
                continue
            shown[path] = json.loads(text)
            for item in shown[path].get("items", []):
                one = f"{path}/{item.get('id', item.get('channel'))}"
                shown[one] = self.api("GET", one)
        for space in shown["/spaces"]["items"]:
            for part in ["escalation-rules", "silences"]:
                status, text = self.request("GET", f"{self.base}/api/v1/spaces/{space['id']}/{part}")
                if status == 200:
                    shown[f"/spaces/{space['id']}/{part}"] = json.loads(text)
        for integration in shown["/integrations"]["items"]:
            path = f"/integrations/{integration['id']}/messages"
            shown[path] = self.api("GET", path)
            for message in shown[path]["items"]:
                shown[f"{path}/{message['id']}"] = self.api("GET", f"{path}/{message['id']}")
        return shown


def seconds_until(moment, now):
    parse = lambda text: calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))
    return max(0, parse(moment) - parse(now))


def has(field, pattern):
    return {"any": [{"all": [{"field": field, "op": "match", "values": [pattern]}]}]}


def configure(larkspur):
    """Something of every kind, and what stands in relation to it."""
    groups = {
        "ops": ("feishu_bot", {"url": "https://open.feishu.cn/open-apis/bot/v2/hook/ops", "secret": "test-secret-1"}),
        "held": ("feishu_bot", {"url": "https://open.feishu.cn/open-apis/bot/v2/hook/held"}),
        "slow": ("dingtalk_bot", {"url": "https://oapi.dingtalk.com/robot/send?access_token=slow", "secret": "SECtest"}),
        "wecom": ("wecom_bot", {"url": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=wecom"}),
        "slack": ("slack_webhook", {"url": "https://hooks.slack.com/services/T0000001/B0000001/slack"}),
        "telegram": ("telegram_bot", {"token": "123456:AAFxCAdxxyssbnSxE6Y8mTcOBT5rxxxxx", "chat_id": -100}),
        "zoom": ("zoom_webhook", {"url": "https://integrations.zoom.us/chat/webhooks/incomingwebhook/zoom",
                                  "verification_token": "verification-token-1"}),
    }
    for name, (channel, settings) in groups.items():
        larkspur.make(name, "/destinations", {"name": name, "channel": channel, "settings": settings})
    known = larkspur.known
    rows = {"name": "owners", "source_labels": ["host"], "result_labels": ["owner"], "rows": [{"host": "db-1", "owner": "ada"}]}
    larkspur.make("owners", "/mapping-tables", rows)
    smtp = {"host": "127.0.0.1", "port": larkspur.mail_port, "tls": "none", "from": "alerts@example.com"}
    larkspur.make("email", "/providers/email", {"settings": smtp}, "PUT")
    oidc = {"name": "Example Inc.", "issuer": "https://accounts.example.com", "client_id": "c", "client_secret": "test-client"}
    larkspur.make("oidc", "/sign-in/oidc", oidc, "PUT")
    for name, more in [("li", {"language": "zh", "time_zone": "Asia/Shanghai"}), ("wang", {"phone": "+8613800000000"})]:
        body = {"name": name, "email": f"{name}@example.com", "email_verified": True} | more
        if name == "wang":
            body |= {"email_verified": False, "preferences": {"Critical": [known["telegram"]]}}
        larkspur.make(name, "/members", body)
    if "li" in known:
        larkspur.make("dbas", "/teams", {"name": "DBAs", "members": [known["li"], known["wang"]]})
        layer = {"members": [known["li"], known["wang"]], "rotation": {"unit": "week", "starts_at": "2099-01-01T09:00:00"}}
        larkspur.make("primary", "/schedules", {"name": "Primary", "time_zone": "Asia/Shanghai", "layers": [layer]})
        instead = {"member": known["wang"], "from": "2099-02-01T00:00:00Z", "until": "2099-02-02T00:00:00Z"}
        larkspur.make("override", f"/schedules/{known['primary']}/overrides", instead)
    spaces = {
        "Ops": {"destinations": [known["ops"]]},
        "Channels": {"destinations": [known[name] for name in ("wecom", "slack", "telegram", "zoom")]},
        "Grouped": {"destinations": [known["ops"]], "grouping": {"by": ["title"], "window_minutes": 600},
                    "auto_close": {"after_minutes": 1440, "since": "trigger"}},
        "Flaps": {"destinations": [known["ops"]],
                  "flapping": {"mode": "mute", "changes": 2, "within_minutes": 60, "mute_minutes": 600}},
        "Levels": {"destinations": [known["ops"]]},
        "Quiet": {"destinations": [known["ops"]]},
        "Held": {"destinations": [known["held"]]},
        "Slow": {"destinations": [known["slow"]]},
        "Soon": {"destinations": [known["ops"]]},
    }
    for name, body in spaces.items():
        if larkspur.make(name, "/spaces", {"name": name} | body) is None:
            larkspur.make(name, "/spaces", {"name": name, "destinations": body["destinations"]})
    if "primary" in known:
        first = {"schedules": [known["primary"]], "groups": [{"destination": known["ops"], "mention": True}],
                 "repeat": {"times": 2, "every_seconds": 7200}, "next": {"after_minutes": 300}}
        second = {"members": [known["li"]], "teams": [known["dbas"]], "groups": [{"destination": known["slack"]}]}
        rule = {"name": "Day and night", "levels": [first, second],
                "templates": {"feishu_bot": {"en": "- Host: {{ labels.host }}"}}}
        larkspur.make("rule", f"/spaces/{known['Levels']}/escalation-rules", rule)
        soon = {"name": "Soon", "levels": [{"groups": [{"destination": known["ops"]}], "next": {"after_minutes": 1}},
                                           {"groups": [{"destination": known["slack"]}]}]}
        larkspur.make("soon", f"/spaces/{known['Soon']}/escalation-rules", soon)
        time_ = {"type": "once", "from": START, "until": "2099-01-06T12:00:00Z"}
        larkspur.make("silence", f"/spaces/{known['Quiet']}/silences", {"name": "Maintenance", "time": time_, "filter": {}})
    larkspur.make("pager", "/api-keys", {"name": "pager", "scopes": ["respond"]})
    if "pager" not in known:
        larkspur.make("pager", "/api-keys", {"name": "pager"})


def integrations(larkspur):
    known, made = larkspur.known, {}
    rules = {"type": "by_rules", "trigger": [{}], "close": [has("content", "/RESOLVED/")], "unmatched": "discard",
             "key": [{"field": "content", "pattern": r"/key=(\S+)/"}]}
    label = {"add_label": {"name": "host", "from": "description", "pattern": r"host=(\S+)"}}
    critical = {"when": has("description", "/level=critical/"), "set_severity": "Critical"}
    for space in ("Ops", "Channels", "Grouped", "Flaps", "Levels", "Quiet", "Held", "Slow", "Soon"):
        body = {"name": f"to {space}", "space": known[space], "push_mode": rules, "pipeline": [critical, label],
                "title_from": "first_line", "message_types": ["text", "post", "interactive"]}
        made[space] = larkspur.api("POST", "/integrations", body)
    each = {"name": "each", "space": known["Ops"], "security": {"secret": "test-intake-secret", "keywords": ["each"]}}
    made["each"] = larkspur.make("each", "/integrations", {"name": "each", "space": known["Ops"]})
    larkspur.make("guarded", "/integrations", each | {"name": "guarded"})
    made["titles"] = larkspur.make("titles", "/integrations",
                                   {"name": "titles", "space": known["Ops"], "push_mode": {"type": "by_title"}})
    shared = {"name": "shared", "default_spaces": [known["Ops"]],
              "routes": [{"filter": has("title", "/web/"), "spaces": [known["Channels"]], "then": "stop"}]}
    made["shared"] = larkspur.make("shared", "/integrations", shared)
    made["gone"] = larkspur.make("gone", "/integrations", {"name": "gone", "space": known["Ops"]})
    return made


def people(larkspur):
    """The first administrator, signed in by a browser, who mistyped the password once; an invitation that is open."""
    link = larkspur.start.get("setup_url")
    if not link:
        return
    path = urllib.parse.urlparse(link).path
    larkspur.form(path, {"name": "Ada", "email": "ada@example.com", "password": PASSWORD})
    with contextlib.suppress(urllib.error.HTTPError):
        larkspur.form("/sign-in", {"email": "ada@example.com", "password": "wrong"})
    invited = larkspur.api("POST", f"/members/{larkspur.known['li']}/invitation")
    larkspur.known["invitation"] = urllib.parse.urlparse(invited["url"]).path
    larkspur.make("code", f"/members/{larkspur.known['wang']}/verification", {"field": "email"})


def happen(larkspur, made):
    """Alerts and incidents in every state that lasts."""
    known = larkspur.known
    for text in ["open\nkey=open host=db-1", "open\nkey=open host=db-1 level=critical", "closed\nkey=closed host=db-2",
                 "closed RESOLVED\nkey=closed", "acknowledged\nkey=acknowledged host=db-3", "snoozed\nkey=snoozed host=db-4",
                 "reopened\nkey=reopened host=db-5", "RESOLVED\nkey=nothing-open"]:
        larkspur.says(made["Ops"], text)
    for name, text in [("each", "one of its own"), ("titles", "by its title"), ("shared", "web is down"), ("gone", "a last word"),
                       ("Channels", "to every channel\nkey=all"), ("Levels", "levels\nkey=levels host=db-6"),
                       ("Quiet", "silenced\nkey=silenced"), ("Grouped", "grouped\nkey=a"), ("Grouped", "grouped\nkey=b")]:
        larkspur.says(made[name], text)
    for text in ["flaps\nkey=flaps", "flaps RESOLVED\nkey=flaps"] * 2:
        larkspur.says(made["Flaps"], text)
    larkspur.request("POST", made["Ops"]["url"], {"msg_type": "image"})
    larkspur.api("DELETE", f"/integrations/{made['gone']['id']}")
    larkspur.api("POST", f"/integrations/{made['each']['id']}/rotate-key", {"overlap_minutes": 600})
    by = {"member": known["li"]} if "li" in known else {}
    for incident in larkspur.api("GET", "/incidents?limit=100")["items"]:
        act = lambda action, body: larkspur.api("POST", f"/incidents/{incident['id']}/{action}", body)
        known[f"incident {incident['title']}"] = incident["id"]
        if incident["title"] == "acknowledged":
            act("acknowledge", by)
            with contextlib.suppress(AssertionError):
                for n in range(110):  # more than an incident has room for
                    act("comments", {"text": f"I am looking at it, {n}"} | by)
        if incident["title"] == "snoozed":
            act("snooze", {"minutes": 180})
        if incident["title"] == "reopened":
            act("close", {})
            act("reopen", {})
    larkspur.advance(3 * 3600 - 60)
    time.sleep(5)
    larkspur.api("GET", "/ledger?hours=6")  # an hour that is done with is written down


def under_way(larkspur, made, group):
    """Notices that a group does not take, what is due within a minute, and messages that nobody has looked at."""
    group.refuses = {"held": b'{"code":11232,"msg":"frequency limited"}', "slow": b'{"errcode":130101,"errmsg":"too fast"}'}
    larkspur.says(made["Soon"], "soon\nkey=soon")
    for n in range(3):
        larkspur.says(made["Held"], f"held {n}\nkey={n}")
    for n in range(30):
        larkspur.sends(made["Slow"], f"slow {n}.\nkey={n}")
    time.sleep(6)
    # evaluate waits a second for its batch to fill: it is killed before it has looked at these.
    larkspur.sends(made["Ops"], "under way\nkey=under-way host=db-7")
    larkspur.sends(made["Ops"], "closed under way RESOLVED\nkey=open")
    larkspur.process.kill()
    larkspur.process.wait()


def items(data, table):
    rows = sqlite3.connect(data / "tables.sqlite").execute(f'SELECT item_json FROM "larkspur-Storage-{table}" ORDER BY pk, sk')
    return [json.loads(item) for (item,) in rows]


def waiting(data):
    """What stands in the queues, in order."""
    rows = sqlite3.connect(data / "queues.sqlite").execute(
        "SELECT q.name, m.grp, c.dedup, c.body FROM message m JOIN content c USING (seq) JOIN queue q ON q.id = m.queue ORDER BY seq")
    return [{"queue": name, "group": group, "dedup": dedup, "body": body} for name, group, dedup, body in rows]


def write_lines(path, values):
    path.write_text("".join(json.dumps(value, ensure_ascii=False, sort_keys=True) + "\n" for value in values))


def main():
    binary, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    group = FakeGroup()
    with tempfile.TemporaryDirectory() as kept:
        data = pathlib.Path(kept, "data")
        larkspur = Recording(binary, data, group.base)
        atexit.register(larkspur.process.kill)
        atexit.register(larkspur.mail.kill)
        configure(larkspur)
        made = integrations(larkspur)
        people(larkspur)
        happen(larkspur, made)
        larkspur.known |= {f"to {name}": one["id"] for name, one in made.items()}
        answers, now = larkspur.answers(), larkspur.advance(0)
        under_way(larkspur, made, group)
        folder.mkdir(parents=True, exist_ok=True)
        write_lines(folder / "config.jsonl", items(data, "ConfigTable"))
        write_lines(folder / "alerts.jsonl", items(data, "AlertsTable"))
        write_lines(folder / "queues.jsonl", waiting(data))
        about = {"api_key": larkspur.start["api_key"], "data_key": (data / "data-key").read_text(), "now": now,
                 "base": larkspur.base, "known": larkspur.known, "shown": [text for _, text in group.shown],
                 "cookies": {cookie.name: cookie.value for cookie in larkspur.cookies}}
        write_lines(folder / "answers.jsonl", [{"path": path, "answer": answer} for path, answer in answers.items()])
        (folder / "about.json").write_text(json.dumps(about, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
    group.stop()
    partitions = sorted({re.split(r"[#]", item["pk"]["S"])[0] for table in ("config", "alerts")
                         for item in map(json.loads, (folder / f"{table}.jsonl").read_text().splitlines())})
    print("kept:", *partitions)
    print("under way:", *(json.loads(line)["queue"] for line in (folder / "queues.jsonl").read_text().splitlines()))
    print("left out:", *larkspur.left_out, sep="\n  ")


if __name__ == "__main__":
    main()
