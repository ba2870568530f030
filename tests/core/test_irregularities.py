"""Detectors of irregularities: each finds what it should by hand-made rows, and the arithmetic is that of its source."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from scipy.stats import betabinom, binom

from yiwang.core.irregularities.base_rates import against_others, dispersion
from yiwang.core.irregularities.bunching import BINS, bulk_closings, bunching, bursts, jump, smooth_chance
from yiwang.core.irregularities.clocks import Fault, clocks, fault_of
from yiwang.core.irregularities.injecting import SimulatedCity, simulated_rows
from yiwang.core.irregularities.leads import Kind, Lead
from yiwang.core.irregularities.looking import all_findings, look
from yiwang.core.irregularities.multiplicity import surviving
from yiwang.core.irregularities.reopened import reopened
from yiwang.core.irregularities.rows import ClockReading, Closing, Opening, Suspension, Verification
from yiwang.core.irregularities.shifting import shifting
from yiwang.core.irregularities.suspending import suspending
from yiwang.core.irregularities.verifying import same_person, verified_inside

NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)
PERIOD = "2026-11"


def closing(number: int, **given: object) -> Closing:
    values = {"case": f"c{number}", "unit": "a", "category": "x", "at": NOON, "left_s": 100.0, "actor": "p"}
    return Closing(**(values | given))  # type: ignore[arg-type]


def lead_of(leads: list[Lead], unit: str = "a") -> Lead:
    (found,) = (one for one in leads if one.unit == unit)
    return found


def test_a_third_is_what_a_linear_density_gives() -> None:
    assert smooth_chance(10, 20, curvature=0) == pytest.approx(float(binom.sf(9, 30, 1 / 3)))
    assert smooth_chance(25, 5, curvature=0) < 1e-6
    assert smooth_chance(10, 20) > smooth_chance(10, 20, curvature=0)
    assert smooth_chance(0, 0) == 1
    assert smooth_chance(0, 9) == 1


def test_the_test_keeps_its_level_where_the_density_is_smooth() -> None:
    random = np.random.default_rng(5)
    chances = [smooth_chance(int(m), 90 - int(m), curvature=0) for m in random.binomial(90, 1 / 3, 4000)]
    assert np.mean(np.array(chances) <= 0.05) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 4000)


def test_closings_heaped_before_the_deadline() -> None:
    rows = [closing(n, left_s=60.0 * n) for n in range(40)]  # all within the last hour
    rows += [closing(100 + n, unit="b", left_s=-3000 + 150.0 * n) for n in range(60)]
    rows += [closing(200 + n, unit="c", left_s=-3000 + 150.0 * n) for n in range(60)]
    rows.append(closing(300, left_s=None))
    found = bunching(rows, period=PERIOD)
    heaped = lead_of(found)
    assert heaped.p_value is not None
    assert heaped.p_value < 1e-3
    assert (heaped.observed, heaped.trials, len(heaped.cases)) == (40, 40, 40)
    assert heaped.data["bins"][BINS] == 40
    assert jump(heaped.data["bins"]) is None
    assert all((one.p_value or 0) > 0.1 for one in found if one.unit != "a")
    assert jump([0] * (BINS - 1) + [4, 12, 4] + [0] * (BINS - 2)) == 3


def test_bunching_needs_both_a_jump_and_being_unlike_the_others() -> None:
    everybody = [
        closing(100 * place + n, unit=unit, left_s=60.0 * n) for place, unit in enumerate("abcd") for n in range(40)
    ]
    found = bunching(everybody, period=PERIOD)
    assert all(one.data["smooth"] < 0.001 for one in found)
    assert all((one.p_value or 0) > 0.05 for one in found)


def test_bursts_do_not_overlap() -> None:
    times = [closing(n, at=NOON + timedelta(minutes=n)) for n in range(24)]
    assert [len(one) for one in bursts(times)] == [11, 11]
    assert bursts(times[:4]) == []
    assert bursts([closing(n, at=NOON + timedelta(hours=n)) for n in range(9)]) == []


def test_bulk_closings_before_deadlines() -> None:
    rows = [closing(n, at=NOON + timedelta(days=n // 8, seconds=20 * n)) for n in range(40)]
    for place, unit in enumerate("bcdef"):
        rows += [closing(1000 * place + 100 + n, unit=unit, at=NOON + timedelta(hours=n)) for n in range(60)]
    found = bulk_closings(rows, period=PERIOD)
    heap = lead_of(found)
    assert heap.observed == 5
    assert len(heap.cases) == 40
    assert heap.p_value is not None
    assert heap.p_value < 0.001
    assert [one[2] for one in heap.data["bursts"]] == [8] * 5
    assert lead_of(found, "b").p_value == 1
    far = [replace(one, left_s=1e6) for one in rows]
    assert bulk_closings(far, period=PERIOD) == []


def test_what_came_again_near_by() -> None:
    at = {"closed_at": NOON, "x_m": 0.0, "y_m": 0.0}
    rows = [closing(n, unit=unit, **at) for n, unit in enumerate("a" * 12 + "b" * 40)]
    rows = [replace(one, x_m=1000.0 * n) for n, one in enumerate(rows)]

    def again(n: int, *, days: float = 3, east: float = 30, category: str = "x") -> Opening:
        return Opening(
            case=f"again{n}-{east}", category=category, at=NOON + timedelta(days=days), x_m=1000 * n + east, y_m=0
        )

    later = [again(n) for n in range(8)]
    later += [again(8, days=31), again(9, days=-1), again(10, east=-51), again(11, category="y"), again(20, east=-49)]
    found = reopened(rows, later, period=PERIOD)
    lead = lead_of(found)
    assert (lead.observed, lead.trials) == (8, 12)
    assert lead.data["again"][0] == ["c0", "again0-30"]
    assert lead_of(found, "b").observed == 1
    assert reopened([replace(rows[0], closed_at=None), replace(rows[1], x_m=None)], later, period=PERIOD) == []


def test_suspensions_count_by_the_days_of_the_city() -> None:
    last = datetime(2026, 11, 27, 17, tzinfo=UTC)  # the 28th in Shanghai: the third day from the end
    rows = [Suspension(case=f"s{n}", unit="a", at=last) for n in range(9)]
    rows += [
        Suspension(case=f"t{n}", unit=unit, at=datetime(2026, 11, 1 + n, 2, tzinfo=UTC))
        for unit in "bc"
        for n in range(27)
    ]
    lead = lead_of(suspending(rows, period=PERIOD, zone=ZoneInfo("Asia/Shanghai")))
    assert lead.observed == lead.trials == 9
    assert lead.rate == pytest.approx(0.1)  # never below the share of the days
    assert lead.data["days"][27] == 9
    assert lead_of(suspending(rows, period=PERIOD, zone=UTC)).observed == 0


def test_one_person_with_two_accounts() -> None:
    def row(n: int, verifier: str, unit: str = "a") -> Verification:
        return Verification(case=f"v{n}", unit=unit, handlers=frozenset({"crew"}), verifier=verifier, inside=n % 2 == 0)

    rows = [row(0, "other"), row(1, "second"), row(2, "second"), row(3, "crew", "b"), row(4, "unknown")]
    found = same_person(rows, persons={"crew": "p1", "second": "p1", "other": "p2"}, period=PERIOD)
    assert [(one.unit, one.cases, one.p_value) for one in found] == [("a", ("v1", "v2"), None), ("b", ("v3",), None)]
    assert found[0].data["pairs"] == [["crew", "second", 2]]
    assert found[0].rate == pytest.approx(3 / 5)
    assert same_person([], persons={}, period=PERIOD) == []
    many = [row(2 * n, "x") for n in range(20)] + [row(2 * n + 1, "x", unit) for unit in "bcd" for n in range(40)]
    inside = lead_of(verified_inside(many, period=PERIOD))
    assert inside.observed == 20
    assert inside.p_value is not None
    assert inside.p_value < 1e-6


@pytest.mark.parametrize(
    ("claimed", "not_before", "fault"),
    [
        (timedelta(0), None, None),
        (timedelta(minutes=9), None, None),
        (timedelta(minutes=11), None, Fault.AHEAD),
        (timedelta(days=-2), None, None),
        (timedelta(days=-4), None, Fault.BEHIND),
        (timedelta(hours=-3), timedelta(hours=-2), Fault.BEFORE),
        (timedelta(hours=-1), timedelta(hours=-2), None),
    ],
)
def test_faults_of_clocks(claimed: timedelta, not_before: timedelta | None, fault: Fault | None) -> None:
    reading = ClockReading(
        case="c", unit="a", claimed=NOON + claimed, received=NOON,
        not_before=None if not_before is None else NOON + not_before,
    )  # fmt: skip
    assert fault_of(reading) == fault


def test_the_chance_is_binomial_where_units_are_alike_and_many() -> None:
    counts = {f"u{n}": (10, 100) for n in range(5000)} | {"odd": (25, 100)}
    assert dispersion(counts) == 0
    assert against_others(counts)["odd"].p_value == pytest.approx(float(binom.sf(24, 100, 0.1)), rel=0.02)


def test_units_that_differ_honestly_do_not_stand_out() -> None:
    random = np.random.default_rng(7)
    counts = {
        f"u{n}": (int(random.binomial(200, rate)), 200) for n, rate in enumerate(random.beta(0.1 * 30, 0.9 * 30, 400))
    }
    assert dispersion(counts) == pytest.approx(1 / 31, rel=0.35)
    chances = np.array([one.p_value for one in against_others(counts).values()])
    alike = np.array([float(binom.sf(k - 1, n, 0.1)) for k, n in counts.values()])
    assert np.mean(chances < 0.01) < 0.02
    assert np.mean(alike < 0.01) > 0.08  # what a plain binomial test would have said of them


def test_three_that_cheat_do_not_hide_each_other() -> None:
    counts = {f"u{n}": (10, 100) for n in range(37)} | {f"bad{n}": (45, 100) for n in range(3)}
    found = against_others(counts)
    assert found["bad0"].rate == pytest.approx(0.1, abs=0.002)
    assert found["bad0"].p_value < 1e-10


def test_few_trials_and_lone_units_are_not_judged() -> None:
    assert set(against_others({"a": (1, 2), "b": (3, 30)}, least=10)) == {"b"}
    assert against_others({"a": (1, 20)}) == {}
    assert against_others({}) == {}
    assert against_others({"a": (0, 20), "b": (0, 30)})["a"].p_value == 1
    expected = betabinom.sf(4, 20, *((lambda size, rate: (rate * size, (1 - rate) * size))(31, 0.5 / 31)))
    assert against_others({"a": (5, 20), "b": (0, 30)})["a"].p_value == pytest.approx(float(expected))


def test_false_discoveries() -> None:
    base = Lead(
        kind=Kind.BULK, unit="a", period=PERIOD, cases=(), observed=1, trials=1, expected=0, rate=0, p_value=None
    )
    leads = [base, *(replace(base, p_value=p) for p in (0.001, 0.02, 0.2, 0.9))]
    kept = surviving(leads)
    assert [(one.p_value, one.q_value) for one in kept] == [(None, None), (0.001, 0.004), (0.02, 0.04)]
    assert surviving([base]) == [base]
    assert surviving([]) == []


@pytest.mark.parametrize("kind", list(Kind))
def test_injected_fraud_is_found(kind: Kind) -> None:
    rows = simulated_rows(seed=4, city=SimulatedCity(units=25), fraud={kind: (3, 11)}, strength=0.7)
    leads, tests = look(rows, city="simulated", period=PERIOD, zone=UTC)
    assert {one.unit for one in leads if one.kind == kind} == {"u3", "u11"}
    assert tests > 100


def test_a_city_is_the_same_for_the_same_seed() -> None:
    small = SimulatedCity(units=4, cases=20)
    once, again, other = (simulated_rows(seed=seed, city=small) for seed in (1, 1, 2))
    assert once == again
    assert once != other
    assert all_findings(once, city="simulated", period=PERIOD, zone=UTC) == all_findings(
        again, city="simulated", period=PERIOD, zone=UTC
    )


def test_longer_limits_and_moved_clocks_are_told_with_their_figures() -> None:
    rows = simulated_rows(
        seed=2, city=SimulatedCity(units=12), fraud={Kind.SHIFTING: (1,), Kind.CLOCKS: (2,)}, strength=0.6
    )
    shifted = lead_of(shifting(rows.reclassifications, period=PERIOD), "u1")
    assert len(shifted.data["limits"]) == shifted.observed == len(shifted.cases)
    assert all(after > before * 1.25 for _, before, after in shifted.data["limits"])
    moved = lead_of(clocks(rows.clock_readings, period=PERIOD), "u2")
    assert sum(moved.data["faults"].values()) == moved.observed
