"""What an upgrade keeps: rows of the installed pack that the new one does not name, with their validity ended.

It works on the files, row by row, so that the installed copy stays a pack that a person can read and compare.
"""

from __future__ import annotations

import csv
import gzip
import json
from datetime import date, timedelta
from pathlib import Path

# file → the columns that make a row one and the same
KEYS = {
    "regions.csv": ("code",),
    "categories.csv": ("scheme", "code"),
    "units.csv": ("code",),
}
SHAPES = "regions.geojson.gz"


def retain(*, new: Path, old: Path | None, today: date) -> dict[str, list[str]]:
    """Append to the new pack's files what only the old pack has; codes kept, by file."""
    if old is None:
        return {}
    kept = {name: codes for name, keys in KEYS.items() if (codes := _retain_rows(new / name, old / name, keys, today))}
    if "regions.csv" in kept:
        _retain_shapes(new / SHAPES, old / SHAPES, set(kept["regions.csv"]))
    return kept


def _retain_rows(new: Path, old: Path, keys: tuple[str, ...], today: date) -> list[str]:
    if not old.is_file() or not new.is_file():
        return []
    header, rows = _read(new)
    _, former = _read(old)
    named = {tuple(row.get(key, "") for key in keys) for row in rows}
    lost = [row for row in former if tuple(row.get(key, "") for key in keys) not in named]
    if not lost:
        return []
    for row in lost:
        ended = row.get("valid_to", "")
        if not ended or ended > today.isoformat():
            row["valid_to"] = _end_date(row.get("valid_from", ""), today)
    with new.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, header, restval="", extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows([*rows, *lost])
    return [":".join(row[key] for key in keys) for row in lost]


def _end_date(valid_from: str, today: date) -> str:
    """Today, or the day after a beginning that is still to come: a period is never empty."""
    begun = date.fromisoformat(valid_from) if valid_from else date.min
    return (today if begun < today else begun + timedelta(days=1)).isoformat()


def _read(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        rows = [{key: value or "" for key, value in row.items() if key is not None} for row in reader]
        return list(reader.fieldnames or []), rows


def _retain_shapes(new: Path, old: Path, codes: set[str]) -> None:
    if not old.is_file():
        return
    former = [feature for feature in _features(old) if feature["properties"].get("code") in codes]
    if not former:
        return
    features = _features(new) if new.is_file() else []
    text = json.dumps({"type": "FeatureCollection", "features": [*features, *former]}, ensure_ascii=False)
    new.write_bytes(gzip.compress(text.encode(), mtime=0))


def _features(path: Path) -> list[dict]:  # type: ignore[type-arg]
    return list(json.loads(gzip.decompress(path.read_bytes()))["features"])
