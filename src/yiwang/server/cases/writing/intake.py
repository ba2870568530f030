"""What a report must be before it can be decided: its words, its category, its place."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from yiwang.core.cases.decide import DISAGREES
from yiwang.core.kernel import characters
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.core.space import SYSTEMS
from yiwang.server.cases.reading.placing import UNPLACED, Placement, region_of_code
from yiwang.server.cases.writing.drafts import ReportDraft
from yiwang.server.cities.queries import CityRuntime

LONGEST_TEXT = 4000
LONGEST_ADDRESS = 400
LONGEST_CONTACT = 200
LONGEST = {"text": LONGEST_TEXT, "address": LONGEST_ADDRESS, "contact": LONGEST_CONTACT, "channel": 40}


def normalize(draft: ReportDraft, *, place: CityRuntime, at: datetime) -> ReportDraft:
    """The report's words and codes as they are kept.

    Raises:
        BadInput: With everything that is wrong.
    """
    problems: list[Problem] = []
    kept: dict[str, Any] = {name: clean(value) for name, value in draft.words().items() if isinstance(value, str)}
    for name, longest in LONGEST.items():
        if (count := len(kept.get(name, ""))) > longest:
            problems.append(
                Problem(
                    Text("{name} 有 {count} 个字符。", "The {name} has {count} characters.", name=name, count=count),
                    Text("最多 {longest} 个。", "At most {longest} are taken.", longest=longest),
                    column=name,
                )
            )
    found = replace(draft, **kept)
    _check_category(found, place, at, problems)
    if not found.text and not found.category:
        problems.append(
            Problem(
                Text("上报须有情况描述或类别。", "A report needs a text or a category."),
                Text("请写明发现了什么问题。", "Say what is wrong."),
                column="text",
            )
        )
    if problems:
        raise BadInput(problems)
    return found


def clean(value: Any) -> str:
    """Text as it is kept; see `characters.clean`."""
    return characters.clean("" if value is None else str(value))


def _check_category(draft: ReportDraft, place: CityRuntime, at: datetime, problems: list[Problem]) -> None:
    code, condition = draft.category, draft.condition
    if not code:
        if condition:
            problems.append(
                Problem(
                    Text("填了立案条件，须同时填类别。", "A condition needs its category."),
                    Text("请补上类别。", "Give the category too."),
                    column="condition",
                )
            )
        return
    category = place.categories.get(code)
    if category is None:
        problems.append(
            Problem(
                Text("没有编码为「{code}」的类别。", "There is no category {code!r}.", code=code),
                Text("请查看本市的类别表。", "See the city's categories."),
                column="category",
            )
        )
    elif not category.validity.contains(at.astimezone(place.info.zone).date()):
        problems.append(
            Problem(
                Text("类别「{code}」当前不在有效期内。", "The category {code!r} is not in force.", code=code),
                Text(
                    "请改用{replaced_by}。",
                    "Use {replaced_by}.",
                    replaced_by=category.replaced_by or Text("别的类别", "another one"),
                ),
                column="category",
            )
        )
    elif condition and (code, condition) not in place.pack.conditions:
        problems.append(
            Problem(
                Text(
                    "类别「{code}」没有立案条件「{condition}」。",
                    "The category {code!r} has no condition {condition!r}.",
                    code=code,
                    condition=condition,
                ),
                Text("请查看本市的类别表。", "See the city's categories."),
                column="condition",
            )
        )


def place_report(draft: ReportDraft, *, place: CityRuntime) -> Placement:
    """Where the report is: by its point; where that says nothing, by the region given, else by the words of its address.

    Raises:
        BadInput: When coordinates are half given or out of range, or the region is unknown.
    """
    lon, lat, region = draft.lon, draft.lat, clean(draft.region)
    if (lon is None) != (lat is None):
        raise BadInput(
            Problem(
                Text("坐标须同时有经度和纬度。", "A point needs lon and lat."),
                Text("请都填写，或都不填。", "Give both or neither."),
                column="lon" if lon is None else "lat",
            )
        )
    named = region_of_code(region, place)
    if lon is None or lat is None:
        if named:
            return named
        told = region_in_address(clean(draft.address), place=place)
        return Placement(region=told, flag="words" if told else "")
    crs = clean(draft.crs)
    if crs and crs not in SYSTEMS:
        raise BadInput(
            Problem(
                Text("不认识坐标系「{crs}」。", "Unknown coordinate system {crs!r}.", crs=crs),
                Text("可选：{systems}。", "One of {systems}.", systems=", ".join(SYSTEMS)),
                column="crs",
            )
        )
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise BadInput(
            Problem(
                Text("地球上没有 {lon}, {lat} 这个位置。", "{lon}, {lat} is no place on Earth.", lon=lon, lat=lat),
                Text("lon 是经度，lat 是纬度，单位为度。", "lon is the longitude, lat the latitude, in degrees."),
                column="lon",
            )
        )
    found, lon, lat = place.locate(float(lon), float(lat), crs=crs)
    if found.flag not in UNPLACED:
        agrees = named is None or (found.code.startswith(named.region) and named.grid in {"", found.grid})
        other = "" if agrees else region
        flag = found.flag
        if named is None and (other := disagreeing_region(clean(draft.address), found.code, place=place)):
            flag = DISAGREES
        return Placement(region=found.code, grid=found.grid, lon=lon, lat=lat, flag=flag, contradicted=other)
    told = named.region if named else region_in_address(clean(draft.address), place=place)
    return Placement(region=told, lon=lon, lat=lat, flag=found.flag)


def disagreeing_region(address: str, region: str, *, place: CityRuntime) -> str:
    """The district that an address names although the point lies in another; empty where they agree or it names none.

    Only the level below the city is compared: of streets and communities people near a border are rarely sure.
    """
    told = region_in_address(address, place=place)
    if not told or not region:
        return ""
    (_, *named), (_, *taken) = place.regions.chain(told), place.regions.chain(region)
    return named[0].code if named and taken and named[0].code != taken[0].code else ""


def region_in_address(address: str, *, place: CityRuntime) -> str:
    """The finest region whose name stands in an address; where several do and none holds the other, what holds them all."""
    if not address:
        return ""
    named = [
        region.code
        for region in place.locator.tree
        if region.parent and any(len(name) >= 2 and name in address for name in region.name.values())
    ]
    finest = [code for code in named if not any(other != code and other.startswith(code) for other in named)]
    # a name that lies on the way named by other parts of the address weighs more than one alone
    weight = {code: sum(code.startswith(other) for other in named) for code in finest}
    best = [code for code in finest if weight[code] == max(weight.values())]
    if not best:
        return ""
    if len(best) == 1:
        return best[0]
    chains = [[region.code for region in place.regions.chain(code)] for code in best]
    common = [codes[0] for codes in zip(*chains, strict=False) if len(set(codes)) == 1]
    return common[-1] if len(common) > 1 else ""
