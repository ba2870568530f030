"""Gateways that listen while a test runs: ours, and ones that answer as they like."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from yiwang.server.notices.channels import Message

SECRET = "a-secret-that-only-tests-know-0123456789"


@contextmanager
def listening(server: HTTPServer) -> Iterator[str]:
    """Its address, while it serves."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/notices"
    finally:
        server.shutdown()
        server.server_close()


def message(number: str = "13800000000", id: str = "m-1") -> Message:
    return Message(id=id, to=number, title="t", text="x", link="", city="mini", language="zh", count=1)


def answering(settings: Any, answer: Callable[[BaseHTTPRequestHandler], None]) -> Any:
    """A server that answers a call as it likes."""

    class Odd(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            calls.append(dict(self.headers))
            answer(self)

        def do_GET(self) -> None:  # where a client would follow a redirection
            self.do_POST()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    calls: list[dict[str, str]] = []
    server = HTTPServer(("127.0.0.1", 0), Odd)
    settings.YIWANG_NOTICES_GATEWAY = f"http://127.0.0.1:{server.server_port}/"
    settings.YIWANG_NOTICES_SECRET = SECRET
    return server, calls


def status(code: int, body: bytes = b"", **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer
