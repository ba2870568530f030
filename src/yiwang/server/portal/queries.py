"""Reads of the portal: what a holder and what everybody sees of a case, ideas, public figures, the moderators' queue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from yiwang.core.cases.decide import permitted
from yiwang.core.cases.events import Actor
from yiwang.core.kernel.text import Text
from yiwang.packs.portal import BEFORE
from yiwang.server.casepage.forms import readers_of
from yiwang.server.cases.api import (
    Case,
    CaseDetail,
    CaseFilters,
    category_name,
    event_key,
    event_words,
    is_estimated,
    list_cases,
    load_case,
    open_near,
    region_name,
    shown_row,
    step_name,
    story_of,
    unit_name,
)
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common import publishing
from yiwang.server.common.language import say, say_or
from yiwang.server.common.masking import mask
from yiwang.server.common.models import PublicText
from yiwang.server.common.templatetags.yiwang import named
from yiwang.server.portal import links, originals
from yiwang.server.portal.models import Follow, Idea, IdeaSupport
from yiwang.server.portal.operations import citizen, verb_of

PAGE = 20
ORDERS = {
    "new": (Text("最新", "Newest"), "-created_at"),
    "support": (Text("支持最多", "Most supported"), "-supporters"),
    "comments": (Text("讨论最多", "Most discussed"), "-comments"),
}
STATES = {
    Idea.State.NEW: Text("新提出", "New"),
    Idea.State.REVIEW: Text("研究中", "Under review"),
    Idea.State.ADOPTED: Text("已采纳", "Adopted"),
    Idea.State.DECLINED: Text("未采纳", "Declined"),
}
DECISIONS = {
    PublicText.State.WAITING: Text("待审", "Waiting"),
    PublicText.State.RELEASED: Text("已公开", "Released"),
    PublicText.State.EDITED: Text("编辑后公开", "Edited"),
    PublicText.State.WITHHELD: Text("不公开", "Withheld"),
}
MASKED = {
    "email": Text("邮箱", "e-mail"),
    "identity": Text("证件号", "identity number"),
    "card": Text("卡号", "card number"),
    "phone": Text("电话", "phone"),
    "plate": Text("车牌", "plate"),
    "account": Text("账号", "account"),
}


# --- public words -------------------------------------------------------------------------------------------------


def public_texts(*, place: CityRuntime, kind: str, originals: Mapping[str, str]) -> dict[str, str | None]:
    """What everybody may read of texts, by key, as the city moderates; None where nothing is shown."""
    return publishing.public_texts(kind=kind, originals=originals, released_only=place.pack.portal.moderation == BEFORE)


def public_text(*, place: CityRuntime, kind: str, key: str, original: str) -> str | None:
    """What everybody may read of one text."""
    return public_texts(place=place, kind=kind, originals={key: original})[key]


def public_rows(rows: Iterable[Mapping[str, Any]], *, place: CityRuntime) -> list[dict[str, Any]]:
    """Rows of cases as everybody may see them: names for codes, words as moderated, no address."""
    rows = list(rows)
    texts = public_texts(place=place, kind=publishing.CASE, originals={row["number"]: row["text"] for row in rows})
    return [
        {
            "number": row["number"],
            "category_name": category_name(place, row["category"]),
            "step_name": step_name(place, row["step"]),
            "region_name": region_name(place, row["region"]),
            "opened_at": row["opened_at"],
            "text": texts[row["number"]],
            "distance_m": row.get("distance_m"),
            "same": row.get("same", False),
        }
        for row in rows
    ]


def recent(*, place: CityRuntime, most: int = 6) -> list[dict[str, Any]]:
    """The cases reported last."""
    page = list_cases(city=place.info.id, filters=CaseFilters(), limit=most)
    return public_rows(page.items, place=place)


def near(*, place: CityRuntime, lon: float | None, lat: float | None, category: str = "") -> list[dict[str, Any]]:
    """Open cases near a point, as everybody may see them."""
    if lon is None or lat is None:
        return []
    found = open_near(place=place, lon=lon, lat=lat, category=category)
    return public_rows(({**row, "same": row["category"] == category} for row in found), place=place)


# --- one case -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicCase:
    """A case as everybody may see it.

    Attributes:
        row: Facts and moderated words.
        stages: The stages of the workflow, each ``done``, ``now`` or ``ahead``.
        story: Events without persons, with moderated words, oldest first.
        reports: How many people have reported it.
        detail: The case as the core knows it, for deciding; not for showing.
    """

    row: dict[str, Any]
    stages: list[dict[str, Any]]
    story: list[dict[str, Any]]
    reports: int
    detail: CaseDetail


def public_case(*, place: CityRuntime, number: str) -> PublicCase | None:
    """A case as everybody may see it; None when there is none in this city."""
    detail = load_case(city=place.info.id, number=number)
    if detail is None:
        return None
    state, now = detail.state, timezone.now()
    estimated = is_estimated(detail.state, place=place)
    row = shown_row(detail.values, runtime=place, at=now, estimated=estimated)
    words = public_texts(
        place=place,
        kind=publishing.EVENT,
        originals={event_key(event): event_words(event, workflow=place.rules.workflow) for event in detail.events},
    )
    story = story_of(detail.events, runtime=place, persons=False)
    for told, event in zip(story, detail.events, strict=True):
        spoken = words[event_key(event)]
        told |= {"reason": "", "lines": [], "words": spoken, "withheld": spoken is None, "key": event_key(event)}
    text = public_text(place=place, kind=publishing.CASE, key=number, original=state.text)
    shown = {
        name: row[name] for name in (
            "number", "category_name", "step_name", "region_name", "holder_name", "opened_at", "closed_at", "deadline",
            "light", "estimated", "left", "left_text", "is_late", "rating", "merged_into", "step",
        )
    }  # fmt: skip
    shown |= {"text": text, "withheld": text is None, "open": row["closed_at"] is None, "seq": state.seq}
    return PublicCase(
        row=shown, stages=stages(place, state.step), story=story, reports=max(1, len(detail.reports)), detail=detail
    )


def stages(place: CityRuntime, step: str) -> list[dict[str, Any]]:
    """Where a case is among the stages of its workflow."""
    workflow = place.rules.workflow
    here = workflow.steps.get(step)
    found, state = [], "done"
    for stage in workflow.stages.values():
        if here is not None and stage.id == here.stage:
            found.append({"name": named(stage), "state": "done" if here.end else "now"})
            state = "ahead"
        else:
            found.append({"name": named(stage), "state": state})
    return found


def surviving_case(*, place: CityRuntime, number: str) -> str:
    """The case that a case has come to be after mergers."""
    for _ in range(10):
        into = Case.objects.filter(city=place.info.id, number=number).values_list("merged_into", flat=True).first()
        if not into:
            return number
        number = into
    return number


# --- following ----------------------------------------------------------------------------------------------------


def follow_of(*, city: str, report: str, held: Sequence[str]) -> Follow | None:
    """The report whose link was opened on this device."""
    return Follow.objects.filter(city=city, report=report, uid__in=list(held)).first() if held else None


def opened_follows(*, city: str, held: Sequence[str]) -> list[Follow]:
    """The reports whose links were opened on this device, the newest first."""
    return list(Follow.objects.filter(city=city, uid__in=list(held)).order_by("-id")) if held else []


def by_secret(*, city: str, number: str, secret: str) -> Follow | None:
    """The report of a number (its own, or its case's) whose secret this is."""
    if not number or not secret:
        return None
    forms = {number, number.upper()}  # typed from paper, in any letter case
    candidates = Follow.objects.filter(Q(report__in=forms) | Q(number__in=forms), city=city).order_by("id")[:200]
    fitting = [follow for follow in candidates if links.fits(follow, secret)]
    return fitting[0] if fitting else None


SPOKEN_WITH = {"rate": "note", "reopen": "reason"}  # the field that the holder of a link writes into


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """Whether the holder may do something now, and why not; who will read what is written with it."""

    allowed: bool
    why: str = ""
    readers: str = ""


def rights(*, place: CityRuntime, follow: Follow, found: PublicCase) -> dict[str, Right]:
    """What the holder of a link may do with the case now: ``rate``, ``reopen``."""
    state, actor = found.detail.state, citizen(follow)
    choices = {item.verb: item for item in permitted(state, actor, rules=place.rules, at=timezone.now())}
    given = {}
    for effect in ("rate", "reopen"):
        verb = verb_of(place, effect)
        choice = choices.get(verb.id) if verb else None
        if choice is None:
            why = say("办结之后才可以。", "Only after it has ended.")
            given[effect] = Right(allowed=False, why=why)
        elif state.reporter != actor.id:
            why = say("只有最先上报的人可以。", "Only the person who reported it first may.")
            given[effect] = Right(allowed=False, why=why)
        else:
            verb = place.rules.workflow.verbs[choice.verb]
            given[effect] = Right(
                allowed=choice.allowed,
                why=say(choice.why),
                readers=readers_of(verb, SPOKEN_WITH[effect]),
            )
    return given


# --- ideas --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class IdeaPage:
    """Ideas of one page, and whether there are more."""

    items: list[dict[str, Any]]
    more: bool


def ideas(*, place: CityRuntime, q: str = "", state: str = "", order: str = "new", page: int = 1) -> IdeaPage:
    """Ideas whose public words hold what is looked for. Originals are never searched: that would give away what is masked."""
    query: QuerySet[Idea] = Idea.objects.filter(city=place.info.id)
    shown = PublicText.objects.filter(city=place.info.id, kind=publishing.IDEA).exclude(state=PublicText.State.WITHHELD)
    if place.pack.portal.moderation == BEFORE:
        shown = shown.exclude(state=PublicText.State.WAITING)
    for word in q.split()[:5]:
        shown = shown.filter(published__icontains=word)
    if state in STATES:
        query = query.filter(state=state)
    sort = ORDERS.get(order, ORDERS["new"])[1]
    keys = {int(key) for key in shown.values_list("key", flat=True)[:5000]} if q else None
    if keys is not None:
        query = query.filter(pk__in=keys)
    first = (page - 1) * PAGE
    found = list(query.order_by(sort, "-id")[first : first + PAGE + 1])
    return IdeaPage(items=idea_rows(found[:PAGE], place=place), more=len(found) > PAGE)


def idea_rows(found: Sequence[Idea], *, place: CityRuntime) -> list[dict[str, Any]]:
    """Ideas as everybody may see them."""
    texts = public_texts(place=place, kind=publishing.IDEA, originals={str(idea.pk): idea.text for idea in found})
    rows = []
    for idea in found:
        title, _, text = (texts[str(idea.pk)] or "").partition("\n")
        rows.append(
            {
                "id": idea.pk,
                "title": title,
                "text": text,
                "hidden": texts[str(idea.pk)] is None,
                "state": idea.state,
                "state_name": say(STATES[Idea.State(idea.state)]),
                "region_name": region_name(place, idea.region) if idea.region else say("全市", "Whole city"),
                "supporters": idea.supporters,
                "comments": idea.comments,
                "created_at": idea.created_at,
            }
        )  # fmt: skip
    return rows


def idea_page(*, place: CityRuntime, idea: Idea, person: str) -> dict[str, Any]:
    """One idea with its comments and answers, as everybody may see them, and whether this person supports it."""
    said = list(idea.said.order_by("id")[:500])
    answers = list(idea.answers.order_by("id"))
    comments = public_texts(place=place, kind=publishing.COMMENT, originals={str(item.pk): item.text for item in said})
    texts = public_texts(place=place, kind=publishing.ANSWER, originals={str(item.pk): item.text for item in answers})
    return {
        "idea": idea_rows([idea], place=place)[0],
        "comments": [
            {"id": item.pk, "text": comments[str(item.pk)], "at": item.at} for item in said if comments[str(item.pk)]
        ],
        "answers": [
            {
                "text": texts[str(item.pk)],
                "at": item.at,
                "state": item.state,
                "state_name": say(STATES[Idea.State(item.state)]),
                "unit_name": unit_name(place, item.unit) or named(place.info),
            }
            for item in answers
        ],
        "supported": bool(person) and IdeaSupport.objects.filter(idea=idea, person=person).exists(),
    }


def adopted_ideas(*, place: CityRuntime, most: int = 100) -> list[dict[str, Any]]:
    """The ideas that were adopted last, as everybody may see them."""
    found = Idea.objects.filter(city=place.info.id, state=Idea.State.ADOPTED).order_by("-answered_at", "-id")[:most]
    return [row for row in idea_rows(list(found), place=place) if not row["hidden"]]


def adopted_idea(*, place: CityRuntime, idea: int) -> dict[str, Any] | None:
    """An idea that was adopted, as everybody may see it; None where there is none."""
    found = Idea.objects.filter(city=place.info.id, pk=idea, state=Idea.State.ADOPTED).first()
    return idea_rows([found], place=place)[0] if found else None


# --- moderation ---------------------------------------------------------------------------------------------------


def moderating_actor(place: CityRuntime, actors: Sequence[Actor]) -> Actor | None:
    """The capacity in which somebody moderates this city's public words; None when in none.

    A moderator reads what everybody wrote as it was written, so a post within one region moderates nothing.
    """
    posts = set(place.pack.portal.moderators)
    return next((actor for actor in actors if not actor.region and posts & actor.roles), None)


OF_A_CASE = frozenset({publishing.CASE, publishing.PLACE, publishing.EVENT, publishing.REPORT})


def queue(*, place: CityRuntime, state: str, most: int = 30) -> list[dict[str, Any]]:
    """Texts to be looked at, the most flagged first, or those decided last."""
    rows = PublicText.objects.filter(city=place.info.id)
    if state in {PublicText.State.RELEASED, PublicText.State.EDITED, PublicText.State.WITHHELD}:
        rows = rows.filter(state=state).order_by("-at", "-id")
    else:
        rows = rows.filter(Q(state=PublicText.State.WAITING) | Q(flags__gt=0)).order_by("-flags", "id")
    return [_queue_line(row) for row in rows[:most].prefetch_related("decisions")]


def waiting_count(*, place: CityRuntime) -> int:
    """How many texts wait for a moderator."""
    return PublicText.objects.filter(city=place.info.id, state=PublicText.State.WAITING).count()


def texts_of(*, place: CityRuntime, number: str) -> list[dict[str, Any]]:
    """Every text about a case, whether somebody has looked at it yet or not."""
    found = originals.texts_of_case(city=place.info.id, number=number)
    rows = PublicText.objects.filter(city=place.info.id, key__in=[key for _, key, _ in found])
    known = {(row.kind, row.key): row for row in rows.prefetch_related("decisions")}
    return [
        _queue_line(
            known.get((kind, key))
            or PublicText(kind=kind, key=key, original=text, published=mask(text), city=place.info.id)
        )
        for kind, key, text in found
    ]


def _queue_line(row: PublicText) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "kind_name": say_or(originals.KINDS.get(row.kind), row.kind),
        "key": row.key,
        # whose words a moderator is shown as written, for the record of who read them
        "subject": row.key.partition("/")[0] if row.kind in OF_A_CASE else f"{row.kind}:{row.key}",
        "personal": mask(row.original) != row.original,
        "original": row.original,
        "published": row.published or mask(row.original),
        "state": row.state,
        "state_name": say(DECISIONS[PublicText.State(row.state)]),
        "kinds": [say_or(MASKED.get(kind), kind) for kind in row.kinds.split(",") if kind],
        "flags": row.flags,
        "decisions": [
            {"state_name": say(DECISIONS[PublicText.State(item.state)]), "by": item.by_name or item.by, "why": item.why, "at": item.at}
            for item in row.decisions.all()
        ] if row.pk else [],
    }  # fmt: skip
