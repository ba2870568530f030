"""What the benchmarks do inside Django, one mode a process: ``python bench/_steps.py MODE …``."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import django

django.setup()

from django.core.mail.utils import DNS_NAME  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.models import Count, Max, Min  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from yiwang.core.cases.events import Actor, Command  # noqa: E402
from yiwang.server.cases.models import Case, Outbox  # noqa: E402
from yiwang.server.cases.reading import queries  # noqa: E402
from yiwang.server.cases.reading.queries import CaseFilters  # noqa: E402
from yiwang.server.cases.storage import words  # noqa: E402
from yiwang.server.cases.writing import outbox  # noqa: E402
from yiwang.server.cities.queries import runtime  # noqa: E402
from yiwang.server.imports.lifecycles import BulkWriter, Lifecycle, Move, import_lives  # noqa: E402
from yiwang.server.portal import mailing  # noqa: E402
from yiwang.server.portal.models import Follow  # noqa: E402

MINI = Path(__file__).resolve().parents[1] / "tests" / "packs" / "fixtures" / "mini"
REGIONS = ("900101", "900102", "900201", "900202")
CATEGORIES = ("01001", "01002", "02001", "02002", "03001")
START = datetime(2026, 1, 5, 1, tzinfo=UTC)


def install() -> dict[str, Any]:
    from yiwang.server.people.operations import create_person, create_token
    from yiwang.server.provision.operations import install_pack

    call_command("migrate", verbosity=0)
    install_pack(MINI)
    create_person(username="bench", password=None, name="b", name_en="b", city="mini", roles={"leader": ("CTR-90", "")})
    return {"token": create_token(user="bench")}


def life(index: int) -> Lifecycle:
    """A whole life of about nine events; every seventh case stays open."""
    at = START + timedelta(seconds=37 * index)
    after = [at + timedelta(minutes=minutes) for minutes in (10, 30, 90, 100, 120, 130)]

    def move(step: int, verb: str, role: str, **payload: Any) -> Move:
        person = Actor(id=f"user:{role}", name=role, roles=frozenset({role, "system"}), unit="CTR-90")
        return Move(at=after[step], command=Command(verb=verb, actor=person, payload=payload))

    moves = (
        move(0, "dispatch", "dispatcher"), move(1, "take", "system"), move(2, "finish", "system", note="done"),
        move(3, "ask_check", "intake"), move(4, "check", "inspector", note="ok"), move(5, "close", "leader"),
    )  # fmt: skip
    payload = {
        "city": "mini", "text": f"case {index}", "category": CATEGORIES[index % 5], "region": REGIONS[index * 7 % 11 % 4],
        "source": "inspector", "lon": 120.003, "lat": 31.003,
    }  # fmt: skip
    reporter = Actor(id="user:i", name="i", roles=frozenset({"inspector"}))
    return Lifecycle(
        external=str(index), at=at, actor=reporter, payload=payload, moves=moves if index % 7 else moves[:1]
    )


def lives(first: str, count: str) -> dict[str, Any]:
    """Write so many whole lives; how many a second, with deciding and everything that is written."""
    start = time.perf_counter()
    writer = BulkWriter(place=runtime("mini"), origin="bench")
    totals = import_lives(
        bundles=([life(index)] for index in range(int(first), int(first) + int(count))), writer=writer
    )
    seconds = time.perf_counter() - start
    return {
        "cases": totals.cases,
        "events": totals.events,
        "refused": totals.refused,
        "per_second": totals.cases / seconds,
    }


def multiply(wanted: str) -> dict[str, Any]:
    """Copy the rows of cases until there are so many: other numbers, an earlier stretch of history each time."""
    columns = [field.column for field in Case._meta.concrete_fields if field.column != "id"]
    quoted = ", ".join(f'"{column}"' for column in columns)
    before = {
        "sqlite": "datetime(\"{0}\", '-' || %s || ' seconds')",
        "postgresql": "\"{0}\" - %s * interval '1 second'",
    }
    shift = before[connection.vendor]
    with connection.cursor() as cursor:
        have = Case.objects.count()
        step = 0
        while have < int(wanted):
            step += 1
            take = min(have, int(wanted) - have)
            parts, values = [], []
            for column in columns:
                if column == "number":
                    parts.append(f"number || 'x{step}'")
                elif column in {"opened_at", "deadline"}:
                    parts.append(shift.format(column))
                    earlier = 37 * have  # each copy is an earlier stretch of history
                    values.append(str(earlier) if connection.vendor == "sqlite" else earlier)
                else:
                    parts.append(f'"{column}"')
            cursor.execute(
                f"INSERT INTO cases_case ({quoted}) SELECT {', '.join(parts)} FROM cases_case ORDER BY id LIMIT {take}",
                values,
            )
            have += take
    words.index_all()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return {"cases": have}


def lists(_: str = "") -> dict[str, Any]:
    """Milliseconds and queries of a list of 100, by filter, first page and deep; the median of nine."""
    unit = Case.objects.filter(city="mini").order_by("-id").values_list("holder", flat=True).first() or ""
    asked = {
        "no filter": CaseFilters(),
        "step": CaseFilters(step="closed"),
        "holder": CaseFilters(holder=unit),
        "category": CaseFilters(category="02001"),
        "street": CaseFilters(region="9001"),
        "community": CaseFilters(region="900202"),
        "overdue": CaseFilters(state="overdue"),
        "by deadline": CaseFilters(state="open", order="deadline"),
        "street and step": CaseFilters(region="9002", step="dispatched"),
        "words": CaseFilters(q="case 12"),
        "rare words": CaseFilters(q="case 9041"),
        "words that nothing has": CaseFilters(q="井盖"),
        "one community's few at a step": CaseFilters(region="900102", step="created"),
    }
    found = {}
    for name, wanted in asked.items():
        cursor, deep = "", ""
        for _page in range(40):
            page = queries.list_cases(city="mini", filters=wanted, cursor=cursor, limit=500)
            if page.next is None:
                break
            cursor = deep = page.next
        found[name] = {"first": timed(wanted, ""), "deep": timed(wanted, deep)}
    return found


def timed(filters: CaseFilters, cursor: str) -> dict[str, float]:
    times = []
    for _ in range(9):
        with CaptureQueriesContext(connection) as captured:
            start = time.perf_counter()
            queries.list_cases(city="mini", filters=filters, cursor=cursor, limit=100)
            times.append((time.perf_counter() - start) * 1000)
    return {"ms": sorted(times)[4], "queries": len(captured)}


def numbers(count: str) -> dict[str, Any]:
    return {"numbers": list(Case.objects.order_by("-id").values_list("number", flat=True)[: int(count)])}


def counted(_: str = "") -> dict[str, Any]:
    return {"cases": Case.objects.count()}


def told(_: str = "") -> dict[str, Any]:
    """Rows of the outbox that wait, and that have been dealt with, and in how many seconds from the first of them on."""
    left = Outbox.objects.filter(sent_at=None).count()
    found = Outbox.objects.aggregate(n=Count("sent_at"), first=Min("created_at"), last=Max("sent_at"))
    seconds = (found["last"] - found["first"]).total_seconds() if found["last"] else 0.0
    return {"left": left, "sent": found["n"], "seconds": seconds}


def letters(_: str = "") -> dict[str, Any]:
    """Every case is followed by somebody with an address, and everything is still to be told; letters a second."""
    numbers = list(Case.objects.order_by("id").values_list("number", flat=True))
    Follow.objects.bulk_create(
        Follow(
            uid=f"{index}", city="mini", report=f"{index}", number=number, current=number, digest="", email=f"r{index}@example.org",
            origin="https://city.example",
        )
        for index, number in enumerate(numbers)
    )  # fmt: skip
    Outbox.objects.update(sent_at=None)
    DNS_NAME.get_fqdn()  # asked once in a process
    start = time.perf_counter()
    while outbox.drain(correspondents=[mailing.letters]):
        pass
    seconds = time.perf_counter() - start
    if Follow.objects.filter(told=0).exists():
        raise AssertionError("somebody was not told")
    return {"letters": len(numbers), "per_second": len(numbers) / seconds}


if __name__ == "__main__":
    mode, *arguments = sys.argv[1:]
    modes: dict[str, Callable[..., dict[str, Any]]] = {
        "install": install,
        "lives": lives,
        "multiply": multiply,
        "lists": lists,
        "numbers": numbers,
        "counted": counted,
        "told": told,
        "letters": letters,
    }
    print(json.dumps(modes[mode](*arguments)))
