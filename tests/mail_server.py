"""A mail server for tests: takes letters on a port of this machine, and behaves badly to the recipients that it is told to.

``python -m tests.mail_server`` prints its port.
"""

from __future__ import annotations

import socketserver
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


class Postbox(socketserver.ThreadingTCPServer):
    """What it took, and from how many connections.

    Attributes:
        took: Recipients of the letters taken, in order.
        connections: How many were opened.
        slow: Seconds that each of these recipients is pondered over.
        refused: Recipients that it has never heard of.
        most: Letters taken on one connection before it is ended, 0 for any number.
    """

    allow_reuse_address = daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.took: list[str] = []
        self.connections = 0
        self.slow: Mapping[str, float] = {}
        self.refused: frozenset[str] = frozenset()
        self.most = 0
        self.lock = threading.Lock()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def take(self, address: str) -> None:
        with self.lock:
            self.took.append(address)


class _Session(socketserver.StreamRequestHandler):
    server: Postbox

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def handle(self) -> None:
        box, recipient, letters = self.server, "", 0
        with box.lock:
            box.connections += 1
        self.say("220 postbox")
        for line in self.rfile:
            word = line.strip().upper()
            if word.startswith(b"RCPT"):
                recipient = line.decode().partition("<")[2].partition(">")[0]
                time.sleep(box.slow.get(recipient, 0))
                self.say("550 unknown" if recipient in box.refused else "250 ok")
            elif word == b"DATA":
                self.say("354 go on")
                while self.rfile.readline() not in (b".\r\n", b""):
                    pass
                box.take(recipient)
                letters += 1
                self.say("250 taken")
                if letters == box.most:
                    return
            elif word == b"QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")


@contextmanager
def open_postbox() -> Iterator[Postbox]:
    """A postbox while it is needed."""
    with Postbox() as box:
        threading.Thread(target=box.serve_forever, daemon=True).start()
        yield box
        box.shutdown()


if __name__ == "__main__":
    with Postbox() as main:
        print(main.port, flush=True)
        main.serve_forever()
