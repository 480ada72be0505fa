#!/usr/bin/env python3
"""A mail server to send to: aiosmtpd, with a mailbox that it prints.

By hand:   python3 -m pip install aiosmtpd && python3 tests/tools/smtp_server.py --port 2525 --print
In tests:  one JSON line {"port": 40123} when it is ready, then one per message that it took:
           {"from", "to", "encrypted", "login", "raw" (base64), "subject", "headers", "text", "html"}, read back by
           Python's own `email` package.

Faults that it can simulate: --reject ADDRESS, --reply CODE (to the message), --busy-once, --hang connect|data.
"""

import argparse
import asyncio
import base64
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


class Mailbox:
    """aiosmtpd's handler: what happens to a recipient, and to a message."""

    def __init__(self, options):
        self.options = options
        self.busy = options.busy_once

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if address in self.options.reject:
            return "550 5.1.1 no such mailbox"
        if self.busy:
            self.busy = False
            return "451 4.7.1 greylisted, try again later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.options.hang == "data":
            print_line({"hanging": True})
            await asyncio.sleep(3600)
        if self.options.reply:
            return self.options.reply
        if self.options.readable:
            self.show(envelope)
        else:
            print_line(self.read(server, session, envelope))
        return "250 2.0.0 OK queued as 4F2A"

    def read(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        part = {kind: message.get_body((kind,)) for kind in ("plain", "html")}
        content = {kind: body.get_content() if body else None for kind, body in part.items()}
        return {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "encrypted": server.transport.get_extra_info("ssl_object") is not None,
            "login": session.auth_data.login.decode() if session.auth_data else None,
            "raw": base64.b64encode(envelope.content).decode(),
            "type": message.get_content_type(),
            "defects": [repr(defect) for one in message.walk() for defect in one.defects],
            "subject": message["subject"],
            "headers": [[name, str(value)] for name, value in message.items()],
            "text": content["plain"],
            "html": content["html"],
        }

    def show(self, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        print(f"\n--- from {envelope.mail_from} to {', '.join(envelope.rcpt_tos)}")
        for name, value in message.items():
            print(f"{name}: {value}")
        print(f"\n{message.get_body(('plain', 'html')).get_content()}", flush=True)


def print_line(value):
    print(json.dumps(value, ensure_ascii=False), flush=True)


def certificate(options):
    if not options.cert:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.cert, options.key)
    return context


def read_options():
    parser = argparse.ArgumentParser(description="A mail server to send to.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--print", dest="readable", action="store_true", help="print messages for people, not as JSON")
    parser.add_argument("--reject", action="append", default=[], metavar="ADDRESS", help="unknown mailbox: 550")
    parser.add_argument("--reply", metavar="'CODE TEXT'", help="the answer to every message")
    parser.add_argument("--busy-once", action="store_true", help="451 to the first recipient")
    parser.add_argument("--hang", choices=["connect", "data"], help="accept, or take the message, and say nothing")
    parser.add_argument("--cert", help="PEM file; offers STARTTLS, and a login by --user only after it")
    parser.add_argument("--key", help="PEM file")
    parser.add_argument("--implicit-tls", action="store_true", help="TLS from the first byte, with --cert")
    parser.add_argument("--user", metavar="NAME:PASSWORD", help="a login that is asked for")
    return parser.parse_args()


async def main():
    options = read_options()
    context = certificate(options)
    starttls = None if options.implicit_tls else context
    mailbox = Mailbox(options)

    def authenticate(server, session, envelope, mechanism, data):
        name, _, password = options.user.partition(":")
        known = (data.login, data.password) == (name.encode(), password.encode())
        return AuthResult(success=known, handled=False, auth_data=data if known else None)

    def session():
        if options.hang == "connect":
            return asyncio.Protocol()
        return SMTP(
            mailbox,
            hostname="mail.test",
            enable_SMTPUTF8=True,
            tls_context=starttls,
            require_starttls=starttls is not None,
            authenticator=authenticate if options.user else None,
            auth_required=options.user is not None,
            auth_exclude_mechanism=[] if options.user else ["LOGIN", "PLAIN"],
            auth_require_tls=context is not None and not options.implicit_tls,
        )

    loop = asyncio.get_running_loop()
    implicit = context if options.implicit_tls else None
    server = await loop.create_server(session, "127.0.0.1", options.port, ssl=implicit)
    port = server.sockets[0].getsockname()[1]
    print(f"listening on 127.0.0.1:{port}" if options.readable else json.dumps({"port": port}), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        sys.exit(0)
