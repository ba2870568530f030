"""Who handled also verified, by another route: the same person under two accounts, or a colleague of the unit.

The workflow keeps an account from verifying what it handled. It cannot know that two accounts are one person.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from yiwang.core.irregularities.leads import Kind, Lead
from yiwang.core.irregularities.ratios import MOST_CASES, share_leads
from yiwang.core.irregularities.rows import Verification


def same_person(verifications: Iterable[Verification], *, persons: Mapping[str, str], period: str) -> list[Lead]:
    """Units in which one person handled and verified under two accounts: a fact, so no chance is computed.

    Args:
        verifications: Of the period.
        persons: A key of the person for accounts of which it is known, such as their number in the personnel list or a
            telephone number. Names are not enough: people share them.
        period: Its name.

    Returns:
        A lead for each unit with such cases. ``data["pairs"]``: handler's account, verifier's account, how many cases.
    """
    cases: defaultdict[str, list[str]] = defaultdict(list)
    pairs: defaultdict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    trials: Counter[str] = Counter()
    for one in verifications:
        trials[one.unit] += 1
        person = persons.get(one.verifier)
        twins = [who for who in sorted(one.handlers) if person and who != one.verifier and persons.get(who) == person]
        if one.verifier in one.handlers:
            twins.append(one.verifier)
        if twins:
            cases[one.unit].append(one.case)
            pairs[one.unit].update((who, one.verifier) for who in twins)
    total = sum(trials.values())
    all_of_them = sum(map(len, cases.values()))
    return [
        Lead(
            kind=Kind.SAME_PERSON,
            unit=unit,
            period=period,
            cases=tuple(own[:MOST_CASES]),
            observed=len(own),
            trials=trials[unit],
            expected=0.0,
            rate=all_of_them / total,
            p_value=None,
            data={"pairs": [[*pair, count] for pair, count in pairs[unit].most_common()]},
        )
        for unit, own in sorted(cases.items())
    ]


def verified_inside(verifications: Iterable[Verification], *, period: str) -> list[Lead]:
    """For each unit: how many of its cases were verified by somebody who holds a post in it?

    Args:
        verifications: Of the period.
        period: Its name.
    """
    marks = ((one.unit, one.case, one.inside) for one in verifications)
    return share_leads(Kind.VERIFYING, marks, period=period)
