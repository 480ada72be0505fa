#!/usr/bin/env python3
"""What Larkspur sends to each vendor, read by code that nobody of Larkspur wrote.

In: one JSON line per request {"channel", "case", "at", "settings", "request"}, as `shared/post/src/oracle_tests.rs`
writes them. Each must be what the vendors' own packages and other senders would take or send. Then it is spoilt: in every
place, in every way that the oracle of its channel can see (a key misspelt, a value of another type, a key left out, a text
that is too long, a signature of another secret or another second). A spoilt copy that passes is a failure, too: an oracle
that takes everything proves nothing. `Oracle.blind` is what an oracle cannot see, by place; what it names must exist.
Out: {channel: {"passed": n, "spoilt": n}}, or an exit code of 1 and on stderr what was wrong.

Who knows what:
  feishu_bot     lark-webhook-notify signs and wraps cards, apprise addresses and wraps texts; a card's elements are
                 compared with those in tests/fixtures/feishu/senders, which other people's senders made
  dingtalk_bot   dingtalkchatbot and apprise sign, apprise wraps
  wecom_bot      apprise addresses and wraps texts; it knows no markdown, whose wrapping is the same
  slack_webhook  slack-sdk knows the arguments of a webhook, and reads attachments and blocks back
  slack_app      slack-sdk knows the arguments of the methods, authenticates, and reads attachments and blocks back
  telegram_bot   aiogram addresses and reads the request; html.parser the text
  zoom_webhook   apprise addresses, authenticates and wraps; of what Zoom has beyond that, nothing but its own page tells
  email          Python's email package, by its strict policy
"""

import base64
import copy
import email
import email.policy
import email.utils
import html.parser
import inspect
import json
import pathlib
import re
import sys
from unittest import mock
from urllib.parse import parse_qs, quote_plus, urlsplit

SENDERS = pathlib.Path(__file__).parent.parent / "fixtures" / "feishu" / "senders"
TITLE, TEXT = "title", "text"


class Refused(Exception):
    """What an oracle has against a request."""


def need(true, why):
    if not true:
        raise Refused(why)


# --- shapes: what is learnt from requests that others sent ----------------------------------------------------------


def kind(value):
    return type(value).__name__


class Shape:
    """The keys and types of JSON values; a key that every example had is needed. Objects with a `tag` are told apart by it."""

    def __init__(self, *examples):
        self.kinds, self.objects, self.items = set(), {}, None
        for example in examples:
            self.learn(example)

    def learn(self, value):
        self.kinds.add(kind(value))
        if isinstance(value, dict):
            known = self.objects.setdefault(value.get("tag"), {"keys": {}, "needed": set(value)})
            known["needed"] &= set(value)
            for key, inner in value.items():
                known["keys"].setdefault(key, Shape()).learn(inner)
        if isinstance(value, list):
            self.items = self.items or Shape()
            for item in value:
                self.items.learn(item)
        return self

    def check(self, value, place=""):
        need(kind(value) in self.kinds, f"{place or 'the body'} is {kind(value)}, not {sorted(self.kinds)}")
        if isinstance(value, list):
            for item in value:
                self.items.check(item, f"{place}[]")
        if isinstance(value, dict):
            tag = value.get("tag")
            need(isinstance(tag, str | None) and tag in self.objects, f"{place}: nobody sends the tag {tag}")
            known = self.objects[tag]
            for key in known["needed"]:
                need(key in value, f"{place} lacks {key}")
            for key, inner in value.items():
                need(key in known["keys"], f"{place}.{key} is unknown")
                known["keys"][key].check(inner, f"{place}.{key}")


def apprise_sends(url, at=None, **options):
    """What apprise would post: its URL, headers and body."""
    import apprise
    import requests

    answer = requests.Response()
    answer.status_code, answer._content = 200, b'{"code":0,"errcode":0,"ok":true}'
    service = apprise.Apprise.instantiate(url, suppress_exceptions=False)
    service.notify_format = options.pop("format", "text")
    service.request_rate_per_sec = 0
    clock = mock.patch("time.time", return_value=at) if at else mock.MagicMock()
    with mock.patch.object(requests.Session, "request", return_value=answer) as sent, clock:
        service.notify(title=TITLE, body=TEXT)
    call = sent.call_args.kwargs
    prepared = requests.Request("POST", call["url"], params=call.get("params")).prepare()
    return prepared.url, call["headers"], json.loads(call["data"])


