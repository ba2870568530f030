"""The directory of units: what is above, below, beside."""

from __future__ import annotations

import pytest
from tests.case_driver import mini

from yiwang.core.cases.units import Unit, UnitDirectory
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text

UNITS = mini()[0].units


def test_what_is_above_comes_nearest_first() -> None:
    assert [unit.code for unit in UNITS.above("COM-900101")] == ["CTR-9001", "CTR-90"]
    assert [unit.code for unit in UNITS.above("CTR-90")] == []
    assert [unit.code for unit in UNITS.above("NOBODY")] == []
    assert UNITS.is_above("CTR-90", "COM-900101")
    assert not UNITS.is_above("COM-900101", "CTR-90")
    assert not UNITS.is_above("CTR-90", "CTR-90")


def test_siblings_work_at_the_same_level() -> None:
    assert [unit.code for unit in UNITS.siblings("COM-900101")] == ["COM-900102", "COM-900201", "COM-900202"]
    assert UNITS.siblings("NOBODY") == ()


def test_below_and_the_centre_of_a_unit() -> None:
    assert [unit.code for unit in UNITS.below("DEPT-WORKS")] == ["CREW-WORKS-1"]
    assert UNITS.centre_of("COM-900101") == "CTR-9001"
    assert UNITS.centre_of("CREW-WORKS-1") == UNITS.centre_of("CTR-90") == "CTR-90"
    assert UNITS.centre_of("NOBODY") == ""


@pytest.mark.parametrize(
    ("units", "said"),
    [
        ([("A", ""), ("A", "")], "stands twice"),
        ([("A", "B")], "unknown parent B"),
        ([("A", "B"), ("B", "C"), ("C", "A")], "above itself"),
        ([("A", "A")], "above itself"),
    ],
)
def test_faults_are_all_named(units: list[tuple[str, str]], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        UnitDirectory(Unit(code=code, name=Text(code, code), parent=parent) for code, parent in units)
