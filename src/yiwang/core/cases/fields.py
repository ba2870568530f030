"""What is said of a case: each field declared once, with everything that is done with it.

Reports, verbs' forms, the state, tables, lists, answers, exports and the facts that decision tables ask about are made from
these declarations. A new field is an attribute here and a column of the model, with its migration.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from yiwang.core.cases.readers import (
    Unreadable,
    read_code,
    read_latitude,
    read_longitude,
    read_moment,
    read_text,
)
from yiwang.core.kernel.refusals import Invalid
from yiwang.core.kernel.text import Text

Reader = Callable[[object], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field that a command may carry.

    Attributes:
        name: Its name in commands, in history and everywhere else.
        reader: Makes a plain value of what is given, or raises `Unreadable`.
        label: For people, with its article in English: "a category".
        asked: A verb of a workflow may require it or have it in its form.
        correctable: A verb may put it right, and a part of a split case may have its own.
        inherited: A part of a split case has it from the whole.
        decides: Under which name the decision tables ask about it; empty where they do not.
        listed: Lists and their answers show it.
        carried: Any verb may come with it; the event keeps it.
        open_to: Who may read it: ``all``, ``moderated`` (everybody, as moderated), ``staff``.
    """

    name: str
    reader: Reader
    label: Text
    asked: bool = False
    correctable: bool = False
    inherited: bool = True
    decides: str = ""
    listed: bool = True
    carried: bool = False
    open_to: str = "all"

    def read(self, value: object) -> Any:
        """The value as it enters history.

        Raises:
            Invalid: It cannot be taken.
        """
        try:
            return self.reader(value)
        except Unreadable as error:
            sentence = Text(
                "「{what}」有误：{why}。",
                "There is something wrong with {what} ({name}): {why}.",
                what=self.label,
                name=self.name,
                why=error.why,
            )
            raise Invalid(sentence, field=self.name) from None


_NUMBER, _WORD, _MOMENT = (int, float), str, str
# what shows that something is so, by kind: its parts, which must all be there, and what each is
EVIDENCE: Mapping[str, Mapping[str, Any]] = {
    # somebody was there: degrees (WGS 84), metres, when by their own clock
    "on_site": {"lon": _NUMBER, "lat": _NUMBER, "accuracy_m": _NUMBER, "at": _MOMENT},
    # when it was done by the clock of a telephone that may have been without a line; where is not known
    "by_phone": {"at": _MOMENT},
    # an instrument measured it: datastream and unit as the sensing part names them, when by the instrument's clock
    "observation": {"datastream": _WORD, "value": _NUMBER, "unit": _WORD, "at": _MOMENT},
}


def read_evidence(value: object) -> dict[str, dict[str, Any]] | None:
    """Evidence by kind, see `EVIDENCE`; None for none. Moments keep the offset that they were written with."""
    if value is None or value == {}:
        return None
    if not isinstance(value, Mapping) or not value.keys() <= EVIDENCE.keys():
        kinds = ", ".join(EVIDENCE)
        raise Unreadable(Text("应为按种类列出的证据：{kinds}", "it must be evidence by kind: {kinds}", kinds=kinds))
    found: dict[str, dict[str, Any]] = {}
    for kind, parts in EVIDENCE.items():
        if kind not in value:
            continue
        told = value[kind]
        if not isinstance(told, Mapping) or told.keys() != parts.keys():
            needs = Text("{kind} 应有 {parts}", "{kind} has {parts}", kind=kind, parts=", ".join(parts))
            raise Unreadable(needs)
        found[kind] = {name: _part(kind, name, told[name], type_) for name, type_ in parts.items()}
    return found


def _part(kind: str, name: str, value: Any, type_: Any) -> Any:
    """One part of some evidence, in the type that it must have."""
    if name in ("lon", "lat"):
        value = (read_longitude if name == "lon" else read_latitude)(value)
    elif name == "at":
        value = value if isinstance(value, str) and read_moment(value) else None
    elif type_ is str:
        value = read_code(value)
    if (
        value in (None, "")
        or isinstance(value, bool)
        or not isinstance(value, type_)
        or (type_ is _NUMBER and not math.isfinite(value))
    ):
        raise Unreadable(Text("{kind} 的 {part} 不能用", "{part} of {kind} cannot be used", kind=kind, part=name))
    return value


