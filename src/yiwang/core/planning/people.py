"""Where people live: counts of regions, handed down to the regions below as an estimate where nothing better is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.core.planning.values import PeopleCount
from yiwang.core.space import RegionTree


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleAt:
    """People of one region at a point inside it.

    Attributes:
        lon, lat: Degrees, WGS 84.
        estimate: The region itself was not counted: it has an even share of a larger one.
    """

    region: str
    lon: float
    lat: float
    people: float
    estimate: bool


def people_at(counts: Iterable[PeopleCount], tree: RegionTree, level: str) -> Iterator[PeopleAt]:
    """The people of every region of a level that was counted, or that lies in one that was.

    A region without a count has as much as every other one of its level without a count in the nearest region above that was counted.

    Raises:
        BadInput: When there is no count, or a region has no outline to find a point in.
    """
    counted = {one.region: one.people for one in counts if tree.get(one.region)}
    if not counted:
        raise BadInput(Problem(Text("城市包没有人口数。", "The pack has no counts of people."),
                               Text("请在 planning.toml 中写 [[people]]。", "Write [[people]] into planning.toml.")))  # fmt: skip
    regions = list(tree.at_level(level))
    above = {one.code: _counted_above(one.code, counted, tree) for one in regions}
    known: dict[str, float] = dict.fromkeys(counted, 0.0)
    shares = Counter(code for region, code in above.items() if code and region not in counted)
    for region, code in above.items():
        if code and region in counted:
            known[code] += counted[region]
    for one in regions:
        code = above[one.code]
        if one.code not in counted and not code:
            continue
        if one.geometry is None:
            raise BadInput(Problem(Text("区域 {code} 没有轮廓。", "The region {code} has no outline.", code=one.code)))
        inside = one.geometry.representative_point()
        people = counted[one.code] if one.code in counted else max(0.0, counted[code] - known[code]) / shares[code]
        yield PeopleAt(region=one.code, lon=inside.x, lat=inside.y, people=people, estimate=one.code not in counted)


def _counted_above(code: str, counted: dict[str, float], tree: RegionTree) -> str:
    """The nearest counted region that a region lies in, itself left out; empty where there is none."""
    for one in reversed(tree.chain(code)[:-1]):
        if one.code in counted:
            return one.code
    return ""