def once(function):
    """A result that is made on the first call with the same arguments."""
    made = {}

    def remembered(*arguments):
        key = json.dumps(arguments)
        if key not in made:
            made[key] = function(*arguments)
        return made[key]

    return remembered


# --- one oracle per channel -----------------------------------------------------------------------------------------


class Oracle:
    """Reads a line whose body is JSON."""

    #: (way, place): what this oracle cannot see.
    blind = ()

    def check(self, line):
        self.read(line, line["request"]["url"], line["request"]["headers"], line["request"]["body"])

    def spoilt(self, line):
        """Copies of the line, each with what was done to it."""
        for way, place, body in spoilt_bodies(line["request"]["body"]):
            if (way, place) not in self.blind:
                yield f"{way} {place}", with_request(line, body=body)
        there = {place for place, _ in places(line["request"]["body"])}
        for place in there.intersection(self.long(line["request"]["body"])):
            yield f"far too long: {place}", with_request(line, body=lengthened(line["request"]["body"], place))
        url = line["request"]["url"]
        yield "another path", with_request(line, url=url.replace("://", "://x.", 1))
        yield "another token", with_request(line, url=url.replace("c4nary", "c4narx", 1))

    def long(self, body):
        """Places of texts whose length is checked."""
        return []


class Feishu(Oracle):
    # lark-webhook-notify's own cards have a header, others' need none.
    blind = [
        ("left out", ".card.header"),
        ("left out", ".card.header.template"),
        ("left out", ".card.config"),
        ("left out", ".card.config.wide_screen_mode"),
        ("left out", ".card.elements[].fields[].is_short"),
        ("left out", ".card.elements[].fields"),
        ("left out", ".card.elements[].text"),
        ("left out", ".card.elements[].actions[].type"),
        ("left out", ".card.elements[].actions[].url"),
    ]

    def read(self, line, url, headers, body):
        from apprise.plugins.feishu import NotifyFeishu
        from lark_webhook_notify.client import gen_sign

        settings = line["settings"]
        sent_to, _, text = feishu_text(settings["url"].rpartition("/")[2])
        # apprise ends it with a slash, which Feishu takes as well.
        need(url == sent_to.rstrip("/"), "the address is not apprise's")
        need(body.get("timestamp") == str(line["at"]), "the signed second is another")
        need(body.get("sign") == gen_sign(body["timestamp"], settings["secret"]), "the signature is not lark-webhook-notify's")
        size = len(json.dumps(body, ensure_ascii=False).encode())
        need(size <= NotifyFeishu.body_maxlen + 500, f"{size} bytes are more than apprise sends")
        wrapping = {key: value for key, value in body.items() if key not in ("timestamp", "sign")}
        if body.get("msg_type") == "interactive":
            Shape(feishu_card()).check({key: {} if isinstance(value, dict) else value for key, value in body.items()})
            feishu_cards().check(body["card"], ".card")
        else:
            Shape(text).check(wrapping)

    def spoilt(self, line):
        yield from super().spoilt(line)
        yield "another secret", with_settings(line, secret="c4nary-feishu-secres")
        yield "another second", with_request(line, body={**line["request"]["body"], "timestamp": str(line["at"] + 1)})

    def long(self, body):
        return [".content.text"] if "content" in body else [".card.header.title.content"]


@once
def feishu_text(token):
    return apprise_sends(f"feishu://{token}")


@once
def feishu_card():
    """The wrapping of a card by lark-webhook-notify; the card itself is of another version."""
    from lark_webhook_notify.client import LarkWebhookNotifier

    notifier = LarkWebhookNotifier(webhook_url="https://open.feishu.cn/open-apis/bot/v2/hook/x", webhook_secret="s")
    with mock.patch.object(notifier.client, "post") as sent:
        sent.return_value.json.return_value = {"code": 0}
        notifier.send_raw_content({})
    return json.loads(sent.call_args.kwargs["content"])


@once
def feishu_cards():
    """Cards of version 1 as other senders make them."""
    # On Feishu's own page, the text of a div may be plain.
    shape = Shape({"elements": [{"tag": "div", "text": {"tag": "plain_text", "content": ""}}]})
    for path in sorted(SENDERS.glob("*.json")):
        body = json.loads(path.read_bytes())
        card = body.get("card")
        card = json.loads(card) if isinstance(card, str) else card
        if isinstance(card, dict) and card.get("schema") != "2.0" and "elements" in card:
            shape.learn(card)
    return shape


