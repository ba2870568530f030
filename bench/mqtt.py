"""Readings over MQTT with QoS 1 through two processes of `yiwang mqtt listen`: stored a second, and how long until a case.

Mosquitto holds a backlog while nobody listens; the clock runs from the first observation stored to the last, so neither the
publisher nor the start of the processes is in it. Then readings come at an even rate while underpasses are flooded one after
another: from publishing a reading to the case that it opens, which is seen by looking fifty times a second. Last, what the
processes and the worker take of a core when nothing is published. Two rules judge every reading.

Peer in the same run: the same readings one at a time by the ORM. ``YIWANG_BENCH_QUICK=1`` takes a tenth.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench._site import ROOT, database, in_process

QUICK = bool(os.environ.get("YIWANG_BENCH_QUICK"))
MANY = 20_000 if QUICK else 200_000
STREAMS = 1_000 if QUICK else 10_000
RATE = int(os.environ.get("YIWANG_BENCH_RATE", "10000"))  # observations a second while cases are waited for
FLOODS = 10 if QUICK else 100
TOGETHER = 10  # observations of a message of a gateway
IDLE = 5.0 if QUICK else 30.0
YIWANG = (sys.executable, "-c", "from yiwang.cli.main import main; main()")
MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
SCRIPT = "_mqtt_steps.py"


def run() -> list[dict[str, Any]]:
    if not Path(MOSQUITTO).exists():
        print("  Mosquitto is not installed: left out")
        return []
    rows: list[dict[str, Any]] = []
    for kind in ("sqlite", "postgresql"):
        with database(kind) as environment:
            in_process(environment, "install", script="_sensing_steps.py")
            slow = json.loads(in_process(environment, "naive", script="_sensing_steps.py"))
        rate = slow["rows"] / slow["seconds"]
        with database(kind) as environment, _broker() as port:
            in_process(environment, "install", str(STREAMS), script=SCRIPT)
            for together in (1, TOGETHER):
                each = _drained(environment, port, together)
                name = f"observations over MQTT, {together} in a message ({MANY:,}, two processes, {kind})"
                rows.append(_row(name, each, "/s", f"one at a time by the ORM: {rate:,.0f} /s", each / rate))
            waited = _cases(environment, port)
            for name, value in (("median", statistics.median(waited)), ("p99", waited[int(len(waited) * 0.99)])):
                said = (
                    f"from publishing to the case, {name} of {len(waited)} ({RATE:,} observations/s beside it, {kind})"
                )
                rows.append(_row(said, value, "s", "wanted: 1 s", 1 / value))
            share = 100 * _idle(environment, port)
            name = f"of a core for {STREAMS:,} streams that are silent, two processes and the worker ({kind})"
            rows.append(_row(name, share, "%", "wanted: 2 %", 2 / share))
    return rows


def _row(name: str, value: float, unit: str, peer: str, ratio: float | None) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "peer": peer, "ratio": ratio}


@contextlib.contextmanager
def _broker() -> Iterator[int]:
    """A port at which Mosquitto listens; it keeps whatever waits, in memory."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "mosquitto.conf")
        file.write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 0\n"
        )
        process = subprocess.Popen([MOSQUITTO, "-c", file], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _until_open(port)
            yield port
        finally:
            process.terminate()
            process.wait(timeout=20)


def _until_open(port: int) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise RuntimeError("Mosquitto did not start")


@contextlib.contextmanager
def _listening(environment: dict[str, str], port: int) -> Iterator[list[subprocess.Popen[str]]]:
    """Two processes that share the work; they have connected when this begins."""
    command = [*YIWANG, "mqtt", "listen", "--json", "--url", f"mqtt://127.0.0.1:{port}", "--name"]
    processes = [
        subprocess.Popen([*command, name], env=environment, stdout=subprocess.PIPE, text=True) for name in ("1", "2")
    ]
    try:
        for one in processes:
            assert one.stdout is not None
            one.stdout.readline()
        yield processes
    finally:
        for one in processes:
            one.terminate()
        for one in processes:
            one.wait(timeout=30)


@contextlib.contextmanager
def _publisher(port: int) -> Iterator[Any]:
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.max_inflight_messages_set(2000)
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def _publish(client: Any, stream: int, values: Sequence[tuple[float, float]]) -> Any:
    """Water levels in centimetres with their times; one alone as an object, several as a list."""
    said = [{"value": value, "time": at} for value, at in values]
    return client.publish(
        f"yiwang/mini/streams/underpass-{stream}", json.dumps(said[0] if len(said) == 1 else said), qos=1
    )


def _drained(environment: dict[str, str], port: int, together: int) -> float:
    """Observations stored a second, of a backlog that two processes take up."""
    with _listening(environment, port):
        time.sleep(1)  # the broker has their subscriptions from now on
    before = json.loads(in_process(environment, "stored", script=SCRIPT))["most"]
    base = time.time() - 3600 * (2 if together == 1 else 1)
    with _publisher(port) as client:
        sent = [
            _publish(
                client,
                n % STREAMS,
                [(1 + (n + k) % 30 / 10, base + n // STREAMS * together + k) for k in range(together)],
            )
            for n in range(MANY // together)
        ]
        for one in sent:
            one.wait_for_publish()
    watch = _beside(environment, "watch", str(before), str(MANY))
    time.sleep(2)
    with _listening(environment, port):
        found = json.loads(watch.communicate()[0].splitlines()[-1])
    if found["stored"] < MANY:
        raise RuntimeError(f"{MANY - found['stored']} observations are missing")
    return float(found["rows"] / found["seconds"])


def _beside(environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(ROOT / "bench" / SCRIPT), *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def _cases(environment: dict[str, str], port: int) -> list[float]:
    """Seconds from publishing the reading of a flood to its case, in order, while others are published at the rate."""
    watch = _beside(environment, "cases", str(FLOODS))
    quiet, turn = STREAMS - FLOODS, RATE // TOGETHER // 10  # messages of a tenth of a second
    with _listening(environment, port), _publisher(port) as client:
        time.sleep(3)
        flooded, n, began = 0, 0, time.monotonic()
        for tenth in range(10 * 60):
            for _ in range(turn):
                now = time.time()
                _publish(
                    client, FLOODS + n % quiet, [(1 + (n + k) % 30 / 10, now - (9 - k) / 1000) for k in range(TOGETHER)]
                )
                n += 1
            if flooded < FLOODS and tenth % 3 == 2:
                _publish(client, flooded, [(40.0, time.time())])
                flooded += 1
            if flooded == FLOODS and tenth % 10 == 0 and watch.poll() is not None:
                break
            time.sleep(max(0.0, began + (tenth + 1) / 10 - time.monotonic()))
        found = json.loads(watch.communicate()[0].splitlines()[-1])
    if found["cases"] < FLOODS:
        raise RuntimeError(f"{FLOODS - found['cases']} cases are missing")
    return [float(one) for one in found["seconds"]]


def _idle(environment: dict[str, str], port: int) -> float:
    """Of a core, what the processes take while nothing comes."""
    worker = subprocess.Popen([*YIWANG, "worker"], env=environment, stdout=subprocess.DEVNULL)
    try:
        with _listening(environment, port) as processes:
            time.sleep(15)  # whatever is left of the readings before has been dealt with
            everybody = [worker.pid, *(one.pid for one in processes)]
            before = sum(_processor_seconds(one) for one in everybody)
            time.sleep(IDLE)
            return (sum(_processor_seconds(one) for one in everybody) - before) / IDLE
    finally:
        worker.terminate()
        worker.wait(timeout=30)


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
