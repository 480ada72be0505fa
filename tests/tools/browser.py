"""What a person does in a browser, in headless Chromium, for tests/scenarios/browser.rs.

    browser.py JOURNEY JSON     JOURNEY: a function of this file whose name begins with `journey_`

JSON has what the journey needs (`base`, `set_up_url`, `integration_url`, `group_url` …) and `screenshots`, a folder. Each page that
is shown is checked for what must hold of all: no violation of its Content-Security-Policy, nothing serious that axe-core finds, its
weight, and its round trips. What does not hold ends the journey with a sentence and exit code 1.
"""

import json
import re
import sys
import urllib.request
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error, expect, sync_playwright

CHROMIUM = "/usr/bin/chromium"
# No sandbox: tests may run as root. No background traffic: there is no network.
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync",
             "--host-resolver-rules=MAP larkspur.lan 127.0.0.1,MAP evil.example 127.0.0.1"]
SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 375, "height": 740}}
PASSWORD = "correct horse battery staple"
# All that a page may weigh, the style sheet included.
PAGE_BYTES = 60 * 1024
PATIENCE_MS = 20_000


class Browser:
    """One person's window, and the checks of every page that it shows."""

    def __init__(self, playwright, wanted, size, language="en-GB", scripts=True):
        self.wanted, self.size, self.shots = wanted, size, 0
        self.chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        self.context = self.chromium.new_context(viewport=SIZES[size], locale=language, java_script_enabled=scripts,
                                                 has_touch=size == "phone", is_mobile=size == "phone")
        self.scripts = scripts
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.requests, self.complaints = [], []
        # Not the responses: that of what axe asked for on one page may come after the next one was opened.
        self.page.on("request", lambda request: self.requests.append(request))
        self.page.on("console", self.on_console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def on_console(self, message):
        """A form that is answered by a page that refuses it is no complaint: the page says why."""
        is_document = message.location.get("url", "").split("#")[0] == self.page.url.split("#")[0]
        if not (is_document and message.text.startswith("Failed to load resource: the server responded with a status of 40")):
            self.complaints.append(message.text)

    def open(self, url):
        self.requests.clear()
        self.page.goto(url)

    def press(self, name, exact=True):
        self.requests.clear()
        self.page.get_by_role("button", name=name, exact=exact).first.click()
        self.page.wait_for_load_state("load")

    def follow(self, name):
        self.requests.clear()
        self.page.get_by_role("link", name=name).first.click()
        self.page.wait_for_load_state("load")

    def follow_section(self, name):
        """A link of the navigation, which a small screen keeps behind a button."""
        link = self.page.get_by_role("link", name=name, exact=True).first
        if not link.is_visible():
            self.page.locator("button.sections").click()
        self.follow(name)

    def sign_out(self, member, text):
        """By the account's menu."""
        self.page.get_by_role("button", name=member, exact=True).click()
        self.press(text)

    def fill(self, **fields):
        for label, text in fields.items():
            self.page.get_by_label(label.replace("_", " "), exact=True).first.fill(text)

    def sees(self, text):
        expect(self.page.get_by_text(text).first).to_be_visible(timeout=PATIENCE_MS)

    def keep_picture(self, path):
        """A browser that other programs starve has no frame to capture now and then. Nothing is held by the picture itself."""
        for pause_ms in (500, 2_000, 5_000):
            try:
                return self.page.screenshot(path=path, full_page=True)
            except Error:
                self.page.wait_for_timeout(pause_ms)
        return self.page.screenshot(path=path, full_page=True)

    def check(self, name):
        """Holds the page to what must be true of every page, and keeps its picture."""
        self.shots += 1
        path = Path(self.wanted["screenshots"]) / f"{self.size}-{self.shots:02}-{name}.png"
        self.keep_picture(path)
        assert not self.complaints, f"{name}: the browser complains: {self.complaints}"
        width = self.page.evaluate("document.documentElement.scrollWidth") if self.scripts else 0
        assert width <= SIZES[self.size]["width"], f"{name}: {width} pixels wide"
        self.check_weight(name)
        for theme in ("dark", "light") if self.scripts else ():
            # Without motion: a colour on its way from one theme to the other has neither's contrast.
            self.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            found = Axe().run(self.page).response["violations"]
            serious = [(one["id"], [node["html"][:120] for node in one["nodes"]])
                       for one in found if one["impact"] in ("serious", "critical")]
            assert not serious, f"{name} ({theme}): {serious}"
        self.complaints.clear()

    def check_weight(self, name):
        """One document, and then one style sheet and one icon at the same time: a page may be asked for again."""
        asked = {request.resource_type for request in self.requests if request.url.startswith(self.wanted["base"])}
        assert asked <= {"document", "stylesheet", "other"}, f"{name}: asks for {asked}"
        document = self.context.request.get(self.page.url).text()
        files = re.findall(r'(?:href|src)="(/assets/[^"]+)"', document)
        assert len(files) == 2, f"{name}: {files}"
        weight = len(document.encode()) + sum(len(self.context.request.get(self.wanted["base"] + file).body()) for file in files)
        assert weight < PAGE_BYTES, f"{name}: {weight} bytes"

    def close(self):
        self.chromium.close()


def send(url, text):
    """What a platform with a Feishu bot does."""
    body = json.dumps({"msg_type": "text", "content": {"text": text}}).encode()
    request = urllib.request.Request(url, body, {"content-type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        assert json.load(answer)["code"] == 0


def journey_first_steps(playwright, wanted):
    """From the set-up link of a fresh start to the trace of the first message, in eight steps."""
    person = Browser(playwright, wanted, wanted["size"])
    # 1. The set-up link.
    person.open(wanted["set_up_url"])
    person.check("set-up")
    person.page.get_by_label("Name").fill("Ada Lovelace")
    person.page.get_by_label("Email").fill("ada@example.com")
    person.page.get_by_label("Password").fill(PASSWORD)
    person.press("Sign in")
    person.check("no-incidents-yet")
    # 2. A member.
    person.follow_section("Members")
    person.page.get_by_label("Name").fill("Linus")
    person.page.get_by_label("Email").fill("linus@example.com")
    person.press("Add a member")
    person.sees("Confirm that it is you")
    person.check("confirm")
    person.page.get_by_label("Password").fill(PASSWORD)
    person.press("Confirm and continue")
    person.sees("linus@example.com")
    person.check("members")
    # 3. A message, and 4. what the group shows of it.
    send(wanted["integration_url"], "FIRING disk full on db-1\nused 96%")
    group_shows(person, wanted, "disk full on db-1")
    # 5. The link of the group's message.
    person.follow("Acknowledge")
    person.sees("disk full on db-1")
    person.check("acknowledge-page")
    # 6. Acknowledge, and the group is notified.
    person.press("Acknowledge")
    person.sees("Ada Lovelace")
    person.check("acknowledged")
    group_shows(person, wanted, "Acknowledged")
    # 7. The timeline.
    person.follow("Details")
    person.sees("Timeline")
    person.check("incident")
    # 8. The trace.
    person.follow("Why someone was, or was not, notified")
    person.sees("Why was someone notified, or not?")
    person.check("trace")
    person.close()


def journey_every_action(playwright, wanted):
    """Sign out and in, snooze, close and reopen, and every other page, in Chinese; on a phone with scripts turned off."""
    person = Browser(playwright, wanted, wanted["size"], "zh-CN", scripts=wanted["size"] != "phone")
    person.open(wanted["set_up_url"])
    for field, text in {"name": "李雷", "email": "li@example.com", "password": PASSWORD}.items():
        person.page.locator(f"main input[name={field}]").fill(text)
    person.press("登录")
    person.sign_out("李雷", "退出登录")
    person.check("signed-out")
    person.open(wanted["base"] + "/incidents")
    assert "/sign-in?next=%2Fincidents" in person.page.url, person.page.url
    person.check("sign-in")
    person.page.locator("main input[name=email]").fill("li@example.com")
    person.page.locator("main input[name=password]").fill(PASSWORD)
    person.press("登录")
    send(wanted["integration_url"], "FIRING disk full on db-1")
    group_shows(person, wanted, "disk full on db-1")
    person.open(wanted["base"] + "/incidents")
    person.check("incidents")
    person.follow("disk full on db-1")
    person.check("incident")
    for press, shows in [("2 小时", "已暂缓。"), ("关闭", "已关闭。"), ("重新打开", "已重新打开。"), ("认领", "您已认领。")]:
        person.press(press)
        person.sees(shows)
        person.check("done")
    group_shows(person, wanted, "Acknowledged")
    person.open(wanted["base"] + "/me")
    person.page.locator("main input[name=email]").fill("lei@example.com")
    person.page.locator("main input[name=time_zone]").fill("Mars")
    person.press("保存")
    person.sees("请确认是您本人")
    person.check("confirm")
    person.page.locator("main input[name=confirm_password]").fill(PASSWORD)
    person.press("确认并继续")
    person.sees("没有此时区。")
    assert person.page.locator("main input[name=email]").input_value() == "lei@example.com", "what was typed is kept"
    person.check("wrong-time-zone")
    for path in ["/me", "/me/notifications", "/me/password", "/members", "/dead-letters", "/incidents?progress=closed"]:
        person.open(wanted["base"] + path)
        person.check(path.strip("/").split("?")[0].replace("/", "-"))
    person.close()


def journey_plain_http(playwright, wanted):
    """Over plain HTTP under a name that is not the machine's own: set up, a form, and what a page from elsewhere gets."""
    person = Browser(playwright, wanted, wanted["size"])
    posts = []
    person.page.on("request", lambda request: posts.append(request) if request.method == "POST" else None)
    person.open(wanted["set_up_url"])
    person.page.get_by_label("Name").fill("Ada")
    person.page.get_by_label("Email").fill("ada@example.com")
    person.page.get_by_label("Password").fill(PASSWORD)
    person.press("Sign in")
    person.follow_section("Members")
    person.page.get_by_label("Name").fill("Linus")
    person.page.get_by_label("Email").fill("linus@example.com")
    person.press("Add a member")
    person.sees("Confirm that it is you")
    person.page.get_by_label("Password").fill(PASSWORD)
    person.press("Confirm and continue")
    person.sees("linus@example.com")
    for request in posts:
        headers = request.all_headers()
        assert headers.get("origin") == wanted["base"], f"{request.url}: {headers}"
        assert "sec-fetch-site" not in headers, "this origin is no better than any: the test proves nothing otherwise"
    # A foreign page signs its visitor in as another member, and adds a member in the visitor's name.
    foreign = wanted["base"].replace("larkspur.lan", "evil.example")
    for path, fields in {"/sign-in": {"email": "ada@example.com", "password": PASSWORD},
                         "/members": {"name": "Mallory", "email": "mallory@example.com"}}.items():
        inputs = "".join(f'<input name="{name}" value="{value}">' for name, value in fields.items())
        form = f'<form method="post" action="{wanted["base"]}{path}">{inputs}<button>Win a prize</button></form>'
        person.page.route(f"{foreign}/prize", lambda route: route.fulfill(content_type="text/html", body=form))
        person.page.goto(f"{foreign}/prize")
        with person.page.expect_response(f"{wanted['base']}{path}") as answered:
            person.press("Win a prize")
        headers = answered.value.request.all_headers()
        assert headers.get("origin") in (foreign, "null"), headers
        assert answered.value.status in (401, 403), f"{path}: {answered.value.status}"
        assert "set-cookie" not in answered.value.all_headers(), f"{path} sets a session cookie"
        person.page.unroute(f"{foreign}/prize")
    person.open(wanted["base"] + "/members")
    assert "mallory" not in person.page.content().lower()
    # A foreign name that leads to this machine.
    answer = person.page.goto(foreign + "/groups")
    assert answer.status == 421, answer.status
    person.close()


def group_shows(person, wanted, text):
    """The group's page follows what happens by a script of its own, so it is not one of ours to check."""
    person.page.goto(wanted["group_url"])
    person.sees(text)
    person.requests.clear()
    person.complaints.clear()


def main():
    name, wanted = sys.argv[1], json.loads(sys.argv[2])
    with sync_playwright() as playwright:
        try:
            globals()[f"journey_{name}"](playwright, wanted)
        except AssertionError as failure:
            sys.exit(f"{name}: {failure}")


if __name__ == "__main__":
    main()
