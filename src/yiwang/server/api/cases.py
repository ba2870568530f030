"""Lists of cases, one case, its history, and what is done with it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from django.http import Http404, HttpRequest, HttpResponse
from ninja import Body, Header, Path, Query, Router

from yiwang.core.cases.decide import permitted
from yiwang.core.cases.events import Actor, Command
from yiwang.core.kernel.refusals import Conflict, NotAllowed
from yiwang.server.api.answering import for_reader, ready
from yiwang.server.api.problems import Precondition
from yiwang.server.api.reports import Key, idempotency_key_of, pictures
from yiwang.server.api.schemas import CasePage, CaseQuery, Code, EventPage, Problem, VerbAnswer, VerbIn
from yiwang.server.casepage import dossier
from yiwang.server.casepage.forms import box
from yiwang.server.cases.api import (
    CaseDetail,
    CaseFilters,
    Reader,
    Words,
    act_on_case,
    actors_for,
    case_answer,
    case_of,
    city_of,
    events_answer,
    lateness_moment,
    list_answer,
    list_page,
    load_case,
    readers_for,
)
from yiwang.server.cities.finding import city_or_404
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say
from yiwang.server.people.callers import ACTING, caller_of

router = Router(tags=["cases"])
City = Annotated[Code, Path()]
Number = Annotated[Code, Path()]
IfMatch = Annotated[str, Header("", alias="If-Match", description="The entity tag that was seen.")]
IfNoneMatch = Annotated[str, Header("", alias="If-None-Match")]
_TAG = re.compile(r'(?:W/)?"(\d{1,9})(?:-[0-9a-f]+)?"')


def case_or_404(number: str, *, with_events: bool = False) -> CaseDetail:
    """The case of a number, its own or that of a receipt; or 404."""
    found = load_case(number=number, with_events=with_events, with_reports=False)
    if found is None and (meant := case_of(number)):
        found = load_case(number=meant, with_events=with_events, with_reports=False)
    if found is None:
        raise Http404(say("没有编号为「{number}」的案卷。", "There is no case {number!r}.", number=number))
    return found


def filters_of(asked: CaseQuery) -> CaseFilters:
    """The query's filters."""
    state = "overdue" if asked.overdue else asked.state
    return CaseFilters(
        state=state, step=asked.step, holder=asked.holder, category=asked.category, region=asked.region, flag=asked.flag,
        opened_after=asked.opened_after, opened_before=asked.opened_before, due_before=asked.due_before,
        closed_after=asked.closed_after, closed_before=asked.closed_before, q=asked.q, bbox=box(asked.bbox), order=asked.order,
    )  # fmt: skip


@router.get("/cities/{city}/cases", response={200: CasePage, 404: Problem, 422: Problem}, summary="List cases")
def list_cases(request: HttpRequest, city: City, asked: Query[CaseQuery]) -> HttpResponse:
    """Newest first unless ``order`` says otherwise. A page deep in the list costs what the first one costs.

    Personal data in the words is masked whoever asks, and never searched; ``GET /cases/{number}`` gives them as written to
    those who need them.
    """
    place, now = city_or_404(city), lateness_moment(city=city)
    page = list_page(
        readers=readers_for(caller_of(request), place=place),
        place=place, filters=filters_of(asked), cursor=asked.cursor, limit=asked.limit, at=now,
    )  # fmt: skip
    return for_reader(request, {"items": list_answer(page.items, place=place, at=now), "next": page.next})


@router.get("/cases/{number}", response={200: dict[str, Any], 304: None, 404: Problem}, summary="One case")
def get_case(request: HttpRequest, number: Number, if_none_match: IfNoneMatch = "") -> HttpResponse:
    """The case as the caller may read it, with what the caller may do now (``verbs``). ``ETag`` goes into ``If-Match`` of a verb."""
    found = case_or_404(number)
    place, now = city_or_404(found.state.city), datetime.now(UTC)
    user = caller_of(request)
    reader, words = _read(user, found, place)
    body = case_answer(found.state, row=found.values, words=words, reader=reader, place=place, at=now)
    body["verbs"] = verbs(found, actors_for(user, city=place.info.id), place, now) if user.is_authenticated else []
    body["photos"] = [{"id": photo["id"], "seq": photo["seq"], "digest": photo["digest"]} for photo in found.photos]
    return for_reader(request, body, seq=found.state.seq, if_none_match=if_none_match)


