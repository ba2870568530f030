"""Inspections and lists by several people at once: one record, one notice, one chain."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.server.test_inspections import PEOPLE, found, said, who
from tests.server.test_lists import NOW
from tests.server.threads import at_once, skip_without_shared_database

from yiwang.core.kernel.refusals import Conflict, NotPossible
from yiwang.server.cities import queries as places
from yiwang.server.cities.queries import runtime
from yiwang.server.inspections import history
from yiwang.server.inspections.models import Campaign, InspectionEvent, Visit
from yiwang.server.inspections.planning import commit_to, draw_campaign
from yiwang.server.inspections.recording import record_visit
from yiwang.server.lists import operations as lists
from yiwang.server.lists import queries as list_queries
from yiwang.server.lists.models import Edition, ListEvent
from yiwang.server.people import operations as people
from yiwang.server.provision.operations import install_pack

MINI = Path(__file__).resolve().parents[1] / "packs" / "fixtures" / "mini"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def city(settings: Any, tmp_path: Path) -> str:
    skip_without_shared_database()
    settings.YIWANG_HOME = tmp_path
    places.forget()
    install_pack(MINI)
    for name in PEOPLE:
        people.create_person(
            username=name, password=None, name=name, name_en=name, city="mini", roles={"inspector": ("CTR-90", "")}
        )
    return "mini"


def test_a_visit_is_recorded_once_and_the_chain_has_one_end(city: str) -> None:
    campaign = draw_campaign(commit_to(runtime(city), said(total=6), by="ann"), by="ann")
    visits = list(campaign.visits.select_related("campaign").filter(turn=1))
    acts = [partial(record_visit, visit, found(dust=dust), username=who(visit)) for visit in visits for dust in (5, 10)]
    given = at_once(*acts, expected=(Conflict,))
    assert sum(isinstance(one, Visit) for one in given) == len(visits)
    assert sum(isinstance(one, Conflict) for one in given) == len(visits)
    assert InspectionEvent.objects.filter(kind="visited").count() == len(visits)
    assert history.broken(city) is None


def test_two_campaigns_at_once_begin_one_chain(city: str) -> None:
    place = runtime(city)
    given = at_once(*(partial(commit_to, place, said(key=f"k{number}"), by="ann") for number in range(4)))
    assert all(isinstance(one, Campaign) for one in given)
    assert history.broken(city) is None
    same = at_once(*(partial(commit_to, place, said(key="same"), by="ann") for _ in range(3)), expected=(Conflict,))
    assert sum(isinstance(one, Campaign) for one in same) == 1
    one = Campaign.objects.get(key="k0")
    drawn = at_once(*(partial(draw_campaign, one, by="ann") for _ in range(3)), expected=(NotPossible,))
    assert sum(isinstance(each, Campaign) for each in drawn) == 1
    assert one.visits.filter(turn=1).count() == 4
    assert history.broken(city) is None


def test_an_edition_is_ended_once(city: str) -> None:
    rule = lists.rule_of(runtime(city), "monthly", on=datetime(2026, 3, 1, tzinfo=UTC).date())
    assert rule is not None
    edition = Edition.objects.create(
        city=city, rule="monthly", period="2026-03", terms=lists.terms_of(rule), ranked=2, facts_at=NOW,
        noticed_at=NOW, noticed_by="giver", objections_until=NOW.date(),
    )  # fmt: skip
    given = at_once(
        *(partial(lists.publish, edition, by="giver") for _ in range(2)),
        *(partial(lists.withdraw, edition, by="giver") for _ in range(2)),
        expected=(NotPossible,),
    )
    assert sum(isinstance(one, Edition) for one in given) == 1
    assert ListEvent.objects.count() == 1
    assert list_queries.broken(city) is None
