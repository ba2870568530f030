"""A gateway to try the webhook with: it checks the signature and prints what came. It sends nothing on."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from yiwang.server.notices import signing

MOST_BYTES = 5_000_000
Took = Callable[[Mapping[str, Any]], str]  # takes a message, gives "accepted", "refused" or "later"


def serve(*, secret: str, host: str = "127.0.0.1", port: int = 0, took: Took) -> ThreadingHTTPServer:
    """A gateway, not running yet: call its ``serve_forever``.

    Args:
        secret: The one of `YIWANG_NOTICES_SECRET`.
        host, port: Where it listens; 0 for any free port.
        took: Called for each message whose call was genuine.
    """

    class Gateway(BaseHTTPRequestHandler):
        timeout = 30

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not length.isdecimal() or int(length) > MOST_BYTES:
                self.answer(413, {"error": "the body is too long, or says not how long it is"})
                return
            body = self.rfile.read(int(length))
            timestamp, signed = self.headers.get(signing.TIMESTAMP, ""), self.headers.get(signing.SIGNATURE, "")
            if not signing.is_genuine(secret, timestamp, signed, body, now=time.time()):
                self.answer(401, {"error": "the signature does not fit, or is too old"})
                return
            messages = json.loads(body)["messages"]
            self.answer(200, {"outcomes": {message["id"]: took(message) for message in messages}})

        def answer(self, status: int, said: Mapping[str, Any]) -> None:
            content = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Its own lines say enough."""

    return ThreadingHTTPServer((host, port), Gateway)
