"""Writes packs/wuxi/triage.csv and routing.csv: who gets what, in the demonstration city.

    python packs/wuxi/provenance/wuxi_rules.py packs/wuxi

Small matters are closed at the lowest level that can act: dirt by the street's sanitation station, order in the street by
its enforcement team, neighbourhood matters by the community; facilities by the district's offices; mains and wires by
the companies. Who answers for what is this pack's own assumption; a city replaces these rows.
"""

from __future__ import annotations

import sys
from pathlib import Path

from wuxi_catalogue import NEW, Row, read, write
from wuxi_units import COUNTY_CITIES, UTILITIES

ASSUMED = {"source": "demonstration 示范", "confidence": "demonstration"}
# covers and grates, and which of their conditions are no danger (where the table has conditions)
COVERS = {"0100": "2|3|4|5", "0101": "2|3|4", "01020": "", "01021": "", "01022": "", "01023": "2|3|4"}
# components whose condition 1 is a danger to life, beside the covers
DANGEROUS = ("01025", "01026", "01031", "02007", "02011", "03003", "04009", "04010", "05999")
EMERGENCIES = ("10002", "10992", "10993", "10994", "10995", "10996", "10997", "10998", "10999")

# category codes by the template of the unit that answers for them
ROUTES: dict[str, str] = {
    "HW-{street}": """01999 03005 03014 03015 03016 06010 06011 06012 06014 06015 06018 06020 06035 06037 06042 07001
        10001""",
    "ZF-{street}": """01040 01043 01044 01045 02025 02027 03006 03007 06001 06002 06003 06004 06006 06008 06009 06019
        06027 06028 06029 06030 06034 06036 06039 06040 06043 06044 06989 06994 06995 06999 07002 07003 07004 07006 07007
        09001 09002 09004 09005 09006 09010 09013 09014 09019 09021 09022 09998 09999""",
    "SQ-{community}": "01058 01059 03008 06005 06007 06038 06041 06993 07008 10991",
    "SZ-{district}": """01026 01033 01064 01074 01077 02006 02007 02008 02009 02021 02024 02034 02044 02998 02999 06013
        06048 06049 06050 06051 06052 08002 08003 08014 08999 10995""",
    "YL-{district}": "01014 01052 06017 06021 06022 06045 06047",
    "PS-{district}": "01002 01003 01004 01019 01055 01072 01073 10994 10997",
    "SL-{district}": """01056 01067 01069 01070 01071 02029 02030 06023 06024 06025 06046 06990 06991 10990""",
    "HW-{district}": "01018 03001 03002 03003 03004 06032 06996",
    "CG-{district}": "01022 01023 01034 01035 01065 02001 02002 02003 02041 05998 07999 08011 08012 09016 09017 10002",
    "ZJ-{district}": "05002 06992 10993",
    "JT-{district}": "02005 02011 02026 02031 09011",
    "JJ-{district}": "01015 02010 02014 02015 02016 02017 02018 02019 02020 02022 02023 02033 02043 06016 09009 09018",
    "GA-{district}": "01012 01050 01051 01066 02039",
    "HB-{district}": "03010 03011 03012 03013 06026",
    "SC-{district}": "01076 09015 09020",
    "WS-{district}": "06033",
    "ZG-{district}": "04014 06997 06998 08016",
    "NY-{district}": "",
    "MZ-{district}": "02012 02013 02036 02038 09003",
    "WL-{district}": "01046 02037 02040 05009 09008",
    "XF-{district}": "01013 09012",
    "YJ-{district}": "02035 03009 05003 08013 10992",
    "GS-3202": "01001 01024 01025 01063 01068 01998 10999",
    "RQ-3202": "01011 01021 01036 01049 01057 05999 10998",
    "GD-3202": "01005 01017 01028 01029 01030 01047 01048 01053 01054",
    "TX-3202": "01007 01009 01027 01031 01041 01062",
    "GB-3202": "01008",
    "RL-3202": "01010 01061 10996",
    "GJ-3202": "01020 01032 02004",
    "LD-3202": "01006 01037 01038 01039 01060 01997",
    "DT-3202": "02032",
    "TL-3202": "02028 02042",
    "YZ-3202": "01042 01075",
}
MAJORS = {
    "01": "SZ-{district}",
    "02": "JJ-{district}",
    "03": "HW-{district}",
    "04": "YL-{district}",
    "05": "CG-{district}",
    "06": "CG-{district}",
    "07": "CG-{district}",
    "08": "ZJ-{district}",
    "09": "CG-{district}",
    "10": "YJ-{district}",
}
# category, region, priority, unit, note: rows for one place win over rows for everywhere
PLACES = (
    ("06025", "320211", "", "LZ-3202", "shore of Lake Taihu: the lake's own cleaning centre 太湖沿岸"),
    ("06025", "320282110", "", "LZ-3202", "shore of Lake Taihu in Yixing: one street 宜兴太湖沿岸"),
    ("06012", "320213021", "", "HW-{district}", "pedestrian core: the district sweeps it itself 崇安寺核心区"),
    ("10994", "320213", "urgent", "PS-3202", "the core's mains are the city's; only when urgent 梁溪区主干管网"),
    ("06010", "320214452", "", "CG-{district}", "bonded area: no sanitation station inside 综保区"),
)


