"""The figures of the bottleneck page as rows, with names, links and the picture's labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from yiwang.core.kernel.text import Text
from yiwang.core.mining.flow import Summary
from yiwang.server.cases.api import step_name, unit_name
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.formatting import lasting_text, number_text
from yiwang.server.common.language import say
from yiwang.server.common.templatetags.yiwang import named
from yiwang.server.scrutiny.flowing import Flow
from yiwang.server.scrutiny.workflow_svg import Traffic

_TIMES = ("stays", "cases", "going_on", "median_seconds", "p90_seconds", "total_seconds", "share", "waiting_share")
TABLES: dict[str, tuple[str, ...]] = {
    "steps": ("step", "name", *_TIMES),
    "units": ("unit", "name", *_TIMES),
    "levels": ("level", "name", *_TIMES),
    "moves": ("from", "origin", "to", "target", "moves", "cases", "median_seconds"),
    "paths": ("path", "names", "cases", "share", "median_seconds"),
}
HEADS = {
    "step": Text("环节编码", "Step, code"), "unit": Text("单位编码", "Unit, code"), "level": Text("层级编码", "Level, code"),
    "name": Text("名称", "Name"), "from": Text("起始环节编码", "From, code"), "origin": Text("从", "From"),
    "to": Text("到达环节编码", "To, code"), "target": Text("到", "To"), "moves": Text("次数", "Times"),
    "path": Text("各环节编码", "Steps, codes"), "names": Text("环节", "Steps"), "stays": Text("停留次数", "Stays"),
    "cases": Text("案卷", "Cases"), "going_on": Text("未离开", "Still there"),
    "median_seconds": Text("停留中位数（秒）", "Median stay (s)"), "p90_seconds": Text("九成在此之内（秒）", "Nine tenths within (s)"),
    "total_seconds": Text("总时间（秒）", "All time (s)"), "share": Text("占比", "Share"),
    "waiting_share": Text("其中等待", "Of it waiting"),
}  # fmt: skip
DRAWN_FROM = 0.005  # of all cases: rarer moves would bury the picture; the table has them
Link = Callable[[str, str], str]


def title(place: CityRuntime, kind: str, key: str) -> str:
    """What a list of cases is about."""
    if kind in {"move", "path"}:
        return " → ".join(step_name(place, step) for step in key.split(">"))
    if kind == "unit":
        return unit_name(place, key) or say("没有单位", "No unit")
    return step_name(place, key) if kind == "step" else _level_name(place, key)


def _level_name(place: CityRuntime, level: str) -> str:
    known = next((each for each in place.info.levels if each.id == level), None)
    return named(known) if known else level or say("没有单位", "No unit")


class Tables:
    """Rows for the page; ``link`` gives the address of the cases behind a figure."""

    def __init__(self, place: CityRuntime, found: Flow, *, link: Link = lambda kind, key: "") -> None:
        self.place, self.found, self.link = place, found, link

    def steps(self) -> list[dict[str, Any]]:
        names = self.found.columns.steps
        return [
            self._sojourn_row(each, "step", names[each.key], step_name(self.place, names[each.key]))
            for each in self.found.steps
        ]

    def units(self) -> list[dict[str, Any]]:
        names = self.found.columns.holders
        return [
            self._sojourn_row(
                each, "unit", names[each.key], unit_name(self.place, names[each.key]) or say("没有单位", "No unit")
            )
            for each in self.found.units
        ]

    def levels(self) -> list[dict[str, Any]]:
        names = self.found.level_names
        return [
            self._sojourn_row(each, "level", names[each.key], _level_name(self.place, names[each.key]))
            for each in self.found.levels
        ]

    def moves(self) -> list[dict[str, Any]]:
        names = self.found.columns.steps
        return [
            {
                "from": names[each.origin],
                "to": names[each.target],
                "origin": step_name(self.place, names[each.origin]),
                "target": step_name(self.place, names[each.target]),
                "moves": each.count,
                "cases": each.cases,
                "median_seconds": each.median,
                "link": self.link("move", f"{names[each.origin]}>{names[each.target]}"),
            }
            for each in self.found.moves
        ]

    def paths(self) -> list[dict[str, Any]]:
        names = self.found.columns.steps
        rows = []
        for each in self.found.paths:
            ids = [names[step] for step in each.steps]
            rows.append(
                {
                    "path": ">".join(ids),
                    "names": [step_name(self.place, step) for step in ids],
                    "cases": each.cases,
                    "share": each.share,
                    "median_seconds": each.median,
                    "link": self.link("path", ">".join(ids)),
                }
            )
        return rows

    def _sojourn_row(self, each: Summary, kind: str, code: str, name: str) -> dict[str, Any]:
        total = sum(other.total for other in self.found.steps) or 1.0
        return {
            kind: code,
            "name": name,
            "stays": each.stays,
            "cases": each.cases,
            "going_on": each.going_on,
            "median_seconds": each.median,
            "p90_seconds": each.most,
            "total_seconds": each.total,
            "share": each.total / total,
            "waiting_share": each.waiting / each.total if self.found.persons and each.total else None,
            "link": self.link(kind, code),
        }

    def plain(self, table: str) -> list[dict[str, Any]]:
        """A table's rows with the columns of `TABLES`: codes beside names; no value is an empty cell."""
        rows = {
            "steps": self.steps,
            "units": self.units,
            "levels": self.levels,
            "moves": self.moves,
            "paths": self.paths,
        }[table]()
        return [{name: _cell(row[name]) for name in TABLES[table]} for row in rows]

    def traffic(self) -> Traffic:
        """The picture: moves with how many cases made them, steps with the median time, warmer where more of all time goes."""
        names, cases = self.found.columns.steps, max(1, self.found.cases)
        known = self.place.rules.workflow.steps
        drawn = [
            move
            for move in self.found.moves
            if move.cases >= DRAWN_FROM * cases and names[move.origin] in known and names[move.target] in known
        ]
        most = max((move.count for move in drawn), default=1)
        ends = {(names[move.origin], names[move.target]): move for move in drawn}
        times = {row["step"]: row for row in self.steps()}
        arrived: dict[str, int] = {}
        for move in self.found.moves:
            arrived[names[move.target]] = arrived.get(names[move.target], 0) + move.cases
        remarks = {
            step: say("{n} 次到达", "{n} arrivals", n=number_text(count))
            for step, count in arrived.items()
            if step in known and known[step].end
        }
        for step, row in times.items():
            half = (
                lasting_text(row["median_seconds"])
                if row["median_seconds"] is not None
                else say("过半未离开", "most still here")
            )
            remarks[step] = f"{number_text(row['cases'])} · {half}"
        return Traffic(
            moves={pair: number_text(move.count) for pair, move in ends.items()},
            widths={pair: 1 + round(4 * (move.count / most) ** 0.5) for pair, move in ends.items()},
            remarks=remarks,
            heat={step: min(4, round(row["share"] * 8)) for step, row in times.items()},
            links={step: row["link"] for step, row in times.items() if row["link"]},
        )


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, list):
        value = " → ".join(value)
    # no spreadsheet shall take a name for a formula
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@"} else value
