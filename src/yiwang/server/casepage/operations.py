"""What the list of cases and the desks write: one verb on many cases, views under a name, what was read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import IntegrityError, transaction

from yiwang.core.cases.events import Actor, Command
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.refusals import Refusal
from yiwang.core.kernel.text import Text
from yiwang.server.casepage.models import CaseRead, SavedView
from yiwang.server.casepage.read_marks import KEPT
from yiwang.server.casepage.saved_views import LIST, Keeper, normal
from yiwang.server.cases.api import act_on_case

MOST_AT_ONCE = 100
MOST_VIEWS = 60  # a person's in a city
LONGEST_NAME, LONGEST_QUERY = 60, 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one case of a bulk action: its step after it, or why it was refused."""

    number: str
    step: str = ""
    error: Refusal | BadInput | None = None


def act_on_many(
    *,
    city: str,
    chosen: Sequence[tuple[str, int]],
    verb: str,
    actor_of: Callable[[str], Actor],
    payload: Mapping[str, Any],
    key: str,
) -> list[Outcome]:
    """Do one verb on many cases. Each is a command and a transaction of its own, so one refusal holds nothing else up.

    Args:
        city: City of the cases.
        chosen: Number and last event seen of each.
        verb: What to do.
        actor_of: In which capacity, by number.
        payload: What the verb carries, the same for all.
        key: Idempotency key of the whole; each case gets one made of it, so that a repeated call does nothing twice.

    Raises:
        BadInput: When there are too many.
    """
    check_number(chosen)
    outcomes = []
    for number, seq in chosen:
        command = Command(verb=verb, actor=actor_of(number), payload=dict(payload), expected_seq=seq)
        try:
            said = act_on_case(city=city, number=number, command=command, key=f"{key}:{number}" if key else "")
            outcomes.append(Outcome(number=number, step=str(said.get("step", ""))))
        except (Refusal, BadInput) as error:
            outcomes.append(Outcome(number=number, error=error))
    return outcomes


def check_number(chosen: Sequence[object]) -> None:
    """Refuse more cases than are acted on at once.

    Raises:
        BadInput: When there are more than `MOST_AT_ONCE`.
    """
    if len(chosen) > MOST_AT_ONCE:
        raise BadInput(
            Problem(
                Text("一次选了 {chosen} 件案卷。", "{chosen} cases at once.", chosen=len(chosen)),
                Text("最多 {most_at_once} 件。", "At most {most_at_once} are taken.", most_at_once=MOST_AT_ONCE),
                column="case",
            )
        )


# --- what was read --------------------------------------------------------------------------------------------------


def mark_read(*, user: Any, case_id: int, seq: int) -> None:
    """Somebody was shown a case up to an event: one statement."""
    row = CaseRead(user_id=user.pk, case_id=case_id, seq=seq)
    CaseRead.objects.bulk_create(
        [row], update_conflicts=True, update_fields=["seq", "at"], unique_fields=["user", "case"]
    )


def forget_reads(*, at: datetime | None = None, batch: int = 5_000) -> int:
    """Throw away what was read longer ago than marks last, some thousand rows at a time; how many."""
    before, gone = (at or datetime.now(UTC)) - KEPT, 0
    while ids := list(CaseRead.objects.filter(at__lt=before).values_list("id", flat=True)[:batch]):
        gone += CaseRead.objects.filter(id__in=ids).delete()[0]
    return gone


# --- views under a name --------------------------------------------------------------------------------------------


