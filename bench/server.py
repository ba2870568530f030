"""Intake and verbs over HTTP, lists at a million cases, whole lifecycles: on SQLite and on PostgreSQL.

Load comes from `wrk` where it is installed (it takes little of the two cores), else from threads of this process. The
million rows are ten thousand real lifecycles copied with other numbers and times (`bench/_steps.py multiply`).
``YIWANG_BENCH_QUICK=1`` takes 50 thousand rows instead.
"""

from __future__ import annotations

import concurrent.futures
import http.client
import json
import os
import shutil
import time
from typing import Any

from bench import _wrk
from bench._site import WORKERS, database, in_process, served
from bench._wrk import CONNECTIONS, SECONDS

MANY = 50_000 if os.environ.get("YIWANG_BENCH_QUICK") else 1_000_000
LIVES = 2_000 if os.environ.get("YIWANG_BENCH_QUICK") else 10_000
REPORT = json.dumps({"text": "路口垃圾", "category": "02001", "lon": 120.003, "lat": 31.003})
PEER_INTAKE, PEER_VERB, PEER_LIST, PEER_LIFE = 31.0, 24.0, 519.0, 37.0


def run() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for kind in ("sqlite", "postgresql"):
        with database(kind) as environment:
            token = json.loads(in_process(environment, "install"))["token"]
            rows += _over_http(kind, environment, token)
            rows += _lives_and_lists(kind, environment)
    return rows


def _row(name: str, value: float, unit: str, peer: str, ratio: float | None) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "peer": peer, "ratio": ratio}


def _over_http(kind: str, environment: dict[str, str], token: str) -> list[dict[str, Any]]:
    with served(environment) as base:
        taken, answers = _load(base, ["/api/v1/cities/mini/reports"], REPORT, "")
        numbers = json.loads(in_process(environment, "numbers", "2000"))["numbers"]
        done, _ = _load(base, [f"/api/v1/cases/{number}/verbs/note" for number in numbers], '{"note": "seen"}', token)
    stored = json.loads(in_process(environment, "counted"))["cases"]
    if stored < answers:
        raise AssertionError(f"{answers} reports were answered, {stored} cases are stored")
    peer = "peer, measured on such a machine"
    return [
        _row(
            f"report intake, everything included, {WORKERS} workers, {kind}",
            taken,
            "/s",
            f"{peer}: 25–31/s",
            taken / PEER_INTAKE,
        ),
        _row(f"a verb, {WORKERS} workers, {kind}", done, "/s", f"{peer}: 24/s", done / PEER_VERB),
    ]


def _load(base: str, paths: list[str], body: str, token: str) -> tuple[float, int]:
    """POST for some seconds; calls a second that were answered 2xx, and how many."""
    if wrk := shutil.which("wrk"):
        return _by_wrk(wrk, base, paths, body, token)
    return _threads(base, paths, body, token)


def _by_wrk(wrk: str, base: str, paths: list[str], body: str, token: str) -> tuple[float, int]:
    prepare = (
        f'wrk.method = "POST"\nwrk.body = {json.dumps(body, ensure_ascii=True)}\nwrk.headers["Content-Type"] = "application/json"\n'
        + (f'wrk.headers["Authorization"] = "Bearer {token}"\n' if token else "")
    )
    return _wrk.run(wrk, base, paths, prepare)


def _threads(base: str, paths: list[str], body: str, token: str) -> tuple[float, int]:
    host = base.removeprefix("http://")
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    until = time.monotonic() + SECONDS

    def client(first: int) -> int:
        connection, done, turn = http.client.HTTPConnection(host), 0, first
        while time.monotonic() < until:
            turn += CONNECTIONS
            connection.request("POST", paths[turn % len(paths)], body.encode(), headers)
            answer = connection.getresponse()
            answer.read()
            done += answer.status < 300
        return done

    with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
        calls = sum(pool.map(client, range(CONNECTIONS)))
    return calls / SECONDS, calls


def _lives_and_lists(kind: str, environment: dict[str, str]) -> list[dict[str, Any]]:
    few = json.loads(in_process(environment, "lives", "0", str(LIVES)))
    in_process(environment, "multiply", str(MANY))
    many = json.loads(in_process(environment, "lives", str(LIVES), str(LIVES)))
    if few["refused"] or many["refused"]:
        raise AssertionError("a lifecycle was refused")
    rows = [
        _row(
            f"whole lifecycles ({few['events'] / few['cases']:.1f} events), one process, {kind}",
            few["per_second"],
            "/s",
            "peer publishes 37/s empty",
            few["per_second"] / PEER_LIFE,
        ),
        _row(
            f"the same with {MANY:,} cases there, {kind}",
            many["per_second"],
            "/s",
            "the row above",
            many["per_second"] / few["per_second"],
        ),
    ]
    for name, found in json.loads(in_process(environment, "lists")).items():
        for page in ("first", "deep"):
            milliseconds, queries = found[page]["ms"], found[page]["queries"]
            rows.append(
                _row(
                    f"list of 100 of {MANY:,}, {name}, {page} page, {queries} queries, {kind}",
                    milliseconds,
                    "ms",
                    "peer at 20 thousand: 519 ms, 521 queries",
                    PEER_LIST / milliseconds,
                )
            )
    return rows
