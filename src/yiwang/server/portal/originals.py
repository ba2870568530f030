"""What was written, as it was written: for moderators, and to see whether a decision is still about the same words."""

from __future__ import annotations

from yiwang.core.kernel.text import Text
from yiwang.server.cases.api import EVENT_COLUMNS, Case, Event, Report, event_of, event_words
from yiwang.server.cities.queries import runtime
from yiwang.server.common import publishing
from yiwang.server.portal.models import Idea, IdeaAnswer, IdeaComment

KINDS = {
    publishing.CASE: Text("案卷内容", "Words of a case"),
    publishing.PLACE: Text("地点描述", "Place in words"),
    publishing.EVENT: Text("办理说明", "Words of an event"),
    publishing.REPORT: Text("补充上报", "Joined report"),
    publishing.IDEA: Text("建议", "Idea"),
    publishing.COMMENT: Text("评论", "Comment"),
    publishing.ANSWER: Text("官方答复", "Official answer"),
}


def original(*, city: str, kind: str, key: str) -> str:
    """The words of one text; empty when there is none."""
    match kind:
        case publishing.CASE | publishing.PLACE:
            column = "text" if kind == publishing.CASE else "address"
            return Case.objects.filter(city=city, number=key).values_list(column, flat=True).first() or ""
        case publishing.REPORT:
            return Report.objects.filter(city=city, number=key).values_list("text", flat=True).first() or ""
        case publishing.EVENT:
            return _event(city, key)
    if not key.isascii() or not key.isdigit() or len(key) > 18:
        return ""
    pk = int(key)
    texts = {
        publishing.IDEA: Idea.objects.filter(city=city, pk=pk).values_list("text", flat=True),
        publishing.COMMENT: IdeaComment.objects.filter(idea__city=city, pk=pk).values_list("text", flat=True),
        publishing.ANSWER: IdeaAnswer.objects.filter(idea__city=city, pk=pk).values_list("text", flat=True),
    }
    return (texts[kind].first() or "") if kind in texts else ""


def _event(city: str, key: str) -> str:
    number, _, seq = key.rpartition("/")
    if not seq.isascii() or not seq.isdigit() or len(seq) > 9:
        return ""
    row = (
        Event.objects.filter(city=city, case__number=number, seq=int(seq))
        .values(*(name for name in EVENT_COLUMNS if name != "hash"))
        .first()
    )
    return event_words(event_of(row, number=number), workflow=runtime(city).rules.workflow) if row else ""


def texts_of_case(*, city: str, number: str) -> list[tuple[str, str, str]]:
    """Every text about a case that somebody may want to moderate: kind, key, words."""
    case = Case.objects.filter(city=city, number=number).values("id", "text", "address").first()
    if case is None:
        return []
    found = [(publishing.CASE, number, case["text"]), (publishing.PLACE, number, case["address"])]
    reports = Report.objects.filter(case_id=case["id"]).order_by("id").values_list("number", "text")
    found += [(publishing.REPORT, key, text) for key, text in reports[1:]]
    events = (
        Event.objects.filter(case_id=case["id"])
        .order_by("seq")
        .values(*(name for name in EVENT_COLUMNS if name != "hash"))
    )
    workflow = runtime(city).rules.workflow
    found += [
        (publishing.EVENT, f"{number}/{row['seq']}", event_words(event_of(row, number=number), workflow=workflow))
        for row in events
    ]
    return [item for item in found if item[2]]
