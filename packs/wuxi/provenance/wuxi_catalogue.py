"""Writes the catalogue of packs/wuxi: categories, mappings, conditions, the comparison and the limits.

    python packs/wuxi/provenance/wuxi_catalogue.py ../shared/reference packs/wuxi

The reference files are not in the repository (their sentences are a city's own). This script was run once; from then on
the CSV files of the pack are what counts, and staff edit them by hand.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from pathlib import Path

from wuxi_extensions import ANALOGUES, EXTENSIONS, MADE_URGENT, SUBJECTS, TWO_CLASSES
from wuxi_wording import LONGEST_SHARED_RUN, NoWording, Wording, shared_run

OLD, NEW = "gbt30428.2-2013", "gbt47678.5-2026"
# No source gives the day on which the 2026 list takes over; the pack ends the old one here so that only one is in force.
OLD_ENDS = "2026-01-01"
EXTENSION_SOURCE = "local extension of this pack (numbered from 999 down, as the 2026 draft does)"
UNITS = {"紧急工作时": "urgent_hours", "工作时": "work_hours", "工作日": "work_days", "紧急工作日": "calendar_days"}
# How long a limit lasts in an ordinary week, in hours: only used to put limits of different units in order.
ORDINARY_HOURS = {"urgent_hours": 1.0, "work_hours": 3.0, "work_days": 24.0, "calendar_days": 24.0}
ASSUMED_URGENT = ("4", "urgent_hours")

Row = dict[str, str]


def read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, columns: str, rows: list[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns.split(","), restval="", lineterminator="\n", extrasaction="raise")
        writer.writeheader()
        writer.writerows(rows)
    print(f"{path}: {len(rows)} rows")


# --- categories and mappings -------------------------------------------------------------------------------------


def old_code(kind: str, code: str) -> str:
    return ("C" if kind == "component" else "E") + code


def new_code(kind: str, code: str, known: set[str]) -> str:
    """The 2026 class at the slot of a 2013 class, or nothing."""
    moved = {"C0506": "01069", "C0507": "01070", "C0508": "01071", "E0507": "10001", "E0508": "10002", "E0602": "09013"}
    own = old_code(kind, code)
    if own in moved:
        return moved[own]
    major = int(code[:2]) + (0 if kind == "component" else 5)
    after = f"{major:02d}0{code[2:]}"
    return after if after in known and not (kind == "event" and code[:2] in ("05", "06")) else ""


def short_source(row: Row) -> str:
    source = row["source"]
    if source.startswith("GB/T 47678.5-2026"):
        return "GB/T 47678.5-2026 via [S1]"
    rest = source.partition(" | ")[2]
    how = [
        ("same slot in", "[S2], same slot in [S1]"),
        ("slot carried back", "slot carried back from [S1]"),
        ("dropped in", "[S2]; dropped in 2026"),
        ("moved to", "[S2]; moved in 2026"),
        ("became", "[S2]; renumbered in 2026"),
        ("muban.xlsx", "[S2]"),
        ("CJ/T 214-2007", "name from CJ/T 214-2007, slot guessed"),
        ("svan.cc", "name from [S11], slot inferred"),
    ]
    tag = next((tag for mark, tag in how if mark in rest), "gap, not verified")
    return f"GB/T 30428.2-2013 rebuilt: {tag}"


def categories(reference: list[Row]) -> list[Row]:
    new = {row["code"]: row for row in reference if len(row["code"]) == 5}
    rows = []
    for row in sorted(new.values(), key=lambda row: row["code"]):
        component = row["kind"] == "component"
        rows.append(
            {
                "scheme": NEW,
                "code": row["code"],
                "kind": row["kind"],
                "major": row["major_code"],
                "name": row["minor_zh"] + ("异常" if component else ""),
                "name_en": row["minor_en"] + (": problem" if component else ""),
                "major_name": row["major_zh"],
                "major_name_en": row["major_en"],
                "source": short_source(row),
                "confidence": row["confidence"],
            }
        )
    majors = {row["major"]: row for row in rows}
    for code, (kind, name, english, _classes) in sorted(EXTENSIONS.items()):
        above = majors[code[:2]]
        rows.append(
            {
                **{key: above[key] for key in ("major", "major_name", "major_name_en")},
                "scheme": NEW,
                "code": code,
                "kind": kind,
                "name": name + ("异常" if kind == "component" else ""),
                "name_en": english + (": problem" if kind == "component" else ""),
                "source": EXTENSION_SOURCE,
                "confidence": "local",
            }
        )
    for row in (row for row in reference if len(row["code"]) == 4):
        gap = "待核" in row["minor_zh"]
        rows.append(
            {
                "scheme": OLD,
                "code": old_code(row["kind"], row["code"]),
                "kind": row["kind"],
                "major": row["major_code"],
                "name": f"（待核：第{row['minor_code']}号）" if gap else row["minor_zh"],
                "name_en": f"(unverified: slot {row['minor_code']})" if gap else row["minor_en"],
                "major_name": row["major_zh"],
                "major_name_en": row["major_en"],
                "valid_to": OLD_ENDS,
                "replaced_by": new_code(row["kind"], row["code"], set(new)),
                "source": short_source(row),
                "confidence": row["confidence"],
            }
        )
    return rows


def mappings(reference: list[Row], rows: list[Row]) -> list[Row]:
    names = {row["code"]: row["minor_zh"] for row in reference if len(row["code"]) == 5}
    extension_of = {cls: code for code, (_, _, _, classes) in EXTENSIONS.items() for cls in classes}
    loose = {"C0219", "C0304"}
    found = []
    for row in (row for row in rows if row["scheme"] == OLD):
        pair = {"from_scheme": OLD, "from_code": row["code"], "to_scheme": NEW, "confidence": row["confidence"]}
        after = row["replaced_by"]
        if not after:
            source = "no counterpart in the 2026 list [S1]"
            found.append({**pair, "to_code": "", "relation": "dropped", "source": source})
            if row["code"] in extension_of:
                source = "kept by this pack as a local extension"
                found.append({**pair, "to_code": extension_of[row["code"]], "relation": "near", "source": source})
            continue
        same = row["name"] == names[after]
        relation = "near" if row["code"] in loose else "exact" if same else "renamed"
        source = "same slot and name [S1][S2]" if same else "same slot, other name [S1][S2]"
        if relation == "near":
            source = "same slot; [S2] calls it otherwise"
        if after[-2:] != row["code"][-2:]:
            source = "moved: " + ("same name" if same else "other name") + " [S1][S2]"
        found.append({**pair, "to_code": after, "relation": relation, "source": source})
    return found


# --- conditions and limits ---------------------------------------------------------------------------------------


def places(row: Row) -> list[str]:
    """The categories of the pack's scheme to which a condition of the reference table belongs."""
    own = old_code(row["kind"], row["code_2013"])
    if own in TWO_CLASSES:
        return TWO_CLASSES[own]
    code = row["code_2026"].split("(")[0]
    if code:
        return [code]
    return [next(code for code, (_, _, _, classes) in EXTENSIONS.items() if own in classes)]


