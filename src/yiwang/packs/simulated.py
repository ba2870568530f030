"""`simulated.toml`: the sensors that a city pretends to have, for demonstrations. A pack may have none; then nothing is simulated.

A group is a number of like things: underpasses with a water level and a rain gauge each, bins, covers. They stand at given
points, evenly along a line, or scattered over regions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
import shapely
from pydantic import AfterValidator, Field, StringConstraints, model_validator

from yiwang.core.kernel.text import Text
from yiwang.core.observations.dice import Dice, dice
from yiwang.core.observations.simulating import KINDS, Faults, SimulatedStream
from yiwang.core.space import Region, RegionTree
from yiwang.packs.files import PackFiles
from yiwang.packs.toml_tables import (
    Expected,
    ListOf,
    Required,
    Texts,
    TomlTable,
    Words,
    choice,
    labelled,
    read_table,
    wrong,
)

FILE = "simulated.toml"
_TRIES = 200  # points drawn in the box of an outline until one lies inside
_KIND = choice(KINDS, Text("没有传感器种类「{value}」。", "There is no kind of sensor {value!r}."))
_CHANCE = Annotated[float, Field(ge=0, le=1)]


def _check_points(points: tuple[tuple[float, ...], ...]) -> tuple[tuple[float, ...], ...]:
    for point in points:
        if len(point) != 2 or abs(point[0]) > 180 or abs(point[1]) > 90:
            raise wrong(
                Text("{point} 不是经纬度。", "{point} is no longitude and latitude.", point=str(list(point))),
                Text("例如 [120.31, 31.49]。", "For example [120.31, 31.49]."),
            )
    return points


Points = Annotated[
    ListOf[ListOf[float]],
    AfterValidator(_check_points),
    Expected(Text("例如 [[120.31, 31.49]]。", "For example [[120.31, 31.49]].")),
]
Id = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$"),
    Expected(
        Text("例如 underpass。", "For example underpass."),
        Text("标识只能用小写字母、数字和连字符。", "An id has small letters, digits and hyphens only."),
    ),
]


class FaultTable(TomlTable):
    """What is wrong with instruments at times; see `yiwang.core.observations.simulating.Faults`.

    Attributes:
        stuck, gap, drift: Chance a day. ``spike``: chance for each reading.
        hours: The longest.
    """

    stuck: _CHANCE = 0.0
    gap: _CHANCE = 0.0
    drift: _CHANCE = 0.0
    spike: _CHANCE = 0.0
    hours: Annotated[float, Field(ge=0.25, le=24)] = 6.0

    def faults(self) -> Faults:
        return Faults(stuck=self.stuck, gap=self.gap, drift=self.drift, spike=self.spike, hours=self.hours)


class StreamTable(TomlTable):
    """What each thing of a group observes.

    Attributes:
        kind: One of `yiwang.core.observations.simulating.KINDS`.
        observed: The observed property, by which `sensing.toml` knows the stream.
        every: Seconds from one reading to the next.
    """

    kind: Annotated[str, _KIND]
    observed: Required
    every: Annotated[int, Field(ge=10, le=86_400)]


class GroupTable(TomlTable):
    """Like things.

    Attributes:
        id: Unique; part of the keys.
        name: Of one thing; its number follows.
        count: How many; not with ``points``, which are as many as they are.
        points: Where they stand: longitude and latitude in WGS 84.
        along: A line along which they are spread evenly.
        regions: Codes of regions over which they are scattered, at points that the seed decides.
        streams: What each of them observes.
        faults: In place of the file's.
    """

    label: ClassVar[str] = "group"

    id: Id
    name: Words
    count: Annotated[int, Field(ge=1, le=5000)] = 1
    points: Points = ()
    along: Points = ()
    regions: Texts = ()
    streams: ListOf[StreamTable]
    faults: FaultTable | None = None

    @model_validator(mode="after")
    def _number(self) -> GroupTable:
        object.__setattr__(self, "count", len(self.points) or self.count)
        return self


class _File(TomlTable):
    """The whole file."""

    seed: Annotated[int, Field(ge=0, le=2**31)] = 1
    faults: FaultTable = Field(default_factory=FaultTable)
    group: ListOf[GroupTable] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedThing:
    """A thing that is simulated.

    Attributes:
        key: Of the thing, which is the site of its streams.
        name: In words, with its number.
        lon, lat: Degrees in WGS 84.
        streams: Each with the observed property.
    """

    key: str
    name: Text
    lon: float
    lat: float
    streams: tuple[tuple[SimulatedStream, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedSensors:
    """What is simulated in a city."""

    seed: int
    faults: Faults
    groups: tuple[GroupTable, ...]

    def things(self, regions: RegionTree) -> Iterator[SimulatedThing]:
        """All things with their places; the same every time while the file and the outlines stay.

        Args:
            regions: Those in force on a day.
        """
        for group in self.groups:
            faults = group.faults.faults() if group.faults else self.faults
            for number, (lon, lat) in enumerate(place(group, regions, seed=self.seed), start=1):
                key = f"sim-{group.id}-{number}"
                yield SimulatedThing(
                    key=key,
                    name=Text("{name} {number}", "{name} {number}", name=group.name, number=number),
                    lon=lon,
                    lat=lat,
                    streams=tuple(
                        (
                            SimulatedStream(
                                kind=one.kind, key=f"{key}-{one.kind.replace('_', '-')}", site=key, seed=self.seed,
                                every=one.every, lon=lon, lat=lat, faults=faults,
                            ),
                            one.observed,
                        )
                        for one in group.streams
                    ),
                )  # fmt: skip


def read_simulated(files: PackFiles) -> SimulatedSensors | None:
    """Read the file; problems go to ``files``. None without it."""
    data = files.toml(FILE, required=False)
    if data is None:
        return None
    head = read_table(_File, data, files, FILE)
    seen: set[str] = set()
    for (label, group), written in zip(labelled(head.group), data.get("group", ()), strict=False):
        _check_group(label, group, written, files, seen)
    return SimulatedSensors(seed=head.seed, faults=head.faults.faults(), groups=head.group)


def _check_group(label: str, group: GroupTable, written: Mapping[str, Any], files: PackFiles, seen: set[str]) -> None:
    def fault(message: Text, hint: Text, column: str) -> None:
        files.fault(message, hint, file=FILE, column=label + column)

    if group.id in seen:
        again = Text("标识「{id}」已用过。", "The id {id!r} is taken.", id=group.id)
        fault(again, Text("请换一个。", "Choose another one."), "id")
    seen.add(group.id)
    where = [key for key in ("points", "along", "regions") if written.get(key)]
    if len(where) != 1:
        fault(
            Text("没有写在哪里，或写了几处。", "Where they stand is missing, or said more than once."),
            Text("points、along、regions 中恰好写一个。", "Give exactly one of points, along, regions."),
            where[1] if where else "regions",
        )
    if len(group.along) == 1:
        fault(Text("一个点不成线。", "A single point is no line."), Text("至少两个点。", "At least two."), "along")
    if not group.streams:
        fault(
            Text("没有写监测什么。", "What they observe is missing."),
            Text('例如 {{ kind = "tilt", observed = "…", every = 900 }}。', 'E.g. {{ kind = "tilt", observed = "…", every = 900 }}.'),
            "streams",
        )  # fmt: skip
    kinds = [one.kind for one in group.streams]
    for kind in sorted({kind for kind in kinds if kinds.count(kind) > 1}):
        twice = Text("「{kind}」写了两次。", "{kind!r} is given twice.", kind=kind)
        fault(twice, Text("每种一条。", "One stream of a kind."), "streams")


def place(group: GroupTable, regions: RegionTree, *, seed: int) -> Sequence[tuple[float, float]]:
    """Longitude and latitude of each thing of a group, in degrees, rounded to six places."""
    if group.points:
        return [(lon, lat) for lon, lat in group.points]
    if group.along:
        line = shapely.LineString(group.along)
        parts = np.linspace(0.0, 1.0, group.count) if group.count > 1 else np.array([0.5])
        found = shapely.line_interpolate_point(line, parts, normalized=True)
        return [(round(point.x, 6), round(point.y, 6)) for point in found]
    return _scatter(group, regions, seed=seed)


def _scatter(group: GroupTable, regions: RegionTree, *, seed: int) -> list[tuple[float, float]]:
    """One thing after the other in the lowest regions below the codes, in an order that is drawn."""
    lowest: Mapping[str, shapely.Geometry] = {
        region.code: region.geometry
        for code in group.regions
        if code in regions
        for region in _lowest_below(regions, code)
    }  # fmt: skip
    if not lowest:
        return []
    ordered = sorted(lowest, key=lambda code: dice(seed, group.id, code).one())
    return [
        _point_in(lowest[code], dice(seed, group.id, code, str(number)))
        for number in range(group.count)
        for code in [ordered[number % len(ordered)]]
    ]


def _lowest_below(regions: RegionTree, code: str) -> Iterator[Region]:
    below = [regions[code], *(region for region in regions.descendants(code) if region.code != code)]
    drawn = [region for region in below if region.geometry is not None]
    deepest = max((regions.depth(region.code) for region in drawn), default=0)
    return (region for region in drawn if regions.depth(region.code) == deepest)


def _point_in(outline: shapely.Geometry, draws: Dice) -> tuple[float, float]:
    """A point that is drawn inside an outline; its representative point where that takes too long."""
    west, south, east, north = outline.bounds
    numbers = np.arange(_TRIES, dtype=np.int64)
    lons = np.round(draws.between(2 * numbers, west, east), 6)
    lats = np.round(draws.between(2 * numbers + 1, south, north), 6)
    inside = shapely.contains_xy(outline, lons, lats)
    if inside.any():
        first = int(np.flatnonzero(inside)[0])
        return float(lons[first]), float(lats[first])
    middle = outline.representative_point()
    return round(middle.x, 6), round(middle.y, 6)