class DingTalk(Oracle):
    blind = [("left out", ".msgUuid"), ("left out", ".at.atMobiles")]

    def read(self, line, url, headers, body):
        from apprise.plugins.dingtalk import NotifyDingTalk
        from dingtalkchatbot.chatbot import DingtalkChatbot

        settings, at = line["settings"], line["at"]
        with mock.patch("time.time", return_value=at):
            theirs = DingtalkChatbot(settings["url"], secret=settings["secret"])
        need(url == theirs.webhook, "the address or its signature is not dingtalkchatbot's")
        form = "markdown" if body.get("msgtype") == "markdown" else "text"
        token = parse_qs(urlsplit(settings["url"]).query)["access_token"][0]
        sent_to, _, wrapping = dingtalk_sends(settings["secret"], token, at, form)
        need(parse_qs(urlsplit(url).query)["access_token"] == parse_qs(urlsplit(sent_to).query)["access_token"], "the token")
        # It quotes its signature twice.
        theirs = parse_qs(urlsplit(sent_to).query)["sign"][0]
        ours = parse_qs(urlsplit(url).query)["sign"][0]
        need(theirs in (ours, quote_plus(ours)), "the signature is not apprise's")
        size = len(json.dumps(body, ensure_ascii=False).encode())
        need(size <= NotifyDingTalk.body_maxlen + 500, f"{size} bytes are more than apprise sends")
        without = copy.deepcopy(wrapping)
        del without["at"]["atMobiles"]
        # DingTalk's own page has it: the same number, the same message.
        Shape({**wrapping, "msgUuid": "x"}, without).check(body)

    def spoilt(self, line):
        yield from super().spoilt(line)
        yield "another secret", with_settings(line, secret="SECc4nary0123456788")
        yield "another second", {**line, "at": line["at"] + 1}
        url = line["request"]["url"]
        yield "another signed time", with_request(line, url=url.replace("timestamp=1", "timestamp=2"))

    def long(self, body):
        return [".text.content"] if "text" in body else [".markdown.text"]


@once
def dingtalk_sends(secret, token, at, form):
    return apprise_sends(f"dingtalk://{secret}@{token}/13800000000", at=at, format=form)


class WeCom(Oracle):
    blind = [("left out", ".text.mentioned_list")]

    def read(self, line, url, headers, body):
        from apprise.plugins.wecombot import NotifyWeComBot

        key = parse_qs(urlsplit(line["settings"]["url"]).query)["key"][0]
        sent_to, _, wrapping = wecom_sends(key)
        need(url == sent_to, "the address is not apprise's")
        form = body.get("msgtype")
        need(form in ("text", "markdown"), "the type is none of the bot's")
        most = NotifyWeComBot.body_maxlen * (2 if form == "markdown" else 1)
        if form == "text":
            # The bot's page has these two; apprise mentions nobody.
            wrapping = copy.deepcopy(wrapping)
            mentions = {"mentioned_list": [""], "mentioned_mobile_list": [""]}
            Shape(wrapping, {**wrapping, "text": {**wrapping["text"], **mentions}}).check(body)
        else:
            Shape({"msgtype": form, form: wrapping["text"]}).check(body)
        need(len(body[form]["content"].encode()) <= most, "longer than apprise sends")

    def long(self, body):
        return [f".{body['msgtype']}.content"]


@once
def wecom_sends(key):
    return apprise_sends(f"wecombot://{key}")


