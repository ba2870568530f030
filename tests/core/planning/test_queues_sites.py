"""Checkpoints, sampling sites and laboratories: plans, and what is wrong with files."""

from __future__ import annotations

from dataclasses import replace

import pytest

from yiwang.core.kernel.errors import BadInput
from yiwang.core.planning.queues.checkpoints import Checkpoint, Kept, LaneGroup, VehicleClass, plan_checkpoint
from yiwang.core.planning.queues.laboratory import Laboratory, load_laboratories
from yiwang.core.planning.queues.reading import read_groups, read_sites
from yiwang.core.planning.queues.screening import (
    SamplingSite,
    ScreeningRules,
    plan_site,
    total_standing,
    tubes_by_hour,
)

CARS = VehicleClass(id="car", mean=1.2, scv=0.6, arrivals=(20, 80, 120, 60))
TRUCKS = VehicleClass(id="truck", mean=4, scv=0.8, arrivals=(2, 8, 12, 6))
SHARED = LaneGroup(id="shared", classes=(CARS, TRUCKS))
RULES = ScreeningRules(
    people_per_point=2500, people_per_table=700, people_per_sampler=360, samplers_per_table=2, registrars_per_table=1,
    people_per_sampler_hour=60, service_scv=0.5, no_show=0.1, walk_minutes=15, queue_minutes=30, queue_probability=0.9,
    pooling=10,
)  # fmt: skip


def test_classes_that_share_lanes_have_the_moments_of_their_mixture() -> None:
    mean, scv = SHARED.service()
    assert mean == pytest.approx((280 * 1.2 + 28 * 4) / 308)
    square = (280 * 1.6 * 1.2**2 + 28 * 1.8 * 4**2) / 308
    assert scv == pytest.approx(square / mean**2 - 1)


def test_a_plan_of_a_checkpoint() -> None:
    place = Checkpoint(groups=(SHARED,), guidance=5, buffer=15)
    plan = plan_checkpoint(place, wait=5, probability=0.9, spill=0.05, seed=2, replications=100)
    assert plan == replace(plan, schedule=plan.schedule)
    standing = plan.schedule.standing
    assert standing is not None
    assert standing.proven
    assert standing.objective == sum(one.lanes for one in plan.hours)
    for one in plan.hours:
        assert one.least <= one.lanes
        assert one.kept is not Kept.NO  # on days that did not choose the lanes
        assert one.one_less
        assert one.utilisation == pytest.approx(one.load / one.lanes)
        assert abs(one.lanes - one.by_formula) <= 1
    given = Checkpoint(groups=(replace(SHARED, lanes=(1, 2, 2, 1)),), guidance=5, buffer=15)
    overloaded = plan_checkpoint(given, wait=5, seed=2, replications=100)
    assert overloaded.schedule.standing is None
    assert [one.lanes for one in overloaded.hours] == [1, 2, 2, 1]
    assert overloaded.hours[2].kept is Kept.NO
    assert overloaded.hours[2].formula_wait == float("inf")
    assert overloaded.hours[2].fluid_wait == pytest.approx(overloaded.hours[2].simulated.mean_wait.value, rel=0.25)


def test_the_same_seed_gives_the_same_plan() -> None:
    place = Checkpoint(groups=(LaneGroup(id="c", classes=(CARS,)), LaneGroup(id="t", classes=(TRUCKS,))), buffer=9)
    first, again = (plan_checkpoint(place, wait=8, seed=5, replications=30) for _ in range(2))
    assert first.hours == again.hours
    assert first.schedule.outcome == again.schedule.outcome


# --- sampling sites ---------------------------------------------------------------------------------------------------


def test_a_plan_of_a_site() -> None:
    site = SamplingSite(id="A", people=2600, opens=8, closes=12, shares=(1, 2, 1, 1), walk=16)
    plan = plan_site(site, RULES, seed=1, replications=40)
    assert [one.hour for one in plan.hours] == [8, 9, 10, 11]
    assert sum(one.people for one in plan.hours) == pytest.approx(2600 * 0.9)
    for one in plan.hours:
        assert one.kept is not Kept.NO
        assert one.tables * 2 >= one.samplers > (one.tables - 1) * 2
        assert one.staff == one.samplers + one.tables
        assert one.people / 10 <= one.tubes < one.people / 10 + one.tables
    assert (plan.points, plan.tables_by_norm, plan.samplers_by_norm) == (2, 4, 8)
    assert ["The walk takes" in note.en for note in plan.notes] == [True, False]
    assert all(note.zh for note in plan.notes)
    both = total_standing([plan, plan])
    assert both.objective == 2 * sum(one.samplers for one in plan.hours)
    assert both.bound <= both.objective
    assert sum(tubes_by_hour([plan, plan])) == 2 * plan.tubes


