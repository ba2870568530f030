"""The keys of TOML files as models: whatever is written is taken or named, and never raises."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import Field

from yiwang.core.kernel.text import NO_TEXT, Text
from yiwang.packs import read_pack
from yiwang.packs.calendar import CalendarTable, read_calendar
from yiwang.packs.examples import ExampleFile, read_examples
from yiwang.packs.files import PackFiles
from yiwang.packs.indicator_tables import IndicatorFile
from yiwang.packs.indicators import read_indicators
from yiwang.packs.info import PackInfo, read_info
from yiwang.packs.portal import PortalPolicy, read_portal
from yiwang.packs.records.mapping import ReplayTable, read_mapping
from yiwang.packs.toml_tables import (
    Day,
    ListOf,
    Required,
    Texts,
    TomlTable,
    Width,
    Words,
    keys_of,
    read_table,
    table_in,
)

FILES: list[type[TomlTable]] = [CalendarTable, ExampleFile, IndicatorFile, PackInfo, PortalPolicy, ReplayTable]


class Shelf(TomlTable):
    id: Required
    width: Width
    title: Words = NO_TEXT


class Box(TomlTable):
    label: ClassVar[str] = "box"
    id: Required
    shelves: ListOf[Shelf] = ()


class Store(TomlTable):
    name: Words
    opened: Day = date(2026, 1, 1)
    open_now: bool = True
    share: Annotated[float, Field(gt=0)] = 0.5
    tags: Texts = ()
    room: Box
    box: ListOf[Box] = ()
    by_name: dict[str, Shelf] = Field(default_factory=dict)
    codes: dict[str, str] = Field(default_factory=dict)


SOUND: dict[str, Any] = {"name": "库", "name_en": "Store", "room": {"id": "main"}}


def read(data: dict[str, Any], model: type[TomlTable] = Store) -> tuple[Any, dict[str, str]]:
    """What became of the data, and what is said of it by place."""
    files = PackFiles(Path())
    table = read_table(model, data, files, "store.toml")
    assert all(problem.file == "store.toml" and problem.text.zh for problem in files.problems)
    return table, {problem.column: f"{problem.message!s} {problem.hint!s}".strip() for problem in files.problems}


@pytest.mark.parametrize(
    ("changes", "column", "words"),
    [
        ({"name_en": ""}, "name_en", "The key is missing or empty. Give both languages."),
        ({"name_fr": 3}, "name_fr", "3 is no text. Give both languages."),
        ({"opened": "2026-02-30"}, "opened", "'2026-02-30' is no date. Write year-month-day, e.g. 2026-03-01."),
        ({"opened": datetime(2026, 1, 1, tzinfo=UTC)}, "opened", "is no date"),
        ({"open_now": 1}, "open_now", "1 is neither true nor false. Write true or false without quotation marks."),
        ({"share": True}, "share", "True is no number. Write it without quotation marks."),
        ({"share": float("nan")}, "share", "nan is no number. Write a finite number."),
        ({"share": 10**400}, "share", "is no number"),
        ({"share": 0}, "share", "0 is too small. It must be above 0."),
        ({"tags": ["a", 1]}, "tags", 'A list of texts is expected. For example ["one", "two"].'),
        ({"tag": ["a"]}, "tag", "The key is not known. Did you mean 'tags'?"),
        ({"zz": ["a"]}, "zz", "The key is not known. Known here: box, by_name, codes, name, name_en, open_now, opened,"),
        ({"room": 3}, "room", "A table is expected. Head it with [room]."),
        ({"room": {}}, "room.id", "The key is missing or empty."),
        ({"room": {"id": "a", "shelves": 3}}, "room.shelves", "A list of tables is expected. Head each one with [[room.shelves]]."),
        ({"box": [{"id": "b", "shelves": [{"id": "1", "width": 2.5}]}]}, "box b: shelves 1: width", "2.5 is no whole number."),
        ({"box": [{"shelves": [{"id": "1"}]}]}, "box 1: shelves 1: width", "The key is missing. A number is expected."),
        ({"box": [{"id": "b"}, 4]}, "box", "A list of tables is expected. Head each one with [[box]]."),
        ({"by_name": {"x": 3}}, "by_name.x", "A table is expected. Head it with [by_name.x]."),
        ({"by_name": {"x": {"id": "", "width": 1}}}, "by_name.x.id", "The key is missing or empty."),
        ({"by_name": {"x": {"id": "1", "width": 1, "title": "书"}}}, "by_name.x.title_en", "missing or empty"),
        ({"codes": {"a": "1", "b": 2}}, "codes.b", "2 is no text. Put it in quotation marks."),
    ],
)  # fmt: skip
def test_a_fault_is_said_with_its_place_and_what_is_right(changes: dict[str, Any], column: str, words: str) -> None:
    _, said = read({**SOUND, **changes})
    assert words in said[column], said
    assert set(said) <= {column, "room.id", "box 1: id"}


def test_all_faults_come_at_once_and_the_rest_is_read() -> None:
    table, said = read(
        {
            **SOUND,
            "opened": "soon",
            "tags": ["a"],
            "box": [{"id": "b", "shelves": [{"id": "1", "width": -1}, {"id": "2", "width": 2, "depth": 3}]}],
            "codes": {"a": "1", "b": 2},
        }
    )
    assert set(said) == {"opened", "box b: shelves 1: width", "box b: shelves 2: depth", "codes.b"}
    assert (table.opened, table.tags, table.codes) == (date(2026, 1, 1), ("a",), {"a": "1"})
    assert [(shelf.id, shelf.width) for shelf in table.box[0].shelves] == [("1", 0), ("2", 2)]


def test_what_was_written_is_left_as_it_is() -> None:
    data = {**SOUND, "opened": "soon", "box": [{"id": 3}]}
    before = repr(data)
    read(data)
    assert repr(data) == before


def test_a_text_in_further_languages() -> None:
    table, said = read({**SOUND, "name_zh-Hant": "庫", "name_fr": ""})
    assert not said
    assert dict(table.name) == {"zh": "库", "en": "Store", "zh-Hant": "庫"}


# --- anything at all ----------------------------------------------------------------------------------------------------

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["zh", "(", "(a)", "a{99999999999}", "{", "{}", "{serial}", "08:00", "24:00", "2026-03-01", "EPSG:4549", "cases"])
    | st.dates()
    | st.datetimes()
    | st.datetimes(timezones=st.just(UTC))
    | st.times()
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


often = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@cache
def tables(model: type[TomlTable]) -> st.SearchStrategy[dict[str, Any]]:
    """Tables with the model's own keys and others, and values of any kind, often of the kind that belongs there."""
    own: dict[str, st.SearchStrategy[Any]] = {}
    for key, field in keys_of(model).items():
        inner, many = table_in(field.annotation)
        own[key] = values
        if inner is not None:
            one = tables(inner)
            lists = st.lists(one | scalars, max_size=3) | st.dictionaries(
                st.text(max_size=3), one | scalars, max_size=2
            )
            own[key] |= lists if many else one
        elif field.annotation is Text:
            own[f"{key}_en"] = own[f"{key}_fr"] = values
    others = st.dictionaries(st.text(max_size=5), values, max_size=1)
    return st.builds(lambda one, other: {**other, **one}, st.fixed_dictionaries({}, optional=own), others)


