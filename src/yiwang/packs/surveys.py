"""`surveys.toml`: the questionnaires for citizens whose cases were closed, in versions. A pack may have none."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from yiwang.core.kernel.text import NO_TEXT, Text
from yiwang.core.surveys.questionnaires import (
    Choice,
    Counts,
    FreeWords,
    Kind,
    Measure,
    Option,
    Question,
    Questionnaire,
    Scale,
    YesNo,
)
from yiwang.packs.files import PackFiles
from yiwang.packs.inspections import Id
from yiwang.packs.toml_tables import (
    Day,
    Expected,
    Line,
    ListOf,
    Required,
    Texts,
    TomlTable,
    Words,
    labelled,
    read_table,
)
from yiwang.packs.versions import check_versions, validity

FILE = "surveys.toml"
_KINDS = Expected(Text('可填 "yes_no"、"scale"、"choice" 或 "words"。', '"yes_no", "scale", "choice" or "words".'))
_MEASURES = Expected(Text('可填 "responded"、"resolved" 或 "satisfied"。', '"responded", "resolved" or "satisfied".'))
_COUNTS = Expected(Text('可填 "yes"、"no" 或 "neither"。', '"yes", "no" or "neither".'))
_SHARE = Expected(Text("应在 0 和 1 之间，例如 0.5。", "Between 0 and 1, e.g. 0.5."))
Faults = Callable[[Text, Text, str], None]
_WRITE_QUESTIONS = Text("请写 [[questionnaire.question]]。", "Write [[questionnaire.question]].")
_WRITE_OPTIONS = Text("请写 [[questionnaire.question.option]]。", "Write [[questionnaire.question.option]].")


class OptionTable(TomlTable):
    """An answer of a choice; see `yiwang.core.surveys.questionnaires.Option`."""

    label: ClassVar[str] = "option"

    id: Id
    name: Words
    counts: Annotated[Literal["yes", "no", "neither"], _COUNTS] = "no"


class QuestionTable(TomlTable):
    """A question; see `yiwang.core.surveys.questionnaires.Question`.

    Attributes:
        kind: ``yes_no``, ``scale``, ``choice`` or ``words``.
        yes_from: Of a scale.
        option: Of a choice.
    """

    label: ClassVar[str] = "question"

    id: Id
    name: Words
    kind: Annotated[Literal["yes_no", "scale", "choice", "words"], _KINDS] = "yes_no"
    measures: Annotated[Literal["responded", "resolved", "satisfied"], _MEASURES] | None = None
    required: bool = True
    yes_from: Annotated[int, Field(ge=2, le=5)] | None = None
    option: ListOf[OptionTable] = ()

    def answered_by(self) -> Kind:
        """What may be answered."""
        if self.kind == "scale":
            return Scale(self.yes_from or Scale().yes_from)
        if self.kind == "choice":
            return Choice(tuple(Option(id=one.id, name=one.name, counts=Counts(one.counts)) for one in self.option))
        return FreeWords() if self.kind == "words" else YesNo()


class QuestionnaireTable(TomlTable):
    """A version of a questionnaire; see `yiwang.core.surveys.questionnaires.Questionnaire`."""

    label: ClassVar[str] = "questionnaire"

    id: Id
    version: Required
    name: Words
    sources: Texts = ()
    tries: Annotated[int, Field(ge=1, le=20)] = 3
    least_response: Annotated[float, Field(ge=0, le=1), _SHARE] = 0.5
    valid_from: Day | None = None
    valid_to: Day | None = None
    source: Words = NO_TEXT
    confidence: Line = ""
    question: ListOf[QuestionTable] = ()


class SurveysTable(TomlTable):
    """The file."""

    questionnaire: ListOf[QuestionnaireTable] = ()


def read_surveys(files: PackFiles) -> tuple[Questionnaire, ...]:
    """Read the file; problems go to ``files``."""
    data = files.toml(FILE, required=False)
    if data is None:
        return ()
    tables = read_table(SurveysTable, data, files, FILE).questionnaire
    for place, table in labelled(tables):
        _check(table, place, files)
    check_versions(tables, files, file=FILE, label=QuestionnaireTable.label)
    return tuple(map(_questionnaire, tables))


def _check(table: QuestionnaireTable, place: str, files: PackFiles) -> None:
    """What pydantic cannot see of a questionnaire: what is there twice, and keys that belong together."""

    fault = partial(_fault, files, place)
    if not table.question:
        fault(Text("问卷没有题目。", "The questionnaire has no questions."), _WRITE_QUESTIONS, "question")
    measures: list[str] = [one.measures for one in table.question if one.measures]
    for ids, column in (([one.id for one in table.question], "question"), (measures, "measures")):
        for twice in sorted({one for one in ids if ids.count(one) > 1}):
            fault(Text("「{id}」出现多次。", "{id!r} stands there more than once.", id=twice), NO_TEXT, column)
    if table.question and not measures:
        message = Text(
            "没有题目衡量响应、解决或满意。",
            "No question measures whether a case was responded to, resolved, or satisfied.",
        )
        fault(message, Text('例如 measures = "satisfied"。', 'For example measures = "satisfied".'), "question")
    for inside, question in labelled(table.question):
        _check_question(question, partial(_fault, files, f"{place}{inside}"))


def _fault(files: PackFiles, place: str, message: Text, hint: Text, column: str) -> None:
    files.fault(message, hint, file=FILE, column=f"{place}{column}")


def _check_question(question: QuestionTable, fault: Faults) -> None:
    for key, kind, given in (
        ("yes_from", "scale", question.yes_from is not None),
        ("option", "choice", question.option),
    ):
        if given and question.kind != kind:
            wrong = Text(
                "{kind} 的题不能写 {key}。", "A question of kind {kind} has no {key}.", kind=question.kind, key=key
            )
            fault(wrong, NO_TEXT, key)
    if question.kind == "choice":
        ids = [option.id for option in question.option]
        if len(ids) < 2:
            fault(Text("至少要有两个选项。", "There must be two options at least."), _WRITE_OPTIONS, "option")
        for twice in sorted({one for one in ids if ids.count(one) > 1}):
            fault(Text("「{id}」出现多次。", "{id!r} stands there more than once.", id=twice), NO_TEXT, "option")
        if question.measures and not any(option.counts == "yes" for option in question.option):
            hint = Text('给其中一个写 counts = "yes"。', 'Give one of them counts = "yes".')
            fault(Text("没有选项算「是」。", "No option counts as yes."), hint, "option")
    if question.measures and question.kind == "words":
        hint = Text("请用 yes_no、scale 或 choice。", "Use yes_no, scale or choice.")
        fault(Text("文字题不能衡量比率。", "Words of one's own measure no rate."), hint, "measures")


def _questionnaire(table: QuestionnaireTable) -> Questionnaire:
    return Questionnaire(
        id=table.id,
        version=table.version,
        name=table.name,
        sources=frozenset(table.sources),
        tries=table.tries,
        least_response=table.least_response,
        validity=validity(table),
        source=table.source,
        confidence=table.confidence,
        questions=tuple(
            Question(
                id=one.id,
                name=one.name,
                kind=one.answered_by(),
                measures=Measure(one.measures) if one.measures else None,
                required=one.required,
            )
            for one in table.question
        ),
    )
