"""What the panel of one case at a desk shows."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils import timezone

from yiwang.server.casepage import dossier, operations
from yiwang.server.casepage.capacities import suggested_unit
from yiwang.server.cases.api import (
    CaseDetail,
    Words,
    clocks_of,
    is_estimated,
    load_case,
    readers_as,
    shown_row,
    source_name,
    step_name,
)
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say
from yiwang.server.common.masking import mask
from yiwang.server.desks import board, showing
from yiwang.server.desks.queue import Desk
from yiwang.server.people.queries import names_of


def context_of(
    request: HttpRequest,
    place: CityRuntime,
    desk: Desk,
    number: str,
    *,
    typed: Mapping[str, Any] | None = None,
    verb: str = "",
    seen: int | None = None,
    to: str = "",
) -> dict[str, Any]:
    """Everything that the panel of one case shows; it counts as read then.

    Args:
        request: By whom it is asked for.
        place: City.
        desk: At which desk.
        number: Of the case.
        typed: What was typed into the form of ``verb``.
        verb: Whose form stands open.
        seen: The last event that the person saw, where others may have acted since.
        to: The step to which the card was moved: the form of the verb that leads there stands open, or it is said why not.
    """
    city = place.info.id
    detail = load_case(city=city, number=number)
    if detail is None:
        raise Http404(say("没有编号为 {number} 的案卷", "There is no case {number}", number=number))
    words = words_of(request, place, desk, detail)
    operations.mark_read(user=request.user, case_id=detail.values["id"], seq=detail.state.seq)
    now, state = timezone.now(), detail.state
    moved = None
    if to in place.rules.workflow.steps:
        verb, why = board.way_to(to, state=state, place=place, desk=desk, at=now)
        moved = {"to": step_name(place, to), "verb": place.rules.workflow.verbs.get(verb), "why": why}
    may, others = showing.choices(state, place=place, desk=desk, at=now, typed=typed, verb=verb)
    estimated = is_estimated(detail.state, place=place)
    row = shown_row(detail.values, runtime=place, at=now, estimated=estimated)
    sends = any(place.rules.workflow.verbs[choice["id"]].moves == "down" and choice["own"] for choice in may)
    fields: list[dict[str, Any]] = next((choice["fields"] for choice in may if choice["id"] == verb), [])
    return {
        "city": place.info,
        "desk": desk,
        "case": {
            **row,
            "text": words.text,
            "address": words.address,
            "light": showing.light(state, place=place, at=now),
            "seq": state.seq,
        },
        "source_name": source_name(state.source),
        "clocks": [clock for clock in clocks_of(state, runtime=place, at=now) if clock["light"]],
        "assignee_name": names_of([state.assignee]).get(state.assignee, ""),
        "pending": {**state.pending, "reason": mask(str(state.pending.get("reason", "")))} if state.pending else None,
        "reports": len(detail.reports),
        "photos": [reverse("case-photo", args=[city, number, photo["id"]]) for photo in detail.photos],
        "events": showing.story(detail.events, words=words, place=place),
        "choices": may,
        "others": others,
        "route": suggested_unit(state, place=place, at=now) if sends else None,
        "reasons": showing.reasons(state, place=place, at=now) if sends else [],
        "idempotency_key": secrets.token_urlsafe(16),
        "changed": showing.changes_since(detail.events, seen, words=words, place=place) if seen is not None else None,
        "moved": moved,
        "kept": showing.orphan_texts(typed, fields) if typed else [],
    }


def words_of(request: HttpRequest, place: CityRuntime, desk: Desk, detail: CaseDetail) -> Words:
    """The case's words as the desk may read them, which goes on record where personal data stands in them.

    Raises:
        Http404: When the case does not concern the desk.
    """
    number = detail.state.number
    readers = readers_as(desk.actors, user=request.user, place=place)
    reader = readers.of_state(detail.state)
    if not reader.staff:
        raise Http404(say("案卷 {number} 不归这个工作台", "The case {number} is not this desk's", number=number))
    words = dossier.words_of(detail, reader=reader, place=place)
    if words.in_full:
        readers.record(numbers=number, what="words", purpose="desk")
    return words
