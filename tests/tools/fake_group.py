"""A Feishu group's bot, as far as these tests need it: takes every well-formed message and remembers what it showed."""

import http.server
import json
import threading
import time


class FakeGroup:
    def __init__(self):
        self.shown, self.at = [], []
        # By the end of its address: the answer of a group that takes nothing at the moment.
        self.refuses = {}
        group = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                refusal = next((answer for name, answer in group.refuses.items() if name in self.path), None)
                if refusal is None:
                    group.at.append(time.monotonic())
                    group.shown.append((self.path, json.dumps(json.loads(body), ensure_ascii=False)))
                answer = refusal or b'{"code":0,"errcode":0,"ok":true,"msg":"success","data":{}}'
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def sees(self, *words, within=30, after=0):
        """The index after the first message from `after` on that holds all words, or None when time is up."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            for index, (_, text) in enumerate(self.shown[after:], after):
                if all(word in text for word in words):
                    return index + 1
            time.sleep(0.05)
        return None

    def stop(self):
        self._server.shutdown()
