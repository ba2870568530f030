"""Write packs/boston/demo/requests.csv.gz: the first 3,000 requests opened in October 2011, as the city published them.

    .venv/bin/python packs/boston/provenance/boston_demo.py

They come in one unbroken run, so that duplicates find what they repeat, and from the month that nothing in the pack was
derived from, so that the demonstration shows what the rules do with requests they have not seen.
"""

from __future__ import annotations

import csv
import gzip
import io

from boston_data import FILE, PACK, UNSEEN_FROM

WANTED = 3000


def main() -> None:
    with gzip.open(FILE, "rt", encoding="utf-8", newline="") as stream:
        found = csv.DictReader(stream)
        columns = list(found.fieldnames or ())
        rows = sorted((row for row in found if row["open_dt"] >= UNSEEN_FROM), key=lambda row: row["open_dt"])[:WANTED]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path = PACK / "demo" / "requests.csv.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
        packed.write(text.getvalue().encode())
    size = path.stat().st_size / 1000
    print(f"{len(rows)} requests, {rows[0]['open_dt']} to {rows[-1]['open_dt']}, {size:.0f} kB")


if __name__ == "__main__":
    main()
