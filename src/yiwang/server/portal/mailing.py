"""News by e-mail to those who follow a report: received, filed, handed on, ended, opened again. In both languages.

A message says the number, the kind of trouble and what happened; never what anybody wrote, where it is, or who did it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import partial

from django.core.mail import EmailMessage
from django.urls import reverse

from yiwang.core.cases.events import Event
from yiwang.server.cases.api import EVENT_COLUMNS, Case, Outbox, event_of
from yiwang.server.cases.api import Event as EventRow
from yiwang.server.cities.queries import CityRuntime, NoSuchCity, runtime
from yiwang.server.common.posting import Letter
from yiwang.server.portal import links, operations
from yiwang.server.portal.models import Follow

Line = tuple[str, str]
LONGEST_CHAIN = 10  # cases merged one into the next
REPORTED = 1  # the sequence of the event that opens a case


def letters(rows: Sequence[Outbox]) -> dict[int, list[Letter]]:
    """The letters to followers about what rows of the outbox tell; three queries, or one when nobody follows."""
    followers: defaultdict[str, list[Follow]] = defaultdict(list)
    for follow in Follow.objects.filter(current__in={row.number for row in rows}).exclude(email="").order_by("id"):
        followers[follow.current].append(follow)
    if not followers:
        return {}
    cases = {case.number: case for case in Case.objects.filter(number__in=list(followers))}
    events = _events(list(cases.values()))
    found: defaultdict[int, list[Letter]] = defaultdict(list)
    for last, first in _spans(rows).items():
        case = cases.get(last.number)
        for follow in followers.get(last.number, ()) if case else ():
            assert case is not None  # said above
            happened = [event for event in events[case.pk] if max(first, follow.told + 1) <= event.seq <= last.last]
            letter = _letter(follow, case, happened)
            if letter:
                found[last.pk].append(letter)
    return dict(found)


def _spans(rows: Sequence[Outbox]) -> dict[Outbox, int]:
    """The last row of each case, and the first event of all its rows: one letter tells what has happened meanwhile, in order."""
    spans: dict[str, tuple[Outbox, int]] = {}
    for row in rows:
        last, first = spans.get(row.number, (row, row.first))
        spans[row.number] = (max(last, row, key=lambda one: one.last), min(first, row.first))
    return dict(spans.values())


def _events(cases: Sequence[Case]) -> defaultdict[int, list[Event]]:
    numbers = {case.pk: case.number for case in cases}
    found: defaultdict[int, list[Event]] = defaultdict(list)
    rows = EventRow.objects.filter(case_id__in=list(numbers)).order_by("seq")
    for row in rows.values(*(name for name in EVENT_COLUMNS if name != "hash")):
        found[row["case_id"]].append(event_of(row, number=numbers[row["case_id"]]))
    return found


def news(events: Sequence[Event], *, place: CityRuntime) -> list[Line]:
    """What of the events a citizen is told, each in both languages."""
    workflow, lines = place.rules.workflow, []
    for event in events:
        verb, step = workflow.verbs.get(event.verb), workflow.steps.get(event.to_step)
        if event.seq == REPORTED:
            lines.append(("已收到您的上报。", "Your report has been received."))
        if verb is not None and verb.effect == "reopen":
            lines.append(("已重新打开，继续办理。", "It has been opened again."))
        if verb is not None and verb.files:
            lines.append(("已立案。", "A case has been filed."))
        if event.holder and event.holder != event.from_holder and not (step and step.end):
            unit = place.rules.units.get(event.holder)
            if unit and event.seq != REPORTED:
                lines.append((f"现由{unit.name.zh}承办。", f"It is now with {unit.name.en}."))
        if step is not None and step.end and event.from_step != event.to_step:
            lines.append((f"结果：{step.name.zh}。", f"It has ended: {step.name.en}."))
    # within one message only the last holder matters
    holders = [line for line in lines if line[0].startswith("现由")]
    return [line for line in lines if line not in holders[:-1]]


def _letter(follow: Follow, case: Case, events: Sequence[Event]) -> Letter | None:
    try:
        place = runtime(case.city)
    except NoSuchCity:
        return None
    lines = news(events, place=place)
    if not lines:
        return None
    if case.merged_into and place.rules.workflow.steps[case.step].end:
        main, seq, since = _events_since_merge(case)
        lines += [
            (
                f"已并入案卷 {main.number}，以后告知它的进展。",
                f"It is now part of case {main.number}; you will be told of that.",
            ),
            *news(since, place=place),
        ]
        message = _message(follow, case, lines, place=place)
        sent = partial(operations.lead_on, follow=follow.pk, current=main.number, told=seq)
        return Letter(message=message, sent=sent)
    message = _message(follow, case, lines, place=place)
    return Letter(message=message, sent=partial(operations.record_notice, follow=follow.pk, seq=events[-1].seq))


def _events_since_merge(case: Case) -> tuple[Case, int, list[Event]]:
    """The case that a merged one has come to be, its last event, and what happened to it since it took the merged one in.

    However late the letter is, nothing of that is lost: whoever followed the duplicate could not be told of it before. A
    case that was merged further in the meantime leads on to the last of the chain.
    """
    since: list[Event] = []
    for _ in range(LONGEST_CHAIN):
        main = Case.objects.filter(city=case.city, number=case.merged_into).first()
        if main is None:
            break
        events = _events([main])[main.pk]
        taken_in = max((event.seq for event in events if _takes_in(event, case.number)), default=0)
        since = [event for event in events if event.seq > taken_in]
        case = main
        if not case.merged_into:
            break
    return case, since[-1].seq if since else case.seq, since


def _takes_in(event: Event, number: str) -> bool:
    return number == event.payload.get("number") or number in event.payload.get("numbers", ())


def _message(follow: Follow, case: Case, lines: Sequence[Line], *, place: CityRuntime) -> EmailMessage:
    category = place.categories.get(case.category)
    names = (category.name.zh, category.name.en) if category else ("未分类", "Not classified")
    link = links.absolute(follow, reverse("portal-mail", args=[follow.city, links.ticket(follow, links.NEWS)]))
    stop = links.absolute(follow, reverse("portal-unsubscribe", args=[follow.city, links.ticket(follow, links.STOP)]))
    chinese = [
        f"{place.info.name.zh}：案卷 {case.number}（{names[0]}）",
        "",
        *(f"· {line[0]}" for line in lines),
        *(["", "查看进展、评价或要求重办（请勿转发，凭此链接即可代表您）：", link] if link else []),
        *(["", "不再接收：", stop] if stop else []),
    ]
    english = [
        f"{place.info.name.en}: case {case.number} ({names[1]})",
        "",
        *(f"- {line[1]}" for line in lines),
        *(
            ["", "Follow, rate or reopen it (do not pass this on: who has the link acts for you):", link]
            if link
            else []
        ),
        *(["", "No more messages:", stop] if stop else []),
    ]
    parts = [english, chinese] if follow.english else [chinese, english]
    body = "\n".join([*parts[0], "", "— — —", "", *parts[1], ""])
    first, second = (lines[-1][1], lines[-1][0]) if follow.english else lines[-1]
    headers = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}
    if stop:
        headers |= {"List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    return EmailMessage(f"{case.number} {first} / {second}", body, None, [follow.email], headers=headers)