class Slack(Oracle):
    blind = [
        # Nothing but the text is needed, and the text is for notifications only.
        ("left out", ".text"),
        ("left out", ".unfurl_links"),
        ("left out", ".attachments"),
        ("left out", ".attachments[].color"),
        ("misspelt", ".attachments[].color"),
        ("another type", ".attachments[].color"),
        # A section has either; what a button opens, and how a text is shown, is as one likes.
        ("left out", ".attachments[].blocks[].text.verbatim"),
        ("left out", ".attachments[].blocks[].fields[].verbatim"),
        ("left out", ".attachments[].blocks[].elements[].url"),
        ("left out", ".attachments[].blocks[].elements[].action_id"),
        # slack-sdk counts characters, and asks of nothing at the end of a branch what it is.
        ("another type", ".attachments[].blocks[].text.text"),
        ("another type", ".attachments[].blocks[].text.verbatim"),
        ("another type", ".attachments[].blocks[].fields[].text"),
        ("another type", ".attachments[].blocks[].fields[].verbatim"),
        ("another type", ".attachments[].blocks[].elements[].url"),
        ("another type", ".attachments[].blocks[].elements[].text.text"),
        ("another type", ".attachments[].blocks[].elements[].action_id"),
    ]

    def read(self, line, url, headers, body):
        from slack_sdk.webhook import WebhookClient

        # It is what Slack gave out, whole.
        need(url == WebhookClient(line["settings"]["url"]).url, "the address is not slack-sdk's")
        known = inspect.signature(WebhookClient.send).parameters
        for key, value in body.items():
            need(key in known and key != "self", f"{key} is no argument of a webhook")
            need(kind(value) in str(known[key].annotation).lower().replace("sequence", "list"), f"{key} is {kind(value)}")
        self.read_attachments(body)

    def read_attachments(self, body):
        from slack_sdk.models.attachments import BlockAttachment
        from slack_sdk.models.blocks import Block

        for attachment in body.get("attachments", []):
            need(isinstance(attachment, dict) and set(attachment) <= {"color", "blocks", "fallback"}, "an unknown attachment")
            blocks = attachment.get("blocks")
            need(isinstance(blocks, list) and blocks, "an attachment without blocks")
            for block in blocks:
                self.read_block(Block, block)
            parsed = [Block.parse(copy.deepcopy(block)) for block in blocks]
            theirs = BlockAttachment(blocks=parsed, color=attachment.get("color"))
            need(theirs.to_dict() == attachment, "slack-sdk reads another attachment")

    @staticmethod
    def read_block(Block, block):
        try:
            # It takes out of what it reads.
            parsed = Block.parse(copy.deepcopy(block))
            parsed.validate_json()
            theirs = parsed.to_dict()
        except Exception as error:  # the package has no common one
            raise Refused(f"slack-sdk: {error!r}") from error
        need(theirs == block, f"slack-sdk reads another block: {theirs}")

    def long(self, body):
        return [".attachments[].blocks[].text.text"] if "attachments" in body else []


class SlackApp(Slack):
    blind = Slack.blind + [
        # Which conversation and which message, only Slack knows.
        ("another type", ".channel"),
        ("another type", ".ts"),
        ("left out", ".attachments[].blocks[].elements[].placeholder"),
        # What a button carries is as one likes.
        ("left out", ".attachments[].blocks[].elements[].value"),
        ("left out", ".attachments[].blocks[].elements[].style"),
        ("another type", ".attachments[].blocks[].elements[].value"),
        ("another type", ".attachments[].blocks[].elements[].placeholder.text"),
        ("another type", ".attachments[].blocks[].elements[].options[].text.text"),
        ("another type", ".attachments[].blocks[].elements[].options[].value"),
    ]

    def read(self, line, url, headers, body):
        from slack_sdk import WebClient

        client = WebClient(token=headers.get("authorization", "").removeprefix("Bearer "))
        need(client.token.startswith("xoxb-") and headers["authorization"] == f"Bearer {client.token}", "no bot's token")
        methods = {f"{client.base_url}{name}": method for name, method in {
            "chat.postMessage": WebClient.chat_postMessage, "chat.update": WebClient.chat_update}.items()}
        need(url in methods, "the address is no method that slack-sdk has")
        known = inspect.signature(methods[url]).parameters
        for key, value in body.items():
            need(key in known and key != "self", f"{key} is no argument of the method")
            need(kind(value) in str(known[key].annotation).lower().replace("sequence", "list"), f"{key} is {kind(value)}")
        needed = {"channel", "ts"} if url.endswith("chat.update") else {"channel"}
        need(needed <= set(body), "it names no conversation or no message")
        self.read_attachments(body)
        for attachment in body.get("attachments", []):
            for element in (element for block in attachment["blocks"] for element in block.get("elements", [])):
                self.read_options(element.get("options", []))

    @staticmethod
    def read_options(options):
        from slack_sdk.models.blocks import Option

        try:
            theirs = Option.parse_all(copy.deepcopy(options)) or []
            for option in theirs:
                option.validate_json()
        except Exception as error:  # the package has no common one
            raise Refused(f"slack-sdk: {error!r}") from error
        need([option.to_dict() for option in theirs] == options, "slack-sdk reads other options")

    def spoilt(self, line):
        for name, spoilt in super().spoilt(line):
            if name != "another token":
                yield name, spoilt
        request = line["request"]
        yield "no token", {**line, "request": {**request, "headers": {}}}
        yield "a user's token", {**line, "request": {**request, "headers": {"authorization": "Bearer xoxp-1"}}}


