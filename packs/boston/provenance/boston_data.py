"""What the scripts that derive the Boston pack share: the raw rows, the month that must stay unseen, and writing CSV.

Only `packs/boston/` knows Boston; nothing under `src/` does.
"""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PACK = ROOT / "packs" / "boston"
DATA = ROOT.parent / "shared" / "data" / "boston311"
FILE = DATA / "boston_311_2011_jul_oct.csv.gz"
NEIGHBORHOODS = DATA / "boston_neighborhoods.geojson"
UNSEEN_FROM = "2011-10-01"  # opened on or after this day: never looked at while deriving
CITY = "BO"
PERIOD = "Jul-Sep 2011"


def rows(*, path: Path = FILE, unseen: bool = False) -> Iterable[dict[str, str]]:
    """Raw rows of July–September 2011, or of October only when ``unseen`` is true."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if (row["open_dt"] >= UNSEEN_FROM) == unseen:
                yield {key: value.strip() for key, value in row.items()}


def district(text: str) -> str:
    """Public works district as three characters: ``07``, ``7`` → ``007``; ``1C`` → ``01C``; empty when it is none."""
    found = re.fullmatch(r"0*(\d{1,2}[A-Z]?)", text.upper())
    return found[1].zfill(3) if found and found[1].rstrip("ABC").lstrip("0") else ""


def precinct(text: str) -> str:
    """Ward and precinct as four digits, or empty."""
    return text if re.fullmatch(r"\d{4}", text) else ""


def write_csv(name: str, columns: Sequence[str], lines: Iterable[Mapping[str, object]]) -> int:
    """Write a file of the pack; the number of its rows."""
    count = 0
    PACK.mkdir(parents=True, exist_ok=True)
    with (PACK / name).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, lineterminator="\n")
        writer.writeheader()
        for line in lines:
            writer.writerow({column: line.get(column, "") for column in columns})
            count += 1
    return count
