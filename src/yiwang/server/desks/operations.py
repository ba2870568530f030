"""What desks write: saved filters, and one verb on many cases, each with its own check and its own answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from yiwang.core.cases.events import Actor, Command
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.refusals import Refusal
from yiwang.core.kernel.text import Text
from yiwang.server.cases.api import act_on_case
from yiwang.server.desks.models import SavedFilter

MOST_FILTERS = 40
MOST_AT_ONCE = 100


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
    if len(chosen) > MOST_AT_ONCE:
        raise BadInput(
            Problem(
                Text("一次选了 {chosen} 件案卷。", "{chosen} cases at once.", chosen=len(chosen)),
                Text("最多 {most_at_once} 件。", "At most {most_at_once} are taken.", most_at_once=MOST_AT_ONCE),
                column="case",
            )
        )
    outcomes = []
    for number, seq in chosen:
        command = Command(verb=verb, actor=actor_of(number), payload=dict(payload), expected_seq=seq)
        try:
            said = act_on_case(city=city, number=number, command=command, key=f"{key}:{number}" if key else "")
            outcomes.append(Outcome(number=number, step=str(said.get("step", ""))))
        except (Refusal, BadInput) as error:
            outcomes.append(Outcome(number=number, error=error))
    return outcomes


def save_filter(*, user: Any, city: str, role: str, name: str, query: str) -> SavedFilter:
    """Keep a filter under a name; the same name again replaces it.

    Raises:
        BadInput: Without a name, with too long a one, or with too many filters.
    """
    name, query = name.strip(), query.strip().lstrip("?")
    if not name or len(name) > 60 or len(query) > 400:
        raise BadInput(
            Problem(
                Text("筛选条件的名称应为 1 到 60 个字。", "The filter has no name of 1 to 60 characters."),
                Text("请起个短名称。", "Give a short name."),
                column="name",
            )
        )
    others = SavedFilter.objects.filter(user=user, city=city, role=role).exclude(name=name)
    if others.count() >= MOST_FILTERS:
        raise BadInput(
            Problem(
                Text(
                    "已有 {most_filters} 个筛选条件。",
                    "There are {most_filters} filters already.",
                    most_filters=MOST_FILTERS,
                ),
                Text("请先删除一个。", "Delete one first."),
                column="name",
            )
        )
    saved, _ = SavedFilter.objects.update_or_create(
        user=user, city=city, role=role, name=name, defaults={"query": query}
    )
    return saved


def delete_filter(*, user: Any, city: str, role: str, pk: int) -> None:
    """Forget a filter of one's own."""
    SavedFilter.objects.filter(user=user, city=city, role=role, pk=pk).delete()
