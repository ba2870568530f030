"""Write packs/boston/categories.csv, conditions.csv, units.csv and replay_units.csv from the requests of July–September 2011.

    .venv/bin/python packs/boston/provenance/boston_catalogue.py

A category's code is the department that owns the subject (a letter), the reason (two digits) and the type (two digits),
numbered in alphabetical order; `00` stands for a type or reason that was not seen. Numbers already given in categories.csv
are kept, so that a longer period may add types at the end without moving the others.
"""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict

from boston_data import CITY, PACK, PERIOD, district, rows, write_csv

SCHEME = "boston311-2011"
LETTERS = {
    "Inspectional Services": "I",
    "Mayor's 24 Hour Hotline": "H",
    "Parks & Recreation Department": "K",
    "Property Management": "R",
    "Public Works Department": "P",
    "Transportation - Traffic Division": "T",
}
# Reasons whose types are about a thing that stands in the city; all others are events.
COMPONENTS = {
    "Street Lights", "Signs & Signals", "Trees", "Bridge Maintenance", "Park Maintenance & Safety", "Operations",
    "Highway Maintenance",
}  # fmt: skip
OTHER = "Z0000"
SEEN = f"requests {PERIOD} (Analyze Boston; PDDL)"

# Departments as units: the city's prefix of a queue → (code, name, function).
DEPARTMENTS = {
    "PWDx": ("PWD", "Public Works Department", "works"),
    "BTDT": ("BTD", "Transportation Department", "traffic"),
    "PARK": ("PARKS", "Parks & Recreation Department", "greening"),
    "ISD": ("ISD", "Inspectional Services Department", "inspection"),
    "PROP": ("PROP", "Property Management Department", "buildings"),
    "BWSC": ("BWSC", "Boston Water and Sewer Commission", "drainage"),
    "DISB": ("DISB", "Commission for Persons with Disabilities", "access"),
    "BHA": ("BHA", "Boston Housing Authority", "housing"),
    "BPS": ("BPS", "Boston Public Schools", "schools"),
}
CENTRE = "HOTLINE"
NO_QUEUE = "No Queue Assigned To User"
FUNCTIONS = (
    ("street light|lighting|system failure", "lighting"), ("tree|park|cemetery", "greening"),
    ("recycling|trash|bulk|litter|sticker|dead animals|street cleaning|space saver|snow", "sanitation"),
    ("graffiti|graffitiremoval", "graffiti"), ("parking|meter|valet|bicycle|avrs", "parking"),
    ("sign|signal|pavement marking", "traffic"), ("potholes?|roadway|sidewalk|highway|bridge", "roads"),
    ("housing", "housing"), ("health|environmental", "health"), ("building|contractor|work hours", "building"),
    ("general|administration|comments", "coordination"),
)  # fmt: skip
# Names that the old system's own do not tell.
READABLE = {
    "INFO01_GenericeFormforOtherServiceRequestTypes": "Other service requests (generic form)",
    "INFO_Reallocation From Dept": "Sent back by a department, to be placed again",
    "PROP_GRAF_GraffitiRemoval": "Graffiti removal",
    "BTDT_AVRS Interface Queue": "Abandoned vehicles (AVRS)",
    "BTDT_OPC_Phone Bank Service": "Office of the Parking Clerk: phone bank",
    "BTDT_OPC_Walk-In Service": "Office of the Parking Clerk: walk-in service",
    "BTDT_Parking Lot_PrivateParkingLotComplaints": "Parking lot: private lots",
    "DISB_General_Request": "General requests",
    "PWDx_Recycling_BigBuildings": "Recycling: big buildings",
    "PWDx_Street Light_Pending_Contractor (Internal)": "Street lights: waiting for the contractor",
}


def known_codes() -> dict[tuple[str, str], str]:
    """Codes already given: (major name, name) → code."""
    path = PACK / "categories.csv"
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as stream:
        return {(row["major_name"], row["name"]): row["code"] for row in csv.DictReader(stream)}


def categories() -> list[dict[str, object]]:
    seen: Counter[tuple[str, str, str]] = Counter()
    for row in rows():
        seen[row["subject"], row["reason"], row["type"]] += 1
    known = known_codes()
    lines = []
    for subject in sorted({key[0] for key in seen}):
        letter = LETTERS[subject]
        reasons = sorted({key[1] for key in seen if key[0] == subject})
        given = {
            name.split(": ", 1)[1]: code[1:3] for (name, _), code in known.items() if name.startswith(f"{subject}: ")
        }
        lines.append(
            _line(f"{letter}0000", "event", f"{subject} (other)", f"{letter}00", subject, "for reasons not seen")
        )
        for reason, number in _numbered(reasons, given):
            major, major_name = f"{letter}{number}", f"{subject}: {reason}"
            kind = "component" if reason in COMPONENTS else "event"
            types = sorted(key[2] for key in seen if key[:2] == (subject, reason))
            had = {name: code[3:] for (group, name), code in known.items() if group == major_name and code[3:] != "00"}
            other = f"{subject}: {reason} (other)"
            lines.append(_line(f"{major}00", kind, other, major, major_name, "for types not seen"))
            for name, digits in _numbered(types, had):
                source = f"{seen[subject, reason, name]} {SEEN}"
                lines.append(_line(f"{major}{digits}", kind, name, major, major_name, source))
    lines.append(_line(OTHER, "event", "Other request", "Z00", "Other", "for subjects not seen"))
    return lines


