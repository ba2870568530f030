"""Which request a duplicate repeats."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from yiwang.core.space import DefaultPoint
from yiwang.packs.records.duplicates import link_duplicates
from yiwang.packs.records.mapping import DuplicateRule
from yiwang.packs.records.reading import SourceRecord

START = datetime(2011, 7, 1, tzinfo=UTC)
RULE = DuplicateRule(says=(re.compile("dup"),), unless=(), number=(), within_m=50.0, within_days=30.0)
NOWHERE = DefaultPoint(lon=-71.0587, lat=42.3594, radius_m=6)


def request(number: str, day: float, **more: Any) -> SourceRecord:
    usual = SourceRecord(
        external_id=number, row=0, category="A", lon=-71.1, lat=42.3,
        opened_at=START + timedelta(days=day), closed_at=START + timedelta(days=day + 1),
    )  # fmt: skip
    return replace(usual, **more)


def links(*records: SourceRecord) -> dict[str, tuple[str, str]]:
    found = link_duplicates(records, rule=RULE, default_points=[NOWHERE])
    return {number: (link.original, link.how) for number, link in found.items()}


def test_the_text_decides() -> None:
    assert links(
        request("1", 0, lat=42.0),
        request("2", 0.5),
        request("3", 1, says_duplicate=True, duplicate_of="1"),
        request("4", 1, says_duplicate=True, duplicate_of="99"),
        request("5", 0, says_duplicate=True, duplicate_of="6"),
        request("6", 3),
    ) == {"3": ("1", "number"), "4": ("99", "elsewhere"), "5": ("6", "later")}


def test_else_the_likeliest_near_it() -> None:
    near = {"lat": 42.3003}  # 33 m
    far = {"lat": 42.3006}  # 67 m
    here = {"says_duplicate": True}
    assert links(request("1", 0, **near), request("2", 1, **here)) == {"2": ("1", "place")}
    assert links(request("1", 0, **far), request("2", 1, **here)) == {"2": ("", "unknown")}
    assert links(request("1", 0, category="B"), request("2", 1, **here)) == {"2": ("", "unknown")}
    assert links(request("1", 2), request("2", 1, **here)) == {"2": ("", "unknown")}
    # the same words for the place go before a nearer time
    words = {"place": "1 Main  ST"}
    assert links(request("1", 0, **far, **words), request("2", 0.5), request("3", 1, place="1 main st", **here)) == {
        "3": ("1", "place")
    }


def test_long_ago_counts_only_while_it_is_open() -> None:
    closed = request("1", 0)
    still_open = request("1", 0, closed_at=None)
    later = request("2", 60, says_duplicate=True)
    assert links(closed, later) == {"2": ("", "unknown")}
    assert links(still_open, later) == {"2": ("1", "place")}


def test_a_duplicate_is_no_first_choice() -> None:
    assert links(request("1", 0), request("2", 0.5, says_duplicate=True), request("3", 0.7, says_duplicate=True)) == {
        "2": ("1", "place"),
        "3": ("1", "place"),
    }


def test_the_default_point_is_near_nothing() -> None:
    nowhere = {"lon": NOWHERE.lon, "lat": NOWHERE.lat}
    assert links(request("1", 0, **nowhere), request("2", 1, says_duplicate=True, **nowhere)) == {"2": ("", "unknown")}


def test_two_that_name_each_other_have_an_oldest() -> None:
    one = request("1", 0, says_duplicate=True, duplicate_of="2", closed_at=None)
    two = request("2", 1, says_duplicate=True, duplicate_of="1")
    assert links(one, two) == {"1": ("", "original"), "2": ("1", "number")}


@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 9), st.booleans(), st.integers(0, 5), st.booleans()), max_size=10
    )
)
def test_links_never_go_in_a_circle(drawn: list[tuple[int, int, bool, int, bool]]) -> None:
    records = [
        request(
            str(index),
            day,
            says_duplicate=says,
            duplicate_of=str(other) if named else "",
            lat=42.3 + step / 5000,
            closed_at=None,
        )
        for index, (day, other, says, step, named) in enumerate(drawn)
        if str(other) != str(index)
    ]
    found = link_duplicates(records, rule=RULE)
    assert found == link_duplicates(records, rule=RULE)
    for start in found:
        seen = set()
        here = start
        while here in found and found[here].is_usable:
            assert here not in seen
            seen.add(here)
            here = found[here].original
