"""Scores as pages show them, in the page's language. No data is said to be no data, never 0."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from yiwang.core.facts.case_labels import LABELS
from yiwang.core.facts.cases import CASES
from yiwang.core.facts.table import MOMENT
from yiwang.core.indicators.definitions import COUNTED, Indicator
from yiwang.core.indicators.scorecard import Cell
from yiwang.core.indicators.standing import Standing
from yiwang.core.kernel.text import Text
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.formatting import number_text
from yiwang.server.common.language import say
from yiwang.server.common.templatetags.yiwang import moment, named
from yiwang.server.scores import queries
from yiwang.server.scores.explaining import Explanation
from yiwang.server.scores.queries import Scorecard

LIGHTS = {"green": "green", "blue": "green", "yellow": "yellow", "red": "red", "black": "red"}
SUFFIXES = {
    "percent": Text("%", "%"),
    "score": Text(" 分", " of 100"),
    "hours": Text(" 时", " h"),
    "days": Text(" 天", " d"),
    "stars": Text(" 星", " stars"),
    "times": Text(" 次", ""),
    "points": Text(" 分", " points"),
}
DIRECTIONS = {
    "up": Text("越高越好", "more is better"),
    "down": Text("越低越好", "less is better"),
    "none": Text("不分好坏", "neither good nor bad"),
}


def figure(cell: Cell, indicator: Indicator) -> str:
    """A figure with its unit; empty for no data."""
    if cell.value is None:
        return ""
    if indicator.unit in COUNTED:
        return number_text(cell.numerator)
    return f"{number_text(cell.value, 1)}{say(SUFFIXES[indicator.unit])}"


def interval(standing: Standing | None, indicator: Indicator) -> str:
    """From where to where a figure may lie, as people write it; empty where it cannot be said."""
    if standing is None or standing.interval is None:
        return ""
    low, high = standing.interval.low, standing.interval.high
    return (
        f"{number_text(low)}–{number_text(high)}"
        if indicator.unit in COUNTED
        else f"{number_text(low, 1)}–{number_text(high, 1)}{say(SUFFIXES[indicator.unit])}"
    )


def counts(cell: Cell, indicator: Indicator) -> str:
    """What a figure was divided from; empty for a plain count and for no data. Seconds are left to the page behind it."""
    if not cell.denominator:
        return ""
    if indicator.unit == "score":
        return ""
    whole = number_text(cell.denominator)
    return f"{number_text(cell.numerator)}/{whole}" if indicator.unit == "percent" else f"÷ {whole}"


def thing(place: CityRuntime, level: str, key: str) -> str:
    """A region or department by name."""
    if not key:
        return say("尚未派遣", "Not dispatched yet") if level == "department" else say("未定位", "Not located")
    found = place.rules.units.get(key) if level == "department" else place.regions.get(key)
    return named(found) if found else key


def league(card: Scorecard, *, place: CityRuntime, level: str, month: str) -> dict[str, Any]:
    """What the league table shows: best composite score first, then those without one."""
    city = place.info.id
    grades = {grade.id: grade for grading in place.pack.indicators.gradings for grade in grading.grades}
    rows: list[dict[str, Any]] = []
    evaluated = list(dict.fromkeys(name for row in card.rows for name in row.composites))
    stood = queries.standings_of(card, place=place, ranked=evaluated[:1])
    for row, own in zip(card.rows, stood, strict=True):
        key = row.keys[level]
        standing = own.get(evaluated[0]) if evaluated else None
        composite = next(iter(row.composites.values()), None)
        asked = {"level": level, "month": month, "key": key}
        grade = grades.get(composite.grade) if composite else None
        narrowed = {"holder" if level == "department" else "region": key}
        rows.append(
            {
                "name": thing(place, level, key),
                "cases_url": f"{reverse('cases', args=[city])}?{urlencode(narrowed)}" if key else "",
                "own_url": f"{reverse('score-own', args=[city, level])}?{urlencode({'key': key, 'month': month})}"
                if key
                else "",
                "score": composite.score if composite else None,
                "interval": standing.interval if standing else None,
                "place": standing.place if standing else None,
                "grade": grade and {"id": grade.id, "name": named(grade), "light": LIGHTS[grade.colour]},
                "cells": [
                    {
                        "figure": figure(cell, card.indicators[name]),
                        "counts": counts(cell, card.indicators[name]),
                        "interval": interval(own.get(name), card.indicators[name]),
                        "name": named(card.indicators[name]),
                        "url": f"{reverse('score-explained', args=[city, name])}?{urlencode(asked)}",
                    }
                    for name, cell in row.cells.items()
                ],
            }
        )
    rows.sort(key=lambda row: (row["score"] is None, -(row["score"] or 0.0), row["name"]))
    evaluation = next((name for row in card.rows for name in row.composites), "")
    return {
        "card": card,
        "columns": list(card.indicators.values()),
        "rows": rows,
        "evaluation": next((one for one in place.pack.indicators.evaluations if one.id == evaluation), None),
        "file_query": urlencode({"level": level, "month": month}),
        "csv_url": f"{reverse('score-csv', args=[city])}?{urlencode({'level': level, 'month': month})}",
    }


PARTS = {
    "": Text("{name}", "{name}"), "_name": Text("{name}名称", "{name}, name"), "_numerator": Text("{name}·分子", "{name}, numerator"),
    "_denominator": Text("{name}·分母", "{name}, denominator"), "_low": Text("{name}·区间下限", "{name}, low"),
    "_high": Text("{name}·区间上限", "{name}, high"), "_best_place": Text("{name}·最好名次", "{name}, best place"),
    "_worst_place": Text("{name}·最差名次", "{name}, worst place"),
}  # fmt: skip
KEYS = {"month": Text("月份", "Month"), **LABELS}


def heads(header: Sequence[str], *, place: CityRuntime) -> list[str]:
    """The ids of `queries.as_table` as words, for a file that people open."""
    book = place.pack.indicators
    known: dict[str, Text] = {**KEYS, **{level.id: level.name for level in place.info.levels}}
    known |= {one.id: one.name for one in book.indicators}
    for one in book.evaluations:
        known[f"score_{one.id}"] = Text("{name}·得分", "{name}, score", name=one.name)
        known[f"grade_{one.id}"] = Text("{name}·等级", "{name}, grade", name=one.name)
    words = {f"{id}{part}": (text, name) for id, name in known.items() for part, text in PARTS.items()}
    return [say(words[id][0], name=words[id][1]) if id in words else id for id in header]


def explanation_context(found: Explanation, *, place: CityRuntime, level: str, key: str | None) -> dict[str, Any]:
    """What the page of one figure shows."""
    one, table = found.indicator, found.table
    book = place.pack.indicators
    words = book.words_of(" ".join(one.formula))
    chosen = dict(words)
    return {
        "indicator": one,
        "figure": figure(found.cell, one),
        "cell": found.cell,
        "about": say("全市", "Whole city") if key is None else thing(place, level, key),
        "direction": say(DIRECTIONS[one.direction]),
        "basis": say(table.basis_label(one.basis)),
        "choices": [choice for choice in book.choices if choice.id in chosen],
        "terms": [(name, text) for name, text in words if name in book.terms],
        "facts": [(name, say(table.labels[name])) for name in found.columns],
        "table": table,
        "of_cases": table.name == CASES,
        "as_of": found.as_of,
        "rows": [
            {
                **row,
                "facts": [
                    (say(table.labels[name]), _plain(value, table.kinds[name], place)) for name, value in row["facts"]
                ],
            }
            for row in found.rows
        ],
    }


def _plain(value: Any, kind: str, place: CityRuntime) -> Any:
    if value is None or value == "":
        return "—"
    if kind == MOMENT:
        return moment(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=value), place.info.timezone)
    if isinstance(value, bool):
        return say("是", "yes") if value else say("否", "no")
    return value
