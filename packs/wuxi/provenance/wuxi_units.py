"""Writes packs/wuxi/units.csv from packs/wuxi/regions.csv: who can hold a case in the demonstration city.

    python packs/wuxi/provenance/wuxi_units.py packs/wuxi

The division tree is real; the units, their shape and their crews are a demonstration 示范.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from wuxi_catalogue import Row, read, write

SOURCE = "demonstration 示范"
COLUMNS = "code,name,name_en,kind,level,region,parent,function,crews,valid_from,valid_to,source"

# prefix: name, English name, function, crews at the city, crews in a district
DEPARTMENTS: dict[str, tuple[str, str, str, int, int]] = {
    "CG": ("城市管理局", "Urban Management Bureau", "appearance", 2, 4),
    "HW": ("环境卫生管理处", "Sanitation Office", "sanitation", 3, 4),
    "SZ": ("市政设施管理处", "Municipal Works Office", "works", 3, 6),
    "YL": ("园林绿化管理处", "Parks and Greening Office", "greening", 2, 5),
    "PS": ("排水管理处", "Drainage Office", "drainage", 3, 4),
    "SL": ("水利局", "Water Resources Bureau", "rivers", 2, 3),
    "ZJ": ("住房和城乡建设局", "Housing and Construction Bureau", "construction", 2, 4),
    "JT": ("交通运输局", "Transport Bureau", "transport", 2, 2),
    "JJ": ("公安交警大队", "Traffic Police", "traffic", 2, 5),
    "GA": ("公安局", "Public Security Bureau", "police", 1, 2),
    "HB": ("生态环境局", "Ecology and Environment Bureau", "environment", 2, 2),
    "SC": ("市场监督管理局", "Market Regulation Bureau", "market", 1, 2),
    "WS": ("卫生健康委员会", "Health Commission", "health", 1, 1),
    "ZG": ("自然资源和规划局", "Natural Resources and Planning Bureau", "planning", 1, 2),
    "NY": ("农业农村局", "Agriculture and Rural Affairs Bureau", "agriculture", 1, 1),
    "MZ": ("民政局", "Civil Affairs Bureau", "civil", 1, 1),
    "WL": ("文体广电和旅游局", "Culture, Sports and Tourism Bureau", "culture", 1, 1),
    "XF": ("消防救援大队", "Fire and Rescue Brigade", "fire", 2, 2),
    "YJ": ("应急管理局", "Emergency Management Bureau", "emergency", 2, 2),
}
# companies: one for the five districts of the city proper, and their own in the county-level cities
UTILITIES: dict[str, tuple[str, str, str, int]] = {
    "GS": ("供水公司", "Water Supply Company", "water", 6),
    "RQ": ("燃气公司", "Gas Company", "gas", 4),
    "GD": ("供电公司", "Power Company", "power", 6),
    "TX": ("通信管线联合维护中心", "Telecom Lines Maintenance Centre", "telecom", 6),
    "GB": ("广电网络公司", "Cable TV Company", "cable", 2),
    "RL": ("供热公司", "Heating Company", "heating", 2),
    "GJ": ("公共交通公司", "Bus Company", "bus", 3),
    "LD": ("路灯管理处", "Street Lighting Office", "lighting", 8),
}
COUNTY_CITIES = ("320281", "320282")
# city-wide bodies without a counterpart below
CITY_ONLY: dict[str, tuple[str, str, str, int]] = {
    "DT": ("轨道交通公司", "Metro Company", "metro", 2),
    "TL": ("铁路地方协调办公室", "Railway Liaison Office", "railway", 1),
    "YZ": ("邮政快递管理局", "Postal and Parcel Administration", "post", 2),
    "LZ": ("太湖水面保洁中心", "Lake Taihu Surface Cleaning Centre", "lake", 6),
}
# units that have a crew of their own to which they can assign
WITH_CREW = ("SZ", "YL", "PS")
UTILITIES_WITH_CREW = ("GS", "RQ", "GD", "LD")


def unit(code: str, name: str, english: str, kind: str, region: Row, parent: str, function: str, crews: int) -> Row:
    return {
        "code": code,
        "name": name,
        "name_en": english,
        "kind": kind,
        "level": region["level"],
        "region": region["code"],
        "parent": parent,
        "function": function,
        "crews": str(crews),
        "source": SOURCE,
    }


def centre(region: Row) -> Row:
    """The centre of a city, district or street; at the city, supervision and command are roles inside it."""
    parent = f"ZX-{region['parent']}" if region["parent"] else ""
    name, english = f"{region['name']}城市运行管理中心", f"{region['name_en']} City Operations Centre"
    if region["level"] == "street":
        name, english = f"{region['name']}城市运行管理分中心", f"{region['name_en']} Operations Sub-centre"
    return unit(f"ZX-{region['code']}", name, english, "centre", region, parent, "coordination", 0)


def crew(of: Row, region: Row) -> Row:
    name, english = f"{of['name']}抢修一班", f"{of['name_en']} Crew 1"
    return unit(f"{of['code']}-1", name, english, "crew", region, of["code"], of["function"], 2)


def departments(region: Row) -> list[Row]:
    """The bureaus of the city or of a district, the companies where it has them, and their crews."""
    code, city = region["code"], region["level"] == "city"
    above = f"ZX-{code}"
    found = []
    for prefix, (name, english, function, at_city, below) in DEPARTMENTS.items():
        made = unit(
            f"{prefix}-{code}",
            region["name"] + (name.replace("大队", "支队") if city else name),
            f"{region['name_en']} {english}",
            "department",
            region,
            above,
            function,
            at_city if city else below,
        )
        found.append(made)
        if prefix in WITH_CREW:
            found.append(crew(made, region))
    companies = dict(UTILITIES) if city or code in COUNTY_CITIES else {}
    for prefix, (name, english, function, crews) in {**companies, **(CITY_ONLY if city else {})}.items():
        made = unit(
            f"{prefix}-{code}",
            f"{region['name']}{name}",
            f"{region['name_en']} {english}",
            "department",
            region,
            above,
            function,
            crews if city else max(1, crews // 2),
        )
        found.append(made)
        if prefix in UTILITIES_WITH_CREW:
            found.append(crew(made, region))
    return found


def street_teams(region: Row) -> list[Row]:
    code, name, english = region["code"], region["name"], region["name_en"]
    above = f"ZX-{code}"
    return [
        unit(
            f"ZF-{code}",
            f"{name}综合执法队",
            f"{english} Enforcement Team",
            "department",
            region,
            above,
            "enforcement",
            2,
        ),
        unit(
            f"HW-{code}", f"{name}环卫站", f"{english} Sanitation Station", "department", region, above, "sanitation", 3
        ),
    ]


def workstation(region: Row) -> Row:
    short = re.sub(r"(社区)?(居民委员会|居委会|村民委员会|村委会)$", r"\1", region["name"])
    if region["name"].endswith(("村委会", "村民委员会")) and not short.endswith(("村", "社区")):
        short += "村"
    name, english = f"{short}网格工作站", f"{region['name_en']} Grid Workstation"
    return unit(f"SQ-{region['code']}", name, english, "community", region, f"ZX-{region['parent']}", "community", 1)


def main(pack: Path) -> None:
    regions = read(pack / "regions.csv")
    rows: list[Row] = []
    for region in regions:
        match region["level"]:
            case "city" | "district":
                rows += [centre(region), *departments(region)]
            case "street":
                rows += [centre(region), *street_teams(region)]
            case _:
                rows.append(workstation(region))
    order = {"city": 0, "district": 1, "street": 2, "community": 3}
    rows.sort(key=lambda row: order[row["level"]])
    write(pack / "units.csv", COLUMNS, rows)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python packs/wuxi/provenance/wuxi_units.py PACK_FOLDER")
    main(Path(sys.argv[1]))