def _numbered(names: list[str], given: dict[str, str]) -> list[tuple[str, str]]:
    """Names with two digits each: those given before, then the next free ones in order."""
    taken = max((int(digits) for digits in given.values()), default=0)
    answer = []
    for name in names:
        if name not in given:
            taken += 1
            given[name] = f"{taken:02d}"
        answer.append((name, given[name]))
    return sorted(answer, key=lambda pair: pair[1])


def _line(code: str, kind: str, name: str, major: str, major_name: str, source: str) -> dict[str, object]:
    return {
        "scheme": SCHEME, "code": code, "kind": kind, "major": major, "name": name, "name_en": name,
        "major_name": major_name, "major_name_en": major_name, "source": source, "confidence": "stated",
    }  # fmt: skip


def units() -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Lines of units.csv, and of replay_units.csv: the city's queues as units."""
    queues: Counter[tuple[str, str]] = Counter()
    for row in rows():
        queues[row["department"].rstrip("_"), row["queue"]] += 1
    lines = [_unit(CENTRE, "Mayor's 24 Hour Hotline", "Mayor's 24 Hour Hotline", "centre", "", "coordination", SEEN)]
    for code, name, function in DEPARTMENTS.values():
        lines.append(_unit(code, name, name, "department", CENTRE, function, "the city's prefix of queues"))
    taken: set[str] = set()
    words: list[dict[str, object]] = []
    for (department, queue), count in sorted(queues.items()):
        if queue == NO_QUEUE:
            continue
        source = f"{count} {SEEN}"
        yard = re.fullmatch(r"PWDx_District (\w+): (.+)", queue)
        if yard:
            region = CITY + district(yard[1])
            name = f"Public Works yard, District {yard[1].lstrip('0')}: {yard[2]}"
            lines.append(_unit(f"YARD-{region}", name, name, "department", "PWD", "works", source, region, "district"))
            words.append({"word": queue, "unit": f"YARD-{region}"})
            continue
        parent = DEPARTMENTS[department][0] if department in DEPARTMENTS else CENTRE
        code = _code(parent, queue, taken)
        name = _readable(queue)
        lines.append(_unit(code, name, name, "crew", parent, _function(queue), source))
        words.append({"word": queue, "unit": code})
    return lines, words


def _unit(
    code: str, name: str, name_en: str, kind: str, parent: str, function: str, source: str,
    region: str = CITY, level: str = "city",
) -> dict[str, object]:  # fmt: skip
    return {
        "code": code, "name": name, "name_en": name_en, "kind": kind, "level": level, "region": region,
        "parent": parent, "function": function, "crews": 0 if kind == "centre" else 1, "source": source,
    }  # fmt: skip


def _readable(queue: str) -> str:
    """The queue's name without the department's prefix and the marks of the old system."""
    if queue in READABLE:
        return READABLE[queue]
    text = re.sub(r"^[A-Z]+[a-z]?\d*_", "", queue).replace("_", ": ").replace("\\", ", ")
    return re.sub(r"\s+", " ", re.sub(r" ?\(INTERNAL\)", "", text, flags=re.IGNORECASE)).strip()


def _code(parent: str, queue: str, taken: set[str]) -> str:
    words = re.findall(r"[A-Z0-9]+", _readable(queue).upper())
    words = [
        word for word in words if word not in {"FOR", "OF", "THE", "AND", "REQUEST", "REQUESTS", "INTERNAL", "A", "TO"}
    ]
    code = parent
    for word in words:
        if len(code) + 1 + len(word) > 30:
            break
        code += f"-{word}"
    base, number = code, 2
    while code in taken or code == parent:
        code, number = f"{base}-{number}", number + 1
    taken.add(code)
    return code


def _function(queue: str) -> str:
    words = queue.replace("_", " ")
    return next((name for word, name in FUNCTIONS if re.search(rf"\b({word})\b", words, re.IGNORECASE)), "works")


def conditions() -> list[dict[str, object]]:
    code = next(line["code"] for line in categories() if line["name"] == "Graffiti Removal")
    return [
        {
            "category": code, "condition": "hateful", "text": "Profane or racist words or pictures",
            "text_en": "Profane or racist words or pictures", "closing": "Removed or painted over",
            "closing_en": "Removed or painted over",
            "source": f"titles of {SEEN}", "confidence": "derived",
        }
    ]  # fmt: skip


def main() -> None:
    columns = (
        "scheme,code,kind,major,name,name_en,major_name,major_name_en,valid_from,valid_to,replaced_by,source,confidence"
    )
    lines = categories()
    print(write_csv("categories.csv", columns.split(","), lines), "categories")
    columns = "category,condition,text,text_en,closing,closing_en,source,confidence"
    print(write_csv("conditions.csv", columns.split(","), conditions()), "conditions")
    columns = "code,name,name_en,kind,level,region,parent,function,crews,valid_from,valid_to,source"
    found, words = units()
    print(write_csv("units.csv", columns.split(","), found), "units")
    print(write_csv("replay_units.csv", ("word", "unit"), words), "queues")
    groups: dict[str, int] = defaultdict(int)
    for line in found:
        groups[str(line["kind"])] += 1
    print(dict(groups))


if __name__ == "__main__":
    main()
