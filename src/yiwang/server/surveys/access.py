"""Who sees and does what. Results are for staff as they come and for everybody once a round has ended; the draw is for who assesses
the city until then. Contacts are for those who may read them on the case's own page, and each read is on record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from yiwang.server.cases.api import Readers, readers_for
from yiwang.server.cities.queries import CityRuntime, runtime
from yiwang.server.scrutiny.access import assesses, is_staff, shown_to_staff
from yiwang.server.surveys.models import SurveyRound


def sees_results(user: Any, survey: SurveyRound, *, place: CityRuntime) -> bool:
    """Whether somebody may read response and rates."""
    if survey.step == SurveyRound.Step.CLOSED:
        return True
    return survey.step == SurveyRound.Step.DRAWN and is_staff(user, place=place)


def sees_draw(user: Any, survey: SurveyRound, *, place: CityRuntime) -> bool:
    """Whether somebody may read the seed, and which cases were drawn."""
    if survey.step == SurveyRound.Step.CLOSED:
        return True
    return survey.step == SurveyRound.Step.DRAWN and assesses(user, place=place)


def interviewer(user: Any, *, place: CityRuntime) -> Readers:
    """What somebody may do as an interviewer; see `interviews`."""
    return readers_for(user, place=place)


def interviews(readers: Readers, case: Mapping[str, Any]) -> bool:
    """Whether somebody may interview the reporter of a case, given its region and holder: who may read how to reach them."""
    return readers.of_row(case).personal


def shown(request: HttpRequest, city: str) -> bool:
    """Whether the link stands in the frame: for staff of a city that has questionnaires."""
    return bool(runtime(city).pack.questionnaires) and shown_to_staff(request, city)
