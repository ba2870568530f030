"""How good the forecasts of consumption are: requests a day in Boston, July to October 2011, for the next day and the next week.

    python -m bench consumption

The series are the daily counts of `../shared/data/boston311`: of all requests and of the eleven most frequent types. Each forecast sees
the days up to its own only; the first is made after nine weeks. The pinball loss is the mean over the 10 %, 50 % and 90 % quantiles and
over all series and days, in units of the series' mean over the days ahead. Emergencies with trees stand by themselves: a hurricane on 28
August makes nearly all of them, and with them nearly all of the loss of any method.
"""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from math import fsum
from pathlib import Path
from typing import Any

from yiwang.core.planning.reserves.consumption import Method, naive, outlook, seasonal_naive, smoothed

ROOT = Path(__file__).resolve().parent.parent
NAME = Path("data", "boston311", "boston_311_2011_jul_oct.csv.gz")
REQUESTS = next((path for path in (ROOT.parent / "shared" / NAME, Path("/work/shared") / NAME) if path.is_file()), None)
FIRST, LAST = date(2011, 7, 1), date(2011, 10, 31)
METHODS: Mapping[str, Method] = {"smoothed": smoothed, "seasonal-naive": seasonal_naive, "naive": naive}
SHARES = (0.1, 0.5, 0.9)
BEFORE = 63
STORM = "Tree Emergencies"


def series_of(path: Path, *, most: int = 11) -> dict[str, list[float]]:
    """Counts of each day, of all requests and of the ``most`` frequent types."""
    days = [FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1)]
    by_type: dict[str, Counter[str]] = {"all": Counter()}
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            for name in ("all", row["type"]):
                by_type.setdefault(name, Counter())[row["open_dt"][:10]] += 1
    names = sorted(by_type, key=lambda name: (-by_type[name].total(), name))[: most + 1]
    return {name: [float(by_type[name][day.isoformat()]) for day in days] for name in names}


def pinball(share: float, said: float, was: float) -> float:
    """R. Koenker and G. Bassett, *Econometrica* 46 (1978)."""
    return share * (was - said) if was >= said else (1 - share) * (said - was)


def losses(series: Mapping[str, Sequence[float]], method: Method, ahead: int) -> tuple[float, float, int]:
    """The mean pinball loss, the share of the totals that lay in the interval, and how many forecasts there were."""
    found, held = [], 0
    for days in series.values():
        usual = ahead * fsum(days) / len(days)
        for now in range(BEFORE, len(days) - ahead + 1, 3):
            said, was = outlook(days[:now], ahead, method=method), fsum(days[now : now + ahead])
            assert said is not None
            values = zip(SHARES, (said.low, said.value, said.high), strict=True)
            found.append(fsum(pinball(share, value, was) for share, value in values) / len(SHARES) / usual)
            held += said.low <= was <= said.high
    return fsum(found) / len(found), held / len(found), len(found)


def run() -> list[dict[str, Any]]:
    """Our loss against each plainer forecast's; the ratio is above one where ours is smaller."""
    if REQUESTS is None:
        raise SystemExit("This needs ../shared/data/boston311.")
    series = series_of(REQUESTS)
    storm = {STORM: series.pop(STORM)}
    rows = []
    for what, chosen in ((f"{len(series)} series", series), ("emergencies with trees", storm)):
        for ahead in (1, 7):
            measured = {name: losses(chosen, method, ahead) for name, method in METHODS.items()}
            ours, held, n = measured.pop("smoothed")
            rows += [
                {
                    "name": f"use in {ahead} day(s), {what}, {n} forecasts, interval of 80 % held {held:.1%}: pinball loss",
                    "value": ours, "unit": "of the mean", "peer": f"{name} {loss:.4f}, held {share:.1%}", "ratio": loss / ours,
                }
                for name, (loss, share, _) in measured.items()
            ]  # fmt: skip
    return rows
