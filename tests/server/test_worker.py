"""The worker: one round does what it says, two at once do nothing twice, one that is killed leaves the rest to the next."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone
from tests.narrowing import present
from tests.server.own_sites import KINDS, Site, site_on

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text
from yiwang.server.cases.models import Outbox, Tally
from yiwang.server.cases.storage import tallies
from yiwang.server.cases.writing import outbox
from yiwang.server.common import operations as common
from yiwang.server.common import queries
from yiwang.server.common.app import Chore
from yiwang.server.common.models import Job
from yiwang.server.ledger.models import Seal
from yiwang.server.ledger.sealing import seal_all
from yiwang.server.provision import chores, retaining, tasks, worker
from yiwang.server.verification import ledger

SHIFTS = Path(__file__).with_name("worker_processes.py")


# --- one worker, in this process --------------------------------------------------------------------------------------


def test_a_chore_is_done_when_its_time_has_come() -> None:
    done: list[float] = []
    chore = Chore("c", 10, lambda: done.append(0))
    for now in (100.0, 105.0, 110.0, 111.0, 120.5):
        chore.run_if_due(now)
    assert len(done) == 3


def test_a_chore_that_fails_is_logged_and_tried_again_at_its_next_turn(caplog: Any) -> None:
    turns: list[int] = []

    def fails() -> None:
        turns.append(1)
        raise RuntimeError("no")

    chore = Chore("mail", 10, fails)
    chore.run_if_due(0)
    chore.run_if_due(5)
    assert len(turns) == 1
    assert "mail failed" in caplog.text
    chore.run_if_due(10)
    assert len(turns) == 2


def test_what_cannot_wait_is_done_every_few_seconds(mini: str) -> None:
    every = {chore.name: chore.every for chore in worker.chores()}
    assert len(every) == len(worker.chores()), "a name for each"
    assert max(every[name] for name in ("heartbeat", "jobs", "tick", "simulated cities", "outbox")) <= 5
    assert every["lost jobs"] < common.LOST_AFTER_SECONDS
    assert every["seals"] <= 3600


def test_one_round_does_everything_that_is_due(mini: str, report: Any, act: Any, actor: Any, monkeypatch: Any) -> None:
    number = report(at=timezone.now() - timedelta(days=2))["case"]
    act(number, "file", actor("leader"), at=timezone.now() - timedelta(days=2))
    monkeypatch.setattr(worker, "start_jobs", lambda: None)
    monkeypatch.setattr(worker, "_task_worker", lambda batch: pytest.fail("there is no job"))
    worker.run(lambda: True, once=True)
    assert present(queries.seconds_since_beat(worker.HEARTBEAT)) < 60
    assert not Outbox.objects.filter(sent_at=None).exists()
    assert Seal.objects.filter(city=mini).count() == 1
    assert Tally.objects.count() == 1
    assert ledger.verify(city=mini).faults == []


def test_tallies_are_summed_up_and_stay_the_same(mini: str, report: Any, act: Any, actor: Any) -> None:
    from yiwang.server.cases.reading.queries import by_step, figures

    for index in range(6):
        number = report()["case"]
        if index % 2:
            act(number, "file", actor("leader"))
    before = by_step(city=mini, region="90"), figures(city=mini, region="90")
    assert Tally.objects.count() == 6 + 3 * 2
    assert tallies.sum_up(city=mini) == 12
    assert Tally.objects.count() == 2
    assert (by_step(city=mini, region="90"), figures(city=mini, region="90")) == before
    assert tallies.sum_up(city=mini) == 2


def test_what_was_sent_long_ago_is_thrown_away(report: Any) -> None:
    report()
    now = timezone.now()
    outbox.relay(at=now + timedelta(seconds=1))
    assert outbox.forget(at=now + timedelta(days=6)) == 0
    report()
    assert outbox.forget(at=now + timedelta(days=8)) == 1
    assert Outbox.objects.filter(sent_at=None).count() == 1, "what waits is kept"


# --- jobs -------------------------------------------------------------------------------------------------------------


def test_a_job_is_claimed_by_one(db: None) -> None:
    job, _ = common.ask_job(kind="simulate", city="mini")
    assert [common.claim_job(job=job.pk) for _ in range(3)] == [True, False, False]


def test_jobs_start_one_at_a_time(db: None, monkeypatch: Any) -> None:
    started: list[int] = []
    monkeypatch.setattr(chores, "run_job", SimpleNamespace(enqueue=started.append))
    jobs = [common.ask_job(kind="simulate", city=city)[0].pk for city in ("a", "b")]
    chores.start_jobs()
    chores.start_jobs()
    assert started == jobs[:1]
    common.finish(job=jobs[0])
    chores.start_jobs()
    assert started == jobs


def test_a_job_that_nobody_works_on_any_more_is_queued_again(db: None) -> None:
    job, _ = common.ask_job(kind="simulate", city="mini")
    common.claim_job(job=job.pk)
    assert common.requeue_lost_jobs(older_than_seconds=common.LOST_AFTER_SECONDS) == 0
    Job.objects.update(updated_at=timezone.now() - timedelta(seconds=common.LOST_AFTER_SECONDS + 1))
    assert common.requeue_lost_jobs(older_than_seconds=common.LOST_AFTER_SECONDS) == 1
    assert common.claim_job(job=job.pk)


def run_with(monkeypatch: Any, does: Any) -> Job:
    monkeypatch.setattr("yiwang.server.common.app.jobs", lambda: {"simulate": does})
    job, _ = common.ask_job(kind="simulate", city="mini", parameters={"days": 1}, again=True)
    tasks.run_job.func(job.pk)
    job.refresh_from_db()
    return job


def test_a_job_tells_how_far_it_is_and_what_came_of_it(db: None, monkeypatch: Any) -> None:
    seen = []

    def does(job: Job, progress: Any) -> dict[str, Any]:
        progress(3, 10)
        seen.append(Job.objects.values_list("done", "total", "state").get(pk=job.pk))
        return {"cases": 1234}

    job = run_with(monkeypatch, does)
    assert seen == [(3, 10, "running")]
    assert (job.state, job.result, job.message_en) == ("done", {"cases": 1234}, "1,234 cases")


def test_a_job_that_cannot_be_done_says_why(db: None, monkeypatch: Any) -> None:
    def refuses(job: Job, progress: Any) -> dict[str, Any]:
        raise BadInput(Text("城市包没有 simulation.toml。", "The pack has no simulation.toml."))

    job = run_with(monkeypatch, refuses)
    assert (job.state, job.message) == ("failed", "城市包没有 simulation.toml。")
    assert job.message_en == "The pack has no simulation.toml."

    def breaks(job: Job, progress: Any) -> dict[str, Any]:
        raise ZeroDivisionError("oh")

    with pytest.raises(ZeroDivisionError):
        run_with(monkeypatch, breaks)
    job.refresh_from_db()
    assert job.state == "failed"
    assert "oh" in job.message
    assert "oh" in job.message_en


def test_a_city_whose_past_is_being_written_is_not_sealed(mini: str, report: Any) -> None:
    report(at=timezone.now() - timedelta(days=2))
    job, _ = common.ask_job(kind="simulate", city=mini)
    seal_all()
    assert Seal.objects.count() == 0
    common.finish(job=job.pk)
    seal_all()
    assert Seal.objects.count() == 1


# --- what an upgrade keeps --------------------------------------------------------------------------------------------

TODAY = date(2026, 11, 23)
HEAD = "code,name,valid_from,valid_to\n"


def packs(tmp_path: Path, old: str, new: str) -> tuple[Path, Path]:
    for name, text in (("old", old), ("new", new)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "regions.csv").write_text(text, encoding="utf-8")
    return tmp_path / "old", tmp_path / "new"


def kept(tmp_path: Path, old: str, new: str) -> tuple[dict[str, list[str]], list[str]]:
    former, current = packs(tmp_path, old, new)
    told = retaining.retain(new=current, old=former, today=TODAY)
    return told, (current / "regions.csv").read_text(encoding="utf-8").splitlines()


def test_a_first_installation_keeps_nothing(tmp_path: Path) -> None:
    assert retaining.retain(new=tmp_path, old=None, today=TODAY) == {}


def test_a_region_that_the_new_pack_does_not_name_ends_today(tmp_path: Path) -> None:
    told, lines = kept(tmp_path, HEAD + "1,A,2020-01-01,\n2,B,2020-01-01,\n", HEAD + "1,A,2020-01-01,\n")
    assert told == {"regions.csv": ["2"]}
    assert lines[1:] == ["1,A,2020-01-01,", "2,B,2020-01-01,2026-11-23"]


def test_one_that_ended_before_keeps_its_end_and_one_yet_to_begin_is_never_empty(tmp_path: Path) -> None:
    old = HEAD + "2,B,2020-01-01,2022-05-01\n3,C,2027-01-01,\n4,D,,\n"
    _, lines = kept(tmp_path, old, HEAD + "1,A,2020-01-01,\n")
    assert lines[2:] == ["2,B,2020-01-01,2022-05-01", "3,C,2027-01-01,2027-01-02", "4,D,,2026-11-23"]


def test_nothing_lost_leaves_the_file_untouched(tmp_path: Path) -> None:
    told, lines = kept(tmp_path, HEAD + "1,A,2020-01-01,\n", HEAD + "1,A new,2020-01-01,\n9,N,,\n")
    assert told == {}
    assert lines[1:] == ["1,A new,2020-01-01,", "9,N,,"]


# --- several workers, in processes of their own -----------------------------------------------------------------------


@pytest.fixture(params=KINDS)
def shifts(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    with site_on(request.param, tmp_path, SHIFTS) as site:
        yield site


@pytest.mark.slow
def test_workers_at_once_do_nothing_twice(shifts: Site) -> None:
    answers = shifts.all([("shift", str(time.time() + 2), "4")] * 3)
    assert sum(answer["tick"] for answer in answers) == 2 * 12, "two marks on each of the twelve late cases"
    assert sum(answer["seal"] for answer in answers) == 1
    found = shifts.run("verify")
    assert found["faults"] == []
    assert found["escalations"] == [2]
    assert found["told"] == {f"r{index}@example.org": 1 for index in range(12)}
    assert found["waiting"] == 0
    assert found["gapless"]
    assert found["tallied"] == found["cases"] == 24


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_leaves_the_rest_to_the_next(shifts: Site) -> None:
    rng = random.Random(20261123)
    for _ in range(6):
        process = shifts.start("grind", "1000")
        time.sleep(rng.uniform(0.0, 2.5))  # from before its first command to some rounds in
        process.kill()
        process.communicate()
    shifts.run("last")
    found = shifts.run("verify")
    assert found["faults"] == []
    assert found["escalations"] == [2]
    assert set(found["told"]) == {f"r{index}@example.org" for index in range(12)}, (
        "twice when killed after sending, never not"
    )
    assert found["waiting"] == 0
    assert found["gapless"]
    assert [first for _, first, _ in found["seals"]] == [0, *[size for *_, size in found["seals"]]][:-1]
    assert found["tallied"] == found["cases"] == 24


@pytest.mark.slow
def test_a_job_that_was_killed_is_begun_again_and_doubles_nothing(shifts: Site) -> None:
    shifts.run("ask", "simulate", "2")
    with killed_when(shifts, lambda found: found["simulated"] > 0):
        pass
    assert shifts.run("requeue")["requeued"] <= 1
    shifts.run("once")
    found = shifts.run("verify")
    assert found["jobs"] == ["done"]
    assert found["beats"] == 1
    assert found["simulated"] > 350
    assert found["doubled"] == 0
    assert found["faults"] == []
    assert found["tallied"] == found["cases"]


@pytest.mark.slow
def test_the_same_past_written_by_two_at_once_is_written_once(shifts: Site) -> None:
    answers = shifts.all([("past", str(time.time() + 2))] * 2)
    found = shifts.run("verify")
    assert found["doubled"] == 0
    assert found["simulated"] == max(answer["cases"] + answer["known"] for answer in answers) > 150
    assert sum(answer["cases"] for answer in answers) == found["simulated"]
    assert found["faults"] == []
    assert found["tallied"] == found["cases"]


@contextmanager
def killed_when(site: Site, ready: Any) -> Iterator[None]:
    """The worker runs until something is seen in the database, and is killed then."""
    process = site.start("work")
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until and process.poll() is None and not ready(site.run("count")):
            time.sleep(0.1)
        assert process.poll() is None, process.communicate()[1][-2000:]
        yield
    finally:
        process.kill()
        process.communicate()
