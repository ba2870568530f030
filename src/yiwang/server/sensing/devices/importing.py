"""Many devices from a file, a row each: what is there already is made as the row says, so a file may be given again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.packs.records.file import open_rows
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.sensing.devices.reading import device_key
from yiwang.server.sensing.devices.registry import DeviceSaid, register_device

COLUMNS = ("key", "thing", "name", "adapter", "silence_after", "password")
_NEEDED = ("key", "thing")
KEPT_PROBLEMS = 200


@dataclass(slots=True)
class Imported:
    """What became of a file.

    Attributes:
        rows: Rows of it, the head left out.
        new, changed, same, refused: What became of them.
        problems: Why rows were refused, the first of them.
    """

    rows: int = 0
    new: int = 0
    changed: int = 0
    same: int = 0
    refused: int = 0
    problems: list[Problem] = field(default_factory=list)


def import_devices(
    place: CityRuntime, path: Path, *, progress: Callable[[int, int], None] = lambda _, __: None
) -> Imported:
    """Register the devices of a file.

    Of a device that is there, a column that the file has not, or an empty password, changes nothing; another empty cell empties.

    Args:
        progress: Takes the rows that are done, and 0 for their unknown total.

    Raises:
        BadInput: The file cannot be read, or has a column too many or too few.
    """
    done = Imported()
    seen: dict[str, int] = {}
    with open_rows(path, score=lambda heads: sum(head.strip().lower() in COLUMNS for head in heads)) as rows:
        heads = [head.strip().lower() for head in next(rows).cells]
        _check(heads, path)
        for row in rows:
            done.rows += 1
            if row.fault or len(row.cells) != len(heads):
                message = row.fault or Text(
                    "此行有 {given} 格，表头有 {width} 格。",
                    "The row has {given} cells, the header {width}.",
                    given=len(row.cells),
                    width=len(heads),
                )
                _refuse(done, [Problem(message)], path, row.number)
                continue
            cells = dict(zip(heads, (cell.strip() for cell in row.cells), strict=True))
            try:
                _take(place, cells, seen, row.number, done)
            except BadInput as error:
                _refuse(done, error.problems, path, row.number)
            progress(done.rows, 0)
    return done


def _take(place: CityRuntime, cells: dict[str, str], seen: dict[str, int], number: int, done: Imported) -> None:
    key = device_key(cells["key"])
    if key in seen:
        message = Text("{key} 在第 {row} 行已有。", "{key} is in row {row} already.", key=key, row=seen[key])
        raise BadInput(Problem(message, column="key"))
    seen[key] = number
    silence = cells.get("silence_after", "")
    if silence and not (silence.isascii() and silence.isdigit()):
        message = Text("「{cell}」不是整数秒。", "{cell!r} is no whole number of seconds.", cell=silence[:40])
        raise BadInput(Problem(message, column="silence_after"))
    said = DeviceSaid(
        key=key,
        thing=cells["thing"],
        name=cells.get("name", ""),
        adapter=cells.get("adapter", ""),
        silence_after=int(silence[:12]) if silence else None,
        password=cells.get("password") or None,
    )
    _, became = register_device(place, said, again=True, unsaid=[name for name in COLUMNS if name not in cells])
    setattr(done, became, getattr(done, became) + 1)


def _refuse(done: Imported, problems: list[Problem] | tuple[Problem, ...], path: Path, row: int) -> None:
    done.refused += 1
    for one in problems:
        if len(done.problems) < KEPT_PROBLEMS:
            done.problems.append(replace(one, file=path.name, row=row))


def _check(heads: list[str], path: Path) -> None:
    hint = Text("可用的列：{columns}。", "The columns are {columns}.", columns=", ".join(COLUMNS))
    problems = [
        Problem(Text("缺少列 {column}。", "The column {column} is missing.", column=one), hint, file=str(path), row=1)
        for one in _NEEDED
        if one not in heads
    ]
    for one in dict.fromkeys(heads):
        if one not in COLUMNS or heads.count(one) > 1:
            message = Text("列「{column}」不认识或重复。", "The column {column!r} is not known, or twice.", column=one)
            problems.append(Problem(message, hint, file=str(path), row=1))
    if problems:
        raise BadInput(problems)