@pytest.mark.parametrize("model", FILES, ids=lambda model: model.__name__)
@often
@given(data=st.data())
def test_whatever_is_written_becomes_a_table_or_problems(model: type[TomlTable], data: st.DataObject) -> None:
    written = data.draw(tables(model))
    table, said = read(written, model)
    assert isinstance(table, model)
    assert said or all(
        table.model_fields_set >= {name} for name, field in model.model_fields.items() if field.is_required()
    )


class Written(PackFiles):
    """A folder in which every TOML file says the same."""

    data: ClassVar[dict[str, Any]] = {}

    def toml(self, name: str, *, required: bool = True) -> dict[str, Any] | None:
        return self.data


def places(data: Any, way: tuple[int | str, ...] = ()) -> list[tuple[int | str, ...]]:
    """The ways to everything that lies in parsed TOML."""
    inside = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [found for key, value in inside for found in ((*way, key), *places(value, (*way, key)))]


SHIPPED = Path(__file__).parents[2] / "packs" / "boston"
PACK = read_pack(SHIPPED)
READERS: dict[str, Callable[[PackFiles], object]] = {
    "pack.toml": read_info,
    "calendar.toml": lambda files: read_calendar(files, timezone="UTC"),
    "portal.toml": lambda files: read_portal(files, workflow=PACK.workflow),
    "replay.toml": read_mapping,
    "indicators.toml": lambda files: read_indicators(files, context=PACK.fact_context(), workflow=PACK.workflow),
    "examples": read_examples,
}


@pytest.mark.parametrize("name", READERS)
@often
@given(data=st.data())
def test_a_sound_file_with_anything_in_one_place_is_read_or_named(name: str, data: st.DataObject) -> None:
    path = SHIPPED / name if name.endswith(".toml") else next((SHIPPED / name).glob("*.toml"))
    written = tomllib.loads(path.read_text(encoding="utf-8"))
    way = data.draw(st.sampled_from(places(written)))
    inner: Any = written
    for step in way[:-1]:
        inner = inner[step]
    inner[way[-1]] = data.draw(values)
    files = Written(SHIPPED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Written, "data", written)
        READERS[name](files)
    assert all(problem.text.zh and str(problem) for problem in files.problems)
