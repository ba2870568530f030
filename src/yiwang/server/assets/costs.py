"""What components have cost: entries by hand or from a file of the accounts. An entry is cancelled, never changed.

Amounts are in the currency of the city's country.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Count, Sum
from django.db.models.functions import ExtractYear

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.refusals import Conflict, Invalid, Unknown
from yiwang.core.kernel.text import Text
from yiwang.packs.records.columns import Cells, Taken, named_rows
from yiwang.server.assets.finding import component_to_change
from yiwang.server.assets.models import Component, ComponentCost
from yiwang.server.cities.queries import CityRuntime, runtime

COLUMNS = ("code", "kind", "day", "amount", "voucher", "case", "note")
MOST_AMOUNT = Decimal("999999999999.99")
CHUNK = 2000
_NEEDED = ("code", "kind", "day", "amount", "voucher")
_LONGEST = {
    one.name: int(one.max_length or 0)
    for one in ComponentCost._meta.concrete_fields
    if one.name in ("voucher", "case", "note")
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CostSaid:
    """An entry as it is said.

    Attributes:
        kind: ``purchase``, ``installation``, ``maintenance``, ``repair`` or ``removal``.
        day: On which it arose.
        amount: More than nothing, with at most two decimals.
        voucher: Number of the document in the accounts 凭证号. A component has one entry of a kind for a voucher.
        case: Number of the case for which it arose.
        note: In words.
    """

    kind: str
    day: date
    amount: Decimal
    voucher: str = ""
    case: str = ""
    note: str = ""


@dataclass(slots=True)
class CostsTaken(Taken):
    """What became of a file of costs.

    Attributes:
        new, same: What became of the rows that were not refused.
    """

    new: int = 0
    same: int = 0


def read_cost(cells: Mapping[str, str], *, today: date) -> CostSaid:
    """An entry from the words of a form or of a row.

    Args:
        cells: By name, as in `COLUMNS`; what is not there is empty.
        today: In the city; no cost is of a later day.

    Raises:
        BadInput: With every field that cannot be taken.
    """
    said = {name: cells.get(name, "").strip() for name in COLUMNS}
    problems = [
        _wrong(name, Text("最多 {most} 个字。", "At most {most} characters.", most=most))
        for name, most in _LONGEST.items()
        if len(said[name]) > most
    ]
    if said["kind"] not in ComponentCost.Kind.values:
        kinds = ", ".join(ComponentCost.Kind.values)
        hint = Text("可用：{kinds}。", "Write one of {kinds}.", kinds=kinds)
        unknown = Text("没有「{kind}」这种费用。", "There is no kind of cost {kind!r}.", kind=said["kind"][:40])
        problems.append(Problem(unknown, hint, column="kind"))
    day, amount = _day(said["day"]), _amount(said["amount"])
    if day is None:
        hint = Text("请写成 2026-03-04。", "Write it as 2026-03-04.")
        problems.append(
            Problem(Text("「{day}」不是日期。", "{day!r} is no day.", day=said["day"][:40]), hint, column="day")
        )
    elif day > today:
        problems.append(_wrong("day", Text("{day} 还没有到。", "{day} has not come yet.", day=f"{day}")))
    if amount is None:
        hint = Text(
            "请写大于零、最多两位小数的数，例如 1280.50。",
            "Write a number above zero with at most two decimals, e.g. 1280.50.",
        )
        wrong = Text("「{amount}」不是金额。", "{amount!r} is no amount.", amount=said["amount"][:40])
        problems.append(Problem(wrong, hint, column="amount"))
    if problems or day is None or amount is None:
        raise BadInput(problems)
    return CostSaid(
        kind=said["kind"],
        day=day,
        amount=amount,
        voucher=said["voucher"],
        case=said["case"],
        note=said["note"],
    )


def add_cost(*, city: str, code: str, said: CostSaid, by: str, allowed: Callable[[str], bool]) -> ComponentCost:
    """Enter a cost of a component.

    Raises:
        Conflict: When the component has an entry of this kind for this voucher.
        NotAllowed: When the component lies elsewhere.
        Unknown: When there is none.
    """
    component = component_to_change(city=city, code=code, allowed=allowed)
    with transaction.atomic():
        Component.objects.select_for_update().get(pk=component.pk)
        if said.voucher and _standing(component).filter(kind=said.kind, voucher=said.voucher).exists():
            raise Conflict(
                Text(
                    "此部件已有凭证号为「{voucher}」的同类费用。",
                    "This component has a cost of this kind with the voucher {voucher!r} already.",
                    voucher=said.voucher,
                )
            )
        return ComponentCost.objects.create(component=component, by=by[:150], **_values(said))


def cancel_cost(*, city: str, code: str, cost: int, by: str, allowed: Callable[[str], bool]) -> None:
    """Cancel an entry. It stays to be read, and counts no more.

    Raises:
        Invalid: When it is cancelled already.
        NotAllowed: When the component lies elsewhere.
        Unknown: When there is none.
    """
    component = component_to_change(city=city, code=code, allowed=allowed)
    cancelled = _standing(component).filter(pk=cost).update(cancelled_at=datetime.now(UTC), cancelled_by=by[:150])
    if cancelled:
        return
    if component.costs.filter(pk=cost).exists():
        raise Invalid(Text("这笔费用已作废。", "This cost is cancelled already."))
    raise Unknown(Text("没有这笔费用。", "There is no such cost."))


def costs_of(component: Component, *, most: int = 200) -> list[ComponentCost]:
    """The entries of a component, the latest first; cancelled ones too."""
    return list(component.costs.all()[:most])


def cost_rows(*, city: str, code: str, most: int = 200) -> list[dict[str, Any]]:
    """The same as rows: ``kind``, ``day``, ``amount``, ``voucher``, ``case``, ``note``, ``by``, ``cancelled_at``."""
    names = ("kind", "day", "amount", "voucher", "case", "note", "by", "cancelled_at")
    return list(ComponentCost.objects.filter(component__city=city, component__code=code).values(*names)[:most])


def cost_sums(component: Component) -> dict[str, Decimal]:
    """What a component has cost, by kind; cancelled entries left out."""
    return dict(_standing(component).order_by().values_list("kind").annotate(sum=Sum("amount")))


def class_costs(*, city: str) -> list[dict[str, Any]]:
    """What the components of each class have cost: ``class``, ``year``, ``kind``, ``amount``, ``components``; in this order."""
    standing = ComponentCost.objects.filter(component__city=city, cancelled_at=None).order_by()
    rows = (
        standing.values_list("component__kind", ExtractYear("day"), "kind")
        .annotate(sum=Sum("amount"), components=Count("component", distinct=True))
        .order_by("component__kind", "day__year", "kind")
    )
    return [dict(zip(("class", "year", "kind", "amount", "components"), row, strict=True)) for row in rows]


def take_costs(
    *, city: str, path: Path, by: str, progress: Callable[[int, int], None] = lambda _, __: None
) -> CostsTaken:
    """Enter the costs of a file, CSV or workbook, with the columns of `COLUMNS`.

    A row whose component has the same entry of its voucher already is left as it is, so a file may be brought again. Good rows
    are entered although others are refused.

    Args:
        progress: Takes the rows that are done, and 0 for their unknown total.

    Raises:
        BadInput: The file cannot be read, or has a column too many or too few.
    """
    place, taken = runtime(city), CostsTaken()
    rows = named_rows(path, columns=COLUMNS, needed=_NEEDED, taken=taken)
    while some := list(islice(rows, CHUNK)):
        _take(some, place, path, taken, by=by)
        progress(taken.rows, 0)
    taken.problems.sort(key=lambda problem: problem.row or 0)
    return taken


def _take(some: list[tuple[int, Cells]], place: CityRuntime, path: Path, taken: CostsTaken, *, by: str) -> None:
    today = datetime.now(UTC).astimezone(place.info.zone).date()
    read: list[tuple[int, str, CostSaid]] = []
    for number, cells in some:
        try:
            read.append((number, cells["code"], _said(cells, today)))
        except BadInput as error:
            taken.refuse(path, number, error.problems)
    codes = {code for _, code, _ in read}
    ids = dict(Component.objects.filter(city=place.info.id, code__in=codes).values_list("code", "id"))
    with transaction.atomic():
        # what somebody enters meanwhile waits for this, so that no voucher is entered twice
        list(Component.objects.select_for_update().filter(pk__in=ids.values()).order_by("pk").values_list("pk"))
        known = {
            (component, kind, voucher): (day, amount)
            for component, kind, voucher, day, amount in ComponentCost.objects.filter(
                component__in=ids.values(), cancelled_at=None, voucher__in={said.voucher for *_, said in read}
            ).values_list("component_id", "kind", "voucher", "day", "amount")
        }
        new = list(_new(read, ids, known, path, taken, by=by))
        ComponentCost.objects.bulk_create(new, batch_size=CHUNK)
    taken.new += len(new)


def _new(
    read: list[tuple[int, str, CostSaid]],
    ids: Mapping[str, int],
    known: dict[tuple[int, str, str], tuple[date, Decimal]],
    path: Path,
    taken: CostsTaken,
    *,
    by: str,
) -> Iterator[ComponentCost]:
    """The entries that are not there yet."""
    for number, code, said in read:
        component = ids.get(code)
        if component is None:
            wrong = Text("台账中没有部件「{code}」。", "The inventory has no component {code!r}.", code=code[:40])
            taken.refuse(path, number, [Problem(wrong, column="code")])
            continue
        key, now = (component, said.kind, said.voucher), (said.day, said.amount)
        before = known.setdefault(key, now)
        if before is now:
            yield ComponentCost(component_id=component, by=by[:150], **_values(said))
        elif before == now:
            taken.same += 1
        else:
            wrong = Text(
                "凭证「{voucher}」在此部件上已记 {day} 的 {amount}。",
                "The voucher {voucher!r} stands with {amount} of {day} at this component.",
                voucher=said.voucher,
                day=f"{before[0]}",
                amount=f"{before[1]}",
            )
            hint = Text(
                "金额有误时，先在部件页作废原来的一笔。", "If that is wrong, cancel it on the component's page first."
            )
            taken.refuse(path, number, [Problem(wrong, hint, column="voucher")])


def _said(cells: Cells, today: date) -> CostSaid:
    if not cells["voucher"]:
        hint = Text("没有它就认不出重复的行。", "Without it a row that comes twice is not known.")
        raise BadInput(Problem(Text("缺少凭证号。", "The number of the voucher is missing."), hint, column="voucher"))
    return read_cost(cells, today=today)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None


def _amount(text: str) -> Decimal | None:
    try:
        amount = Decimal(text.replace(",", "")) if len(text) <= 24 else Decimal("NaN")
    except InvalidOperation:
        return None
    if not amount.is_finite() or not 0 < amount <= MOST_AMOUNT:
        return None
    rounded = amount.quantize(Decimal("0.01"))
    return rounded if rounded == amount else None


def _wrong(column: str, message: Text) -> Problem:
    return Problem(message, column=column)


def _values(said: CostSaid) -> dict[str, Any]:
    return {name: getattr(said, name) for name in COLUMNS if name != "code"}


def _standing(component: Component) -> Any:
    return component.costs.filter(cancelled_at=None)