def test_rules_and_sites_that_cannot_be() -> None:
    with pytest.raises(BadInput) as refused:
        replace(RULES, pooling=0, no_show=1)
    assert len(refused.value.problems) == 2
    with pytest.raises(BadInput) as wrong:
        plan_site(SamplingSite(id="A", people=0, opens=9, closes=8), RULES)
    assert [one.column for one in wrong.value.problems] == ["closes", "people"]


def test_laboratories_by_hand() -> None:
    # 240 tubes a day are ten an hour: 30 tubes taken by 9 arrive at 10 and are in hand until 13, those taken by 10 until 15
    tubes = [0.0] * 8 + [30, 20]
    (one,) = load_laboratories(tubes, [Laboratory(id="a", capacity=240, turnaround=6, transport=60, tube_cost=2)])
    assert (one.first_in, one.last_in, one.last_result, one.longest_wait, one.cost) == (10, 11, 21, 4, 100)
    shared = load_laboratories(
        tubes, [Laboratory(id=name, capacity=capacity, turnaround=6) for name, capacity in (("a", 180), ("b", 60))]
    )
    assert [(load.tubes, load.last_result) for load in shared] == [(37.5, 21), (12.5, 21)]
    assert load_laboratories([0, 0], [Laboratory(id="a", capacity=1, turnaround=1)]) == []
    with pytest.raises(BadInput):
        load_laboratories(tubes, [])
    with pytest.raises(BadInput):
        load_laboratories(tubes, [Laboratory(id="a", capacity=0, turnaround=1)])


# --- files ------------------------------------------------------------------------------------------------------------

SERVICE = "class,mean_seconds,scv,lanes\ncar,72,0.6,\ntruck,240,0.8,auto\nbus,90,1,2\n"


def test_groups_from_files() -> None:
    arrivals = "hour,class,arrivals\n0,car,10\n2,truck,4.5\n1,bus,3\n"
    shared, truck, bus = read_groups(arrivals, SERVICE, lanes=3)
    assert (shared.id, shared.lanes, shared.arrivals) == ("shared", (3, 3, 3), [10, 0, 0])
    assert (truck.lanes, truck.classes[0].arrivals, truck.classes[0].mean) == (None, (0, 0, 4.5), 4)
    assert bus.lanes == (2, 2, 2)
    assert read_groups(arrivals, SERVICE, lanes=None)[0].lanes is None


@pytest.mark.parametrize(
    ("arrivals", "service", "where"),
    [
        ("hour,class,arrivals\n0,car,-1\n", SERVICE, ("arrivals", 2, "arrivals")),
        ("hour,class,arrivals\n1.5,car,1\n", SERVICE, ("arrivals", 2, "hour")),
        ("hour,class,arrivals\n999,car,1\n", SERVICE, ("arrivals", 2, "hour")),
        ("hour,class,arrivals\n0,tram,1\n", SERVICE, ("arrivals", 2, "class")),
        ("hour,class,arrivals\n0,car,1\n0,car,2\n", SERVICE, ("arrivals", 3, "hour")),
        ("hour,class,arrivals\n", SERVICE, ("arrivals", None, "arrivals")),
        ("hour,class\n0,car\n", SERVICE, ("arrivals", 1, "arrivals")),
        ("hour,class,arrivals\n0,car,nan\n", SERVICE, ("arrivals", 2, "arrivals")),
        ("hour,class,arrivals\n0,car,1\n", "class,mean_seconds,scv\ncar,0,1\n", ("service", 2, "mean_seconds")),
        ("hour,class,arrivals\n0,car,1\n", "class,mean_seconds,scv\ncar,9,1\ncar,9,1\n", ("service", 3, "class")),
        ("hour,class,arrivals\n0,car,1\n", SERVICE.replace("auto", "many"), ("service", 3, "lanes")),
    ],
)
def test_faults_of_files_name_row_and_column(arrivals: str, service: str, where: tuple[str, int | None, str]) -> None:
    with pytest.raises(BadInput) as refused:
        read_groups(arrivals, service, lanes=1)
    assert where in [(one.file, one.row, one.column) for one in refused.value.problems]
    assert all(one.message.zh and one.hint.zh for one in refused.value.problems)


def test_sites_from_a_file() -> None:
    one, two = read_sites("id,people,opens,closes,shares,walk_minutes\nA,90,8,10,1;2,4\nB,5,0,72,,\n")
    assert one == SamplingSite(id="A", people=90, opens=8, closes=10, shares=(1, 2), walk=4)
    assert two.shares == ()
    with pytest.raises(BadInput) as refused:
        read_sites("id,people,opens,closes,shares\nA,x,8,10,1\nA,5,8,7,\n")
    assert [(one.row, one.column) for one in refused.value.problems] == [
        (2, "people"),
        (2, "shares"),
        (2, "people"),
        (3, "id"),
        (3, "closes"),
    ]
    with pytest.raises(BadInput):
        read_sites("id,people,opens,closes\n")
