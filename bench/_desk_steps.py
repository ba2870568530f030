"""What the benchmark of the desks does inside Django, one mode a process: ``python bench/_desk_steps.py MODE``."""

from __future__ import annotations

import json
import sys
import time
from functools import partial
from typing import Any

import django

django.setup()

from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from yiwang.server.casepage.models import CaseRead, SavedView  # noqa: E402
from yiwang.server.cases.models import Case, Event  # noqa: E402
from yiwang.server.people.models import User  # noqa: E402
from yiwang.server.people.operations import create_person  # noqa: E402

PENDING = '{"pending":{"kind":"extend","by":"user:h","unit":"SWEEP-9001","reason":"r"},'
# who has work, and who is at a post with none of the open cases; the centre's people have all of the city before them
BUSY = {"inspector": "CTR-90", "intake": "CTR-90", "leader": "CTR-90", "dispatcher": "CTR-90", "handler": "SWEEP-9001"}
IDLE = {"dispatcher": "CTR-9002", "handler": "LAMP-90"}
READ, VIEWS = 20_000, 60


def empty(_: str = "") -> dict[str, Any]:
    """Each desk while all open cases stand at one step, so that most queues have none."""
    return _pages(BUSY, "empty where the step is", layouts=("list",))


def spread(_: str = "") -> dict[str, Any]:
    """Open cases at every step, a request waiting at one of 200; their events of the last month; marks and views.

    Ten thousand lives were copied without their events. Whoever looks at a queue is told what is new in its cases, so the
    open ones get the events of the life they were copied from.
    """
    steps = ("reported", "verifying", "accepted", "filed", "handling", "feedback", "checking", "checked")
    places = " ".join(f"WHEN {at} THEN '{step}'" for at, step in enumerate(steps))
    statements: list[tuple[str, list[Any]]] = [
        # what is out with a crew stays there, at two steps; one case of ten is on its way in or out, at the centre
        ("UPDATE cases_case SET step = 'handling' WHERE closed_at IS NULL AND \"id\" %% 2 = 0", []),
        (
            f"UPDATE cases_case SET step = CASE \"id\" / 10 %% 8 {places} ELSE step END, holder = 'CTR-90'"
            ' WHERE closed_at IS NULL AND "id" %% 10 = 3',
            [],
        ),
        (
            "UPDATE cases_case SET waits = ' extend ', rest = %s || substr(rest, 2)"
            " WHERE closed_at IS NULL AND step IN ('dispatched', 'handling') AND \"id\" %% 200 = 0",
            [PENDING],
        ),
        (_events(), []),
    ]
    with connection.cursor() as cursor:
        for statement, values in statements:
            cursor.execute(statement, values)
    for role, unit in BUSY.items():
        _marks_and_views(_person(role, unit), role, unit)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return {
        "open": Case.objects.filter(closed_at=None).count(),
        "waiting": Case.objects.filter(waits__isnull=False).count(),
        "events": Event.objects.count(),
    }


def _events() -> str:
    """The statement that copies the events of the first of each copied case, into the last month."""
    columns = [field.column for field in Event._meta.concrete_fields if field.column not in {"id", "case_id", "at"}]
    names = ", ".join(f'"{column}"' for column in columns)
    values = ", ".join(f'e."{column}"' for column in columns)
    at, origin = {
        "sqlite": (
            "datetime('now', '-' || (c.id %% 30) || ' days', '-1 hour')",
            "substr(c.number, 1, instr(c.number, 'x') - 1)",
        ),
        "postgresql": ("now() - (c.id %% 30) * interval '1 day' - interval '1 hour'", "split_part(c.number, 'x', 1)"),
    }[connection.vendor]
    return (
        f'INSERT INTO cases_event (case_id, "at", {names}) SELECT c.id, {at}, {values} FROM cases_case c'
        f" JOIN cases_case o ON o.number = {origin} JOIN cases_event e ON e.case_id = o.id"
        " WHERE c.closed_at IS NULL AND c.number LIKE '%%x%%'"
    )


def _marks_and_views(user: User, role: str, unit: str) -> None:
    """What somebody has after two busy months: cases read, half of them as they are now, and more views than anybody needs."""
    ids = Case.objects.filter(closed_at=None).order_by("id").values_list("id", "seq")[:READ]
    CaseRead.objects.bulk_create(
        [CaseRead(user=user, case_id=case, seq=seq if case % 2 else 1) for case, seq in ids], batch_size=2000
    )
    SavedView.objects.bulk_create(
        SavedView(
            user=user, city="mini", role=role, name=f"{role} {at}", query=f"q={at}", unit=unit if at % 2 else ""
        )
        for at in range(VIEWS)
    )  # fmt: skip


def desks(_: str = "") -> dict[str, Any]:
    """Each desk with its work, and the desks of those whose unit has none, while others have much."""
    found = _pages(BUSY, "with work", layouts=("list", "board"))
    return found | _pages(IDLE, "none of its own", layouts=("list", "board"))


def _person(role: str, unit: str) -> User:
    name = f"bench-{role}-{unit}".lower()
    create_person(username=name, password=None, name=role, name_en=role, city="mini", roles={role: (unit, "")})
    return User.objects.get(username=name)


def _pages(posts: dict[str, str], state: str, *, layouts: tuple[str, ...]) -> dict[str, Any]:
    found = {}
    for role, unit in posts.items():
        client = Client(HTTP_HOST="localhost")
        client.force_login(_person(role, unit))
        for layout in layouts:
            client.post(f"/mini/desk/{role}/layout", {"layout": layout})
            for kind in ("due", "mine", "asked", "all"):
                found[f"{role}, {kind}, {state}{', board' * (layout == 'board')}"] = measured(
                    partial(client.get, f"/mini/desk/{role}?kind={kind}")
                )
            if layout == "list":
                found[f"{role}, counts on the tabs, {state}"] = measured(partial(client.get, f"/mini/desk/{role}/tabs"))
    return found


def measured(act: Any) -> dict[str, float]:
    """Median of nine, after one that fills the caches of the process and whose queries are counted: milliseconds, those of the
    processor, and queries."""
    with CaptureQueriesContext(connection) as captured:
        answer = act()
    queries = len(captured)  # later requests forget them
    if answer.status_code != 200:
        raise AssertionError(f"{answer.status_code}: {answer.content[:300]!r}")
    times, busy = [], []
    for _ in range(9):
        start, worked = time.perf_counter(), time.process_time()
        act()
        times.append((time.perf_counter() - start) * 1000)
        busy.append((time.process_time() - worked) * 1000)
    return {"ms": sorted(times)[4], "cpu_ms": sorted(busy)[4], "queries": queries}


if __name__ == "__main__":
    modes = {"empty": empty, "spread": spread, "desks": desks}
    print(json.dumps(modes[sys.argv[1]]()))
