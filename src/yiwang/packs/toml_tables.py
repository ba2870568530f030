"""The tables of a pack's TOML files as pydantic models: keys are declared once, and every fault is said in both languages.

A file's reader declares a `TomlTable` with its keys and calls `read_table`. A key that cannot be taken is named and then
stands at its default, or at a value of its kind that harms nobody, so that what comes after can still be checked.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, ClassVar, TypeVar, get_args, get_origin
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    Strict,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError

from yiwang.core.kernel.text import NO_TEXT, Text, language_keys
from yiwang.packs.files import PackFiles
from yiwang.packs.hints import ISO_HINT, did_you_mean, one_of

_FAULTY = object()  # stands in the data where a value could not be taken
_STAND_INS: Mapping[object, object] = {str: "", int: 0, float: 0.0, Text: NO_TEXT}


@dataclass(frozen=True, slots=True)
class Expected:
    """What belongs to a key, beside its type.

    Attributes:
        hint: What would be right.
        message: What is wrong with any value that is not taken; by the kind of fault where it is not given.
        otherwise: What stands for a required value that could not be taken.
    """

    hint: Text = NO_TEXT
    message: Text = NO_TEXT
    otherwise: object = None


class TomlTable(BaseModel):
    """One table of a TOML file. A `Words` key stands there in its languages: ``name``, ``name_en``, ``name_<tag>``."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, arbitrary_types_allowed=True
    )
    # How one table of a list is called where faults are named, with its id; without a label it is its key and number.
    label: ClassVar[str] = ""

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, data: Any) -> Any:
        """Texts with all their languages under one key, and tables that nobody wrote as empty ones."""
        if not isinstance(data, Mapping):
            return data
        table = dict(data)
        for key, field in keys_of(cls).items():
            if field.annotation is Text and table.get(key) is not _FAULTY:
                written = {tag: table.pop(name) for tag, name in language_keys(table, key).items()}
                if field.is_required() or {"zh", "en"} & written.keys():
                    said = {tag: words for tag, words in written.items() if words != ""}
                    table[key] = {"zh": "", "en": "", **said}
                elif written:
                    table[key] = written
            elif field.is_required() and _is_table(field):
                table.setdefault(key, {})
        return table

    @field_validator("*", mode="wrap")
    @classmethod
    def _stand_in(cls, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        if value is not _FAULTY:
            return handler(value)
        field = cls.model_fields[info.field_name or ""]
        if not field.is_required():
            return field.get_default(call_default_factory=True)
        expected = _expected(field).otherwise
        return _STAND_INS.get(field.annotation) if expected is None else expected


Table = TypeVar("Table", bound=TomlTable)
Item = TypeVar("Item")


def wrong(message: Text, hint: Text = NO_TEXT) -> PydanticCustomError:
    """What the check of a key raises."""
    return PydanticCustomError("wrong", "wrong", {"message": message, "hint": hint})


def labelled(tables: Sequence[Table]) -> Iterator[tuple[str, Table]]:
    """The tables of a list, each with how its faults begin: ``indicator on_time: ``."""
    for number, table in enumerate(tables, start=1):
        yield f"{table.label} {getattr(table, 'id', '') or number}: ", table


# --- kinds of keys ------------------------------------------------------------------------------------------------------


def _read_words(value: Any) -> Text:
    return value if isinstance(value, Text) else Text.of(_LANGUAGES.validate_python(value))


def _read_day(value: Any) -> date:
    """A TOML date or an ISO text."""
    try:
        return value if type(value) is date else date.fromisoformat(value)
    except (TypeError, ValueError):
        raise wrong(Text("「{value}」不是日期。", "{value!r} is no date.", value=value), ISO_HINT) from None


def _check_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        hint = Text('请写 IANA 时区名，例如 "Asia/Shanghai"。', 'An IANA name, e.g. "Asia/Shanghai".')
        raise wrong(Text("「{name}」不是时区。", "{name!r} is no time zone.", name=name), hint) from None
    return name


def choice(known: Collection[str], message: Text = NO_TEXT) -> AfterValidator:
    """A text that must be one of some words; ``message`` may hold ``{value}`` and ``{key}``."""
    what = message or Text("「{value}」不能作 {key}。", "{value!r} is no {key}.")

    def check(value: str, info: ValidationInfo) -> str:
        if value in known:
            return value
        raise wrong(what.with_values(value=value, key=info.field_name), did_you_mean(value, known) or one_of(known))

    return AfterValidator(check)


Line = Annotated[str, StringConstraints(strip_whitespace=True)]
Required = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Positive = Annotated[float, Field(gt=0)]
Width = Annotated[int, Field(gt=0, le=1000)]
Words = Annotated[Text, PlainValidator(_read_words), Expected(Text("中文和英文都要填写。", "Give both languages."))]
Day = Annotated[date, PlainValidator(_read_day)]
TimeZone = Annotated[Required, AfterValidator(_check_zone)]
ListOf = Annotated[tuple[Item, ...], Strict(False)]
Texts = Annotated[
    ListOf[str],
    Expected(
        Text('例如 ["one", "two"]。', 'For example ["one", "two"].'),
        Text("此处应为文本列表。", "A list of texts is expected."),
    ),
]
_LANGUAGES: TypeAdapter[dict[str, str]] = TypeAdapter(dict[str, Required])

# --- reading ------------------------------------------------------------------------------------------------------------


def read_table(model: type[Table], data: Mapping[str, Any], files: PackFiles, file: str) -> Table:
    """A parsed file as its model.

    Args:
        model: What it declares.
        data: The parsed file.
        files: Where faults go, each with its key, e.g. ``grid.code_width`` or ``level 3: width``.
        file: Its name.

    Returns:
        The table, with stand-ins for what could not be taken.
    """
    rest: dict[str, Any] = deepcopy(dict(data))
    known_before = len(files.problems)
    while True:
        try:
            return model.model_validate(rest)
        except ValidationError as error:
            for fault in error.errors(include_url=False):
                place = _find(model, fault["loc"], data)
                message, hint = _say(fault, place)
                if not any((p.message, p.column) == (message, place.column) for p in files.problems[known_before:]):
                    files.fault(message, hint, file=file, column=place.column)
                _repair(rest, place)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a fault lies.

    Attributes:
        steps: The way through the data to the table that holds the key.
        model: That table's model.
        key, field: The key and its declaration; None for a key that is not known.
        rest: The way on from the key, inside its value.
        column: The whole place in words.
    """

    steps: tuple[int | str, ...]
    model: type[TomlTable]
    key: str
    field: FieldInfo | None
    rest: tuple[int | str, ...]
    column: str

    @property
    def header(self) -> str:
        """How the key's own table is headed in the file."""
        return ".".join(step for step in (*self.steps, self.key, *self.rest) if isinstance(step, str))


def keys_of(model: type[TomlTable]) -> dict[str, FieldInfo]:
    """The keys of a table as they are written."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _find(model: type[TomlTable], loc: tuple[int | str, ...], data: Any) -> _Place:
    steps: tuple[int | str, ...] = ()
    where = ""
    while True:
        key, rest = str(loc[len(steps)]), loc[len(steps) + 1 :]
        field = keys_of(model).get(key)
        inner, many = table_in(field.annotation if field else None)
        if inner is None or len(rest) <= many:
            break
        here = loc[len(steps) : len(steps) + 1 + many]
        steps += here
        for step in here:
            data = _step_into(data, step)
        item = rest[0]
        if many and isinstance(item, int):
            named = inner.label and _step_into(data, "id")
            where += f"{inner.label or key} {named or item + 1}: "
        else:
            where += "".join(f"{step}." for step in here)
        model = inner
    if field is not None and field.annotation is Text:
        key = key if rest in ((), ("zh",)) else f"{key}_{rest[0]}"
        return _Place(steps, model, key, field, (), where + key)
    inside = "".join(f".{step}" for step in rest if isinstance(step, str))
    return _Place(steps, model, key, field, rest, f"{where}{key}{inside}")


def _step_into(data: Any, step: int | str) -> Any:
    """What lies under a key or number of what was written, or None: the data may be of another kind than the model."""
    if isinstance(data, Mapping):
        return data.get(str(step))
    return data[step] if isinstance(data, list) and isinstance(step, int) else None


def table_in(annotation: object) -> tuple[type[TomlTable] | None, bool]:
    """The model of the tables that a key holds, and whether they are many: a list, or tables by name."""
    if isinstance(annotation, type) and issubclass(annotation, TomlTable):
        return annotation, False
    many = get_origin(annotation) in (tuple, dict)
    found = (table_in(argument)[0] for argument in get_args(annotation))
    return next((model for model in found if model is not None), None), many


def _is_table(field: FieldInfo) -> bool:
    return table_in(field.annotation)[0] is field.annotation


def _expected(field: FieldInfo | None) -> Expected:
    return next((item for item in field.metadata if isinstance(item, Expected)) if field else iter(()), Expected())


def _repair(data: dict[str, Any], place: _Place) -> None:
    """Put a stand-in where a value could not be taken, and take away what is not known."""
    table: Any = data
    for step in place.steps:
        table = table.setdefault(step, {}) if isinstance(table, dict) else _step_into(table, step)
    if not isinstance(table, dict):
        return  # what holds it could not be taken either
    inside = table.get(place.key)
    if place.field is None:
        table.pop(place.key, None)
    elif place.rest and isinstance(inside, dict) and get_origin(place.field.annotation) is dict:
        inside.pop(place.rest[0], None)
    else:
        name = next(key for key, field in keys_of(place.model).items() if field is place.field)
        table[name] = {} if _is_table(place.field) else _FAULTY
        if place.field.annotation is Text:
            for key in language_keys(list(table), name).values():
                table.pop(key) if key != name else None


# --- faults in words ----------------------------------------------------------------------------------------------------

_EMPTY = Text("此键缺失或为空。", "The key is missing or empty.")
_NUMBER = Text("「{value}」不是数字。", "{value!r} is no number.")
_BARE = Text("请不要加引号。", "Write it without quotation marks.")
_TABLE = (Text("此处应为一个表。", "A table is expected."), Text("请在表前写 [{header}]。", "Head it with [{header}]."))
_TABLES = (
    Text("此处应为一组表。", "A list of tables is expected."),
    Text("请在每个表前写 [[{header}]]。", "Head each one with [[{header}]]."),
)
# By pydantic's names; ``{value}`` is what was written, the rest what pydantic tells of the fault.
_SAID: Mapping[str, tuple[Text, Text]] = {
    "missing": (_EMPTY, NO_TEXT),
    "string_too_short": (_EMPTY, NO_TEXT),
    "string_type": (
        Text("「{value}」不是文本。", "{value!r} is no text."),
        Text("请加上引号。", "Put it in quotation marks."),
    ),
    "float_type": (_NUMBER, _BARE),
    "finite_number": (_NUMBER, Text("请写一个有限的数字。", "Write a finite number.")),
    "int_type": (Text("「{value}」不是整数。", "{value!r} is no whole number."), _BARE),
    "bool_type": (
        Text("「{value}」既不是 true 也不是 false。", "{value!r} is neither true nor false."),
        Text("请写 true 或 false，不加引号。", "Write true or false without quotation marks."),
    ),
    "greater_than": (
        Text("「{value}」太小。", "{value!r} is too small."),
        Text("必须大于 {gt:g}。", "It must be above {gt:g}."),
    ),
    "greater_than_equal": (
        Text("「{value}」太小。", "{value!r} is too small."),
        Text("不得小于 {ge:g}。", "It must be at least {ge:g}."),
    ),
    "less_than_equal": (
        Text("「{value}」太大。", "{value!r} is too large."),
        Text("不得大于 {le:g}。", "It must be at most {le:g}."),
    ),
}
_OTHER = (Text("「{value}」无效。", "{value!r} cannot be taken."), NO_TEXT)


def _say(fault: ErrorDetails, place: _Place) -> tuple[Text, Text]:
    """What is wrong, and what would be right."""
    expected, kind = _expected(place.field), fault["type"]
    inside = fault.get("ctx", {})
    if kind == "wrong":
        return inside["message"], inside["hint"] or expected.hint
    if place.field is None:
        return _unknown_key(place)
    if kind == "missing" and place.field.annotation in (int, float):
        return Text("缺少此键。", "The key is missing."), expected.hint or Text(
            "此处应填数字。", "A number is expected."
        )
    message, hint = _SAID.get(kind, _OTHER)
    if kind in ("model_type", "dict_type", "tuple_type"):
        inner, many = table_in(place.field.annotation)
        listed = get_origin(place.field.annotation) is tuple and many
        message, hint = _TABLES if listed and inner else _TABLE
    values = {"value": fault["input"], "header": place.header, **inside}
    if expected.message and (place.rest or kind not in ("missing", "string_too_short")):
        message = expected.message
    return _fill(message, values), expected.hint or _fill(hint, values)


def _fill(text: Text, values: Mapping[str, Any]) -> Text:
    """A text with those values that it asks for."""
    asked = {name for words in text.values() for name in re.findall(r"\{(\w+)[^{}]*\}", words)} & values.keys()
    return text.with_values(**{name: values[name] for name in asked}) if asked else text


def _unknown_key(place: _Place) -> tuple[Text, Text]:
    keys = keys_of(place.model)
    known = sorted([*keys, *(f"{key}_en" for key, field in keys.items() if field.annotation is Text)])
    every = Text("此处可用的键：{known}。", "Known here: {known}.", known=", ".join(known))
    return Text("无法识别此键。", "The key is not known."), did_you_mean(place.key, known) or every