def routing() -> list[Row]:
    rows: list[Row] = []

    def add(category: str, template: str, region: str = "", priority: str = "", note: str = "") -> None:
        rows.append(
            {"category": category, "region": region, "priority": priority, "unit": template, "note": note, **ASSUMED}
        )

    flat = sorted((code, template) for template, codes in ROUTES.items() for code in codes.split())
    for code, template in flat:
        add(code, template)
    for code, template in flat:
        if template.removesuffix("-3202") in UTILITIES:
            for city in COUNTY_CITIES:
                add(code, template.replace("3202", city), region=city, note="the county-level city has its own company")
    for category, region, priority, template, note in PLACES:
        add(category, template, region=region, priority=priority, note=note)
    for major, template in MAJORS.items():
        add(major, template, note="fall-back of the major")
    add("", "ZX-{district}", region="3202", note="category unknown: the district's centre")
    add("", "ZX-{city}", note="catch-all; place unknown")
    return [{"row": f"R{number:04d}", **row} for number, row in enumerate(rows, start=1)]


def triage() -> list[Row]:
    rows: list[Row] = []

    def add(category: str, condition: str, channel: str, *outputs: str, note: str = "") -> None:
        priority, auto, centre, verify = outputs
        rows.append(
            {
                "category": category,
                "condition": condition,
                "channel": channel,
                "priority": priority,
                "auto": auto,
                "centre": centre,
                "verify": verify,
                "note": note,
                **ASSUMED,
            }
        )

    seen = "inspector|sensor|video"
    for prefix, harmless in COVERS.items():
        add(
            prefix,
            "",
            "",
            "urgent",
            "dispatched",
            "ZX-{district}",
            "no",
            note="cover missing, or nobody said what is wrong",
        )
        if harmless:
            add(
                prefix,
                harmless,
                "",
                "normal",
                "",
                "ZX-{district}",
                "yes",
                note="cover broken, rattling, sunken or blocked",
            )
            add(prefix, harmless, seen, "normal", "dispatched", "ZX-{district}", "no", note="the same, seen by us")
    add("01013", "", "", "normal", "", "ZX-{district}", "yes", note="no cover: stands among them in the numbering")
    add("01013", "", seen, "normal", "dispatched", "ZX-{district}", "no", note="the same, seen by us")
    for code in DANGEROUS:
        add(code, "1", "", "urgent", "dispatched", "ZX-{district}", "no", note="danger to life")
    for code in EMERGENCIES:
        add(code, "", "", "urgent", "dispatched", "ZX-{district}", "no", note="emergency")
    for template in ("HW-{street}", "ZF-{street}", "SQ-{community}"):
        for code in sorted(ROUTES[template].split()):
            add(
                code,
                "",
                "inspector|video",
                "normal",
                "dispatched",
                "ZX-{street}",
                "no",
                note="small matter: the street's",
            )
    for major in MAJORS:
        add(major, "", seen, "normal", "dispatched", "ZX-{district}", "no", note="seen by us, category known")
    add("", "", seen, "normal", "", "ZX-{district}", "no", note="seen by us, category to be named")
    add(
        "",
        "",
        "hotline|public|transfer",
        "normal",
        "",
        "ZX-{district}",
        "yes",
        note="to be accepted and verified by a clerk",
    )
    add("", "", "leader", "normal", "", "ZX-{city}", "no", note="from a leader: the city centre decides")
    add("", "", "", "normal", "", "ZX-{city}", "yes", note="catch-all; place or channel unknown")
    return [{"row": f"T{number:04d}", **row} for number, row in enumerate(rows, start=1)]


def check(rows: list[Row], categories: set[str]) -> None:
    """Every code is a category or the beginning of one, and none stands under two units."""
    unknown = [row["category"] for row in rows if not any(code.startswith(row["category"]) for code in categories)]
    codes = [code for listed in ROUTES.values() for code in listed.split()]
    doubled = {code for code in codes if codes.count(code) > 1}
    if unknown or doubled:
        sys.exit(f"unknown {unknown}, doubled {sorted(doubled)}")


def main(pack: Path) -> None:
    categories = {row["code"] for row in read(pack / "categories.csv") if row["scheme"] == NEW}
    tables = {"triage": triage(), "routing": routing()}
    for rows in tables.values():
        check(rows, categories)
    write(
        pack / "triage.csv",
        "row,category,condition,channel,priority,auto,centre,verify,valid_from,valid_to,source,confidence,note",
        tables["triage"],
    )
    write(
        pack / "routing.csv",
        "row,category,region,priority,unit,valid_from,valid_to,source,confidence,note",
        tables["routing"],
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python packs/wuxi/provenance/wuxi_rules.py PACK_FOLDER")
    main(Path(sys.argv[1]))
