"""How good the forecast of a year's end is: crashes in Boston in 2016, said at the end of each month from March to November.

    python -m bench targets

The series are the counts of `../shared/data/crashes_boston` (2015 and 2016) by month: of the whole city, by mode, and by police district of
the pack. Each forecast sees the months up to its own only. The pinball loss is the mean over the 10 %, 50 % and 90 % quantiles and over all
series and months, in units of the series' mean month of 2016, so that small districts count as much as the city.
"""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from math import fsum
from pathlib import Path
from typing import Any

from yiwang.core.space import Locator
from yiwang.core.targets.forecast import Method, last_twelve, naive, pinball_loss, seasonal_naive, year_end_count
from yiwang.packs import read_pack

ROOT = Path(__file__).resolve().parent.parent
NAME = Path("data", "crashes_boston", "crashes.csv.gz")
CRASHES = next((path for path in (ROOT.parent / "shared" / NAME, Path("/work/shared") / NAME) if path.is_file()), None)
FIRST, MONTHS, LEVEL = 2015, 24, "district"
SAID_AFTER = range(3, 12)  # months of 2016 that are over; before March seasonal-naive has no residuals
METHODS: Mapping[str, Method] = {"last twelve": last_twelve, "naive": naive, "seasonal-naive": seasonal_naive}
SHARES = (0.1, 0.5, 0.9)


def series_of(path: Path) -> dict[str, list[float]]:
    """24 counts for the city, each mode and each district; a district's name is its code."""
    regions = read_pack(ROOT / "packs" / "boston").regions.on(date(FIRST, 1, 1))
    locator = Locator(tree=regions)
    found: dict[str, list[float]] = defaultdict(lambda: [0.0] * MONTHS)
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if not row["time"] or not row["lon"]:
                continue
            at = (int(row["time"][:4]) - FIRST) * 12 + int(row["time"][5:7]) - 1
            place = locator.locate(float(row["lon"]), float(row["lat"]))
            districts = [one.code for one in place.chain if one.level == LEVEL]
            for name in ("city", row["mode"], *districts):
                found[name][at] += 1
    return dict(found)


def losses(series: Mapping[str, Sequence[float]], method: Method) -> tuple[float, float, int]:
    """The mean pinball loss, the share of the years that lay in the interval, and how many forecasts there were."""
    found, held = [], 0
    for months in series.values():
        year = fsum(months[12:])
        for done in SAID_AFTER:
            said = year_end_count(list(months[: 12 + done]), done=done, method=method)
            assert said is not None
            values = zip(SHARES, (said.low, said.value, said.high), strict=True)
            found.append(fsum(pinball_loss(share, value, year) for share, value in values) / len(SHARES) / (year / 12))
            held += said.low <= year <= said.high
    return fsum(found) / len(found), held / len(found), len(found)


def run() -> list[dict[str, Any]]:
    """Our loss against each plainer forecast's; the ratio is above one where ours is smaller."""
    if CRASHES is None:
        raise SystemExit("This needs ../shared/data/crashes_boston.")
    series = series_of(CRASHES)
    measured = {name: losses(series, method) for name, method in METHODS.items()}
    ours, held, n = measured["last twelve"]
    rows = [
        {
            "name": f"year's end, {n} forecasts of {len(series)} series: pinball loss",
            "value": ours, "unit": "months", "peer": f"{name} {loss:.4f}, interval held {share:.1%}", "ratio": loss / ours,
        }
        for name, (loss, share, _) in measured.items()
        if name != "last twelve"
    ]  # fmt: skip
    return [
        *rows,
        {
            "name": "year's end: interval of 80 % held",
            "value": 100 * held,
            "unit": "%",
            "peer": "80 % said",
            "ratio": None,
        },
    ]
