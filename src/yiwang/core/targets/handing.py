"""Targets handed down the tree 层层分解: what the units below promise must make up what the unit above has promised."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import fsum, isclose

from yiwang.core.indicators.definitions import UP
from yiwang.core.kernel.errors import Problem
from yiwang.core.kernel.text import Text
from yiwang.core.targets.letters import Item, Kind, Letter

ROUNDING = 1e-6  # of what people type with two decimals


def check_handed_down(
    parent: Letter,
    children: Mapping[str, Letter | None],
    *,
    caseloads: Mapping[str, Mapping[str, float | None]],
    names: Mapping[str, Text],
) -> Iterator[Problem]:
    """Where the letters below do not make up the letter above.

    A count of the parts must sum to the whole. A rate of the whole is the mean of the parts' rates weighted by their caseloads
    (what each is divided by), and that mean must reach the target. Where a caseload is not known nothing can be weighed; then every part
    must reach the target by itself, since a mean of such parts does with any weights.

    Args:
        parent: The letter above.
        children: Unit → its letter, for every unit directly below; None where one has none.
        caseloads: Indicator → unit → what its rate was divided by before; None where that is not known.
        names: Of indicators and units.

    Yields:
        Problems; the column is the indicator's id, empty for a letter that is missing.
    """
    missing = [unit for unit, letter in children.items() if letter is None]
    for unit in missing:
        yield Problem(Text("{unit} 还没有责任书。", "{unit} has no letter yet.", unit=_name(unit, names)))
    if missing or not children:
        return
    letters = [letter for letter in children.values() if letter is not None]
    for item in parent.items:
        found = {letter.unit: letter.item(item.indicator) for letter in letters}
        without = [unit for unit, one in found.items() if one is None]
        for unit in without:
            yield Problem(
                Text("{unit} 的责任书里没有「{item}」。", "The letter of {unit} says nothing of “{item}”.",
                     unit=_name(unit, names), item=_name(item.indicator, names)),
                column=item.indicator,
            )  # fmt: skip
        targets = {unit: one.target for unit, one in found.items() if one is not None}
        if not without and (problem := _check(item, targets, caseloads.get(item.indicator, {}), names)):
            yield problem


def mean_by_caseload(targets: Mapping[str, float], caseloads: Mapping[str, float | None]) -> float | None:
    """The rate of the whole when each part has the given one; None where a caseload is not known, or all are nothing."""
    loads = {unit: caseloads.get(unit) for unit in targets}
    known = {unit: load for unit, load in loads.items() if load is not None}
    whole = fsum(known.values())
    if len(known) < len(targets) or whole <= 0:
        return None
    return fsum(targets[unit] * load for unit, load in known.items()) / whole


def share_out(target: float, shares: Mapping[str, float | None]) -> dict[str, float]:
    """A count shared out in whole numbers that sum to it, in proportion (largest remainders; ties by the unit's code).

    Args:
        target: Of the whole; what is left below one goes to the first unit.
        shares: Unit → what it had before; None counts as nothing. When all had nothing, each gets the same.
    """
    if not shares:
        return {}
    had = {unit: max(0.0, share or 0.0) for unit, share in shares.items()}
    whole = fsum(had.values())
    if whole <= 0:
        had, whole = dict.fromkeys(had, 1.0), float(len(had))
    exact = {unit: int(target) * share / whole for unit, share in had.items()}
    given = {unit: float(int(value)) for unit, value in exact.items()}
    left = int(target) - int(sum(given.values()))
    for unit in sorted(exact, key=lambda one: (given[one] - exact[one], one))[:left]:
        given[unit] += 1
    given[min(given)] += target - int(target)
    return given


def _check(
    item: Item, targets: Mapping[str, float], loads: Mapping[str, float | None], names: Mapping[str, Text]
) -> Problem | None:
    said = {"item": _name(item.indicator, names), "target": f"{item.target:g}"}
    if item.kind == Kind.COUNT:
        whole = fsum(targets.values())
        if isclose(whole, item.target, rel_tol=ROUNDING, abs_tol=ROUNDING):
            return None
        message = Text("「{item}」下级目标合计 {whole}，上级目标 {target}。",
                       "The targets of “{item}” below sum to {whole}, above it is {target}.",
                       whole=f"{whole:g}", **said)  # fmt: skip
        return Problem(message, Text("合计要相等。", "They must be the same."), column=item.indicator)
    mean = mean_by_caseload(targets, loads)
    if mean is None:
        short = [unit for unit, value in targets.items() if not item.reached_by(value)]
        if not short:
            return None
        message = Text("「{item}」没有各单位的案件量，无法加权；{units} 的目标达不到上级目标 {target}。",
                       "The caseloads of “{item}” are not known, so nothing can be weighed; {units} would not reach the {target} above.",
                       units=Text.join({"zh": "、", "en": ", "}, [_name(unit, names) for unit in short]), **said)  # fmt: skip
        return Problem(message, column=item.indicator)
    slack = ROUNDING * max(1.0, abs(item.target))
    if item.reached_by(mean + (slack if item.direction == UP else -slack)):
        return None
    message = Text("「{item}」下级目标按案件量加权为 {mean}，达不到上级目标 {target}。",
                   "The targets of “{item}” below make {mean}, weighted by caseload, and do not reach the {target} above.",
                   mean=f"{mean:.2f}", **said)  # fmt: skip
    return Problem(message, column=item.indicator)


def _name(key: str, names: Mapping[str, Text]) -> Text:
    return names.get(key) or Text(key, key)
