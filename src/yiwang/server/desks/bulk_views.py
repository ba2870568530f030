"""One verb on many cases: choose, look, do; an answer for each case."""

from __future__ import annotations

import secrets
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST

from yiwang.core.cases.events import Actor
from yiwang.core.cases.state import CaseState
from yiwang.core.kernel.errors import BadInput
from yiwang.server.casepage import forms
from yiwang.server.cases.api import category_name, step_name, unit_name
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say
from yiwang.server.common.refusing import sentences
from yiwang.server.common.templatetags.yiwang import named
from yiwang.server.desks import operations, queue, showing
from yiwang.server.desks.queue import Desk
from yiwang.server.desks.views import at_desk


def selection(request: HttpRequest) -> list[tuple[str, int]]:
    """The cases that were selected, with the last event seen of each; the same case counts once."""
    found: dict[str, int] = {}
    for text in request.POST.getlist("case"):
        number, _, seq = text.rpartition(":")
        if number and seq.isascii() and seq.isdigit():
            found[number] = int(seq)
    return list(found.items())


@require_POST
@at_desk
def bulk(request: HttpRequest, place: CityRuntime, desk: Desk) -> HttpResponse:
    """First a look at what would be done; with ``confirm``, the doing."""
    chosen = selection(request)
    states = queue.entries_of((number for number, _ in chosen), place=place)
    context = {"city": place.info, "page": "desk", "desk": desk, "chosen": chosen}
    part = request.headers.get("HX-Request")
    if not request.POST.get("confirm") or not chosen:
        made = {**context, **_verb_options(request, place, desk, chosen, states)}
        return render(request, "desks/bulk.html" if part else "desks/bulk_alone.html", made)
    now, verb = timezone.now(), request.POST.get("verb", "")
    typed = forms.payload(request.POST)

    def actor_of(number: str) -> Actor:
        held = queue.capacities(states[number], place=place, desk=desk, at=now) if number in states else {}
        return held[verb][0] if verb in held else desk.actors[0]

    try:
        outcomes = operations.act_on_many(
            city=place.info.id,
            chosen=chosen,
            verb=verb,
            actor_of=actor_of,
            payload=typed,
            key=request.POST.get("idempotency_key", ""),
        )
    except BadInput as error:
        made = {**context, **_verb_options(request, place, desk, chosen, states), "problem": " ".join(sentences(error))}
        return render(request, "desks/bulk.html" if part else "desks/bulk_alone.html", made, status=422)
    after = queue.entries_of((outcome.number for outcome in outcomes if outcome.error), place=place)
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
    response = render(request, "desks/bulk_done.html" if part else "desks/bulk_done_alone.html", made)
    response.headers["HX-Trigger"] = "queue-changed"
    return response


def _texts(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def _verb_options(
    request: HttpRequest, place: CityRuntime, desk: Desk, chosen: list[tuple[str, int]], states: dict[str, CaseState]
) -> dict[str, Any]:
    """The verbs that can be done on at least one of the cases, and each case with whether the chosen one can be."""
    now, workflow = timezone.now(), place.rules.workflow
    held = {number: queue.capacities(state, place=place, desk=desk, at=now) for number, state in states.items()}
    counts: dict[str, int] = {}
    for choices in held.values():
        for name, (_, choice) in choices.items():
            if choice.allowed and not showing.NOT_IN_BULK & set(workflow.verbs[name].requires):
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
        unit = showing.suggested_unit(state, place=place, at=now) if state is not None else None
        lines.append(
            {
                "number": number,
                "seq": seq,
                "allowed": allowed,
                "why": "" if allowed else why,
                "step": step_name(place, state.step) if state else "",
                "category": category_name(place, state.category) if state else "",
                "unit": unit["unit_name"] if unit and verb and workflow.verbs[verb].moves == "down" else "",
            }
        )
    typed = forms.payload(request.POST)
    fields = forms.fields(workflow.verbs[verb], state=example, place=place) if example and verb else []
    shown = [field for field in fields if field["kind"] != "file" and field["name"] not in showing.NOT_IN_BULK]
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
