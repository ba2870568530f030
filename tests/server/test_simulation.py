"""A simulated city on the database: the same past at every run, a present that goes on after a kill, nothing twice."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from django.test import Client
from tests.forging import allow_forging
from tests.simulated_city import PER_DAY, TOML

from yiwang.core.kernel.errors import BadInput
from yiwang.server.cases.models import Case, Event, Outbox, Report, Serial, Tally
from yiwang.server.cases.storage import numbering
from yiwang.server.cities import queries as places
from yiwang.server.common import operations as common
from yiwang.server.imports.lifecycles import BulkWriter
from yiwang.server.ledger.models import Node
from yiwang.server.provision import simulation
from yiwang.server.provision.operations import install_pack
from yiwang.server.verification import ledger

MINI = Path(__file__).resolve().parents[1] / "packs" / "fixtures" / "mini"
NOON = datetime(2026, 3, 4, 4, tzinfo=UTC)  # a Wednesday, noon in the city


@pytest.fixture
def town(db: None, tmp_path: Path) -> Iterator[str]:
    """The toy city with people who live in it."""
    pack = Path(copytree(MINI, tmp_path / "mini"))
    (pack / "simulation.toml").write_text(TOML, encoding="utf-8")
    _forget()
    install_pack(pack)
    yield "mini"
    _forget()


def _forget() -> None:
    places.forget()
    places._installed.runtimes.clear()  # another pack of the same name and version
    numbering.forget()
    simulation._living.clear()


def lives() -> list[tuple[Any, ...]]:
    """Everything that was said and done, case by case."""
    told = []
    for case in Case.objects.order_by("number"):
        events = Event.objects.filter(case=case).order_by("seq").values_list("at", "verb", "actor", "holder", "reason")
        reports = case.reports.values_list("origin", "external", "at", "text")
        told.append((case.number, case.category, case.region, case.lon, case.lat, list(events), list(reports)))
    return told


def wipe() -> None:
    with allow_forging():
        for model in (Outbox, Tally, Node, Report, Event, Case, Serial):
            model.objects.all().delete()
    numbering.forget()


def sound() -> None:
    assert ledger.verify(city="mini").faults == []
    externals = list(Report.objects.values_list("external", flat=True))
    assert len(externals) == len(set(externals)) == Case.objects.count()
    assert sum(Tally.objects.values_list("count", flat=True)) == Case.objects.count()


# --- the past ---------------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_past(town: str) -> None:
    first = simulation.run_past(city=town, days=2, now=NOON)
    told = lives()
    wipe()
    assert simulation.run_past(city=town, days=2, now=NOON) == first
    assert lives() == told
    assert abs(first["cases"] - 2 * PER_DAY) < 4 * (2 * PER_DAY) ** 0.5 * 1.5, "weekdays weigh a little more"


def test_a_past_that_is_there_is_not_written_again(town: str) -> None:
    first = simulation.run_past(city=town, days=1, now=NOON)
    again = simulation.run_past(city=town, days=1, now=NOON)
    assert (again["cases"], again["known"]) == (0, first["cases"])
    later = simulation.run_past(city=town, days=1, now=NOON + timedelta(hours=2))
    assert later["cases"] > 0
    assert later["cases"] + later["known"] <= first["cases"] + later["cases"]
    sound()


def test_a_run_that_was_killed_is_made_whole_by_the_next(town: str, monkeypatch: Any) -> None:
    class Killed(BaseException):
        pass

    def killed(done: int, total: int) -> None:
        if done >= 300:
            raise Killed

    monkeypatch.setattr("yiwang.server.imports.lifecycles.CHUNK", 100)
    monkeypatch.setattr(BulkWriter.__init__, "__kwdefaults__", {"quiet": False, "chunk": 100})
    with pytest.raises(Killed):
        simulation.run_past(city=town, days=2, now=NOON, progress=killed)
    written = Case.objects.count()
    assert 0 < written <= 300
    numbering.forget()
    second = simulation.run_past(city=town, days=2, now=NOON)
    assert second["known"] == written
    assert second["cases"] + written == Case.objects.count() > 350
    sound()


def test_everything_is_marked_as_simulated(town: str) -> None:
    simulation.run_past(city=town, days=1, now=NOON)
    assert set(Report.objects.values_list("origin", flat=True)) == {"simulation"}
    assert {actor.split(":")[0] for actor in Event.objects.values_list("actor", flat=True)} == {"sim", "system"}
    number = Case.objects.values_list("number", flat=True)[0]
    for path in ("/mini/", "/mini/cases", f"/mini/cases/{number}"):
        page = Client().get(path, headers={"Accept-Language": "zh-CN"})
        assert page.status_code == 200
        assert "模拟" in page.content.decode(), path


def test_a_city_without_people_cannot_be_simulated(mini: str) -> None:
    with pytest.raises(BadInput, match=r"simulation\.toml"):
        simulation.run_past(city=mini)


# --- the present ------------------------------------------------------------------------------------------------------


def minutes(start: datetime, count: int, step: int = 10) -> list[datetime]:
    return [start + timedelta(minutes=step * (index + 1)) for index in range(count)]


def expected(town: str, start: datetime, end: datetime) -> set[str]:
    people = simulation.simulation_of(places.runtime(town))
    return {arrival.key for arrival in people.arrivals(start=start, end=end)}


def test_life_goes_on_with_the_reports_of_the_seed(town: str) -> None:
    simulation.live(NOON)
    for moment in minutes(NOON, 12):
        simulation.live(moment)
    assert set(Report.objects.values_list("external", flat=True)) == expected(town, NOON, NOON + timedelta(hours=2))
    assert {"file", "dispatch", "take"} <= set(Event.objects.values_list("verb", flat=True))
    sound()


def test_it_goes_on_after_a_restart_without_doubling(town: str) -> None:
    simulation.live(NOON)
    for index, moment in enumerate(minutes(NOON, 12)):
        simulation.live(moment)
        if index:
            simulation._living.clear()  # as if the worker had been killed and another started
    made = set(Report.objects.values_list("external", flat=True))
    last = Report.objects.order_by("-at").values_list("at", flat=True)[0]
    assert made
    assert made <= expected(town, NOON, NOON + timedelta(hours=2))
    first = Report.objects.order_by("at").values_list("at", flat=True)[0]
    assert made == expected(town, first, last + timedelta(seconds=1))
    assert {"file", "dispatch", "take"} <= set(Event.objects.values_list("verb", flat=True))
    sound()


def test_a_kill_between_two_reports_of_one_second_loses_none(town: str, monkeypatch: Any) -> None:
    place = places.runtime(town)
    city = simulation.LiveCity(place, now=NOON)
    (one, two, *_) = city.people.arrivals(start=NOON, end=NOON + timedelta(hours=1))
    twins = [one, type(one)(at=one.at, key=two.key, payload=two.payload)]
    monkeypatch.setattr(type(city.people), "arrivals", lambda self, *, start, end: [t for t in twins if start <= t.at])
    city._report(twins[0])
    after = simulation.LiveCity(place, now=NOON + timedelta(hours=1))
    after.go_on(NOON + timedelta(hours=1))
    assert set(Report.objects.values_list("external", flat=True)) == {one.key, two.key}


def test_two_workers_at_once_do_nothing_twice(town: str) -> None:
    place = places.runtime(town)
    simulation.run_past(city=town, days=1, now=NOON)
    workers = [simulation.LiveCity(place, now=NOON) for _ in range(2)]
    for index, moment in enumerate(minutes(NOON, 12)):
        for worker in workers if index % 2 else reversed(workers):
            worker.go_on(moment)
    later = Report.objects.filter(at__gte=NOON)
    assert set(later.values_list("external", flat=True)) == expected(town, NOON, NOON + timedelta(hours=2))
    sound()
    for case in Case.objects.all():  # nobody files, takes or finishes what has just been filed, taken or finished
        verbs = list(
            Event.objects.filter(case=case).exclude(verb="escalate").order_by("seq").values_list("verb", flat=True)
        )
        assert all(a != b for a, b in itertools.pairwise(verbs)), (case.number, verbs)


def test_one_that_another_overtakes_in_the_same_moment_goes_on(town: str, monkeypatch: Any) -> None:
    """Both looked at what is there before either wrote: the database keeps the second one from doubling."""
    place = places.runtime(town)
    first, second = (simulation.LiveCity(place, now=NOON) for _ in range(2))
    hour = NOON + timedelta(hours=1)
    first.go_on(hour)
    monkeypatch.setattr(second, "_existing_reports", lambda keys: set())
    second.go_on(hour)
    assert second.until == hour
    assert Report.objects.count() == len(expected(town, NOON, hour))
    sound()


def test_cases_of_real_people_are_left_to_real_people(town: str, report: Any, act: Any, actor: Any) -> None:
    simulation.live(NOON)
    real = report(at=NOON + timedelta(minutes=1))["case"]
    simulation._living.clear()
    for moment in minutes(NOON, 18):
        simulation.live(moment)
    assert not Event.objects.filter(case__number=real, actor__startswith="sim:").exists()


def test_a_case_that_a_real_person_has_moved_is_not_moved_twice(town: str, act: Any, actor: Any) -> None:
    simulation.live(NOON)
    simulation.live(NOON + timedelta(minutes=1))
    moment, number = NOON, None
    while number is None:
        moment += timedelta(minutes=5)
        simulation.live(moment)
        number = Case.objects.filter(step="accepted").values_list("number", flat=True).first()
    act(number, "file", actor("leader"), at=moment)
    simulation.live(moment + timedelta(hours=1))
    assert Event.objects.filter(case__number=number, verb="file").count() == 1


def test_life_waits_while_the_past_is_being_written(town: str) -> None:
    simulation.live(NOON)
    job, _ = common.ask_job(kind="simulate", city=town)
    assert simulation.live(NOON + timedelta(hours=2)) == 0
    common.finish(job=job.pk)
    assert simulation.live(NOON + timedelta(hours=2)) > 0


def test_a_site_that_was_off_for_days_does_not_make_up_for_them(town: str) -> None:
    simulation.run_past(city=town, days=1, now=NOON)
    later = NOON + timedelta(days=5)
    simulation.live(later)
    simulation.live(later + timedelta(minutes=5))
    gap = Report.objects.filter(at__gt=NOON, at__lt=later - simulation.LONGEST_GAP)
    assert gap.count() == 0
