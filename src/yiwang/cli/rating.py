"""`yiwang inspect checklists` and `rate`: checklists of a city, and what visits score by one of them. Needs no database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from yiwang.cli.city import city_folder
from yiwang.cli.output import emit, emit_table, json_option, say, wants_json
from yiwang.core.inspections.agreement import Agreement, agreement
from yiwang.core.inspections.checklists import Checklist, Counted, Measured, in_force
from yiwang.core.inspections.scoring import Answer, Outcome, Score, check_answers, score
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.packs.pack import Pack
from yiwang.packs.records.columns import Taken, named_rows

COLUMNS = ("place", "item", "value", "photos", "note")
_NEEDED = ("place", "item", "value")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_ON = click.option("--on", metavar="DATE", help="On which day the checklist is in force; today by default.")

Visited = dict[str, Score | Outcome]


@click.command("checklists")
@click.argument("city")
@_ON
@json_option
def list_checklists(city: str, on: str | None) -> None:
    """List the checklists of CITY with their items.

    \b
    Example: yiwang inspect checklists wuxi
    """
    pack = _pack(city)
    found = in_force(pack.checklists, on=_day(on, pack))
    if wants_json():
        emit([{**_told(one), "items": [_item_told(item) for item in one.items]} for one in found.values()])
        return
    emit_table(
        ("checklist", "version", "item", "how", "points", "category"),
        [
            (
                one.id,
                one.version,
                f"{item.id}: {item.name.zh} {item.name.en}",
                _how(item.measure),
                item.points,
                item.category,
            )
            for one in found.values()
            for item in one.items
        ],
    )


@click.command("rate")
@click.argument("city")
@click.argument("checklist")
@click.argument("answers", type=_FILE)
@click.option("--second", type=_FILE, help="Answers of a second person, to say how far the two agree (kappa).")
@_ON
@json_option
def rate(city: str, checklist: str, answers: Path, second: Path | None, on: str | None) -> None:
    """Score visits by CHECKLIST of CITY.

    ANSWERS is CSV or a workbook with the columns place, item, value and if you like photos (how many) and note: a row for each
    item of each place. No value means that the place has nothing of the kind. A place that refused or was not found has one
    row without an item, whose value is refused or missing.

    \b
    Example: yiwang inspect rate wuxi street_cleanliness answers.csv --json > results.json
    """
    pack = _pack(city)
    known = in_force(pack.checklists, on=_day(on, pack))
    if checklist not in known:
        names = ", ".join(known) or "none"
        raise click.BadParameter(f"There is no {checklist!r} in force; there is {names}.", param_hint="CHECKLIST")
    form = known[checklist]
    first = _visited(answers, form)
    alike = _agreement(form, first, _visited(second, form)) if second else None
    if wants_json():
        emit({"visits": [_visit_told(place, one) for place, one in first.items()], "agreement": _agreement_told(alike)})
        return
    emit_table(
        ("place", "score", "points", "of", "not met"),
        [
            (place, one.value, "", "", "")
            if isinstance(one, Outcome)
            else (
                place,
                None if one.value is None else round(one.value, 2),
                one.points,
                one.possible,
                " ".join(one.failed),
            )
            for place, one in first.items()
        ],
    )
    if alike is not None:
        kappa = "no kappa: both gave one and the same rating" if alike.kappa is None else f"kappa {alike.kappa:.2f}"
        between = f" ({alike.interval.low:.2f} to {alike.interval.high:.2f})" if alike.interval else ""
        say(f"{alike.pairs} items rated by both, {alike.share:.0%} alike, {kappa}{between}", style="green")


def _pack(city: str) -> Pack:
    from yiwang.packs import read_pack

    return read_pack(city_folder(city))


def _day(text: str | None, pack: Pack) -> date:
    if text is None:
        return datetime.now(pack.info.zone).date()
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no date: write it as 2026-03-04.", param_hint="--on") from error


def _visited(path: Path, form: Checklist) -> Visited:
    """The score of each place of a file, or why it has none, in the file's order.

    Raises:
        BadInput: With every fault, by row where it is of one.
    """
    given: dict[str, dict[str, Answer]] = {}
    outcomes: dict[str, Outcome] = {}
    taken = Taken()
    for number, cells in named_rows(path, columns=COLUMNS, needed=_NEEDED, taken=taken):
        place, item, value = cells["place"], cells["item"], cells["value"]
        answers = given.setdefault(place, {})
        try:
            if not item:
                outcomes[place] = _outcome(value)
            elif item in answers:
                twice = Text(
                    "{place} 的 {item} 已填。", "{place} has an answer to {item} already.", place=place, item=item
                )
                raise BadInput(Problem(twice, column="item"))
            else:
                photos = cells.get("photos", "")
                count = int(photos) if photos.isascii() and photos.isdigit() else 0
                answers[item] = Answer(value=_value(value), note=cells.get("note", ""), photos=count)
        except BadInput as error:
            taken.refuse(path, number, error.problems)
    problems = taken.problems
    found: Visited = {}
    for place, answers in given.items():
        try:
            found[place] = _scored(form, answers, outcomes.get(place))
        except BadInput as error:
            problems += [
                Problem(
                    Text("{place}：{why}", "{place}: {why}", place=place, why=one.message),
                    one.hint,
                    path.name,
                    column=one.column,
                )
                for one in error.problems
            ]
    if problems:
        raise BadInput(problems)
    return found


def _scored(form: Checklist, answers: Mapping[str, Answer], outcome: Outcome | None) -> Score | Outcome:
    if outcome is None or outcome is Outcome.DONE:
        check_answers(form, answers)
        return score(form, answers)
    if answers:
        raise BadInput(Problem(Text("没有检查却有结果。", "It was not inspected and has answers."), column="value"))
    return outcome


def _value(text: str) -> float | None:
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        wrong = Text("「{text}」不是数。", "{text!r} is no number.", text=text[:40])
        hint = Text(
            "达标写 1，不达标写 0；不适用则留空。",
            "Write 1 for met and 0 for not met; leave it empty where it does not apply.",
        )
        raise BadInput(Problem(wrong, hint, column="value")) from None


def _outcome(text: str) -> Outcome:
    try:
        return Outcome(text)
    except ValueError:
        wrong = Text("「{text}」不是检查结果。", "{text!r} is no outcome.", text=text[:40])
        hint = Text("可填 {known}。", "Write one of {known}.", known=", ".join(Outcome))
        raise BadInput(Problem(wrong, hint, column="value")) from None


def _agreement(form: Checklist, first: Visited, second: Visited) -> Agreement | None:
    """How far two people agree on which items are met, over the places at which both were."""
    ours, theirs = [], []
    for place, one in first.items():
        other = second.get(place)
        if isinstance(one, Score) and isinstance(other, Score):
            for item in form.items:
                if item.id in one.rated and item.id in other.rated:
                    ours.append(item.id in one.failed)
                    theirs.append(item.id in other.failed)
    return agreement(ours, theirs)


def _how(measure: object) -> str:
    match measure:
        case Counted():
            return f"{measure.off:g} off each beyond {measure.allowed}"
        case Measured():
            return f"up to {measure.limit:g} {measure.unit}, none from {measure.none:g}"
        case _:
            return "met or not"


def _told(form: Checklist) -> dict[str, Any]:
    return {
        "id": form.id,
        "version": form.version,
        "digest": form.digest(),
        "name": dict(form.name),
        "level": form.level,
        "component": form.component,
        "source": dict(form.source),
        "confidence": form.confidence,
    }


def _item_told(item: Any) -> dict[str, Any]:
    return {
        "id": item.id,
        "name": dict(item.name),
        "points": item.points,
        "how": _how(item.measure),
        "group": item.group,
        "category": item.category,
        "photo": item.photo.value,
    }


def _visit_told(place: str, one: Score | Outcome) -> dict[str, Any]:
    if isinstance(one, Outcome):
        return {"place": place, "outcome": one.value, "score": None}
    groups = {group: {"points": got, "of": of} for group, (got, of) in one.groups.items()}
    return {
        "place": place, "outcome": Outcome.DONE.value, "score": one.value, "points": one.points, "of": one.possible,
        "groups": groups, "failed": list(one.failed),
    }  # fmt: skip


def _agreement_told(alike: Agreement | None) -> dict[str, Any] | None:
    if alike is None:
        return None
    interval = [alike.interval.low, alike.interval.high] if alike.interval else None
    return {"items": alike.pairs, "alike": alike.share, "kappa": alike.kappa, "interval": interval}