def _read(user: Any, found: CaseDetail, place: CityRuntime) -> tuple[Reader, Words]:
    """The words of a case as the caller may read them; on record where they are read as written and hold personal data."""
    readers = readers_for(user, place=place)
    reader = readers.of_state(found.state)
    words = dossier.words_of(found, reader=reader, place=place)
    if words.in_full:
        readers.record(numbers=found.state.number, what="words", purpose="API")
    return reader, words


def verbs(found: CaseDetail, actors: list[Actor], place: CityRuntime, now: datetime) -> list[dict[str, Any]]:
    """What can be done at the case's step: by the caller, in one of his capacities, or why not."""
    best: dict[str, dict[str, Any]] = {}
    for actor in actors:
        for choice in permitted(found.state, actor, rules=place.rules, at=now):
            if choice.verb not in best or (choice.allowed and not best[choice.verb]["allowed"]):
                verb = place.rules.workflow.verbs[choice.verb]
                best[choice.verb] = {
                    "verb": choice.verb,
                    "name": verb.name.zh,
                    "name_en": verb.name.en,
                    "allowed": choice.allowed,
                    "requires": list(choice.requires),
                    "why": choice.why.zh,
                    "why_en": choice.why.en,
                }
    return list(best.values())


@router.get("/cases/{number}/events", response={200: EventPage, 404: Problem}, summary="The history of a case")
def list_events(request: HttpRequest, number: Number, if_none_match: IfNoneMatch = "") -> HttpResponse:
    """Every event from the first on. Staff whom the case concerns read who acted and what was noted; others the unit, the role
    and the words that are published."""
    found = case_or_404(number, with_events=True)
    place = city_or_404(found.state.city)
    reader, words = _read(caller_of(request), found, place)
    items = events_answer(found, words=words, reader=reader, place=place)
    return for_reader(request, {"items": items, "next": None}, seq=found.state.seq, if_none_match=if_none_match)


@router.post(
    "/cases/{number}/verbs/{verb}",
    auth=ACTING,
    response={200: VerbAnswer, 401: Problem, 403: Problem, 404: Problem, 409: Problem, 412: Problem, 422: Problem},
    summary="Do a verb",
)
def act(
    request: HttpRequest,
    number: Number,
    verb: Annotated[Code, Path()],
    said: Annotated[VerbIn | None, Body()] = None,
    idempotency_key: Key = "",
    if_match: IfMatch = "",
) -> HttpResponse:
    """``number`` is a case's own or that of a receipt, in any letter case.

    Acts in the first of the caller's capacities that may. 409 (by ``seq``) or 412 (by ``If-Match``): somebody acted first.
    """
    said = said or VerbIn.model_validate({})
    expected, by_tag = said.seq, False
    if if_match.strip() not in {"", "*"}:
        expected, by_tag = tag_seq(if_match), True
    payload = said.model_dump(exclude={"seq", "photos"}, exclude_none=True)
    user = caller_of(request)
    city = city_of(number)
    if city is None:  # no case's own number as it is written: a receipt's, or in another letter case
        meant = case_of(number)
        city = city_of(meant) if meant else None
        if meant is None or city is None:
            raise Http404(say("没有编号为「{number}」的案卷。", "There is no case {number!r}.", number=number))
        number = meant
    refused: NotAllowed | None = None
    for actor in actors_for(user, city=city):
        command = Command(verb=verb, actor=actor, payload=payload, expected_seq=expected)
        try:
            answer = act_on_case(
                number=number,
                city=city,
                command=command,
                photos=pictures(said.photos or []),
                key=idempotency_key_of(request),
                good_photos_only=True,
            )
        except NotAllowed as error:
            refused = refused or error
        except Conflict as error:
            raise (Precondition(error) if by_tag else error) from error
        else:
            return ready(answer, ETag=f'"{answer["seq"]}"')
    assert refused is not None, "everybody has at least one capacity"
    raise refused


def tag_seq(text: str) -> int:
    """The sequence number of an entity tag, whoever read it; -1, which no case has, for any other tag."""
    found = _TAG.fullmatch(text.strip())
    return int(found[1]) if found else -1