class Telegram(Oracle):
    blind = [
        ("left out", ".parse_mode"),
        ("left out", ".reply_markup"),
        ("left out", ".link_preview_options"),
        ("left out", ".link_preview_options.is_disabled"),
        # A chat is a number or a name.
        ("another type", ".chat_id"),
    ]
    #: https://core.telegram.org/bots/api#html-style
    tags = {"b", "i", "u", "s", "a", "code", "pre", "blockquote", "tg-spoiler"}

    def read(self, line, url, headers, body):
        from aiogram.client.telegram import PRODUCTION
        from aiogram.methods import SendMessage
        from aiogram.types import InlineKeyboardMarkup
        from pydantic import ValidationError

        settings = line["settings"]
        need(url == PRODUCTION.api_url(settings["token"], SendMessage.__api_method__), "the address is not aiogram's")
        try:
            message = SendMessage.model_validate(body, strict=True)
        except ValidationError as error:
            raise Refused(f"aiogram: {error}") from error
        need(message.chat_id == settings["chat_id"], "the chat is another")
        unknown = list(extras(message))
        need(not unknown, f"aiogram does not know {unknown}")
        need(isinstance(message.reply_markup, InlineKeyboardMarkup | None), "aiogram reads another keyboard")
        for row in message.reply_markup.inline_keyboard if message.reply_markup else []:
            for button in row:
                need(urlsplit(button.url).scheme == "https", "a button that opens nothing")
        need(body.get("parse_mode") in (None, "HTML"), "the mode is another")
        self.read_text(message.text, body.get("parse_mode"))

    def read_text(self, text, mode):
        from apprise.plugins.telegram import NotifyTelegram

        visible = text
        if mode == "HTML":
            reader = Html(self.tags)
            reader.feed(text)
            reader.close()
            need(not reader.open, f"{reader.open} stay open")
            visible = reader.visible
        length = len(visible.encode("utf-16-le")) // 2
        need(0 < length <= NotifyTelegram.body_maxlen, f"{length} units are more than apprise sends")

    def long(self, body):
        return [".text"]

    def spoilt(self, line):
        yield from super().spoilt(line)
        body = line["request"]["body"]
        if body.get("parse_mode"):
            for what in ("<b>", "</a>", "<script>", "<font color='red'>x</font>"):
                yield f"markup {what}", with_request(line, body={**body, "text": body["text"] + what})


def extras(model, place=""):
    """Fields that the model holds without knowing them."""
    for key in model.model_extra or {}:
        yield f"{place}.{key}"
    for name in type(model).model_fields:
        yield from extras_of(getattr(model, name), f"{place}.{name}")


def extras_of(value, place):
    if isinstance(value, list):
        for item in value:
            yield from extras_of(item, f"{place}[]")
    elif hasattr(value, "model_extra"):
        yield from extras(value, place)


class Html(html.parser.HTMLParser):
    def __init__(self, tags):
        super().__init__(convert_charrefs=True)
        self.tags, self.open, self.visible = tags, [], ""

    def handle_starttag(self, tag, attributes):
        need(tag in self.tags, f"Telegram has no <{tag}>")
        need(not attributes or (tag == "a" and [name for name, _ in attributes] == ["href"]), f"<{tag}> with {attributes}")
        self.open.append(tag)

    def handle_endtag(self, tag):
        need(self.open and self.open.pop() == tag, f"</{tag}> ends nothing")

    def handle_data(self, data):
        self.visible += data


