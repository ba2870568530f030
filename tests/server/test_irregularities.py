"""Leads out of a city's cases: gathered, kept once, read by staff, answered by the unit, judged by somebody else."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from django.test import Client
from django.utils.html import escape
from PIL import Image
from tests.server.test_inventory import client_of

from yiwang.core.indicators.lists import last_period, period_of
from yiwang.core.irregularities import leads as core
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import Conflict, NotAllowed, NotPossible
from yiwang.server.cases.models import Case, Event, Photo
from yiwang.server.cities.queries import runtime
from yiwang.server.common.app import jobs
from yiwang.server.common.models import Job
from yiwang.server.irregularities import operations, queries
from yiwang.server.irregularities.gathering import gather
from yiwang.server.irregularities.models import Fingerprint, IrregularityEvent, Lead, Look
from yiwang.server.irregularities.presentation import KINDS, bars, chance_text
from yiwang.server.people.models import User
from yiwang.server.people.operations import create_person

MONDAY = datetime.fromisoformat("2026-03-02T09:00:00+08:00")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOW = datetime(2026, 4, 20, tzinfo=UTC)
MARCH = period_of("2026-03", "month")
Act = Callable[..., dict[str, Any]]


@pytest.fixture
def lived(report: Act, act: Act, actor: Any) -> Callable[..., str]:
    """A case that was handled and closed."""

    def live(
        *, at: datetime = MONDAY, hours: float = 1, handler: str = "user:han", verifier: str = "user:chk",
        verifier_unit: str = "CTR-90", reporter: Any = None, category: str = "02001", suspend: bool = False, **where: Any,
    ) -> str:  # fmt: skip
        who = reporter or actor("inspector", id="user:ins")
        number = report(at=at, actor=who, channel="inspector", category=category, **where)["case"]
        act(number, "dispatch", actor("dispatcher", id="user:dis"), at=at)
        holder = Case.objects.get(number=number).holder
        act(number, "take", actor("handler", unit=holder, id=handler), at=at)
        if suspend:
            until = (at + 20 * DAY).date().isoformat()
            act(number, "ask_suspension", actor("handler", unit=holder, id=handler), at=at, reason="rain", until=until)
            act(number, "suspend", actor("dispatcher"), at=at)
            return str(number)
        step = at + HOUR * hours
        act(number, "finish", actor("handler", unit=holder, id=handler), at=step, note="done", photos=())
        act(number, "ask_check", actor("intake"), at=step)
        act(number, "check", actor("inspector", id=verifier, unit=verifier_unit), at=step + HOUR / 2)
        act(number, "close", actor("leader"), at=step + HOUR)
        return str(number)

    return live


def person(name: str, *, email: str = "", **roles: tuple[str, str]) -> User:
    user, _ = create_person(username=name, password=None, name=name, name_en=name, city="mini", roles=roles)
    if email:
        User.objects.filter(pk=user.pk).update(email=email)
    return user


def found(kind: core.Kind, **given: Any) -> core.Lead:
    values: dict[str, Any] = {
        "kind": kind, "unit": "SWEEP-9001", "period": "2026-03", "cases": (), "observed": 9, "trials": 12, "expected": 3.0,
        "rate": 0.25, "p_value": 0.0004, "q_value": 0.01,
    }  # fmt: skip
    return core.Lead(**(values | given))


def kept(kind: core.Kind = core.Kind.REPORTING, **given: Any) -> Lead:
    lead = found(kind, **given)
    return Lead.objects.create(
        city="mini", kind=lead.kind, unit=lead.unit, period=lead.period, figures=operations.figures_of(lead),
        cases=list(lead.cases), found_at=NOW,
    )  # fmt: skip


def photo(
    home: Path, number: str, *, seq: int, seed: int, at: datetime, taken_at: datetime | None = None, quality: int = 90
) -> Photo:
    random = np.random.default_rng(seed)
    picture = Image.fromarray(random.integers(0, 255, (9, 12, 3), dtype=np.uint8)).resize(
        (240, 180), Image.Resampling.BICUBIC
    )
    name = f"{number}-{seq}-{seed}-{quality}.jpg"
    picture.save(home / name, "JPEG", quality=quality)
    return Photo.objects.create(
        case=Case.objects.get(number=number),
        seq=seq,
        path=name,
        digest="",
        width=240,
        height=180,
        at=at,
        taken_at=taken_at,
    )


# --- gathering --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_rows_say_what_happened_in_the_month(mini: str, lived: Callable[..., str], actor: Any) -> None:
    number = lived()
    lived(at=MONDAY - 40 * DAY)  # closed before the month
    later = lived(at=MONDAY + 40 * DAY)  # opened after it: it can only be what came again
    rested = lived(at=MONDAY + DAY, suspend=True)
    rows = gather(place=runtime(mini), period=MARCH)
    (closing,) = rows.closings
    assert (closing.case, closing.unit, closing.actor, closing.category) == (number, "SWEEP-9001", "user:han", "02001")
    assert closing.at == MONDAY + HOUR
    assert closing.left_s == pytest.approx(5 * 3600)  # three working hours and the two of midday
    assert closing.closed_at == MONDAY + 2 * HOUR
    assert {one.case for one in rows.openings} == {number, rested, later}
    assert [(one.case, one.unit) for one in rows.suspensions] == [(rested, "SWEEP-9001")]
    assert {(one.case, one.own) for one in rows.filings} == {(number, False), (rested, False)}
    assert {(one.verifier, one.inside) for one in rows.verifications} >= {("user:chk", False)}
    assert all(one.handlers == {"user:han"} for one in rows.verifications)
    ((before, after),) = {(one.before_s, one.after_s) for one in rows.reclassifications}
    assert before == after == 6 * 3600  # four working hours and the midday break


@pytest.mark.django_db(transaction=True)
def test_own_people_are_known_by_unit_and_by_post(mini: str, lived: Callable[..., str], actor: Any) -> None:
    mate = person("mate", inspector=("SWEEP-9001", ""))
    lived(reporter=actor("inspector", unit="SWEEP-9001", id="user:x"))
    lived(
        at=MONDAY + HOUR, reporter=actor("inspector", unit="CTR-90", id=f"user:{mate.pk}"), verifier=f"user:{mate.pk}"
    )
    lived(at=MONDAY + 2 * HOUR)
    rows = gather(place=runtime(mini), period=MARCH)
    assert [one.own for one in rows.filings] == [True, True, False]
    checked = {one.case: one.inside for one in rows.verifications if one.verifier == f"user:{mate.pk}"}
    assert list(checked.values()) == [True]


@pytest.mark.django_db(transaction=True)
def test_a_longer_category_is_seen(mini: str, report: Act, act: Act, actor: Any) -> None:
    number = report(at=MONDAY, actor=actor("inspector"), channel="inspector", category="02001")["case"]
    act(number, "correct", actor("intake"), at=MONDAY, category="03001", reason="other")
    act(number, "dispatch", actor("dispatcher"), at=MONDAY)
    holder = Case.objects.get(number=number).holder
    act(number, "take", actor("handler", unit=holder), at=MONDAY)
    act(number, "finish", actor("handler", unit=holder), at=MONDAY + HOUR, note="done", photos=())
    (change,) = gather(place=runtime(mini), period=MARCH).reclassifications
    assert change.after_s == 2 * 86400 > change.before_s * 1.25


@pytest.mark.django_db(transaction=True)
def test_photos_that_were_used_before_are_a_lead(
    mini: str, lived: Callable[..., str], settings: Any, tmp_path: Path
) -> None:
    settings.YIWANG_HOME = tmp_path
    first, second, third = (lived(at=MONDAY + n * 2 * HOUR) for n in range(3))
    done = {number: Event.objects.get(case__number=number, verb="finish") for number in (first, second, third)}
    photo(tmp_path, first, seq=done[first].seq, seed=1, at=done[first].at, taken_at=done[first].at)
    photo(tmp_path, second, seq=done[second].seq, seed=1, quality=40, at=done[second].at, taken_at=MONDAY - DAY)
    photo(tmp_path, third, seq=done[third].seq, seed=2, at=done[third].at)
    made = operations.look_through(runtime(mini), period="2026-03", by="cli", now=NOW)
    (lead,) = Lead.objects.all()
    assert (lead.kind, lead.unit, lead.cases) == ("photos", "SWEEP-9001", [second])
    assert lead.figures["data"]["pairs"][0][3] == first
    assert lead.figures["p_value"] is None
    assert made.examined["photos"] == 3
    assert made.examined["clock_readings"] == 2
    assert Fingerprint.objects.exclude(phash="").count() == 3
    (tmp_path / Photo.objects.first().path).unlink()  # type: ignore[union-attr]
    operations.look_through(runtime(mini), period="2026-03", by="cli", now=NOW)
    assert Lead.objects.count() == 1, "the hash is kept, and the lead is the same row"


@pytest.mark.django_db(transaction=True)
def test_one_person_with_two_accounts_is_a_lead(mini: str, lived: Callable[..., str]) -> None:
    one = person("one", email="li@city.example", handler=("SWEEP-9001", ""))
    two = person("two", email="Li@City.example ", inspector=("CTR-90", ""))
    number = lived(handler=f"user:{one.pk}", verifier=f"user:{two.pk}")
    operations.look_through(runtime(mini), period="2026-03", by="cli", now=NOW)
    (lead,) = Lead.objects.filter(kind="same_person")
    assert lead.cases == [number]
    assert list(IrregularityEvent.objects.values_list("kind", flat=True)) == ["found"]
    assert queries.broken(mini) is None


# --- keeping ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_second_look_keeps_one_row_and_what_people_said(mini: str, monkeypatch: pytest.MonkeyPatch) -> None:
    person("worker", handler=("SWEEP-9001", ""))
    place, kinds = runtime(mini), [found(core.Kind.REPORTING), found(core.Kind.BULK)]
    monkeypatch.setattr(operations, "look", lambda rows, **options: (kinds, 50))
    operations.look_through(place, period="2026-03", by="cli", now=NOW)
    operations.look_through(place, period="2026-03", by="cli", now=NOW)
    assert IrregularityEvent.objects.count() == Lead.objects.count() == 2
    answered = Lead.objects.get(kind="reporting")
    operations.answer(answered, user=User.objects.get(username="worker"), text="we patrol")
    kinds[:] = [found(core.Kind.REPORTING, observed=12)]
    made = operations.look_through(place, period="2026-03", by="cli", now=NOW)
    assert Look.objects.count() == 1
    assert made.tests == 50
    answered.refresh_from_db()
    assert answered.figures["observed"] == 9, "what was answered stays as it was read"
    assert not Lead.objects.get(kind="bulk").stands
    assert [one.kind for one in queries.leads_of(mini, period="2026-03")] == ["reporting"]
    assert queries.broken(mini) is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("period", "error"), [("2026-Q1", BadInput), ("March", BadInput), ("2026-04", NotPossible)])
def test_only_months_that_have_ended(mini: str, period: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        operations.look_through(runtime(mini), period=period, by="cli", now=NOW)
    assert not Look.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_unit_answers_and_somebody_else_judges(mini: str) -> None:
    lead, worker, other = (
        kept(),
        person("worker", handler=("SWEEP-9001", "")),
        person("other", handler=("SWEEP-9002", "")),
    )
    with pytest.raises(NotAllowed):
        operations.answer(lead, user=other, text="no")
    with pytest.raises(BadInput):
        operations.answer(lead, user=worker, text=" ")
    operations.answer(lead, user=worker, text="we patrol")
    with pytest.raises(Conflict):
        operations.answer(lead, user=worker, text="again")
    with pytest.raises(NotAllowed):
        operations.judge(lead, user=worker, judgement="unfounded", reason="mine")
    with pytest.raises(BadInput):
        operations.judge(lead, user=other, judgement="guilty", reason="so")
    operations.judge(lead, user=other, judgement="unfounded", reason="they do")
    with pytest.raises(NotPossible):
        operations.judge(lead, user=other, judgement="founded", reason="or not")
    lead.refresh_from_db()
    assert (lead.judgement, lead.judged_by, lead.answered_by) == ("unfounded", "other", "worker")
    assert queries.judgements_of(mini) == {"reporting": {"unfounded": 1}}


# --- pages ------------------------------------------------------------------------------------------------------------

DATA: dict[core.Kind, dict[str, Any]] = {
    core.Kind.BUNCHING: {"bin_s": 3600.0, "bins": [1] * 12 + [9] + [2] * 11, "smooth": 0.001, "others": 0.002},
    core.Kind.BULK: {"bursts": [["2026-03-05T09:00:00+00:00", 240, 6]]},
    core.Kind.REOPENED: {"again": [["M-1", "M-2"]]},
    core.Kind.SUSPENDING: {"last_days": 3, "days": [1] * 28 + [9, 9, 9]},
    core.Kind.PHOTOS: {"pairs": [["M-1", "7", "mini", "M-2", "3", 2], ["M-1", "8", "boston", "B-2", "4", 0]]},
    core.Kind.SAME_PERSON: {"pairs": [["user:1", "user:2", 4]]},
    core.Kind.CLOCKS: {"faults": {"before": 5, "ahead": 1}},
    core.Kind.SHIFTING: {"limits": [["M-1", 14400.0, 86400.0]]},
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", list(core.Kind))
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_kind_has_a_page(mini: str, kind: core.Kind, language: str) -> None:
    lead = kept(kind, data=DATA.get(kind, {}), cases=("M-1",))
    client = client_of("reader", intake=("CTR-90", ""))
    page = client.get(f"/mini/irregularities/{lead.pk}", headers={"accept-language": language}).content.decode()
    name = KINDS[kind].name
    assert escape(name["en" if language == "en" else "zh"]) in page
    assert ("A lead is no proof" if language == "en" else "线索不是证据") in page
    if "bars" in page or kind in (core.Kind.BUNCHING, core.Kind.SUSPENDING):
        assert page.count("<rect ") >= 24
    assert '<form method="post" action="/mini/irregularities/' not in page


@pytest.mark.django_db(transaction=True)
def test_the_list_shows_base_rates_and_how_often_leads_were_false(mini: str) -> None:
    client = client_of("reader", intake=("CTR-90", ""))
    assert "Nothing has been looked through yet" in client.get("/mini/irregularities").content.decode()
    Look.objects.create(city="mini", period="2026-03", tests=321, looked_at=NOW, looked_by="cli")
    lead = kept()
    kept(unit="SWEEP-9002", period="2026-02")
    Lead.objects.filter(period="2026-02").update(judgement="unfounded", reason="x")
    page = client.get("/mini/irregularities").content.decode()
    assert "321" in page
    assert "25.0%" in page or "25.0 %" in page
    assert f"/mini/irregularities/{lead.pk}" in page
    assert "Of 1 that were judged, 100" in page


@pytest.mark.django_db(transaction=True)
def test_pages_are_for_staff_and_judging_for_who_assesses(mini: str) -> None:
    lead = kept()
    assert Client().get("/mini/irregularities").status_code == 302
    assert client_of("nobody", citizen=("", "")).get("/mini/irregularities").status_code == 403
    unit, reader = client_of("unit", handler=("SWEEP-9001", "")), client_of("reader", intake=("CTR-90", ""))
    judge = client_of("judge", administrator=("", ""))
    address = f"/mini/irregularities/{lead.pk}"
    assert "/answer" in unit.get(address).content.decode()
    assert "/judge" in judge.get(address).content.decode()
    refused = reader.post(f"{address}/judge", {"judgement": "founded", "text": "so"}, follow=True).content.decode()
    assert "who assesses the city" in refused
    unit.post(f"{address}/answer", {"text": "we patrol"})
    judge.post(f"{address}/judge", {"judgement": "unfounded", "text": "they do"})
    lead.refresh_from_db()
    assert (lead.answer, lead.judgement) == ("we patrol", "unfounded")
    page = reader.get(address).content.decode()
    assert "we patrol" in page
    assert "they do" in page
    assert "Unfounded" in page
    assert reader.get("/mini/irregularities/999999").status_code == 404


def test_drawing_and_chances() -> None:
    drawn = bars([0, 4, 2], marked={1}, names=["a", "b", "c"])
    assert [one["height"] for one in drawn["bars"]] == ["0.00", "30.00", "15.00"]
    assert [one["marked"] for one in drawn["bars"]] == [False, True, False]
    assert (chance_text(None), chance_text(0.00001), chance_text(0.0123)) == ("", "< 0.0001", "0.0123")


@pytest.mark.django_db(transaction=True)
def test_the_command_line(mini: str, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "look", lambda rows, **options: ([found(core.Kind.REPORTING)], 7))
    told = json.loads(run("irregularities", "look", "mini", "--period", "2026-03", "--json").stdout)
    assert (told["tests"], [one["kind"] for one in told["leads"]]) == (7, ["reporting"])
    assert json.loads(run("irregularities", "show", "mini", "--json").stdout) == told
    assert "SWEEP-9001" in run("irregularities", "show", "mini").stdout


def test_who_assesses_has_a_month_looked_through_by_the_worker(mini: str) -> None:
    keeper = client_of("keeper", administrator=("", ""))
    page = keeper.get("/mini/irregularities").content.decode()
    month = last_period("month", today=datetime.now(runtime(mini).info.zone).date()).name
    assert f"<option>{month}</option>" in page
    assert keeper.post("/mini/irregularities/look", {"period": month}).status_code == 302
    job = Job.objects.get(kind="irregularities")
    assert (job.city, job.key, job.parameters) == ("mini", month, {"by": "keeper"})
    assert jobs()["irregularities"](job, lambda *_: None)["tests"] >= 0
    assert Look.objects.get().looked_by == "keeper"
    for period in ("2999-01", "soon", ""):
        keeper.post("/mini/irregularities/look", {"period": period})
    clerk = client_of("clerk", intake=("CTR-9001", "9001"))
    assert "Look a month through" not in clerk.get("/mini/irregularities").content.decode()
    clerk.post("/mini/irregularities/look", {"period": month})
    assert Job.objects.count() == 1
    assert Look.objects.count() == 1
