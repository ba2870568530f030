"""What the pages call states, fields, outcomes and steps."""

from __future__ import annotations

from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from yiwang.core.kernel.text import Text
from yiwang.server.cases.api import region_name
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say
from yiwang.server.common.templatetags.yiwang import named

STATES = {
    "intact": (Text("完好", "Intact"), "green"),
    "damaged": (Text("破损", "Damaged"), "yellow"),
    "lost": (Text("丢失", "Lost"), "red"),
    "abandoned": (Text("废弃", "Abandoned"), "yellow"),
    "removed": (Text("移除", "Removed"), ""),
}
FIELDS = {
    "code": Text("标识码", "Code"),
    "source_id": Text("原编号", "Surveyor's id"),
    "name": Text("名称", "Name"),
    "lon": Text("经度", "Longitude"),
    "lat": Text("纬度", "Latitude"),
    "state": Text("状态", "State"),
    "region": Text("区域", "Region"),
    "grid": Text("单元网格", "Grid"),
    "authority": Text("主管部门", "Supervising department"),
    "owner": Text("权属单位", "Owner"),
    "maintainer": Text("养护单位", "Maintainer"),
    "first_on": Text("初始日期", "In place since"),
    "source": Text("数据来源", "Source"),
    "note": Text("备注", "Note"),
    "attributes": Text("其他属性", "Other attributes"),
    "photos": Text("照片数", "Photos"),
}
COST_KINDS = {
    "purchase": Text("购置", "Purchase"),
    "installation": Text("安装", "Installation"),
    "maintenance": Text("养护", "Maintenance"),
    "repair": Text("维修", "Repair"),
    "removal": Text("拆除", "Removal"),
}
OUTCOMES = {
    "new": Text("新增", "New"),
    "moved": Text("位移", "Moved"),
    "changed": Text("变化", "Changed"),
    "missing": Text("缺失", "Missing"),
}
COUNTED = {**OUTCOMES, "same": Text("相同", "Unchanged"), "refused": Text("不能采用的行", "Refused rows")}
STEPS = {
    "writing": (Text("正在写入", "Being taken up"), "yellow"),
    "waiting": (Text("待确认", "Awaits decisions"), "yellow"),
    "done": (Text("已完成", "Done"), "green"),
    "dropped": (Text("已取消", "Dropped"), ""),
}
DECISIONS = {
    "open": Text("待确认", "Open"),
    "accepted": Text("已采纳", "Accepted"),
    "refused": Text("未采纳", "Refused"),
}
UNITS = ("authority", "owner", "maintainer")
_DATA = '<span lang="">{}</span>'
_CODE = '<span translate="no">{}</span>'


def class_name(place: CityRuntime, kind: str) -> str:
    """The name of a class, or its code where the pack no longer has it."""
    known = place.pack.components.get(kind)
    return named(known) if known else kind


def field_name(name: str) -> SafeString | str:
    """The name of a field; a heading of a file stands as the file has it."""
    return say(FIELDS[name]) if name in FIELDS else format_html(_DATA, name)


def shown_value(place: CityRuntime, name: str, value: Any) -> SafeString | str:
    """A value of a field, marked as data where it is somebody's."""
    if value in ("", None):
        return "—"
    if name == "photos":
        return str(value)
    if name == "state" and value in STATES:
        return say(STATES[value][0])
    if name == "region":
        return region_name(place, value) or "—"
    if name in UNITS and (unit := place.rules.units.get(value)):
        return named(unit)
    if name in ("lon", "lat") and isinstance(value, float):
        return f"{value:.6f}"
    if name in ("code", "source_id", "grid", "first_on"):
        return format_html(_CODE, value)
    if isinstance(value, dict):
        return format_html(_DATA, " · ".join(f"{key} {said}" for key, said in value.items()) or "—")
    return format_html(_DATA, value)


def differences_shown(place: CityRuntime, fields: dict[str, Any]) -> list[dict[str, Any]]:
    """Changed fields, each with its name and what it was and is; of attributes only those that differ."""
    found: list[tuple[str, Any, Any]] = []
    for name, (before, after) in fields.items():
        if name == "attributes":
            keys = dict.fromkeys([*before, *after])
            found += [(key, before.get(key), after.get(key)) for key in keys if before.get(key) != after.get(key)]
        else:
            found.append((name, before, after))
    return [
        {"name": field_name(name), "before": shown_value(place, name, before), "after": shown_value(place, name, after)}
        for name, before, after in found
    ]