def _of_case(default: Any, reader: Reader, zh: str, en: str, **traits: Any) -> Any:
    """An attribute of a case, with the declaration of its field; the name is the attribute's."""
    return field(default=default, metadata={"reader": reader, "label": Text(zh, en), **traits})


@dataclass(frozen=True, kw_only=True)
class ReportFields:
    """What whoever reports may say of a case."""

    text: str = _of_case(
        "", read_text, "情况描述", "a description", correctable=True, inherited=False, open_to="moderated"
    )
    category: str = _of_case("", read_code, "类别", "a category", asked=True, correctable=True, decides="category")
    condition: str = _of_case(
        "", read_code, "立案条件", "a filing condition", asked=True, correctable=True, decides="condition"
    )
    region: str = _of_case("", read_code, "区域", "a region", asked=True, correctable=True, decides="region")
    lon: float | None = _of_case(None, read_longitude, "经度", "a longitude", correctable=True)
    lat: float | None = _of_case(None, read_latitude, "纬度", "a latitude", correctable=True)
    component: str = _of_case("", read_code, "部件", "a component", asked=True, correctable=True)
    evidence: Mapping[str, Any] | None = _of_case(
        None, read_evidence, "证据", "evidence", inherited=False, listed=False, carried=True, open_to="staff"
    )
    address: str = _of_case("", read_text, "地点", "a place", asked=True, correctable=True, open_to="moderated")


@dataclass(frozen=True, kw_only=True)
class CaseFields(ReportFields):
    """All fields with which a case can be opened."""

    grid: str = _of_case("", read_code, "单元网格", "a unit grid", correctable=True)
    source: str = _of_case("", read_code, "来源", "a source", decides="channel")
    priority: str = _of_case(
        "", read_code, "缓急", "a priority", asked=True, correctable=True, inherited=False, decides="priority"
    )
    reporter: str = _of_case("", read_code, "上报人", "a reporter", listed=False, open_to="staff")
    part_of: str = _of_case("", read_code, "拆分自", "the case that it is a part of", inherited=False, listed=False)
    city: str = _of_case("", read_code, "城市", "a city", listed=False)


CASE_FIELDS: Mapping[str, Field] = {item.name: Field(name=item.name, **item.metadata) for item in fields(CaseFields)}
REPORTED = tuple(item.name for item in fields(ReportFields))
ALSO_CALLED = {"place": "address"}  # its first name, which workflows and commands may still give
LOCATION = ("region", "grid", "lon", "lat")  # one fact: a verb that carries one of them carries them all
LOCATING = (*LOCATION, "address")


def names(**traits: Any) -> tuple[str, ...]:
    """Names of the case's fields that have the traits, in the order of their declaration."""
    return tuple(item.name for item in CASE_FIELDS.values() if all(getattr(item, k) == v for k, v in traits.items()))


ASKED, CORRECTABLE, INHERITED = names(asked=True), names(correctable=True), names(inherited=True)
LISTED, CARRIED = names(listed=True), names(carried=True)
MODERATED, FOR_STAFF = names(open_to="moderated"), names(open_to="staff")
# what the decision tables ask about ← the field that says it
DECIDING: Mapping[str, str] = {item.decides: item.name for item in CASE_FIELDS.values() if item.decides}


def facts_in(values: Mapping[str, Any]) -> dict[str, str]:
    """What the decision tables may ask about a case, from its fields by name."""
    return {fact: values.get(name) or "" for fact, name in DECIDING.items()}


def field_values(case: ReportFields, among: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """Those of some fields that a case has a value for."""
    return ((name, value) for name in among if (value := getattr(case, name)) not in ("", None))
