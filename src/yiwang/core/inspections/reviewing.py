"""Which visits a second person repeats, and who: drawn from the same seed as the visits, so anybody can draw them again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from math import ceil

from yiwang.core.indicators.sampling import Plan, Visit, commitment


def second_visits(*, plan: Plan, seed: bytes, beacon: str, visits: Sequence[Visit], share: float) -> dict[str, str]:
    """Who repeats which visit: place → inspector.

    The places with the smallest hashes are repeated, at least one of each hundredth part of the share that is begun. Of those
    who may go there and were not in the team, the one with the fewest second visits goes; among equals the hash decides. A
    place whose team leaves nobody is passed over.

    Args:
        plan, seed, beacon: As for `yiwang.core.indicators.sampling.draw`.
        visits: What that gave.
        share: Of the visits, 0 to 1.

    Raises:
        ValueError: When the share is not between 0 and 1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"{share} of the visits: a share lies between 0 and 1.")
    key = f"{commitment(plan=plan, seed=seed)}\n{seed.hex()}\n{json.dumps(beacon)}"
    wanted = ceil(share * len(visits))
    loads: Counter[str] = Counter()
    found: dict[str, str] = {}
    for visit in sorted(visits, key=lambda one: _number(key, "second", one.place)):
        if len(found) == wanted:
            break
        free = [
            person.id
            for person in plan.inspectors
            if visit.stratum not in person.avoids and person.id not in visit.inspectors
        ]
        if free:
            found[visit.place] = min(
                free, key=lambda person: (loads[person], _number(key, "repeat", visit.place, person))
            )
            loads[found[visit.place]] += 1
    return found


def _number(key: str, *parts: str) -> bytes:
    return sha256(f"{key}\n{json.dumps(parts, ensure_ascii=False)}".encode()).digest()
