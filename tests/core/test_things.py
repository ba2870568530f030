"""Codes of components, and which counted component is which."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from yiwang.core.space.frame import metres_per_degree
from yiwang.core.things.census import Census, Outcome, compare
from yiwang.core.things.codes import CODE_SCHEMES, CodeScheme
from yiwang.core.things.matching import match_points

OLD, NEW = CODE_SCHEMES["GB/T 30428.2"], CODE_SCHEMES["GB/T 47678.5"]
Spots = list[tuple[float, float]]
LON, LAT = 120.3, 31.5
EAST, NORTH = metres_per_degree(LAT)


def places(*metres: tuple[float, float]) -> NDArray[np.float64]:
    """Points so many metres east and north of a corner."""
    return np.array([(LON + x / EAST, LAT + y / NORTH) for x, y in metres]).reshape(-1, 2)


def census(*metres: tuple[float, float], codes: str = "", sources: str = "", contents: str = "") -> Census:
    none = [""] * len(metres)
    return Census(
        codes=codes.split(",") if codes else none,
        sources=sources.split(",") if sources else none,
        places=places(*metres),
        contents=contents.split(",") if contents else none,
    )


@pytest.mark.parametrize("scheme", [OLD, NEW])
def test_a_code_is_division_class_and_number(scheme: CodeScheme) -> None:
    kind = "01001"[: scheme.kind]
    code = scheme.code(prefix=scheme.prefix(region="320211001002", kind=kind), number=7)
    assert code == f"320211{kind}000007"
    assert len(code) == scheme.length
    assert scheme.fault(code, region="320211001002", kind=kind) is None


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("3202110100100000", "17 位"),
        ("32021101001000000X", "17 位"),
        ("３２０２１１０１００１０００００１", "17 位"),
        ("32020601001000001", "320206"),
        ("32021101002000001", "01002"),
        ("32021101001000000", "顺序号是零"),
    ],
)
def test_a_code_that_does_not_fit_is_named(code: str, words: str) -> None:
    fault = NEW.fault(code, region="320211001002", kind="01001")
    assert fault is not None
    assert words in fault.text.into("zh")


def test_numbers_run_out() -> None:
    prefix = NEW.prefix(region="320211", kind="01001")
    assert NEW.code(prefix=prefix, number=999_999).endswith("999999")
    with pytest.raises(ValueError, match="1000000"):
        NEW.code(prefix=prefix, number=1_000_000)
    with pytest.raises(ValueError, match="division"):
        NEW.prefix(region="3202", kind="01001")


def test_a_row_that_was_surveyed_some_metres_off_is_not_shifted_by_one() -> None:
    """Nearest-first gives the second lamp the place of the third, and so on, and finds the first one missing."""
    known = [(0.0, 0.0), (5.0, 0.0), (10.0, 0.0), (15.0, 0.0)]
    counted = [(3.0, 0.0), (8.0, 0.0), (13.0, 0.0), (18.0, 0.0)]
    left, right, metres = match_points(places(*known), places(*counted), within=6)
    assert list(zip(left.tolist(), right.tolist(), strict=True)) == [(0, 0), (1, 1), (2, 2), (3, 3)]
    assert metres == pytest.approx([3.0] * 4, abs=0.01)


metres = st.floats(0, 40, allow_nan=False)
spots = st.lists(st.tuples(metres, metres), max_size=7)


# two on which the solver went round for ever while costs were fractions: it saw equal sums as different
HUNG_TWICE = {
    "known": [
        (13.895406930626354, 1.0),
        (1.9, 23.084742337024498),
        (0.5, 11.599962757490792),
        (1.9, 23.084742337024498),
        (40.0, 30.0),
        (10.0, 20.0),
        (39.99999, 0.0),
    ],
    "counted": [
        (0.0, 16.777879414888282),
        (1.1, 0.0),
        (13.895406930626354, 1.0),
        (39.99999, 0.5),
        (0.0, 8.848948207564531),
        (0.3333333333333333, 38.62059030777183),
        (13.895406930626354, 1.0),
    ],
    "within": 20.0,
}
HUNG_AT_A_POINT = {
    "known": [
        (1e-05, 3.2355521485607763),
        (39.99999, 36.980025763906816),
        (13.820352501538595, 9.942198676519496),
        (14.190678694307465, 5e-324),
        (13.820352501538595, 9.942198676519496),
    ],
    "counted": [
        (1e-05, 2.713462607733903),
        (32.79705219082785, 2.4377752963171107),
        (5e-324, 1e-12),
        (21.37720902810381, 1e-09),
        (1.0, 0.0),
    ],
    "within": 28.127686239604458,
}


@given(known=spots, counted=spots, within=st.floats(1, 30))
@example(**HUNG_TWICE)
@example(**HUNG_AT_A_POINT)
def test_no_assignment_costs_less(known: Spots, counted: Spots, within: float) -> None:
    """Against the dense assignment problem in which every point may stay alone at the cost of within²."""
    before, after = places(*known), places(*counted)
    left, right, metres = match_points(before, after, within=within)
    assert len(set(left.tolist())) == len(left)
    assert len(set(right.tolist())) == len(right)
    assert (metres <= within * (1 + 1e-9)).all()
    n, m = len(known), len(counted)
    cost = np.zeros((n + m, n + m))
    scale = np.array(metres_per_degree(float(np.concatenate([before, after])[:, 1].mean()) if n + m else LAT))
    apart = np.linalg.norm((before[:, None] - after[None]) * scale, axis=2).reshape(n, m)
    cost[:n, :m] = np.where(apart <= within, (apart / within) ** 2, 1e6)
    cost[:n, m:] = 1
    cost[n:, :m] = 1
    rows, columns = linear_sum_assignment(cost)
    found = float(((metres / within) ** 2).sum()) + (n - len(left)) + (m - len(right))
    assert found == pytest.approx(float(cost[rows, columns].sum()), abs=1e-6)


def test_a_code_wins_over_an_id_and_both_over_the_place() -> None:
    known = census((0, 0), (3, 0), (6, 0), codes="A,B,C", sources="1,2,3")
    counted = census((6, 0), (0, 0), (3, 0), codes="A,,", sources=",2,9")
    pairs = {one.known: one.counted for one in compare(known, counted, within=10, tolerance=1)}
    assert pairs == {0: 0, 1: 1, 2: 2}


def test_what_a_census_says() -> None:
    known = census((0, 0), (20, 0), (40, 0), (60, 0), (80, 0), contents="lamp,lamp,lamp,lamp,lamp")
    counted = census((0.5, 0), (24, 0), (40, 0), (64, 0), (200, 0), contents="lamp,lamp,bench,bench,lamp")
    found = compare(known, counted, within=5, tolerance=1)
    assert [(one.outcome, one.described) for one in found] == [
        (Outcome.SAME, False),
        (Outcome.MOVED, False),
        (Outcome.CHANGED, True),
        (Outcome.MOVED, True),
        (Outcome.MISSING, False),
        (Outcome.NEW, False),
    ]
    assert found[1].metres == pytest.approx(4.0, abs=0.01)
    assert found[4].known == 4
    assert found[5].counted == 4


def test_nothing_against_nothing() -> None:
    assert compare(census(), census(), within=5, tolerance=1) == []
    assert [one.outcome for one in compare(census(), census((0, 0)), within=5, tolerance=1)] == [Outcome.NEW]
    assert [one.outcome for one in compare(census((0, 0)), census(), within=5, tolerance=1)] == [Outcome.MISSING]
    with pytest.raises(ValueError, match="positive"):
        match_points(places((0, 0)), places((0, 0)), within=0)
