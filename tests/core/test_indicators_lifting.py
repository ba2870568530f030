"""What would lift a grade: worked examples, and the promise kept: with so many cases more the grade is reached, with one less it is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.narrowing import present

from yiwang.core.indicators.definitions import Composite, Evaluation, Grade, Grading, Indicator, Part, composite
from yiwang.core.indicators.expressions import Measure
from yiwang.core.indicators.lifting import Lift, Lifts, lifts
from yiwang.core.indicators.scorecard import Cell
from yiwang.core.kernel.text import Text


def indicator(id: str, direction: str = "up") -> Indicator:
    return Indicator(
        id=id, name=Text(id, id), meaning=Text("", ""), numerator=Measure(), denominator=Measure(), unit="percent",
        direction=direction, basis="closed", source="", confidence="",
    )  # fmt: skip


INDICATORS = {"on_time": indicator("on_time"), "rework": indicator("rework", "down"), "count": indicator("count")}
GRADING = Grading(
    grades=tuple(
        Grade(id=id, least=least, name=Text(id, id), colour="green") for id, least in (("A", 90), ("B", 80), ("C", 0))
    ),
    source="", confidence="",
)  # fmt: skip
EVALUATION = Evaluation(
    id="all", name=Text("", ""), object="region", source="", confidence="", least_share=0.5,
    parts=(
        Part(indicator="on_time", weight=0.6), Part(indicator="rework", weight=0.2),
        Part(indicator="count", weight=0.2, at_least=((100, 100), (0, 50))),
    ),
)  # fmt: skip


def found(on_time: tuple[int, int], rework: tuple[int, int], count: int | None = 100) -> tuple[Composite, Lifts | None]:
    cells = {"on_time": Cell(*on_time, None), "rework": Cell(*rework, None), "count": Cell(count or 0, 1, None)}
    values = {
        "on_time": INDICATORS["on_time"].value(*on_time), "rework": INDICATORS["rework"].value(*rework),
        "count": None if count is None else float(count),
    }  # fmt: skip
    score = composite(EVALUATION, indicators=INDICATORS, values=values, grading=GRADING)
    return score, lifts(score, evaluation=EVALUATION, grading=GRADING, indicators=INDICATORS, cells=cells)


def test_a_worked_example() -> None:
    score, lifted = found((80, 100), (10, 100))
    way = present(lifted)
    assert score.score == pytest.approx(0.6 * 80 + 0.2 * 90 + 20)  # 86, grade B
    assert present(way.grade).id == "A"
    assert way.missing == pytest.approx(4)
    first, second, third = way.parts
    # 4 points of the whole are 6.67 of a part that weighs 0.6: seven of a hundred cases more on time
    assert (first.indicator, first.cases) == ("on_time", 7)
    assert first.lost == pytest.approx(12)
    # 20 points of the rework rate, of which there are only 10
    assert (second.indicator, second.cases) == ("rework", None)
    assert second.lost == pytest.approx(2)
    assert (third.indicator, third.cases) == ("count", None)
    assert third.lost == pytest.approx(0)


def test_the_best_grade_has_nothing_above_it() -> None:
    way = present(found((100, 100), (0, 100))[1])
    assert way.grade is None
    assert way.missing == 0
    assert all(part.cases is None for part in way.parts)


def test_without_data_there_is_no_way() -> None:
    assert found((0, 0), (0, 0), None)[1] is None


@given(st.integers(1, 300), st.integers(1, 300), st.data(), st.sampled_from([100, None]))
def test_so_many_cases_reach_the_grade_and_one_less_does_not(
    of_time: int, of_work: int, data: st.DataObject, count: int | None
) -> None:
    on_time, rework = data.draw(st.integers(0, of_time)), data.draw(st.integers(0, of_work))
    score, lifted = found((on_time, of_time), (rework, of_work), count)
    way = present(lifted)
    assert sum(part.share for part in way.parts) == pytest.approx(1)
    assert present(score.score) + sum(part.lost for part in way.parts) == pytest.approx(100, abs=1e-4)
    for part in way.parts:
        if part.cases is None:
            continue

        def with_more(cases: int, part: Lift = part) -> float:
            up = cases if part.indicator == "on_time" else 0
            down = cases if part.indicator == "rework" else 0
            again, _ = found((on_time + up, of_time), (rework - down, of_work), count)
            return present(again.score)

        least = present(way.grade).least
        assert with_more(part.cases) >= least - 1e-6
        assert with_more(part.cases - 1) < least
