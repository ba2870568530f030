"""What happened in rounds, as the ledger seals it. Of answers it holds a salted digest, so that they can be forgotten."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from yiwang.core.kernel.text import Text
from yiwang.server.ledger.api import add_event, first_broken, stream_of_events
from yiwang.server.surveys.models import DrawnCase, SurveyEvent, SurveyRound

NAME = "surveys"
STREAM = stream_of_events(SurveyEvent, name=NAME, title=Text("回访", "surveys"))


def write_event(survey: SurveyRound, kind: str, said: Mapping[str, Any], *, by: str) -> SurveyEvent:
    """Add an event of a round to its city's chain, within the transaction of what it tells of."""
    return add_event(SurveyEvent, stream=NAME, city=survey.city, subject=survey.key, kind=kind, said=said, by=by)


def broken(city: str) -> int | None:
    """Id of the first event of a city that was changed; None when none was."""
    return first_broken(SurveyEvent, stream=NAME, city=city)


def answers_digest(case: DrawnCase) -> str:
    """SHA-256 of the answers and what they count as; the alias keeps anybody from trying out the few answers that there are."""
    text = json.dumps([case.alias, case.answers, case.says], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def altered_answers(survey: SurveyRound) -> list[str]:
    """Numbers of the cases whose answers are no longer those that the chain binds."""
    events = SurveyEvent.objects.filter(city=survey.city, subject=survey.key, kind="answered")
    bound = {event.said["case"]: event.said["answers"] for event in events}
    return [
        one.case
        for one in survey.cases.all()
        if bound.get(one.case) != (answers_digest(one) if one.disposition == "answered" else None)
    ]
