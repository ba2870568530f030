"""CSV files of arrivals, services and sites, with every fault by row and column."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.core.planning.queues.checkpoints import LaneGroup, VehicleClass
from yiwang.core.planning.queues.screening import SamplingSite

SHARED = "shared"  # the lanes of all classes that have none of their own
AUTO = "auto"
MOST_HOURS = 168


@dataclass(slots=True)
class _Faults:
    """Faults found so far in one file."""

    file: str
    problems: list[Problem] = field(default_factory=list)

    def __call__(self, row: int | None, column: str, message: Text, hint: Text) -> None:
        self.problems.append(Problem(message, hint, self.file, row, column))

    def number(
        self, cells: Mapping[str, str], row: int, column: str, *, above: float = -1.0, whole: bool = False
    ) -> float:
        """A cell as a number of 0 or more, or more than ``above``; 0 with a fault where it is none."""
        text = cells.get(column, "")
        try:
            value = float(int(text)) if whole else float(text)
        except ValueError:
            value = float("nan")
        if isfinite(value) and value >= 0 and value > above:
            return value
        what = Text("整数", "a whole number") if whole else Text("数字", "a number")
        least = Text("大于 {n:g} 的", " above {n:g}", n=above) if above >= 0 else Text("不小于 0 的", " of 0 or more")
        self(
            row,
            column,
            Text("「{text}」无效。", "{text!r} cannot be taken.", text=text),
            Text("请写{least}{what}。", "Write {what}{least}.", least=least, what=what),
        )
        return 0.0


def read_groups(
    arrivals: str, services: str, *, lanes: int | None, files: tuple[str, str] = ("arrivals", "service")
) -> tuple[LaneGroup, ...]:
    """Lane groups of a checkpoint.

    Args:
        arrivals: CSV ``hour,class,arrivals``: hours are whole numbers from 0; what is not listed is 0.
        services: CSV ``class,mean_seconds,scv[,lanes]``. A class with a number of lanes has that many of its own, one with ``auto`` as many
            of its own as it turns out to need; all others share.
        lanes: Of the shared lanes; None where that is to be found.
        files: How the two are called in faults.

    Raises:
        BadInput: With every fault of both files.
    """
    faults, others = _Faults(files[0]), _Faults(files[1])
    services_of: dict[str, tuple[float, float, str]] = {}
    for row, cells in _rows(services, others, ("class", "mean_seconds", "scv")):
        name, own = cells["class"], cells.get("lanes", "")
        mean = others.number(cells, row, "mean_seconds", above=0)
        scv = others.number(cells, row, "scv")
        if own not in ("", AUTO):
            others.number(cells, row, "lanes", above=0, whole=True)
        if not name or name in services_of:
            message = Text("类别「{name}」为空或重复。", "Class {name!r} is empty or stands there twice.", name=name)
            others(row, "class", message, Text("每类一行。", "One row for each class."))
        services_of[name] = (mean / 60, scv, own)
    counts: dict[tuple[str, int], float] = {}
    for row, cells in _rows(arrivals, faults, ("hour", "class", "arrivals")):
        hour, name = int(faults.number(cells, row, "hour", whole=True)), cells["class"]
        count = faults.number(cells, row, "arrivals")
        if name not in services_of:
            message = Text("类别「{name}」没有服务时间。", "Class {name!r} has no service time.", name=name)
            hint = Text("请在 {file} 中加一行。", "Add a row to {file}.", file=files[1])
            faults(row, "class", message, hint)
        if hour >= MOST_HOURS:
            message = Text("第 {hour} 小时太晚。", "Hour {hour} is too late.", hour=hour)
            faults(row, "hour", message, Text("小时从 0 到 167。", "Hours go from 0 to 167."))
        if (name, hour) in counts:
            message = Text(
                "第 {hour} 小时「{name}」重复。", "Hour {hour} of {name!r} stands there twice.", hour=hour, name=name
            )
            faults(row, "hour", message, Text("每类每小时一行。", "One row for each class and hour."))
        counts[name, hour] = count
    _refuse(faults, others)
    hours = max((hour for _, hour in counts), default=-1) + 1
    if not hours or not any(counts.values()):
        faults(None, "arrivals", Text("没有到达。", "Nobody arrives."), Text("请写到达数。", "Give arrivals."))
    _refuse(faults, others)
    classes = {
        name: VehicleClass(
            id=name, mean=mean, scv=scv, arrivals=tuple(counts.get((name, hour), 0.0) for hour in range(hours))
        )
        for name, (mean, scv, _) in services_of.items()
    }
    together = tuple(one for name, one in classes.items() if not services_of[name][2])
    groups = (
        [LaneGroup(id=SHARED, classes=together, lanes=None if lanes is None else (lanes,) * hours)] if together else []
    )
    groups += [
        LaneGroup(id=name, classes=(classes[name],), lanes=None if own == AUTO else (int(own),) * hours)
        for name, (_, _, own) in services_of.items()
        if own
    ]
    return tuple(groups)


def read_sites(text: str, *, file: str = "sites") -> tuple[SamplingSite, ...]:
    """Sampling sites from CSV ``id,people,opens,closes[,shares][,walk_minutes]``; ``shares`` are weights of the open hours, ``1;2;1``.

    Raises:
        BadInput: With every fault.
    """
    faults = _Faults(file)
    sites: dict[str, SamplingSite] = {}
    for row, cells in _rows(text, faults, ("id", "people", "opens", "closes")):
        parts = filter(None, cells.get("shares", "").split(";"))
        shares = [faults.number({"shares": part}, row, "shares") for part in parts]
        walk = faults.number(cells, row, "walk_minutes") if cells.get("walk_minutes") else None
        if not cells["id"] or cells["id"] in sites:
            message = Text("编号「{id}」为空或重复。", "Id {id!r} is empty or stands there twice.", id=cells["id"])
            faults(row, "id", message, Text("每个采样点一行。", "One row for each site."))
        site = SamplingSite(
            id=cells["id"],
            people=int(faults.number(cells, row, "people", above=0, whole=True)),
            opens=int(faults.number(cells, row, "opens", whole=True)),
            closes=int(faults.number(cells, row, "closes", whole=True)),
            shares=tuple(shares),
            walk=walk,
        )
        sites[site.id] = site
        try:
            site.check()
        except BadInput as error:
            for problem in error.problems:
                faults(row, problem.column, problem.message, problem.hint)
    if not sites and not faults.problems:
        faults(
            None, "", Text("没有采样点。", "There are no sites."), Text("每个采样点一行。", "One row for each site.")
        )
    _refuse(faults)
    return tuple(sites.values())


def _rows(text: str, faults: Callable[..., None], needed: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows as a spreadsheet numbers them, with stripped cells; a missing column is one fault and no rows."""
    reader = csv.DictReader(io.StringIO(text, newline=""), restval="")
    header = [name.strip() for name in reader.fieldnames or ()]
    missing = [name for name in needed if name not in header]
    for name in missing:
        message = Text("缺少「{name}」列。", "There is no column {name!r}.", name=name)
        faults(1, name, message, Text("表头应有 {all}。", "The header needs {all}.", all=", ".join(needed)))
    if missing:
        return
    for row in reader:
        cells = {name.strip(): value.strip() for name, value in row.items() if isinstance(name, str)}
        if any(cells.values()):
            yield reader.line_num, cells


def _refuse(*found: _Faults) -> None:
    problems = [problem for faults in found for problem in faults.problems]
    if problems:
        raise BadInput(problems)
