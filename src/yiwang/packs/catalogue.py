"""Categories, mappings between schemes, filing conditions: what a case can be about."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

from yiwang.core.kernel.periods import Validity
from yiwang.core.kernel.text import Text, text_of
from yiwang.packs.files import PackFiles
from yiwang.packs.hints import code_hint, date_hint, did_you_mean, one_of

CATEGORIES = "categories.csv"
MAPPINGS = "category_mappings.csv"
CONDITIONS = "conditions.csv"
CONDITION_KEY = ("category", "condition")  # conditions are numbered within their category
KINDS = ("component", "event")
RELATIONS = ("exact", "renamed", "near", "dropped")
_EMPTY = Text("单元格为空。", "The cell is empty.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A class of component trouble or event, of one scheme.

    Attributes:
        scheme: The versioned scheme that it belongs to.
        code: Its code there, unique in the scheme.
        kind: ``component`` or ``event``.
        major: Code of the group above.
        name, major_name: For people.
        validity: Days on which a case may be given it.
        replaced_by: Code that took its place.
        source: Where the row comes from.
        confidence: How far it is trusted.
    """

    scheme: str
    code: str
    kind: str
    major: str
    name: Text
    major_name: Text
    validity: Validity = field(default_factory=Validity)
    replaced_by: str = ""
    source: str = ""
    confidence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryMapping:
    """A category of one scheme in the words of another; ``relation`` says how well it fits."""

    from_scheme: str
    from_code: str
    to_scheme: str
    to_code: str
    relation: str
    source: str = ""
    confidence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A filing condition 立案条件 of a category: when a case is opened, and what must be so when it is closed."""

    category: str
    condition: str
    text: Text
    closing: Text
    source: str = ""
    confidence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Everything that a case can be about.

    Attributes:
        scheme: The scheme that cases use.
        schemes: Categories by code, by scheme.
        mappings: Between schemes.
        conditions: By category and condition of the scheme that cases use.
    """

    scheme: str
    schemes: Mapping[str, Mapping[str, Category]]
    mappings: tuple[CategoryMapping, ...] = ()
    conditions: Mapping[tuple[str, str], Condition]

    @property
    def categories(self) -> Mapping[str, Category]:
        """Categories of the scheme that cases use, by code."""
        return self.schemes.get(self.scheme, {})

    def translate(self, *, scheme: str, code: str, to: str) -> tuple[CategoryMapping, ...]:
        """How a category of one scheme reads in another, the best relation first."""
        found = [m for m in self.mappings if (m.from_scheme, m.from_code, m.to_scheme) == (scheme, code, to)]
        return tuple(sorted(found, key=lambda mapping: RELATIONS.index(mapping.relation)))


def read_catalogue(files: PackFiles, *, scheme: str) -> Catalogue:
    """Read the three files; problems go to ``files``."""
    schemes = _read_categories(files, scheme)
    return Catalogue(
        scheme=scheme,
        schemes=schemes,
        mappings=_read_mappings(files, schemes),
        conditions=_read_conditions(files, schemes.get(scheme, {})),
    )


def read_validity(files: PackFiles, *, file: str, row: int, cells: Mapping[str, str]) -> Validity:
    """A row's ``valid_from`` and ``valid_to``; open where a date cannot be read, which is reported."""
    ends: dict[str, date | None] = {}
    for column in ("valid_from", "valid_to"):
        text = cells.get(column, "")
        ends[column] = None
        if text:
            try:
                ends[column] = date.fromisoformat(text)
            except ValueError:
                message = Text("「{text}」不是日期。", "{text!r} is no date.", text=text)
                files.fault(message, date_hint(text), file=file, row=row, column=column)
    start, end = ends["valid_from"], ends["valid_to"]
    if start and end and start >= end:
        files.fault(
            Text(
                "此行从不生效：{end} 不在 {start} 之后。",
                "The row is never in force: {end} is not after {start}.",
                end=end,
                start=start,
            ),
            Text("valid_to 是不再有效的第一天。", "valid_to is the first day on which it no longer holds."),
            file=file,
            row=row,
            column="valid_to",
        )
        return Validity(start, None)
    return Validity(start, end)


def _read_categories(files: PackFiles, scheme: str) -> dict[str, dict[str, Category]]:
    schemes: dict[str, dict[str, Category]] = {}
    columns = ("scheme", "code", "kind", "major", "name", "name_en")
    optional = ("major_name", "major_name_en", "valid_from", "valid_to", "replaced_by", "source", "confidence")
    rows = files.rows(CATEGORIES, columns=columns, optional=optional)
    for number, cells in enumerate(rows, start=2):
        blank = [column for column in ("scheme", "code", "name", "name_en") if not cells[column]]
        for column in blank:
            hint = Text("每个类别都要填写。", "Every category needs it.")
            files.fault(_EMPTY, hint, file=CATEGORIES, row=number, column=column)
        if cells["kind"] not in KINDS:
            _unknown_word(files, CATEGORIES, number, "kind", cells["kind"], KINDS)
        if blank:
            continue
        inside = schemes.setdefault(cells["scheme"], {})
        if cells["code"] in inside:
            message = Text(
                "代码「{code}」在分类体系「{scheme}」中重复出现。",
                "The code {code!r} stands twice in scheme {scheme!r}.",
                code=cells["code"],
                scheme=cells["scheme"],
            )
            hint = Text("代码不得重复。", "Codes are unique.")
            files.fault(message, hint, file=CATEGORIES, row=number, column="code")
        plain = ("scheme", "code", "kind", "major", "replaced_by", "source", "confidence")
        inside[cells["code"]] = Category(
            name=text_of(cells, "name"),
            major_name=text_of(cells, "major_name"),
            validity=read_validity(files, file=CATEGORIES, row=number, cells=cells),
            **{name: cells[name] for name in plain},
        )
    if rows and scheme not in schemes:
        files.fault(
            Text("分类体系「{scheme}」没有类别。", "The scheme {scheme!r} has no categories.", scheme=scheme),
            did_you_mean(scheme, schemes)
            or Text("categories.csv 中有：{known}。", "categories.csv has: {known}.", known=", ".join(sorted(schemes))),
            file="pack.toml",
            column="scheme",
        )
    _check_replacements(files, rows, schemes)
    return schemes