class Zoom(Oracle):
    blind = [
        # Beyond head and body, apprise sends nothing.
        ("left out", ".content.settings"),
        ("left out", ".content.settings.default_sidebar_color"),
        ("left out", ".content.head.style"),
        ("left out", ".content.head.style.bold"),
        ("left out", ".content.body[].link"),
        ("left out", ".content.body[].is_markdown_support"),
    ]

    def read(self, line, url, headers, body):
        from apprise.plugins.zoom import NotifyZoom

        settings = line["settings"]
        sent_to, sent_with, wrapping = zoom_sends(settings["verification_token"])
        # apprise knows the older host only.
        need(url == settings["url"] + "?" + urlsplit(sent_to).query, "the address is not apprise's")
        need(headers == {"authorization": sent_with["Authorization"]}, "the header is not apprise's")
        content = wrapping["content"]
        # https://support.zoom.com/hc/en/article?id=zm_kb&sysparm_article=KB0067640
        more = {
            "settings": {"default_sidebar_color": "#E0352B"},
            "head": {**content["head"], "style": {"bold": True}},
            "body": [{**content["body"][0], "link": "", "is_markdown_support": True}, *content["body"]],
        }
        # A message of a digest has a head alone.
        Shape(wrapping, {"content": more}, {"content": {**content, "body": []}}).check(body)
        need(len(body["content"]["head"]["text"]) <= NotifyZoom.title_maxlen, "a longer head than apprise sends")
        texts = sum(len(part["text"]) for part in body["content"]["body"])
        need(texts <= NotifyZoom.body_maxlen, "longer than apprise sends")

    def spoilt(self, line):
        yield from super().spoilt(line)
        yield "another token", with_request(line, headers={"authorization": "Bearer x"})
        yield "no token", with_request(line, headers={})

    def long(self, body):
        return [".content.head.text", ".content.body[].text"]


@once
def zoom_sends(token):
    return apprise_sends(f"zoom://c4nary0123456789/{token}")


class Mail:
    """Reads a message in MIME."""

    def check(self, line):
        raw, mail = base64.b64decode(line["request"]["mime"]), line["request"]["mail"]
        need(raw.isascii(), "not ASCII")
        need(b"\n" not in raw.replace(b"\r\n", b"") and b"\r" not in raw.replace(b"\r\n", b""), "a bare line end")
        need(max(len(text) for text in raw.split(b"\r\n")) <= 998, "a line of more than 998 bytes")
        try:
            message = email.message_from_bytes(raw, policy=email.policy.strict)
            # Headers are read when they are asked for.
            headers = {name: message.get_all(name) for name in message.keys()}
            parts = [part for part in message.walk() if not part.is_multipart()]
            texts = {part.get_content_type(): part.get_content().replace("\r\n", "\n") for part in parts}
        except Exception as error:  # the package has no common one
            raise Refused(f"email: {error!r}") from error
        for part in [message, *parts]:
            need(not part.defects, f"defects: {part.defects}")
        for name, values in headers.items():
            need(all(not value.defects for value in values), f"{name}: {[value.defects for value in values]}")
            need(len(values) == 1, f"{name} stands there {len(values)} times")
        self.read_headers(line, headers, mail)
        wanted = {"text/plain": mail["text"], "text/html": mail["html"]}
        wanted = {name: text for name, text in wanted.items() if text is not None}
        need(list(texts) == list(wanted), f"the parts are {list(texts)}")
        for name, text in wanted.items():
            need(texts[name].rstrip("\n") == text.rstrip("\n"), f"{name} is another text")

    @staticmethod
    def read_headers(line, headers, mail):
        for name in ("From", "To", "Date", "Message-ID", "Subject", "MIME-Version", "Content-Type", "Auto-Submitted"):
            need(name in headers, f"no {name}")
        senders, receivers = headers["From"][0].addresses, headers["To"][0].addresses
        need([str(one) for one in senders] == ["Larkspur <alerts@example.com>"], f"from {senders}")
        need([one.addr_spec for one in receivers] == [line["settings"]["to"]], f"to {receivers}")
        need(headers["Subject"][0] == mail["subject"], "another subject")
        need(headers["Message-ID"][0] == mail["message_id"], "another id")
        need(headers["Auto-Submitted"][0] == "auto-generated", "a person's mail")
        date = headers["Date"][0].datetime
        need(date is not None and int(date.timestamp()) == line["at"], f"dated {date}")
        for name in ("References", "In-Reply-To"):
            need(headers.get(name, [None])[0] == mail["thread"], f"another {name}")

    def spoilt(self, line):
        raw = base64.b64decode(line["request"]["mime"])
        head, _, body = raw.partition(b"\r\n\r\n")
        names = [text.split(b":")[0] for text in head.split(b"\r\n") if not text.startswith(b" ")]
        seen = {b"From", b"To", b"Date", b"Message-ID", b"Subject", b"Auto-Submitted", b"References", b"In-Reply-To", b"MIME-Version"}
        for name in names:
            if name in seen | {b"Content-Type"}:
                yield f"misspelt {name}", with_mime(line, raw.replace(name + b":", name + b"x:", 1))
                yield f"twice {name}", with_mime(line, raw.replace(name + b":", name + b": x\r\n" + name + b":", 1))
        yield "bare line ends", with_mime(line, raw.replace(b"\r\n", b"\n"))
        yield "an eighth bit", with_mime(line, raw + b"\xe5")
        yield "a long line", with_mime(line, raw + b"x" * 999 + b"\r\n")
        yield "no mailbox", with_mime(line, raw.replace(b"alerts@example.com", b"alerts@", 1))
        yield "another second", {**line, "at": line["at"] + 1}
        yield "another person", with_settings(line, to="other@example.com")
        yield "another subject", with_mail(line, subject="x")
        yield "another text", with_mail(line, text="x")
        if b"multipart" in head:
            yield "no end", with_mime(line, raw[: raw.rindex(b"--", 0, len(raw) - 4)])
            yield "another boundary", with_mime(line, raw.replace(b"boundary=\"", b"boundary=\"x", 1))
            yield "another part", with_mail(line, html="x")


