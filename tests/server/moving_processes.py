"""What the processes of `test_sensing_lake_killed` do: ``python moving_processes.py MODE …``. Each prints one line of JSON."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from tests.server.sensing_city import underpass  # noqa: E402

from yiwang.core.kernel.instants import DAY, SECOND, to_micros  # noqa: E402
from yiwang.core.observations import kept  # noqa: E402
from yiwang.server.sensing.api import Observation, Reading, series, stream_ids, write_observations  # noqa: E402
from yiwang.server.sensing.kept import days as kept_days  # noqa: E402
from yiwang.server.sensing.kept import keeping, lake, moving, reading  # noqa: E402

MINI = Path(__file__).resolve().parents[1] / "packs" / "fixtures" / "mini"
FIRST = datetime(2026, 1, 30, tzinfo=UTC)
START, STEP, DAYS, STREAMS = to_micros(FIRST), 3600 * SECOND, 3, 10
LATE = START + 40 * DAY
moving.STREAMS = 2  # so that a kill falls between the transactions of one bucket too
POINTS: dict[str, tuple[Any, str]] = {
    "files": (lake, "write_raw"),
    "roll-ups": (lake, "write_rollups"),
    "name": (lake, "_keep_names"),
    "publishing": (kept_days, "publish"),
    "looking": (kept, "settled"),
    "taking away": (moving, "_take_away_of"),
    "reading": (lake, "read_raw"),
    "months": (keeping, "_write_month"),
}


def values(round_: int) -> list[Reading]:
    """Readings of every stream: those of round 0, and in later rounds some again, some corrected, and some new between them."""
    found = []
    for place, pk in enumerate(sorted(stream_ids("mini").values())):
        for hour in range(DAYS * 24):
            if round_ == 0:
                found.append(Reading(pk, START + hour * STEP, float(hour + place)))
            elif hour % 5 == round_ % 5:
                moment = START + hour * STEP + (hour % 2) * round_ * SECOND
                found.append(Reading(pk, moment, float(hour + place + (hour % 4 == 0) * round_)))
    return found


def prepare() -> dict[str, Any]:
    from yiwang.server.provision.operations import install_pack

    call_command("migrate", verbosity=0)
    install_pack(MINI)
    for number in range(STREAMS):
        underpass(str(number))
    write("0")
    return {"case": ""}


def write(round_: str) -> dict[str, Any]:
    readings = values(int(round_))
    for start in range(0, len(readings), 50):
        write_observations(readings[start : start + 50], received=LATE, judge=False)
    return {"rows": len(readings)}


def move() -> dict[str, Any]:
    moved = moving.move_days("mini", before=FIRST + timedelta(days=DAYS))
    keeping.compact("mini", now=FIRST + timedelta(days=90))
    return {"rows": moved.rows}


def expected(rounds: int) -> dict[str, list[list[float]]]:
    """What a table in memory would hold: by stream, time and value."""
    known: dict[int, dict[int, float]] = {}
    for round_ in range(rounds):
        for one in values(round_):
            assert one.value is not None
            known.setdefault(one.datastream, {})[one.time] = one.value
    return {str(pk): [[at, value] for at, value in sorted(said.items())] for pk, said in known.items()}


def shown() -> dict[str, list[list[float | None]]]:
    return {
        str(pk): [[to_micros(at), value] for at, value, _ in series(pk)] for pk in sorted(stream_ids("mini").values())
    }


def rolled(said: dict[str, list[list[float]]]) -> list[int]:
    return [
        len([at for at, _ in rows if at // DAY == START // DAY + day]) for rows in said.values() for day in range(DAYS)
    ]


def counted() -> list[int]:
    pks = sorted(stream_ids("mini").values())
    found = reading.rolled_up("mini", pks, start=START, end=START + DAYS * DAY, width=DAY)
    return [int(count) for count in found.count]


def verify(rounds: str) -> dict[str, Any]:
    said = expected(int(rounds))
    return {
        "same": shown() == said,
        "rolled": counted() == rolled(said),
        "left": Observation.objects.count(),
        "twice": len(set(Observation.objects.values_list("datastream", "phenomenon_time")))
        != Observation.objects.count(),
    }


def die(point: str, nth: int, after: bool) -> None:
    """Be killed at the nth time that a function is called, before it or after it."""
    module, name = POINTS[point]
    whole, calls = getattr(module, name), [0]

    def killed(*arguments: Any, **options: Any) -> Any:
        calls[0] += 1
        if calls[0] == nth and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        given = whole(*arguments, **options)
        if calls[0] == nth:
            os.kill(os.getpid(), signal.SIGKILL)
        return given

    setattr(module, name, killed)
    move()


def apart(work: Callable[[], Any]) -> tuple[int, Any]:
    """Do something in a process of its own, which shares no connection: the signal that ended it, and what it gave."""
    connection.close()
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(out)
        status = 1
        try:
            with os.fdopen(into, "w") as pipe:
                json.dump(work(), pipe)
            status = 0
        finally:
            os._exit(status)
    os.close(into)
    with os.fdopen(out) as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    return os.WTERMSIG(status), json.loads(said) if said else None


def kill_everywhere() -> dict[str, Any]:
    """A mover is killed at each point in turn, with late readings before each; what is seen is compared after every kill."""
    answers = []
    rounds = 1
    for point in POINTS:
        for nth, after in ((1, False), (1, True), (3, True)):
            apart(lambda number=rounds: write(str(number)))  # type: ignore[misc]
            rounds += 1
            ended, _ = apart(lambda at=(point, nth, after): die(*at))  # type: ignore[misc]
            _, found = apart(lambda number=rounds: verify(str(number)))  # type: ignore[misc]
            answers.append([point, nth, after, ended == signal.SIGKILL, found])
    apart(move)
    _, last = apart(lambda: verify(str(rounds)))
    return {"answers": answers, "last": last, "days": apart(lambda: len(kept_days.published("mini")))[1]}


MODES: dict[str, Callable[..., Any]] = {one.__name__: one for one in (prepare, write, move, verify, kill_everywhere)}

if __name__ == "__main__":
    mode, *arguments = sys.argv[1:]
    print(json.dumps(MODES[mode](*arguments)))
