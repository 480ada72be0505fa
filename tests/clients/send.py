"""Sends one message with a client as its users would, and says what the client makes of the answer.

send.py CLIENT URL SECRET TITLE TEXT ends with 0 if the client takes the answer for success, and with 1 and the client's
words if not. An empty SECRET is none.
"""

import sys


def apprise_feishu(url, _secret, title, text):
    from apprise.plugins.feishu import NotifyFeishu

    # The host is fixed; the class attribute is the one place that names it.
    base, key = url.rsplit("/", 1)
    NotifyFeishu.notify_url = base + "/{token}/"
    return apprise(f"feishu://{key}", title, text)


def apprise_lark(url, _secret, title, text):
    from apprise.plugins.lark import NotifyLark

    base, key = url.rsplit("/", 1)
    NotifyLark.notify_url = base + "/"
    return apprise(f"lark://{key}", title, text)


def apprise(service, title, text):
    from apprise import Apprise

    notifier = Apprise()
    if not notifier.add(service):
        return "the key is not taken"
    return None if notifier.notify(title=title, body=text) else "notify() returned False"


def lark_webhook_notify(url, secret, title, text):
    from lark_webhook_notify import send_alert

    answer = send_alert(title, text, severity="critical", webhook_url=url, webhook_secret=secret)
    return None if answer["code"] == 0 else str(answer)


def pynotifyhub(url, secret, title, text):
    from notify_hub import Lark, Notifier

    settings = {"secret": secret} if secret else {}
    with Notifier.init(channels=[Lark(webhook_url=url, **settings)]) as notifier:
        result = notifier.alert(text, title=title).wait(timeout=30)
    return None if result.delivered_count == 1 else str(result.channel_results)


CLIENTS = {
    "apprise-feishu": apprise_feishu,
    "apprise-lark": apprise_lark,
    "lark-webhook-notify": lark_webhook_notify,
    "pynotifyhub": pynotifyhub,
}


def main():
    if len(sys.argv) != 6 or sys.argv[1] not in CLIENTS:
        sys.exit(f"send.py {'|'.join(CLIENTS)} URL SECRET TITLE TEXT")
    # A client that raises ends the program with 1 as well, and with its traceback.
    failure = CLIENTS[sys.argv[1]](*sys.argv[2:])
    if failure is not None:
        print(failure, file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