def with_mime(line, raw):
    return with_request(line, mime=base64.b64encode(raw).decode())


def with_mail(line, **parts):
    return with_request(line, mail={**line["request"]["mail"], **parts})


# --- spoiling -------------------------------------------------------------------------------------------------------


def with_request(line, **parts):
    return {**line, "request": {**line["request"], **parts}}


def with_settings(line, **settings):
    return {**line, "settings": {**line["settings"], **settings}}


def spoilt_bodies(body):
    """(way, place, body): each place of the body, spoilt in each way. Of a list's items, the first of each kind."""
    for way, spoil in (("misspelt", misspell), ("left out", leave_out), ("another type", retype)):
        for place, path in places(body):
            spoilt = copy.deepcopy(body)
            holder = spoilt
            for step in path[:-1]:
                holder = holder[step]
            if spoil(holder, path[-1]):
                yield way, place, spoilt


def places(value, path=(), place=""):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"{place}.{key}", (*path, key)
            yield from places(inner, (*path, key), f"{place}.{key}")
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, (*path, index), f"{place}[]")


def misspell(holder, key):
    holder[key + "x"] = holder.pop(key)
    return True


def leave_out(holder, key):
    del holder[key]
    return True


def retype(holder, key):
    holder[key] = {"x": 1} if not isinstance(holder[key], dict) else "x"
    return True


def lengthened(body, place):
    """The body with the first text at the place far too long."""
    for found, path in places(body):
        if found == place:
            spoilt = copy.deepcopy(body)
            holder = spoilt
            for step in path[:-1]:
                holder = holder[step]
            holder[path[-1]] += "告x" * 20_000
            return spoilt
    raise KeyError(place)


ORACLES = {
    "feishu_bot": Feishu(),
    "dingtalk_bot": DingTalk(),
    "wecom_bot": WeCom(),
    "slack_webhook": Slack(),
    "slack_app": SlackApp(),
    "telegram_bot": Telegram(),
    "zoom_webhook": Zoom(),
    "email": Mail(),
}


def check_all(lines):
    report, wrong, used = {}, [], set()
    for line in lines:
        channel, oracle = line["channel"], ORACLES[line["channel"]]
        name = f"{channel}, {line['case']}"
        counts = report.setdefault(channel, {"passed": 0, "spoilt": 0})
        if "body" in line["request"]:
            line["request"]["body"] = json.loads(line["request"]["body"])
            used |= {(channel, way, place) for way, place, _ in spoilt_bodies(line["request"]["body"])}
        try:
            oracle.check(line)
            counts["passed"] += 1
        except Refused as refused:
            wrong.append(f"{name}: {refused}")
            continue
        for what, spoilt in oracle.spoilt(line):
            counts["spoilt"] += 1
            try:
                oracle.check(spoilt)
                wrong.append(f"{name}: passed although spoilt: {what}")
            except Refused:
                pass
    for channel, oracle in ORACLES.items():
        stale = [blind for blind in getattr(oracle, "blind", ()) if (channel, *blind) not in used]
        wrong += [f"{channel}: nothing is at {blind}" for blind in stale]
    return report, wrong


def main():
    report, wrong = check_all([json.loads(text) for text in sys.stdin])
    print(json.dumps(report))
    if wrong:
        print("\n".join([*wrong[:40], f"{len(wrong)} in all"]), file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
