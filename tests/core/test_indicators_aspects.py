"""An index: aspects are scored on their own first; what is missing is left out of its own aspect before that is of the whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yiwang.core.indicators.definitions import Aspect, Composite, Evaluation, Indicator, Part, composite
from yiwang.core.indicators.expressions import Measure
from yiwang.core.indicators.scorecard import Cell
from yiwang.core.indicators.standing import composite_error
from yiwang.core.kernel.text import Text

NAMES = ("dust", "litter", "calls")


def indicator(id: str, unit: str = "percent") -> Indicator:
    return Indicator(
        id=id, name=Text(id, id), meaning=Text("", ""), numerator=Measure(), denominator=Measure(), unit=unit,
        direction="up", basis="closed", source="", confidence="",
    )  # fmt: skip


INDICATORS = {name: indicator(name, "score" if name == "dust" else "percent") for name in NAMES}
INDEX = Evaluation(
    id="index", name=Text("", ""), object="region", source="", confidence="", least_share=0.5,
    aspects=(Aspect(id="clean", name=Text("", ""), weight=0.6), Aspect(id="heard", name=Text("", ""), weight=0.4)),
    parts=(
        Part(aspect="clean", indicator="dust", weight=0.7), Part(aspect="clean", indicator="litter", weight=0.3),
        Part(aspect="heard", indicator="calls", weight=1),
    ),
)  # fmt: skip


def found(**values: float | None) -> Composite:
    return composite(INDEX, indicators=INDICATORS, values=values, grading=None)


def test_a_worked_example() -> None:
    whole = found(dust=80.0, litter=60.0, calls=90.0)
    assert whole.aspects == {"clean": pytest.approx(74.0), "heard": 90.0}
    assert whole.score == pytest.approx(0.6 * 74 + 0.4 * 90)
    assert whole.known_share == pytest.approx(1)
    assert whole.weights == pytest.approx({"dust": 0.42, "litter": 0.18, "calls": 0.4})


def test_a_missing_part_leaves_its_weight_to_its_own_aspect() -> None:
    less = found(dust=80.0, litter=None, calls=90.0)
    assert less.aspects["clean"] == 80.0
    assert less.score == pytest.approx(0.6 * 80 + 0.4 * 90)
    assert less.known_share == pytest.approx(0.6 * 0.7 + 0.4)


def test_an_aspect_of_which_too_little_is_known_is_missing_as_a_whole() -> None:
    less = found(dust=None, litter=100.0, calls=90.0)
    assert less.aspects == {"clean": None, "heard": 90.0}
    assert less.score is None, "and 0.4 of the weights is less than half"
    assert less.known_share == pytest.approx(0.6 * 0.3 + 0.4)
    assert found(dust=80.0, litter=60.0, calls=None).score == pytest.approx(74.0), "0.6 is enough"
    assert found(dust=None, litter=None, calls=None).score is None


def test_a_score_of_a_sample_leaves_no_interval() -> None:
    cells = {name: Cell(80, 100, 80.0) for name in NAMES}
    sampled = found(dust=80.0, litter=60.0, calls=90.0)
    assert composite_error(sampled, evaluation=INDEX, cells=cells, indicators=INDICATORS) is None
    without = found(dust=None, litter=None, calls=90.0)
    assert composite_error(without, evaluation=INDEX, cells=cells, indicators=INDICATORS) is None, "no score"


@given(st.fixed_dictionaries({name: st.none() | st.floats(0, 100) for name in NAMES}))
def test_weights_make_the_score(values: dict[str, float | None]) -> None:
    one = found(**values)
    if one.score is None:
        assert not one.weights
        return
    assert sum(one.weights.values()) == pytest.approx(1)
    assert one.score == pytest.approx(
        sum(weight * (values[name] or 0.0) for name, weight in one.weights.items()), abs=1e-5
    )
    assert 0 <= one.known_share <= 1 + 1e-9