def save_view(*, keeper: Keeper, role: str, name: str, query: str, unit: str = "") -> SavedView:
    """Keep a query under a name; the same name of one's own again replaces it.

    Args:
        keeper: Who.
        role: The desk, or `LIST`.
        name: 1 to 60 characters.
        query: The query part of an address.
        unit: To share it with; empty for nobody.

    Raises:
        BadInput: When the name is none or taken, the desk or unit is not theirs, or there are too many.
    """
    name, query = _checked(name, normal(query, role=role))
    own = SavedView.objects.filter(user_id=keeper.user.pk, city=keeper.place.info.id)
    if role != LIST and role not in keeper.roles:
        raise _bad_view("role", Text("这个工作台不归您。", "That desk is not yours."), _POST_HINT)
    if unit and unit not in keeper.units:
        raise _bad_view("unit", Text("您在这个单位没有岗位。", "You hold no post at that unit."), _POST_HINT)
    if own.exclude(role=role, name=name).count() >= MOST_VIEWS:
        raise _bad_view(
            "name",
            Text("已有 {most} 个视图。", "There are {most} views already.", most=MOST_VIEWS),
            Text("请先删除一个。", "Delete one first."),
        )
    try:
        with transaction.atomic():
            return own.update_or_create(
                user_id=keeper.user.pk,
                city=keeper.place.info.id,
                role=role,
                name=name,
                defaults={"query": query, "unit": unit},
            )[0]
    except IntegrityError:
        raise _name_taken() from None


def change_view(view: SavedView, *, keeper: Keeper, name: str, query: str, unit: str) -> None:
    """Give a view another name or query, share it or share it no longer.

    Raises:
        BadInput: When it is not theirs to edit, or as for `save_view`.
    """
    _check_editable(view, keeper)
    name, query = _checked(name, normal(query, role=view.role))
    units = keeper.units if view.user_id == keeper.user.pk else frozenset()
    if unit and unit != view.unit and unit not in units:
        raise _bad_view("unit", Text("您在这个单位没有岗位。", "You hold no post at that unit."), _POST_HINT)
    try:
        with transaction.atomic():
            SavedView.objects.filter(pk=view.pk).update(name=name, query=query, unit=unit)
    except IntegrityError:
        raise _name_taken() from None


def delete_view(view: SavedView, *, keeper: Keeper) -> None:
    """Forget a view.

    Raises:
        BadInput: When it is not theirs to edit.
    """
    _check_editable(view, keeper)
    SavedView.objects.filter(pk=view.pk).delete()


def copy_view(view: SavedView, *, keeper: Keeper) -> SavedView:
    """A private one of the same query; under the same name, or with a figure where one has that name.

    Raises:
        BadInput: As for `save_view`.
    """
    taken = set(
        SavedView.objects.filter(user_id=keeper.user.pk, city=view.city, role=view.role).values_list("name", flat=True)
    )
    names = (view.name, *(f"{view.name[: LONGEST_NAME - 4]} {turn}" for turn in range(2, 100)))
    name = next((name for name in names if name not in taken), view.name)
    return save_view(keeper=keeper, role=view.role, name=name, query=view.query)


_POST_HINT = Text("请选自己的岗位。", "Choose a post of your own.")


def _checked(name: str, query: str) -> tuple[str, str]:
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or len(query) > LONGEST_QUERY:
        raise _bad_view(
            "name",
            Text(
                "视图的名称应为 1 到 60 个字，条件不宜过长。",
                "A view has a name of 1 to 60 characters and no endless filter.",
            ),
            Text("请起个短名称。", "Give a short name."),
        )
    return name, query


def _check_editable(view: SavedView, keeper: Keeper) -> None:
    if not keeper.may_edit(view):
        raise _bad_view(
            "view",
            Text(
                "只有建立者和上级单位的负责人能改这个视图。",
                "Only its author and who leads the unit from above may change this view.",
            ),
            Text("可以复制一份自己用。", "You may copy it for yourself."),
        )


def _name_taken() -> BadInput:
    return _bad_view(
        "name",
        Text("已有同名的视图。", "There is a view of that name already."),
        Text("请换个名称。", "Choose another name."),
    )


def _bad_view(column: str, message: Text, hint: Text) -> BadInput:
    return BadInput(Problem(message, hint, column=column))