def _check_replacements(
    files: PackFiles, rows: list[dict[str, str]], schemes: Mapping[str, Mapping[str, Category]]
) -> None:
    every = {code for inside in schemes.values() for code in inside}
    for number, cells in enumerate(rows, start=2):
        after = cells["replaced_by"]
        if not after:
            continue
        if after not in every:
            message = Text("替代它的类别未知：「{code}」。", "Replaced by the unknown category {code!r}.", code=after)
            files.fault(
                message, code_hint(after, every, where=CATEGORIES), file=CATEGORIES, row=number, column="replaced_by"
            )
        if not cells["valid_to"]:
            files.fault(
                Text("被替代的类别必须有截止日期。", "A category that is replaced must end."),
                Text("请填写 valid_to。", "Give valid_to."),
                file=CATEGORIES,
                row=number,
                column="valid_to",
            )


def _read_mappings(files: PackFiles, schemes: Mapping[str, Mapping[str, Category]]) -> tuple[CategoryMapping, ...]:
    columns = ("from_scheme", "from_code", "to_scheme", "to_code", "relation")
    mappings: list[CategoryMapping] = []
    seen: set[tuple[str, ...]] = set()
    for number, cells in enumerate(
        files.rows(MAPPINGS, columns=columns, optional=("source", "confidence"), required=False), start=2
    ):
        relation = cells["relation"]
        if relation not in RELATIONS:
            _unknown_word(files, MAPPINGS, number, "relation", relation, RELATIONS)
            continue
        for side in ("from", "to"):
            scheme, code = cells[f"{side}_scheme"], cells[f"{side}_code"]
            if scheme not in schemes:
                _unknown_word(files, MAPPINGS, number, f"{side}_scheme", scheme, schemes)
            elif code not in schemes[scheme] and not (side == "to" and relation == "dropped" and not code):
                hint = code_hint(code, schemes[scheme], where=CATEGORIES)
                message = Text(
                    "分类体系「{scheme}」中没有类别「{code}」。",
                    "Unknown category {code!r} of scheme {scheme!r}.",
                    code=code,
                    scheme=scheme,
                )
                files.fault(message, hint, file=MAPPINGS, row=number, column=f"{side}_code")
        key = (cells["from_scheme"], cells["from_code"], cells["to_scheme"], cells["to_code"])
        if key in seen:
            files.fault(
                Text("此对照关系重复出现。", "The mapping stands twice."),
                Text("请删除其中一行。", "Remove one row."),
                file=MAPPINGS,
                row=number,
                column="from_code",
            )
        seen.add(key)
        mappings.append(CategoryMapping(**{name: cells[name] for name in (*columns, "source", "confidence")}))
    return tuple(mappings)


def _read_conditions(files: PackFiles, categories: Mapping[str, Category]) -> dict[tuple[str, str], Condition]:
    columns = (*CONDITION_KEY, "text", "text_en")
    optional = ("closing", "closing_en", "source", "confidence")
    conditions: dict[tuple[str, str], Condition] = {}
    for number, cells in enumerate(files.rows(CONDITIONS, columns=columns, optional=optional, required=False), start=2):
        code, condition = cells["category"], cells["condition"]
        if code not in categories:
            hint = code_hint(code, categories, where=CATEGORIES)
            message = Text("未知的类别：「{code}」。", "Unknown category {code!r}.", code=code)
            files.fault(message, hint, file=CONDITIONS, row=number, column="category")
        for column in ("condition", "text", "text_en"):
            if not cells[column]:
                hint = Text("每个立案条件都要填写。", "Every condition needs it.")
                files.fault(_EMPTY, hint, file=CONDITIONS, row=number, column=column)
        if (code, condition) in conditions:
            message = Text(
                "类别「{code}」的立案条件「{condition}」重复出现。",
                "Condition {condition!r} of {code!r} stands twice.",
                code=code,
                condition=condition,
            )
            hint = Text("请在同一类别内给立案条件编号。", "Number conditions within their category.")
            files.fault(message, hint, file=CONDITIONS, row=number, column="condition")
        conditions[code, condition] = Condition(
            category=code,
            condition=condition,
            text=text_of(cells, "text"),
            closing=text_of(cells, "closing"),
            source=cells["source"],
            confidence=cells["confidence"],
        )
    return conditions


def _unknown_word(files: PackFiles, file: str, row: int, column: str, word: str, known: Collection[str]) -> None:
    message = Text("未知的 {column}：「{word}」。", "Unknown {column} {word!r}.", column=column, word=word)
    files.fault(message, did_you_mean(word, known) or one_of(known), file=file, row=row, column=column)
