"""Letters are drafted, changed while they are drafts, handed down the tree, issued and dropped by who assesses the city."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import translation

from yiwang.core.indicators.definitions import Indicator
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.refusals import Conflict, NotPossible
from yiwang.core.kernel.text import Text
from yiwang.core.targets import letters as core
from yiwang.core.targets.handing import check_handed_down, share_out
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say
from yiwang.server.ledger.api import add_event
from yiwang.server.targets.models import Item, Letter, TargetEvent
from yiwang.server.targets.progress import Months, letter_of, months_for

NAME = "targets"
LONGEST = 2000
FIRST_YEAR, LAST_YEAR = 2000, 2100
OPEN = (Letter.Step.DRAFT, Letter.Step.ISSUED)
NOBODY = "—"  # who answers for a letter that was handed down, until somebody says


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """One line of a draft, in the unit of its indicator."""

    indicator: str
    target: float
    baseline: float | None = None
    milestones: Mapping[int, float] = field(default_factory=dict)


def wanted_indicators(place: CityRuntime, *, now: datetime | None = None) -> dict[str, Indicator]:
    """What letters may be about: indicators in force of which it is said whether more or less is better."""
    today = (now or datetime.now(UTC)).astimezone(place.info.zone).date()
    return {id: one for id, one in place.pack.indicators.in_force(today).items() if core.can_be_wanted(one)}


def draft(
    place: CityRuntime,
    *,
    unit: str,
    year: int,
    owner: str,
    items: Sequence[Typed],
    reasons: str = "",
    by: str,
    parent: Letter | None = None,
    now: datetime | None = None,
) -> Letter:
    """Draft a letter. Where one is in force already this is the next version of it, and wants reasons.

    Raises:
        BadInput: With everything that is wrong with what was typed.
        Conflict: When somebody has drafted one meanwhile.
    """
    now = now or datetime.now(UTC)
    known = wanted_indicators(place, now=now)
    problems = [*_check_head(place, unit=unit, year=year, owner=owner), *_check(items, known)]
    held = Letter.objects.filter(city=place.info.id, unit=unit, year=year)
    replaces = held.filter(step=Letter.Step.IN_FORCE).select_related("parent").defer("file", "parent__file").first()
    if replaces and not reasons.strip():
        problems.append(
            Problem(
                Text("已有生效的责任书，请写明变更理由。", "A letter is in force: say why it is replaced."),
                column="reasons",
            )
        )
    if len(reasons) > LONGEST:
        problems.append(Problem(Text("最多 {most} 字。", "At most {most} characters.", most=LONGEST), column="reasons"))
    if problems:
        raise BadInput(problems)
    try:
        with transaction.atomic():
            last = held.aggregate(last=Max("version"))["last"] or 0
            made = Letter.objects.create(
                city=place.info.id, unit=unit, year=year, version=last + 1, owner=owner.strip(),
                reasons=reasons.strip() if replaces else "", parent=parent or _still_above(replaces), drafted_at=now, drafted_by=by[:150],
            )  # fmt: skip
            _write(made, items, known)
            tell(made, "drafted", _said(made), by=by)
    except IntegrityError:
        raise Conflict(
            Text(
                "这个单位这一年已有一份未完成的责任书。", "There is an unfinished letter of this unit and year already."
            )
        ) from None
    return made


def change(
    place: CityRuntime, letter: Letter, *, owner: str, items: Sequence[Typed], by: str, now: datetime | None = None
) -> Letter:
    """Change a draft.

    Raises:
        BadInput: With everything that is wrong with what was typed.
        NotPossible: When it is no draft any more.
    """
    known = wanted_indicators(place, now=now)
    problems = [*_check_head(place, unit=letter.unit, year=letter.year, owner=owner), *_check(items, known)]
    if problems:
        raise BadInput(problems)
    with transaction.atomic():
        held = hold(letter)
        _only(held, Letter.Step.DRAFT)
        held.owner = owner.strip()
        held.save(update_fields=["owner"])
        held.items.all().delete()
        _write(held, items, known)
        tell(held, "changed", _said(held), by=by)
    return held


def hand_down(
    place: CityRuntime, letter: Letter, *, owners: Mapping[str, str], by: str, now: datetime | None = None
) -> list[Letter]:
    """Draft letters for the regions directly below, from a letter that is issued or in force.

    A count is shared out by what each region had in the months that are kept, the same to each where nothing is known; its milestones
    likewise. A rate is handed down as it is. Regions that have an unfinished letter keep it. What comes out are drafts: people change them,
    and the sums are checked when they are issued.

    Args:
        owners: Region → who answers for it; a region without one is said to be open.

    Raises:
        NotPossible: When the letter is a draft or has ended, or there is nothing below.
    """
    now = now or datetime.now(UTC)
    if letter.step not in (Letter.Step.ISSUED, Letter.Step.IN_FORCE):
        raise NotPossible(Text("先下达这份责任书，再向下分解。", "Issue this letter first, then hand it down."))
    below = [one.code for one in place.regions.on(date(letter.year, 1, 1)).children(letter.unit)]
    if not below:
        raise NotPossible(Text("下面没有单位。", "There are no regions below."))
    city = Letter.objects.filter(city=place.info.id, year=letter.year, unit__in=below)
    busy = set(city.filter(step__in=OPEN).values_list("unit", flat=True))
    replaced = set(city.filter(step=Letter.Step.IN_FORCE).values_list("unit", flat=True))
    found = list(letter.items.all())
    months = Months(
        place,
        year=letter.year,
        indicators={one.indicator for one in found},
        levels={place.regions[code].level for code in below},
    )
    lines: dict[str, list[Typed]] = {unit: [] for unit in below}
    for item in found:
        counts = item.terms["kind"] == core.Kind.COUNT
        shares = {unit: months.count(unit, item.indicator) for unit in below} if counts else {}
        targets = share_out(item.target, shares) if counts else dict.fromkeys(below, item.target)
        steps = {
            int(month): share_out(value, shares) if counts else dict.fromkeys(below, value)
            for month, value in item.milestones.items()
        }
        for unit in below:
            lines[unit].append(
                Typed(
                    indicator=item.indicator,
                    target=targets[unit],
                    baseline=months.before(unit, item.indicator),
                    milestones={month: values[unit] for month, values in steps.items()},
                )
            )
    reasons = say("上级责任书第 {n} 版下达。", "Version {n} of the letter above was issued.", n=letter.version)
    with transaction.atomic():
        return [
            draft(
                place, unit=unit, year=letter.year, owner=owners.get(unit, "") or NOBODY, items=lines[unit],
                reasons=reasons if unit in replaced else "", by=by, parent=letter, now=now,
            )
            for unit in below
            if unit not in busy
        ]  # fmt: skip


def issue(place: CityRuntime, letter: Letter, *, by: str, now: datetime | None = None) -> Letter:
    """Issue a draft: from now on it stands as it is, and its file is there to be signed.

    A letter that was handed down is issued only when those of all regions beside it make up the letter above.

    Raises:
        BadInput: With every sum that does not come out.
        NotPossible: When it is no draft any more.
    """
    from yiwang.server.targets.letter_pdf import (
        letter_pdf,
    )  # here, so that a start does not wait for fpdf and its fonts

    now = now or datetime.now(UTC)
    with transaction.atomic():
        if letter.parent_id:
            hold(Letter(pk=letter.parent_id))  # nobody issues or changes one of its parts meanwhile
        held = hold(letter)
        _only(held, Letter.Step.DRAFT)
        problems = sums_of(place, held)
        if held.owner == NOBODY:
            problems.append(Problem(Text("请先填写责任人。", "Say first who answers for it."), column="owner"))
        if problems:
            raise BadInput(problems)
        held.step, held.issued_at, held.language = Letter.Step.ISSUED, now, translation.get_language() or ""
        held.file = letter_pdf(held, place=place, now=now)
        held.save(update_fields=["step", "issued_at", "language", "file"])
        tell(held, "issued", _said(held), by=by)
    return held


def drop(letter: Letter, *, by: str, now: datetime | None = None) -> Letter:
    """Drop a draft, or a letter that was issued and is not in force.

    Raises:
        NotPossible: When it is in force or has ended.
    """
    with transaction.atomic():
        held = hold(letter)
        _only(held, *OPEN)
        held.step, held.ended_at = Letter.Step.DROPPED, now or datetime.now(UTC)
        held.save(update_fields=["step", "ended_at"])
        tell(held, "dropped", {}, by=by)
    return held


def sums_of(place: CityRuntime, letter: Letter) -> list[Problem]:
    """Where the letters beside a letter, with it, do not make up the one above; nothing for one that was not handed down."""
    above = letter.parent
    if above is None:
        return []
    if above.step not in (Letter.Step.ISSUED, Letter.Step.IN_FORCE):
        message = Text("上级责任书已被替代或作废，请作废本草稿后重新分解。",
                       "The letter above was replaced or dropped: drop this one, and hand the new one down.")  # fmt: skip
        return [Problem(message)]
    children = {one.code: None for one in place.regions.on(date(letter.year, 1, 1)).children(above.unit)}
    beside = (
        Letter.objects.filter(city=letter.city, year=letter.year, unit__in=children)
        .prefetch_related("items")
        .defer("file")
    )
    current: dict[str, Letter] = {}
    # an open version counts before the one in force that it is about to replace
    for one in sorted(beside.filter(step__in=[*OPEN, Letter.Step.IN_FORCE]), key=lambda one: one.step in OPEN):
        current[one.unit] = one
    months = months_for(place, [*current.values(), above], year=letter.year)
    rates = [item.indicator for item in above.items.all() if item.terms["kind"] == core.Kind.RATE]
    names = {item.indicator: Text.of(item.terms["name"]) for item in above.items.all()}
    names |= {code: place.regions[code].name for code in children}
    return list(
        check_handed_down(
            letter_of(above),
            {code: letter_of(current[code]) if code in current else None for code in children},
            caseloads={one: {code: months.caseload(code, one) for code in children} for one in rates},
            names=names,
        )
    )


def _still_above(replaced: Letter | None) -> Letter | None:
    """What a new version answers to: the letter that stands where the one stood from which the old version was handed down."""
    if replaced is None or replaced.parent is None:
        return None
    old = replaced.parent
    standing = Letter.objects.filter(
        city=old.city, unit=old.unit, year=old.year, step__in=[Letter.Step.IN_FORCE, Letter.Step.ISSUED]
    )
    return standing.defer("file").order_by("version").first()


def hold(letter: Letter) -> Letter:
    """The letter as it is now, which nobody else changes meanwhile."""
    return Letter.objects.select_for_update().get(pk=letter.pk)


def tell(letter: Letter, kind: str, said: dict[str, Any], *, by: str) -> None:
    """Add to the history, in the transaction of what it tells of."""
    subject = f"{letter.year}/{letter.unit}/{letter.version}"
    add_event(TargetEvent, stream=NAME, city=letter.city, subject=subject, kind=kind, said=said, by=by)


def terms_of(one: Indicator) -> dict[str, Any]:
    """An indicator as it is kept with a letter."""
    return {
        "name": dict(one.name),
        "unit": one.unit,
        "direction": one.direction,
        "kind": core.kind_of(one).value,
        "formula": list(one.formula),
        "source": one.source,
    }


def _check_head(place: CityRuntime, *, unit: str, year: int, owner: str) -> list[Problem]:
    problems = []
    if unit not in place.regions:
        problems.append(Problem(Text("请选择单位。", "Choose a unit."), column="unit"))
    if not FIRST_YEAR <= year <= LAST_YEAR:
        problems.append(Problem(Text("请填写年度，例如 2026。", "Give a year, e.g. 2026."), column="year"))
    if not owner.strip() or len(owner.strip()) > 100:
        problems.append(
            Problem(
                Text("请填写责任人，最多 100 字。", "Say who answers for it, in at most 100 characters."),
                column="owner",
            )
        )
    return problems


def _check(items: Sequence[Typed], known: Mapping[str, Indicator]) -> list[Problem]:
    unknown = [one.indicator for one in items if one.indicator not in known]
    problems = [
        Problem(
            Text(
                "没有指标「{id}」，或它不分好坏。",
                "There is no indicator {id!r} that is better high or low.",
                id=id[:60],
            ),
            column=id,
        )
        for id in unknown
    ]
    typed = [
        core.Item(
            indicator=one.indicator, kind=core.kind_of(known[one.indicator]), direction=known[one.indicator].direction,
            baseline=one.baseline, target=one.target, milestones=one.milestones,
        )
        for one in items
        if one.indicator in known
    ]  # fmt: skip
    percents = frozenset(id for id, one in known.items() if one.unit == "percent")
    if unknown and not typed:
        return problems
    return [*problems, *core.check_items(typed, names={id: one.name for id, one in known.items()}, percents=percents)]


def _write(letter: Letter, items: Sequence[Typed], known: Mapping[str, Indicator]) -> None:
    Item.objects.bulk_create(
        Item(
            letter=letter, indicator=one.indicator, terms=terms_of(known[one.indicator]), baseline=one.baseline, target=one.target,
            milestones={f"{month}": value for month, value in sorted(one.milestones.items())},
        )
        for one in items
    )  # fmt: skip


def _said(letter: Letter) -> dict[str, Any]:
    return {
        "owner": letter.owner,
        "reasons": letter.reasons,
        "above": f"{letter.parent.unit}/{letter.parent.version}" if letter.parent else "",
        "items": [[one.indicator, one.baseline, one.target, one.milestones, one.terms] for one in letter.items.all()],
    }


def _only(letter: Letter, *steps: str) -> None:
    if letter.step not in steps:
        raise NotPossible(
            Text("这份责任书已经不是这个状态，请刷新页面。", "This letter has moved on meanwhile: load the page again.")
        )
