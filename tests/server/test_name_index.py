"""Finding a named thing by a piece of its name, by pinyin, by initials or by code."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yiwang.server.common.name_index import Named, NameIndex, fold, pinyin

THINGS = [
    Named("lake", ("太湖", "Lake Tai"), ("320211001",), 3.0),
    Named("street", ("太湖街道", "Taihu Street"), ("320211002",), 2.0),
    Named("avenue", ("太湖大道",), ("",), 1.0),
    Named("long", ("长江路", "Changjiang Road"), (), 0.5),
    Named("hu", ("湖㳇镇",), ("320282106",), 0.1),
]
INDEX = NameIndex(THINGS)


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("太湖", "lake"),  # the whole name before a beginning
        ("湖街", "street"),
        ("ＴＡＩＨＵ", "lake"),  # full width, capitals
        ("thjd", "street"),
        ("taihudadao", "avenue"),
        ("changjiang", "long"),  # 长 is read chang here, by the phrase
        ("cjl", "long"),
        ("320282", "hu"),
        ("lake-tai", "lake"),
        ("大道 太湖", "avenue"),  # words in any order
        ("㳇", "hu"),
    ],
)
def test_what_comes_first(words: str, first: str) -> None:
    assert INDEX.find(words)[0] == first


@pytest.mark.parametrize("words", ["井盖", "20282106", "aihu lake2", "\n"])
def test_what_is_not_found(words: str) -> None:
    """A code is found from its beginning only; and a line break finds nothing but everything's list."""
    found = INDEX.find(words)
    assert found == ([] if fold(words) else [thing.key for thing in THINGS])


def test_two_letters_of_pinyin_only_from_the_beginning() -> None:
    assert INDEX.find("jd") == []
    assert INDEX.find("th")[:2] == ["lake", "street"]


def test_no_words_give_the_weightiest() -> None:
    assert INDEX.find("", limit=2) == ["lake", "street"]


def test_pinyin() -> None:
    assert pinyin("太湖街道") == ("taihujiedao", "thjd")
    assert pinyin("Boston") == ("", "")


@given(st.lists(st.text(min_size=1, max_size=8), max_size=12), st.text(max_size=4))
def test_a_piece_of_a_name_finds_it_like_a_plain_search(names: list[str], words: str) -> None:
    index = NameIndex([Named(number, (name,)) for number, name in enumerate(names)])
    found = set(index.find(words, limit=1000))
    wanted = [fold(word) for word in words.split() if fold(word)]
    plain = {number for number, name in enumerate(names) if all(word in fold(name) for word in wanted)}
    assert plain <= found if wanted else found == set(range(len(names)))
