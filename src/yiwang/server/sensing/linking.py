"""The first alarms of a storm, dealt with before it was known to be one, have cases of their own: these belong to its case."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import datetime
from typing import Any

from yiwang.core.cases.events import SYSTEM, SYSTEM_ACTOR, Command
from yiwang.core.kernel.refusals import Refusal
from yiwang.core.kernel.text import Text
from yiwang.server.cases.api import Case, Event, Report, act_on_case
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.idempotency import KeyReuse
from yiwang.server.sensing import causes
from yiwang.server.sensing.causes import ORIGIN
from yiwang.server.sensing.models import Alarm
from yiwang.server.sensing.storms import Storm

MERGE_EFFECT = "merge"
log = logging.getLogger("yiwang.sensing")


def link_early(storm: Storm, number: str, place: CityRuntime, *, language: str, at: datetime) -> None:
    """Bring the open cases of a storm's first alarms to the storm's case. It may be done again, by whoever goes on after a kill.

    A case that only the system has touched is merged, where the workflow lets the system do so. One that somebody has taken
    in hand, or that people reported too, stays open, and each of the two says which the other is.

    Args:
        storm: The storm.
        number: Its case.
        place: The city.
        language: Of what is written on cases.
        at: Now.
    """
    for alarm in storm.early:
        case = causes.open_case(alarm.city, alarm.case)
        if not case or case == number:
            continue
        if not _merge(alarm, case, number, place, at):
            _refer(alarm, case, number, place, language, at)


def _merge(alarm: Alarm, case: str, number: str, place: CityRuntime, at: datetime) -> bool:
    """Whether the case could be merged."""
    step = Case.objects.filter(city=alarm.city, number=case).values_list("step", flat=True).first()
    verbs = place.rules.workflow.verbs.items()
    verb = next(
        (id for id, one in verbs if one.effect == MERGE_EFFECT and SYSTEM in one.roles and step in one.origins), ""
    )
    touched = Event.objects.filter(city=alarm.city, case__number=case).exclude(role=SYSTEM).exists()
    if not verb or touched or Report.objects.filter(city=alarm.city, case__number=case).count() > 1:
        return False
    try:
        _act(alarm, case, verb, {"into": number}, "merge", at)
    except Refusal as error:
        log.info("the case %s is not merged into that of its storm: %s", case, error)
        return False
    return True


def _refer(alarm: Alarm, case: str, number: str, place: CityRuntime, language: str, at: datetime) -> None:
    """Have each of two cases say that the other belongs to the same incident."""
    verb = place.pack.sensing.cases.verb
    for one, other, what in ((case, number, "refer"), (number, case, "referred")):
        words = Text(
            "与案卷 {other} 属同一次集中报警，请一并处理。",
            "Case {other} belongs to the same incident; they are to be handled together.",
            other=other,
        )
        _act(alarm, one, verb, {"note": words.into(language)}, what, at)


def _act(alarm: Alarm, case: str, verb: str, payload: dict[str, Any], what: str, at: datetime) -> None:
    command = Command(verb=verb, actor=SYSTEM_ACTOR, payload=payload)
    key = f"{ORIGIN}-alarm-{alarm.pk:012}-{what}"
    with suppress(KeyReuse):  # it has been said, of another case of the storm
        act_on_case(number=case, city=alarm.city, command=command, key=key, at=at)