def conditions(reference: list[Row], wording: Wording) -> list[Row]:
    """One row per condition and category, with the limit beside it (under keys that conditions.csv does not write)."""
    table = [row for row in reference if row["slot_kind"] != "comparison"]
    classes: dict[str, dict[str, None]] = {}
    for row in table:
        for code in places(row):
            classes.setdefault(code, {})[old_code(row["kind"], row["code_2013"])] = None
    rows = []
    for row in table:
        own = old_code(row["kind"], row["code_2013"])
        key = f"{row['kind'][0]}{row['code_2013']}-{row['condition_no']}"
        text, text_en = wording.condition(key=key, original=row["filing_condition_zh"])
        closing, closing_en = wording.close(key=key, original=row["closing_condition_zh"])
        check_own_words(key, text, row["filing_condition_zh"])
        check_own_words(key, closing, row["closing_condition_zh"])
        for code in places(row):
            # a class that shares its category with another one keeps its number behind its own code
            several = len(classes[code]) > 1 and row["slot_kind"] == "local_extension"
            if several and own in SUBJECTS:
                subject, subject_en = SUBJECTS[own]
                lower = text_en[0].lower() + text_en[1:]
                shown, shown_en = f"{subject}：{text}", f"{subject_en}: {lower}"
            else:
                shown, shown_en = text, text_en
            rows.append(
                {
                    "category": code,
                    "condition": f"{own}-{row['condition_no']}" if several else row["condition_no"],
                    "text": shown,
                    "text_en": shown_en,
                    "closing": closing,
                    "closing_en": closing_en,
                    "source": f"[S2] class {own} condition {row['condition_no']}, in own words" + doubt(row),
                    "confidence": row["confidence"],
                    "amount": row["limit_value"],
                    "unit": UNITS[row["limit_unit"]],
                    "note": limit_note(row),
                }
            )
    rows.sort(key=lambda row: (row["category"], len(row["condition"]) > 1, row["condition"]))
    return rows


