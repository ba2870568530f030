"""One verb on many cases: choose, look, do; an answer for each case. The same for a desk's queue and the list of cases."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from yiwang.core.cases.events import Actor
from yiwang.core.cases.state import CaseState
from yiwang.core.kernel.errors import BadInput
from yiwang.server.casepage import forms, operations
from yiwang.server.casepage.capacities import capacities, states_of, suggested_unit
from yiwang.server.cases.api import category_name, step_name, unit_name
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say
from yiwang.server.common.refusing import sentences
from yiwang.server.common.templatetags.yiwang import named

NOT_IN_BULK = frozenset({"lon", "lat", "photo", "into", "parts"})
Chosen = list[tuple[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the cases were chosen.

    Attributes:
        actors: Every capacity in which they may be acted on.
        url: Where the form is sent.
        back: The page that leads back, and ``back_name``, what it is called.
        page: The page of the frame to which it belongs.
    """

    actors: Sequence[Actor]
    url: str
    back: str
    back_name: str
    page: str


def selection(request: HttpRequest) -> Chosen:
    """The cases that were selected, with the last event seen of each; the same case counts once."""
    found: dict[str, int] = {}
    for text in request.POST.getlist("case"):
        number, _, seq = text.rpartition(":")
        if number and seq.isascii() and seq.isdigit() and len(seq) < 10:
            found[number] = int(seq)
    return list(found.items())


def answer(
    request: HttpRequest, place: CityRuntime, *, origin: Origin, chosen: Chosen, notice: str = ""
) -> HttpResponse:
    """First a look at what would be done; with ``confirm`` in the form, the doing.

    Args:
        request: The form that was sent: ``verb``, its fields, ``confirm``, ``idempotency_key``.
        place: City.
        origin: Where the cases were chosen.
        chosen: Number and last event seen of each.
        notice: What the look says beforehand.
    """
    context = {"city": place.info, "page": origin.page, "origin": origin, "chosen": chosen, "notice": notice}
    try:
        operations.check_number(chosen)
    except BadInput as error:
        return _shown(request, "bulk", {**context, "problem": " ".join(sentences(error))}, status=422)
    states = states_of((number for number, _ in chosen), place=place)
    if not request.POST.get("confirm") or not chosen:
        return _shown(request, "bulk", {**context, **_look(request, place, origin, chosen, states)})
    try:
        return _done(request, place, origin, chosen, states, context)
    except BadInput as error:
        made = {**context, **_look(request, place, origin, chosen, states), "problem": " ".join(sentences(error))}
        return _shown(request, "bulk", made, status=422)


def _shown(request: HttpRequest, name: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """A part for the page that asked for one, else a page of its own."""
    alone = "" if request.headers.get("HX-Request") else "_alone"
    return render(request, f"cases/{name}{alone}.html", context, status=status)


def _done(
    request: HttpRequest,
    place: CityRuntime,
    origin: Origin,
    chosen: Chosen,
    states: dict[str, CaseState],
    context: dict[str, Any],
) -> HttpResponse:
    now, verb = timezone.now(), request.POST.get("verb", "")
    typed = forms.payload(request.POST, place=place)

    def actor_of(number: str) -> Actor:
        state = states.get(number)
        held = capacities(state, place=place, actors=origin.actors, at=now) if state else {}
        return held[verb][0] if verb in held else origin.actors[0]

    outcomes = operations.act_on_many(
        city=place.info.id,
        chosen=chosen,
        verb=verb,
        actor_of=actor_of,
        payload=typed,
        key=request.POST.get("idempotency_key", ""),
    )
    after = states_of((outcome.number for outcome in outcomes if outcome.error), place=place)
    known = place.rules.workflow.verbs.get(verb)
    made = {
        **context,
        "verb": verb,
        "verb_name": named(known) if known else verb,
        "done": [{"number": o.number, "step": step_name(place, o.step)} for o in outcomes if not o.error],
        "failed": [
            {
                "number": outcome.number,
                "why": " ".join(sentences(outcome.error)),
                "step": step_name(place, after[outcome.number].step) if outcome.number in after else "—",
                "seq": after[outcome.number].seq if outcome.number in after else "",
            }
            for outcome in outcomes
            if outcome.error
        ],
        "typed": [(name, item) for name, value in typed.items() for item in _texts(value)],
    }
    response = _shown(request, "bulk_done", made)
    response.headers["HX-Trigger"] = "queue-changed"
    return response


def _texts(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def _look(
    request: HttpRequest, place: CityRuntime, origin: Origin, chosen: Chosen, states: dict[str, CaseState]
) -> dict[str, Any]:
    """The verbs that can be done on at least one of the cases, and each case with whether the chosen one can be."""
    now, workflow = timezone.now(), place.rules.workflow
    held = {number: capacities(state, place=place, actors=origin.actors, at=now) for number, state in states.items()}
    counts: dict[str, int] = {}
    for choices in held.values():
        for name, (_, choice) in choices.items():
            if choice.allowed and not NOT_IN_BULK & set(workflow.verbs[name].requires):
                counts[name] = counts.get(name, 0) + 1
    verb = request.POST.get("verb", "")
    if verb not in counts:
        verb = max(counts, key=lambda name: (not workflow.verbs[name].requires, counts[name]), default="")
    lines, example = [], None
    for number, seq in chosen:
        state = states.get(number)
        allowed, why = False, say("没有这个案卷", "no such case")
        if state is not None:
            told = held[number][verb][1] if verb in held[number] else None
            allowed = told is not None and told.allowed
            why = ("" if told is None else say(told.why)) or say("此环节没有这个动作", "not at this step")
            if allowed and state.seq != seq:
                allowed, why = False, say("选中之后有人动过", "somebody acted on it since you selected it")
        if allowed:
            example = example or state
        sent = allowed and state is not None and workflow.verbs[verb].moves == "down"
        unit = suggested_unit(state, place=place, at=now) if sent and state is not None else None
        lines.append(
            {
                "number": number,
                "seq": seq,
                "allowed": allowed,
                "why": "" if allowed else why,
                "step": step_name(place, state.step) if state else "",
                "category": category_name(place, state.category) if state else "",
                "unit": unit["unit_name"] if unit else "",
            }
        )
    typed = forms.payload(request.POST, place=place)
    fields = forms.fields(workflow.verbs[verb], state=example, place=place) if example and verb else []
    shown = [field for field in fields if field["kind"] != "file" and field["name"] not in NOT_IN_BULK]
    for field in shown:
        if field["name"] == "unit":  # what the rules say differs from case to case
            field |= {"value": "", "help": say("不选：各按规则派遣", "Leave empty: each goes where the rules say")}
            code = str(typed.get("unit") or "")
            if code in place.rules.units and code not in dict(field["options"]):
                field["options"].insert(0, (code, unit_name(place, code)))
        if field["name"] in forms.KNOWN:  # one case's category is not that of the others
            field |= {"value": "", "required": False, "help": say("不填：各自不变", "Leave empty: each keeps its own")}
        field["value"] = typed.get(field["name"], field["value"])
    return {
        "lines": lines,
        "ready": sum(line["allowed"] for line in lines),
        "verb": verb,
        "verbs": [(name, named(workflow.verbs[name]), count) for name, count in counts.items()],
        "fields": shown,
        "idempotency_key": secrets.token_urlsafe(16),
    }
