"""Leads of irregularities: fraud of each kind put into some units of a simulated city, found or not; false alarms in an honest one.

    python -m bench irregularities     # rows for the table of benchmarks
    python -m bench.irregularities     # the table of docs/reference/irregularities.md

Forty units, a month, about 6,000 cases. Three units cheat, in one way, in a share of their cases.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC
from functools import partial
from typing import Any

from yiwang.core.irregularities.injecting import simulated_rows
from yiwang.core.irregularities.leads import Kind
from yiwang.core.irregularities.looking import look

HONEST, CITIES = 200, 6
CHEATS = (3, 11, 20)
STRENGTHS = (0.3, 0.6)


def _look(seed: int, *, kind: Kind | None, strength: float = 0.0) -> tuple[set[tuple[str, str]], int]:
    """Kind and unit of each lead, and how many tests were made."""
    rows = simulated_rows(seed=seed, fraud={kind: CHEATS} if kind else {}, strength=strength)
    leads, tests = look(rows, city="simulated", period="2026-11", zone=UTC)
    return {(one.kind.value, one.unit) for one in leads}, tests


def measured() -> tuple[dict[tuple[str, float], tuple[int, int, int]], Counter[str], int, int]:
    """By kind and strength: found, of how many, wrongly found of the kind. By kind: leads in the honest cities; in how
    many of these there was one; how many tests were made there."""
    found: dict[tuple[str, float], tuple[int, int, int]] = {}
    with ProcessPoolExecutor(2) as pool:
        honest = list(pool.map(partial(_look, kind=None), range(HONEST), chunksize=10))
        for kind in Kind:
            for strength in STRENGTHS:
                seeds = range(10_000, 10_000 + CITIES)
                hit = wrong = 0
                for leads, _ in pool.map(partial(_look, kind=kind, strength=strength), seeds, chunksize=2):
                    units = {unit for name, unit in leads if name == kind.value}
                    cheats = {f"u{unit}" for unit in CHEATS}
                    hit, wrong = hit + len(units & cheats), wrong + len(units - cheats)
                found[kind.value, strength] = (hit, CITIES * len(CHEATS), wrong)
    false = Counter(name for leads, _ in honest for name, _ in leads)
    return found, false, sum(bool(leads) for leads, _ in honest), sum(tests for _, tests in honest)


def run() -> list[dict[str, Any]]:
    found, false, alarmed, tests = measured()
    rows = []
    for (kind, strength), (hit, injected, wrong) in found.items():
        precision = f"precision {hit / (hit + wrong):.0%}" if hit + wrong else "no lead"
        rows.append(
            {"name": f"{kind}: recall, done to {strength:.0%}", "value": hit / injected, "unit": "", "peer": precision}
        )
    rows.append(
        {"name": "honest cities with a lead", "value": alarmed / HONEST, "unit": "",
         "peer": f"{sum(false.values())} leads of {tests:,} tests"}
    )  # fmt: skip
    return rows


def table() -> list[str]:
    """The same as Markdown, with the counts."""
    found, false, alarmed, tests = measured()
    lines = [
        "| kind | " + " | ".join(f"recall, precision at {one:.0%}" for one in STRENGTHS) + " | false alarms, honest |",
        "|---|" + "--:|" * (len(STRENGTHS) + 1),
    ]
    for kind in Kind:
        cells = []
        for strength in STRENGTHS:
            hit, injected, wrong = found[kind.value, strength]
            precision = f"{hit / (hit + wrong):.2f}" if hit + wrong else "–"
            cells.append(f"{hit}/{injected} = {hit / injected:.2f}, {precision}")
        lines.append(f"| `{kind.value}` | " + " | ".join(cells) + f" | {false[kind.value]} in {HONEST} cities |")
    lines += [
        "",
        f"{sum(false.values())} leads of {tests:,} tests in {HONEST} honest cities; {alarmed} of them had one.",
    ]
    return lines


if __name__ == "__main__":
    print("\n".join(table()))
