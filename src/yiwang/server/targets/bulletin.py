"""The bulletin on targets 通报: who is ahead, who is behind, of whom it cannot be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from yiwang.core.kernel.text import Text
from yiwang.core.targets.light import Light
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.formatting import moment_text
from yiwang.server.common.language import say
from yiwang.server.targets import queries
from yiwang.server.targets.presentation import item_line, unit_name
from yiwang.server.targets.progress import months_for

PARTS: tuple[tuple[str, Text, tuple[Light, ...]], ...] = (
    ("ahead", Text("可望完成", "On course"), (Light.GREEN,)),
    ("behind", Text("难以完成", "Off course"), (Light.RED,)),
    ("open", Text("尚难断定", "Cannot be told yet"), (Light.AMBER,)),
    ("unknown", Text("数据不足", "No data"), (Light.GREY,)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetBulletin:
    """What a bulletin says.

    Attributes:
        as_of: The moment of its figures; None where nothing has been counted.
        letters: How many letters are in force.
        parts: ``id``, ``name`` and ``rows`` of those ahead, behind, open and unknown; a row is an item of a letter in force with ``unit``
            and ``code``.
    """

    year: int
    as_of: datetime | None
    letters: int
    parts: Sequence[dict[str, Any]]

    def lines(self, place: CityRuntime) -> list[str]:
        """It in sentences."""
        counts = {part["id"]: len(part["rows"]) for part in self.parts}
        at = moment_text(self.as_of, place.info.zone)
        return [
            say(
                "{year} 年生效责任书 {n} 份，数据截至 {at}。",
                "Letters of {year} in force: {n}; figures of {at}.",
                year=self.year, n=self.letters, at=at,
            ),
            say(
                "可望完成 {ahead} 项，难以完成 {behind} 项，尚难断定 {open} 项，数据不足 {unknown} 项。",
                "Targets on course: {ahead}; off course: {behind}; cannot be told yet: {open}; no data: {unknown}.",
                **counts,
            ),
        ]  # fmt: skip


def bulletin_of(place: CityRuntime, year: int) -> TargetBulletin:
    """The bulletin of a year's letters in force, for now."""
    found = queries.in_force(queries.letters_of(place.info.id, year, staff=False))
    months = months_for(place, found, year=year)
    rows: dict[Light, list[dict[str, Any]]] = {light: [] for light in Light}
    for _, letter in queries.ordered(place, found):
        for item in letter.items.all():
            progress = months.progress(letter.unit, item)
            line = item_line(item, progress)
            rows[progress.light].append(
                {**line, "unit": unit_name(place, letter.unit), "code": letter.unit, "owner": letter.owner}
            )
    return TargetBulletin(
        year=year,
        as_of=months.as_of,
        letters=len(found),
        parts=[
            {"id": id, "name": say(name), "rows": [row for light in lights for row in rows[light]]}
            for id, name, lights in PARTS
        ],
    )