def doubt(row: Row) -> str:
    """Two covers have another gap than all the rest, rising by one from row to row, as when a cell is dragged down."""
    if any(f"大于{gap}cm" in row["filing_condition_zh"] for gap in (3, 4)):
        return "; doubtful: all other covers say 2 cm, probably a slip of the spreadsheet"
    return ""


def limit_note(row: Row) -> str:
    if "CONFLICT" in row["unit_basis"]:
        return "CONFLICT: one copy of the table says 1 work day, the other 4 work hours; the first is kept"
    if row["limit_unit"] == "紧急工作日":
        return "紧急工作日 in the table, counted there as natural days"
    if "种植季节" in row["unit_basis"]:
        return "in the planting season"
    return ""


def check_own_words(key: str, own: str, original: str) -> None:
    run = shared_run(own, original)
    if len(run) > LONGEST_SHARED_RUN:
        raise NoWording(f"{key}: {run!r} stands in the original word for word")


def hours(row: Row) -> float:
    return float(row["amount"]) * ORDINARY_HOURS[row["unit"]]


def lower_median(rows: list[Row]) -> Row:
    """The middle one by length, the shorter of two; among equally long ones a limit in working days is taken."""
    return sorted(rows, key=lambda row: (hours(row), row["unit"] != "work_days"))[(len(rows) - 1) // 2]


def limits(stated: list[Row], names: dict[str, str]) -> list[Row]:
    """The decision table: stated conditions, then each category's typical limit, analogues, majors and the catch-all."""
    default = {"confidence": "reference default"}
    assumed = {"source": "assumption of this pack", "confidence": "reference default"}
    found: list[Row] = []
    of_category: dict[str, list[Row]] = {}
    for row in stated:
        of_category.setdefault(row["category"], []).append(row)
    typical: dict[str, tuple[Row, Row | None]] = {}
    for code, rows in of_category.items():
        found += [
            {
                **{key: row[key] for key in ("category", "condition", "amount", "unit", "note")},
                "source": row["source"].partition(", in own words")[0] + f" ({row['confidence']})",
                "confidence": "reference default: conflict"
                if row["note"].startswith("CONFLICT")
                else "reference default",
            }
            for row in rows
        ]
        in_hours = [row for row in rows if row["unit"] == "urgent_hours"]
        typical[code] = lower_median(rows), min(in_hours, key=hours) if in_hours else None
    for code, (usual, urgent) in typical.items():
        found.append(
            {
                **default,
                "category": code,
                "amount": usual["amount"],
                "unit": usual["unit"],
                "source": "[S2] lower median of the category's conditions",
                "note": f"condition not stated: as condition {usual['condition']}",
            }
        )
        if urgent:
            found.append(
                {
                    **default,
                    "category": code,
                    "priority": "urgent",
                    "amount": urgent["amount"],
                    "unit": urgent["unit"],
                    "source": "[S2] shortest urgent limit of the category",
                    "note": f"condition not stated: as condition {urgent['condition']}",
                }
            )
    for code, condition in MADE_URGENT:
        note = "the table counts working time even when life is in danger; urgent cases run day and night here"
        numbers = {
            "category": code,
            "condition": condition,
            "priority": "urgent",
            "amount": "2",
            "unit": "urgent_hours",
        }
        found.append({**assumed, **numbers, "note": note})
    for code, model in ANALOGUES.items():
        usual, urgent = typical[model]
        note = f"no condition in the table; as {model} {names[model]}"
        for priority, like in (("", usual), ("urgent", urgent)):
            if like:
                numbers = {"amount": like["amount"], "unit": like["unit"]}
                source = {"source": "[S2] by analogy", "note": note}
                found.append({**default, **numbers, **source, "category": code, "priority": priority})
    own = {row["category"] for row in found}
    for major in sorted({code[:2] for code in set(names) - own}):  # a major without such a category needs no fall-back
        usual = lower_median([row for row in stated if row["category"].startswith(major)])
        numbers = {"amount": usual["amount"], "unit": usual["unit"]}
        source = {"source": "[S2] lower median of the major's conditions", "note": "fall-back of the major"}
        found.append({**default, **numbers, **source, "category": major})
        amount, unit = ASSUMED_URGENT if hours(usual) > float(ASSUMED_URGENT[0]) else (usual["amount"], usual["unit"])
        like = {"note": "fall-back of the major, urgent", "category": major, "priority": "urgent"}
        found.append({**assumed, **like, "amount": amount, "unit": unit})
    found.append({**assumed, "amount": "5", "unit": "work_days", "note": "catch-all"})
    for condition in ("1", ""):
        found.append(
            {
                "category": "06012",
                "condition": condition,
                "region": "320213",
                "amount": "1",
                "unit": "work_hours",
                "source": "demonstration of a limit for one district, invented",
                "confidence": "demonstration",
                "note": "core area 中心城区示范",
            }
        )
    return [{"row": f"L{number:04d}", **row} for number, row in enumerate(found, start=1)]


def comparison(reference: list[Row], wording: Wording) -> list[Row]:
    rows = []
    for number, row in enumerate((row for row in reference if row["slot_kind"] == "comparison"), start=1):
        key = f"x{number}"
        text, text_en = wording.condition(key=key, original=row["filing_condition_zh"])
        closing, closing_en = wording.close(key=key, original=row["closing_condition_zh"])
        check_own_words(key, text, row["filing_condition_zh"])
        code = row["code_2026"] or next(code for code, (*_, cls) in EXTENSIONS.items() if f"E{row['code_2013']}" in cls)
        rows.append(
            {
                "category": code,
                "place": "济源" if "Jiyuan" in row["source"] else "未具名的区",
                "place_en": "Jiyuan" if "Jiyuan" in row["source"] else "unnamed district",
                "text": text,
                "text_en": text_en,
                "amount": row["limit_value"],
                "unit": UNITS[row["limit_unit"]],
                "closing": closing,
                "closing_en": closing_en,
                "source": "[S13], in own words",
                "confidence": row["confidence"],
            }
        )
    return rows


def main(reference: Path, pack: Path) -> None:
    listed, stated = read(reference / "categories.csv"), read(reference / "limits.csv")
    wording = Wording.read()
    rows = categories(listed)
    columns = (
        "scheme,code,kind,major,name,name_en,major_name,major_name_en,valid_from,valid_to,replaced_by,source,confidence"
    )
    write(pack / "categories.csv", columns, rows)
    columns = "from_scheme,from_code,to_scheme,to_code,relation,source,confidence"
    write(pack / "category_mappings.csv", columns, mappings(listed, rows))
    restated = conditions(stated, wording)
    columns = "category,condition,text,text_en,closing,closing_en,source,confidence"
    write(pack / "conditions.csv", columns, [{key: row[key] for key in columns.split(",")} for row in restated])
    columns = "category,place,place_en,text,text_en,amount,unit,closing,closing_en,source,confidence"
    write(pack / "comparison.csv", columns, comparison(stated, wording))
    names = {row["code"]: row["name"] for row in rows if row["scheme"] == NEW}
    columns = "row,category,condition,region,priority,amount,unit,valid_from,valid_to,source,confidence,note"
    write(pack / "limits.csv", columns, limits(restated, names))
    print(Counter(row["relation"] for row in mappings(listed, rows)))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python packs/wuxi/provenance/wuxi_catalogue.py REFERENCE_FOLDER PACK_FOLDER")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
