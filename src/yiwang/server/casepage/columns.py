"""The columns that the list of cases may show, on the page and in the files that are made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest

from yiwang.core.kernel.text import Text
from yiwang.server.cases.api import source_name
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.templatetags.yiwang import named

Cell = str | datetime | None
KEPT = "list-columns"  # where the session holds what somebody has chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of the list.

    Attributes:
        id: As addresses name it.
        name: What its head says.
        cell: What a file shows of a row that `shown_row` has made; times are aware.
        rising, falling: The orders that an index serves; empty where none does.
    """

    id: str
    name: Text
    cell: Callable[[Mapping[str, Any]], Cell]
    rising: str = ""
    falling: str = ""


def _value(name: str) -> Callable[[Mapping[str, Any]], Cell]:
    return lambda row: row[name]


COLUMNS = {
    column.id: column
    for column in (
        Column(id="number", name=Text("编号", "Number"), cell=_value("number")),
        Column(id="words", name=Text("内容", "Words"), cell=_value("text")),
        Column(id="category", name=Text("类别", "Category"), cell=_value("category_name")),
        Column(id="step", name=Text("环节", "Step"), cell=_value("step_name")),
        Column(
            id="deadline",
            name=Text("截止", "Deadline"),
            cell=_value("deadline"),
            rising="deadline",
            falling="-deadline",
        ),
        Column(id="region", name=Text("区域", "Region"), cell=_value("region_name")),
        Column(id="holder", name=Text("承办", "Holder"), cell=_value("holder_name")),
        Column(
            id="opened_at",
            name=Text("上报时间", "Reported"),
            cell=_value("opened_at"),
            rising="opened_at",
            falling="-opened_at",
        ),
        Column(id="source", name=Text("来源", "Channel"), cell=_value("source_name")),
        Column(id="priority", name=Text("紧急程度", "Priority"), cell=_value("priority_name")),
    )
}
USUAL = ("number", "words", "category", "step", "deadline", "region", "holder", "opened_at")


def columns_asked(request: HttpRequest) -> tuple[str, ...]:
    """The columns that an address asks for, in the order of `COLUMNS`; none where it asks for none. The number, which
    leads to the case, is always one of them."""
    asked = {part for text in request.GET.getlist("columns") for part in text.split(",")} & set(COLUMNS)
    return _in_order(asked)


def columns_of(request: HttpRequest) -> list[Column]:
    """The columns that somebody sees: those of the address, else those that they have chosen last, else the usual ones."""
    kept = request.session.get(KEPT, ()) if request.user.is_authenticated else ()
    ids = columns_asked(request) or _in_order(set(kept) & set(COLUMNS)) or USUAL
    return [COLUMNS[id] for id in ids]


def _in_order(chosen: set[str]) -> tuple[str, ...]:
    return tuple(id for id in COLUMNS if id in chosen or id == "number") if chosen else ()


def with_names(row: Mapping[str, Any], *, place: CityRuntime) -> dict[str, Any]:
    """A row of `shown_row` with the names of its channel and its priority."""
    priority = place.rules.workflow.priorities.get(row["priority"])
    return {
        **row,
        "source_name": source_name(row["source"]),
        "priority_name": named(priority) if priority else row["priority"],
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The head of a column: where a click on it leads, and how the list is sorted by it now (empty when it is not)."""

    column: Column
    order: str
    sorted: str


def heads(columns: Sequence[Column], *, order: str) -> list[Head]:
    """The heads of the columns. A first click sorts by the time that comes first for work: the newest report, the next
    deadline; a second turns it round."""
    found = []
    for column in columns:
        first = column.falling if column.id == "opened_at" else column.rising
        second = column.rising if column.id == "opened_at" else column.falling
        direction = {column.rising: "ascending", column.falling: "descending"}.get(order, "") if first else ""
        found.append(Head(column=column, order=second if order == first else first, sorted=direction))
    return found
