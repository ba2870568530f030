"""Where a case is: region, unit grid, point, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from yiwang.core.cases.fields import LOCATION
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.server.cities.queries import CityRuntime

UNPLACED = frozenset({"outside", "default_point"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a report is: finest region, unit grid, point in WGS 84, and how sure that is.

    Attributes:
        flag: Empty, ``border``, ``outside`` (the point lies in no region), ``default_point`` (a known stand-in for "no
            place"), or ``words`` (told by the address).
        contradicted: The region or unit grid that was given although the point, which decides, lies elsewhere.
    """

    region: str = ""
    grid: str = ""
    lon: float | None = None
    lat: float | None = None
    flag: str = ""
    contradicted: str = ""

    def fields(self) -> dict[str, Any]:
        """The fields of a case that say where it is."""
        return {name: getattr(self, name) for name in LOCATION}


def region_of_code(code: str, place: CityRuntime) -> Placement | None:
    """The region of a code, or of a unit grid's; None without a code.

    Raises:
        BadInput: When there is no such region.
    """
    if not code:
        return None
    if code in place.regions:
        return Placement(region=code)
    try:
        region = place.regions.chain(code)[-1]  # a unit grid's code begins with its community's
    except BadInput:
        raise no_region(code) from None
    return Placement(region=region.code, grid=code)


def no_region(code: str) -> BadInput:
    """That the city has no such region."""
    return BadInput(
        Problem(
            Text("没有编码为「{code}」的区域。", "There is no region {code!r}.", code=code),
            Text("请查看本市的区域表。", "See the city's regions."),
            column="region",
        )
    )
