"""Pydantic's errors in both languages: every kind that we translate says in English what pydantic says."""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from yiwang.core.cases.payloads import REQUIREMENTS
from yiwang.server.api.schemas import VerbIn
from yiwang.server.api.validation import WORDS, words
from yiwang.server.common.moments import Moment


class Colour(Enum):
    RED = "red"


class Small(BaseModel):
    model_config = ConfigDict(extra="forbid")
    a: int


FAULTS: list[tuple[Any, Any]] = [
    (Small, {}),
    (Small, {"a": 1, "b": 2}),
    (Small, 3),
    (dict[str, int], 3),
    (list[int], 3),
    (str, 3),
    (Annotated[str, Field(min_length=2)], "x"),
    (Annotated[str, Field(max_length=2)], "xyz"),
    (Annotated[str, Field(pattern="^a$")], "b"),
    (int, []),
    (int, "x"),
    (int, 1.5),
    (float, []),
    (float, "x"),
    (Annotated[float, Field(allow_inf_nan=False)], float("inf")),
    (bool, "maybe"),
    (bool, []),
    (Annotated[int, Field(gt=2)], 1),
    (Annotated[int, Field(ge=2)], 1),
    (Annotated[int, Field(lt=2)], 3),
    (Annotated[int, Field(le=2)], 3),
    (Literal["a", "b"], "c"),
    (Colour, "blue"),
    (datetime, "yesterday"),
    (Moment, "0448-05-01T15:21:51Z"),
    (AwareDatetime, "2026-03-01T08:00:00"),
    (date, "yesterday"),
]


def error_of(kind: Any, value: Any) -> dict[str, Any]:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(value)
    return dict(caught.value.errors()[0])


@pytest.mark.parametrize(("kind", "value"), FAULTS, ids=lambda one: str(one).partition(" at 0x")[0])
def test_the_english_is_pydantics_and_there_is_chinese(kind: Any, value: Any) -> None:
    error = error_of(kind, value)
    assert error["type"] in WORDS
    text = words(error)
    assert text.en == error["msg"]
    assert text.zh != text.en


def test_an_unknown_kind_is_said_as_it_comes_in_english_and_as_a_fault_in_chinese() -> None:
    said = words({"type": "frozen_field", "msg": "Field is frozen {x}"})
    assert (said.zh, said.en) == ("这一项不符合要求", "Field is frozen {x}")


def test_the_api_takes_everything_that_a_verb_may_require() -> None:
    assert set(VerbIn.model_fields) >= REQUIREMENTS - {"photo"}  # which comes as `photos`
