"""Many devices from a file, a row each: what is there already is made as the row says, so a file may be given again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.packs.records.columns import Taken, named_rows
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.sensing.devices.reading import device_key
from yiwang.server.sensing.devices.registry import DeviceSaid, register_device

COLUMNS = ("key", "thing", "name", "adapter", "silence_after", "password")
_NEEDED = ("key", "thing")


@dataclass(slots=True)
class Imported(Taken):
    """What became of a file.

    Attributes:
        new, changed, same: What became of the rows that were not refused.
    """

    new: int = 0
    changed: int = 0
    same: int = 0


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
    for number, cells in named_rows(path, columns=COLUMNS, needed=_NEEDED, taken=done):
        try:
            _take(place, cells, seen, number, done)
        except BadInput as error:
            done.refuse(path, number, error.problems)
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
