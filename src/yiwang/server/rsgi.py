"""The site behind an event loop that does all the waiting, for granian (RSGI).

Django answers in a few blocking threads (one on SQLite, where writers queue anyway; two on PostgreSQL, where one works while
the other waits for a commit). A thread that reads a body from a slow phone, or writes to somebody who does not read, is a
thread lost, and two such connections stopped the whole site. So the event loop reads the whole body first, and a thread is
given only requests that are complete; the answer is whole, in memory or in a file, before the first byte of it is sent.

See docs/decisions/0150 for what else was tried, and what it costs.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from wsgiref.util import FileWrapper

from django.conf import settings

from yiwang.server.common.faults import is_full
from yiwang.server.wsgi import application

# A body has this long, and for every so many bytes that have come another second: a phone at 30 kB/s has time to spare.
GRACE_SECONDS = 20.0
LEAST_BYTES_A_SECOND = 4_000
# However fast it was before: silence for so long ends it.
SILENCE_SECONDS = 30.0
# More than this of a body, or of an answer, lies in a file instead of in memory.
IN_MEMORY_BYTES = 64_000
ANSWER_IN_MEMORY_BYTES = 256_000
# granian opens the file of an answer a moment after it was told of it, then it may go.
FILE_KEPT_SECONDS = 60.0
# Answered beside the queue, so that whoever watches the site is told that it lives, also while it is busy.
PROBES = frozenset({"/healthz"})

# What stands for the value of a header that no text is (PEP 3333: Latin-1).
UNREADABLE = "\xff"

log = logging.getLogger("yiwang.front")
Headers = list[tuple[str, str]]


class BodyRefusal(Exception):
    """The body is not taken: the status to answer, and why in both languages."""

    def __init__(self, status: int, zh: str, en: str) -> None:
        super().__init__(en)
        self.status, self.text = status, f"{zh}\n{en}\n"


class ClientGone(Exception):
    """Nobody is there any more to be answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the application said: in memory, or in a file, which may be ours to throw away."""

    status: int
    headers: Headers
    body: bytes = b""
    path: str = ""
    temporary: bool = False


class Site:
    """The application as granian calls it. One per worker process."""

    def __init__(self, wsgi: Callable[..., Iterable[bytes]], *, threads: int, home: Path, most_bytes: int) -> None:
        self.wsgi = wsgi
        self.home = home
        self.most_bytes = most_bytes
        self.threads = ThreadPoolExecutor(threads, thread_name_prefix="request")
        self.probes = ThreadPoolExecutor(1, thread_name_prefix="probe")

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        if scope.proto != "http":
            protocol.close(403)
            return
        with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES, dir=str(self.home)) as body:
            try:
                size = await receive(scope, protocol, body, most_bytes=self.most_bytes)
            except BodyRefusal as refused:
                _refuse(protocol, refused)
                return
            except ClientGone:
                return
            threads = self.probes if scope.path in PROBES else self.threads
            environ = environment(scope, body, size)
            answer = await asyncio.get_running_loop().run_in_executor(threads, self._answer, environ)
        _send(scope, protocol, answer)

    def _answer(self, environ: dict[str, Any]) -> Answer:
        try:
            return ask(self.wsgi, environ, home=self.home)
        except Exception as error:
            log.exception("%s could not be answered", environ["PATH_INFO"])
            refused = _no_room() if is_full(error) else _server_error()
        return Answer(status=refused.status, headers=_headers(refused), body=refused.text.encode())


PLAIN: Headers = [("content-type", "text/plain; charset=utf-8"), ("cache-control", "no-store")]


def _headers(refused: BodyRefusal) -> Headers:
    return [*PLAIN, ("retry-after", "60")] if refused.status == 503 else PLAIN


def _no_room() -> BodyRefusal:
    return BodyRefusal(503, "服务器存储空间已满，请稍后再试。", "The server's disk is full. Please try again later.")


def _server_error() -> BodyRefusal:
    return BodyRefusal(500, "服务器出错。", "Something went wrong here.")


async def receive(scope: Any, protocol: Any, body: IO[bytes], *, most_bytes: int) -> int:
    """Read the body into a file, rewound; how many bytes it has.

    Raises:
        Refused: It is too large, comes too slowly, or there is no room for it.
        Gone: Whoever sent it went away in the middle.
    """
    announced = _content_length(scope)
    if (announced or 0) > most_bytes:
        raise _too_large(announced or 0, most_bytes)
    if announced == 0 or (
        announced is None and "transfer-encoding" not in scope.headers and scope.http_version[0] == "1"
    ):
        return 0
    started, received = time.monotonic(), 0
    chunks = aiter(protocol)
    while True:
        left = started + GRACE_SECONDS + received / LEAST_BYTES_A_SECOND - time.monotonic()
        try:
            # (asyncio.wait_for would start a task for each piece)
            async with asyncio.timeout(max(0.001, min(SILENCE_SECONDS, left))):
                chunk = await anext(chunks)
        except StopAsyncIteration:
            break
        except TimeoutError:
            raise BodyRefusal(408, "上传太慢，请求已中断。", "The request came too slowly and was ended.") from None
        except RuntimeError as error:  # granian's protocol errors are such
            raise ClientGone from error
        received += len(chunk)
        if received > most_bytes:
            raise _too_large(received, most_bytes)
        try:
            body.write(chunk)
        except OSError as error:
            raise _no_room() from error
    if announced is not None and received != announced:
        raise ClientGone
    body.seek(0)
    return received


def _content_length(scope: Any) -> int | None:
    value = scope.headers.get("content-length")
    try:
        return None if value is None else int(value)
    except ValueError:
        return None


def _too_large(size: int, most: int) -> BodyRefusal:
    return BodyRefusal(
        413, f"请求太大：{size} 字节，最多 {most} 字节。", f"The request is too large: {size} bytes, at most {most}."
    )


def environment(scope: Any, body: IO[bytes], size: int) -> dict[str, Any]:
    """The request as PEP 3333 has it. Headers with an underscore are left out: they would pass for those with a hyphen."""
    server, _, port = scope.server.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode("utf-8", "surrogateescape").decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": server.strip("[]"),
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
    }
    headers = scope.headers.items()
    # granian leaves out values that are not ASCII; a key or a token that was sent must not pass for one that was not
    unreadable = set(scope.headers.keys()) - {name for name, _ in headers}
    for name, value in [*headers, *((name, UNREADABLE) for name in unreadable)]:
        if "_" in name:
            continue
        key = "HTTP_" + name.upper().replace("-", "_")
        joiner = "; " if key == "HTTP_COOKIE" else ","
        environ[key] = f"{environ[key]}{joiner}{value}" if key in environ else value
    environ.pop("HTTP_TRANSFER_ENCODING", None)  # what was sent in pieces is whole now
    environ.pop("HTTP_CONTENT_LENGTH", None)
    environ["CONTENT_LENGTH"] = str(size) if size or scope.method in ("POST", "PUT", "PATCH") else ""
    environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE", "")
    if scope.authority and "HTTP_HOST" not in environ:
        environ["HTTP_HOST"] = scope.authority
    return environ


def ask(wsgi: Callable[..., Iterable[bytes]], environ: dict[str, Any], *, home: Path) -> Answer:
    """Run the application until its answer is whole. Files are named, not read."""
    said: list[tuple[str, Headers]] = []

    def start_response(status: str, headers: Headers, *_: Any) -> Callable[[bytes], object]:
        said.append((status, headers))
        return lambda _: None

    parts = wsgi(environ, start_response)
    try:
        if path := _whole_file(parts):
            return _answer(said, path=path)
        return _collect(parts, said, home=home)
    finally:
        close = getattr(parts, "close", None)
        if close is not None:
            close()


def _answer(said: list[tuple[str, Headers]], **body: Any) -> Answer:
    status, headers = said[-1]
    return Answer(status=int(status.split(" ", 1)[0]), headers=headers, **body)


def _whole_file(parts: Iterable[bytes]) -> str:
    """Where the answer lies, when it is a file of the disk from its beginning to its end."""
    file = parts.filelike if isinstance(parts, FileWrapper) else None
    if not isinstance(file, io.BufferedReader) or not isinstance(file.name, str) or file.tell():
        return ""
    with contextlib.suppress(OSError):
        if os.path.samestat(os.fstat(file.fileno()), os.stat(file.name)):
            return os.path.abspath(file.name)
    return ""


def _collect(parts: Iterable[bytes], said: list[tuple[str, Headers]], *, home: Path) -> Answer:
    kept, size = [], 0
    rest = iter(parts)
    for part in rest:
        kept.append(part)
        size += len(part)
        if size > ANSWER_IN_MEMORY_BYTES:
            break
    else:
        return _answer(said, body=b"".join(kept))
    with tempfile.NamedTemporaryFile(dir=home, prefix=".answer-", delete=False) as file:
        try:
            file.writelines(kept)
            file.writelines(rest)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
    return _answer(said, path=file.name, temporary=True)


def _send(scope: Any, protocol: Any, answer: Answer) -> None:
    """Hand the answer to granian, which writes it as fast as it is read."""
    headers = [(name.lower(), str(value)) for name, value in answer.headers]
    if scope.method == "HEAD" or answer.status in (204, 304):
        protocol.response_empty(answer.status, headers)
    elif answer.path:
        protocol.response_file(answer.status, headers, answer.path)
    else:
        protocol.response_bytes(answer.status, headers, answer.body)
    if answer.temporary:
        asyncio.get_running_loop().call_later(FILE_KEPT_SECONDS, _forget, answer.path)


def _forget(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)


def _refuse(protocol: Any, refused: BodyRefusal) -> None:
    # what is left of the body is not read, so nothing else can follow on this connection
    protocol.response_bytes(refused.status, [*_headers(refused), ("connection", "close")], refused.text.encode())


def _site() -> Site:
    home = Path(settings.YIWANG_HOME) / "passing"
    home.mkdir(parents=True, exist_ok=True)
    for left in home.glob(".answer-*"):  # by a process that was killed; one still being sent stays readable to granian
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > 2 * FILE_KEPT_SECONDS:
                left.unlink()
    on_postgresql = settings.DATABASES["default"]["ENGINE"].endswith("postgresql")
    return Site(application, threads=2 if on_postgresql else 1, home=home, most_bytes=settings.YIWANG_UPLOAD_BYTES)


site = _site()
