"""Slow writers and slow readers against the site, and what others notice of them.

Every slow writer opens a report and sends its body byte by byte, every slow reader asks for something large and does not
read it; both come again when they are cut off. Meanwhile one client asks for ``/healthz`` and another reports, four times a
second each. ``YIWANG_BENCH_QUICK=1`` takes fifteen seconds instead of two minutes.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from dataclasses import dataclass, field
from typing import Any

from bench._site import database, in_process, served

SECONDS = 15.0 if os.environ.get("YIWANG_BENCH_QUICK") else 120.0
WRITERS, READERS = 200, 50
REPORT = json.dumps({"text": "路口垃圾", "category": "02001", "lon": 120.003, "lat": 31.003}).encode()
# An answer of some megabytes (the map's code), so that it does not fit into the buffers between the two.
LARGE = "/static/build/assets/"
PATIENCE_SECONDS = 30.0


@dataclass(slots=True)
class Seen:
    """What the patient clients saw: the seconds each answer took, and how many did not come or were no success."""

    probe_seconds: list[float] = field(default_factory=list)
    report_seconds: list[float] = field(default_factory=list)
    failed: int = 0


def attack(base: str, *, seconds: float, writers: int = WRITERS, readers: int = READERS, large: str) -> Seen:
    """Hold slow connections open for so long and measure what others get.

    Args:
        base: Address of the site, in which the toy city is installed.
        seconds: How long.
        writers: Connections that send a body byte by byte.
        readers: Connections that do not read a large answer.
        large: Path of that answer.
    """
    return asyncio.run(_attack(base.removeprefix("http://"), seconds, writers, readers, large))


def p99(seconds: list[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.99)] if seconds else float("inf")


async def _attack(host: str, seconds: float, writers: int, readers: int, large: str) -> Seen:
    await _warm_up(host)
    until, seen = time.monotonic() + seconds, Seen()
    slow = [asyncio.create_task(_write_slowly(host, until)) for _ in range(writers)]
    slow += [asyncio.create_task(_read_slowly(host, until, large)) for _ in range(readers)]
    await asyncio.sleep(1)  # all of them are connected
    await asyncio.gather(
        _ask(host, until, "GET", "/healthz", b"", seen, seen.probe_seconds),
        _ask(host, until, "POST", "/api/v1/cities/mini/reports", REPORT, seen, seen.report_seconds),
    )
    for task in slow:
        task.cancel()
    await asyncio.gather(*slow, return_exceptions=True)
    return seen


async def _warm_up(host: str) -> None:
    """The first report to each worker process loads the city's rules; that is not what is measured."""
    until, unseen = time.monotonic() + 3, Seen()
    report = (host, until, "POST", "/api/v1/cities/mini/reports", REPORT, unseen, unseen.report_seconds)
    await asyncio.gather(*(_ask(*report) for _ in range(4)))


async def _open(host: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    name, _, port = host.rpartition(":")
    return await asyncio.open_connection(name, int(port), limit=2048)


def _head(method: str, path: str, host: str, length: int) -> bytes:
    return (
        f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {length}\r\nConnection: close\r\n\r\n"
    ).encode()


async def _write_slowly(host: str, until: float) -> None:
    while time.monotonic() < until:
        try:
            _, writer = await _open(host)
            writer.write(_head("POST", "/api/v1/cities/mini/reports", host, len(REPORT) + 10_000))
            while time.monotonic() < until:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(1)
        except OSError:
            await asyncio.sleep(0.5)


async def _read_slowly(host: str, until: float, large: str) -> None:
    while time.monotonic() < until:
        try:
            reader, writer = await _open(host)
            writer.write(_head("GET", large, host, 0))
            while time.monotonic() < until and await reader.read(1):
                await asyncio.sleep(1)
        except OSError:
            await asyncio.sleep(0.5)


async def _ask(host: str, until: float, method: str, path: str, body: bytes, seen: Seen, taken: list[float]) -> None:
    while time.monotonic() < until:
        started = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                reader, writer = await _open(host)
                writer.write(_head(method, path, host, len(body)) + body)
                first = await reader.readline()
                writer.close()
            seen.failed += not first.startswith(b"HTTP/1.1 2")
        except (OSError, TimeoutError):
            seen.failed += 1
        taken.append(time.monotonic() - started)
        await asyncio.sleep(0.25)


def largest_asset() -> str:
    """Path of the largest of the built files."""
    from yiwang.server import settings

    folder = settings.STATICFILES_DIRS[0] / "build" / "assets"
    return LARGE + max(folder.iterdir(), key=lambda file: file.stat().st_size).name


def run() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for kind in ("sqlite", "postgresql"):
        with database(kind) as environment:
            in_process(environment, "install")
            with served(environment) as base:
                seen = attack(base, seconds=SECONDS, large=largest_asset())
        held = f"{WRITERS} slow writers and {READERS} slow readers for {SECONDS:.0f} s, {kind}"
        for name, taken in (("/healthz", seen.probe_seconds), ("a report", seen.report_seconds)):
            rows.append(
                {
                    "name": f"p99 of {name}, {held}; {seen.failed} of all failed",
                    "value": p99(taken) * 1000,
                    "unit": "ms",
                    "peer": "wanted: below 1,000 ms",
                    "ratio": 1 / p99(taken),
                }
            )
    return rows
