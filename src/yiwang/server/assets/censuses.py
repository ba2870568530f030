"""A census is taken up: the first of a class becomes the inventory, a later one is compared with it.

Rows are taken up a block at a time, each with the note how far it is in one transaction, so that who is killed goes on where it
stopped. Of a later census everything that differs is written down in one transaction, and waits for a person.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from django.db import IntegrityError, transaction

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.core.things.census import Census as Side
from yiwang.core.things.census import Outcome, compare
from yiwang.packs.hints import did_you_mean
from yiwang.server.assets.models import GONE, Census, CensusFinding, CodeSerial, Component
from yiwang.server.assets.rows import Counted, Rows, cell_of
from yiwang.server.assets.survey import Block, Survey, open_survey
from yiwang.server.assets.versions import write_begins
from yiwang.server.cities.queries import CityRuntime, runtime
from yiwang.server.common.sql import insert_many

Progress = Callable[[int, int], None]
KEPT_PROBLEMS = 200
COLUMNS = (
    "city", "code", "kind", "source_id", "name", "state", "lon", "lat", "cell", "region", "grid", "authority", "owner",
    "maintainer", "attributes", "note", "source", "first_on", "changed_on", "version", "census_id",
)  # fmt: skip
FINDING_COLUMNS = ("census_id", "outcome", "component_id", "row", "metres", "values", "decision", "decided_by")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a file is read and compared.

    Attributes:
        columns: Field → heading, where the headings do not say it.
        kept: Headings kept as attributes; None for all others.
        crs: Coordinate system; empty for the file's own.
        within: Metres up to which a component without code and id is taken for the same.
        tolerance: Metres up to which a place counts as the same.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    kept: tuple[str, ...] | None = None
    crs: str = ""
    within: float = 10.0
    tolerance: float = 2.0


@dataclass(slots=True)
class Taken:
    """What became of a file: how many of its rows, and what was wrong with the first of those that were refused."""

    rows: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    census: int | None = None
    step: str = ""

    def add_problems(self, problems: Sequence[Problem]) -> None:
        self.counts["refused"] += len(problems)
        self.problems.extend(problems[: KEPT_PROBLEMS - len(self.problems)])


def take_census(
    *,
    city: str,
    kind: str,
    path: Path,
    options: Options,
    by: str = "",
    dry_run: bool = False,
    name: str = "",
    progress: Progress | None = None,
) -> Taken:
    """Take up a surveyor's file.

    Args:
        city, kind: The city, and the class of all components in the file.
        path: CSV, workbook, GeoJSON, GeoPackage or Shapefile.
        options: How it is read.
        by: Who brings it.
        dry_run: Write nothing.
        name: Of the file, where the path is a temporary one.
        progress: Told how many rows are done.

    Raises:
        BadInput: When the file cannot be read as it is asked, the class is unknown, or another census of it is under way.
    """
    place = runtime(city)
    check_class(place, kind)
    survey = open_survey(path, columns=options.columns, crs=options.crs, kept=options.kept)
    rows = Rows(place, kind, name or path.name, survey.columns)
    if dry_run:
        if Component.objects.filter(city=city, kind=kind).exists():
            return _compared(place, kind, survey, rows, options, progress)[0]
        return _looked_through(survey, rows, city, kind, progress)
    census = _begun(city, kind, name or path.name, _digest(path, survey, options), options, by)
    if census.first:
        return _write_first(census, survey, rows, progress)
    taken, findings = _compared(place, kind, survey, rows, options, progress)
    return _write_findings(census, taken, findings)


def check_class(place: CityRuntime, kind: str) -> None:
    """Refuse a class that the city does not have.

    Raises:
        BadInput: With the nearest one.
    """
    classes = place.pack.components
    if kind in classes:
        return
    message = Text("本市没有部件类别「{kind}」。", "The city has no class of components {kind!r}.", kind=kind)
    hint = did_you_mean(kind, classes) or Text(
        "类别见 components.csv 和 categories.csv。", "The classes stand in components.csv and categories.csv."
    )
    raise BadInput(Problem(message, hint, "", None, "class"))


def drop(census: Census, *, by: str) -> None:
    """End a census without taking up what still waits.

    Raises:
        BadInput: When it is the first of its class: its components stand already.
    """
    with transaction.atomic():
        held = Census.objects.select_for_update().get(pk=census.pk)
        if held.first:
            raise BadInput(
                Text("首次普查已写入台账，不能取消。", "A first census is the inventory and cannot be dropped.")
            )
        if held.step == Census.Step.WAITING:
            held.findings.filter(decision=CensusFinding.Decision.OPEN).update(
                decision=CensusFinding.Decision.REFUSED, decided_by=by, decided_at=datetime.now(UTC)
            )
        if held.step in (Census.Step.WAITING, Census.Step.WRITING):
            Census.objects.filter(pk=held.pk).update(step=Census.Step.DROPPED, ended_at=datetime.now(UTC))


def _digest(path: Path, survey: Survey, options: Options) -> str:
    total = hashlib.sha256()
    for part in _parts_of(path):
        with part.open("rb") as stream:
            while chunk := stream.read(1 << 20):
                total.update(chunk)
    how = {**asdict(options), "columns": dict(survey.columns), "kept": list(survey.kept), "crs": survey.crs}
    total.update(json.dumps(how, sort_keys=True, ensure_ascii=False).encode())
    return total.hexdigest()


def _parts_of(path: Path) -> list[Path]:
    """A file, with those that belong to a Shapefile."""
    if path.suffix.lower() != ".shp":
        return [path]
    return sorted(part for part in path.parent.glob(f"{path.stem}.*") if part.is_file())


def _begun(city: str, kind: str, name: str, digest: str, options: Options, by: str) -> Census:
    """The census of this file, begun now or before; at most one of a class is under way."""
    try:
        with transaction.atomic():
            open_one = (
                Census.objects.select_for_update()
                .filter(city=city, kind=kind, step__in=(Census.Step.WRITING, Census.Step.WAITING))
                .first()
            )
            if open_one is None:
                return Census.objects.create(
                    city=city,
                    kind=kind,
                    file=name[:200],
                    digest=digest,
                    options={**asdict(options), "kept": None if options.kept is None else list(options.kept)},
                    first=not Component.objects.filter(city=city, kind=kind).exists(),
                    brought_by=by,
                )
    except IntegrityError:  # another process began one at the same moment
        open_one = Census.objects.filter(
            city=city, kind=kind, step__in=(Census.Step.WRITING, Census.Step.WAITING)
        ).first()
    if open_one is not None and open_one.digest == digest:
        return open_one
    raise BadInput(
        Problem(
            Text(
                "该类别已有一次普查在进行：{file}。",
                "A census of this class is under way: {file}.",
                file=open_one.file if open_one else "",
            ),
            Text("请先处理完或取消它。", "Decide on it, or drop it, first."),
            name,
        )
    )


# --- the first census of a class --------------------------------------------------------------------------------------


def _looked_through(survey: Survey, rows: Rows, city: str, kind: str, progress: Progress | None) -> Taken:
    taken = Taken()
    for block in survey.blocks():
        _take_block(taken, rows, block, city, kind)
        _tell(progress, taken.rows)
    return taken


def _take_block(taken: Taken, rows: Rows, block: Block, city: str, kind: str) -> list[Counted]:
    found, problems = rows.read(block)
    found, elsewhere = _without_codes_of_others(found, rows, city, kind)
    taken.rows += len(block)
    taken.counts["new"] += len(found)
    taken.add_problems(problems + elsewhere)
    return found


def _without_codes_of_others(
    found: list[Counted], rows: Rows, city: str, kind: str
) -> tuple[list[Counted], list[Problem]]:
    """Components whose code another class has already are refused."""
    given = [one.code for one in found if one.code]
    if not given:
        return found, []
    held = {
        code: other
        for start in range(0, len(given), 10_000)
        for code, other in Component.objects.filter(city=city, code__in=given[start : start + 10_000])
        .exclude(kind=kind)
        .values_list("code", "kind")
    }
    problems = [
        Problem(
            Text(
                "标识码「{code}」已属于类别 {other} 的部件。",
                "The code {code!r} belongs to a component of class {other}.",
                code=one.code,
                other=held[one.code],
            ),
            Text("标识码在全市不得重复。", "A code is unique in the city."),
            rows.file,
            one.row,
            rows.headings.get("code", "code"),
        )
        for one in found
        if one.code in held
    ]
    return [one for one in found if one.code not in held], problems


def _write_first(census: Census, survey: Survey, rows: Rows, progress: Progress | None) -> Taken:
    taken = Taken(census=census.pk)
    for block in survey.blocks():
        if taken.rows < census.done:  # taken up before a kill: its codes and ids are remembered all the same
            _take_block(taken, rows, block, census.city, census.kind)
            continue
        found = _take_block(taken, rows, block, census.city, census.kind)
        with transaction.atomic():
            held = Census.objects.select_for_update().get(pk=census.pk)
            if held.step != Census.Step.WRITING or held.done != taken.rows - len(block):
                raise BadInput(Text("另一个进程正在写入此文件。", "Another process is taking up this file."))
            write_begins(census.city)
            insert_many(Component, COLUMNS, _rows_of(found, rows, census))
            _note(held, taken)
        _tell(progress, taken.rows)
    with transaction.atomic():
        held = Census.objects.select_for_update().get(pk=census.pk)
        if held.step == Census.Step.WRITING:
            held.step, held.ended_at = Census.Step.DONE, datetime.now(UTC)
            _note(held, taken)
        taken.step = held.step
    return taken


def _note(census: Census, taken: Taken) -> None:
    census.done, census.counts = taken.rows, dict(taken.counts)
    census.problems = [{tag: problem.text.into(tag) for tag in ("zh", "en")} for problem in taken.problems]
    census.save(update_fields=["step", "done", "counts", "problems", "ended_at"])


def _rows_of(found: Sequence[Counted], rows: Rows, census: Census) -> list[tuple[Any, ...]]:
    if not found:
        return []
    codes = codes_for(found, rows, census.city)
    cells = cell_of(np.array([one.lon for one in found]), np.array([one.lat for one in found])).tolist()
    today = datetime.now(UTC).astimezone(rows.place.info.zone).date()
    return [
        component_row(one, city=census.city, kind=census.kind, code=code, cell=cell, census=census.pk, today=today)
        for one, code, cell in zip(found, codes, cells, strict=True)
    ]


def component_row(
    one: Counted, *, city: str, kind: str, code: str, cell: int, census: int | None, today: Any
) -> tuple[Any, ...]:
    """A counted component as a row of `COLUMNS`."""
    said = one.said
    return (
        city, code, kind, one.source_id, said.get("name", ""), said.get("state", "intact"), one.lon, one.lat, cell,
        one.region, one.grid, said.get("authority", ""), said.get("owner", ""), said.get("maintainer", ""),
        json.dumps(one.attributes, ensure_ascii=False) if one.attributes else "{}", said.get("note", ""),
        said.get("source", ""), said.get("first_on") or today.isoformat(), None, 1, census,
    )  # fmt: skip


def codes_for(found: Sequence[Counted], rows: Rows, city: str) -> list[str]:
    """The codes of new components: those that they bring, and the next free numbers of their division and class.

    Inside a transaction; it holds the serials that it takes from until that ends.
    """
    scheme = rows.scheme
    prefixes = [
        scheme.prefix(region=one.region, kind=rows.kind) if scheme is not None else f"{rows.kind}-" for one in found
    ]
    brought = Counter[str]()
    wanted = Counter[str]()
    for one, prefix in zip(found, prefixes, strict=True):
        if not one.code:
            wanted[prefix] += 1
        elif one.code.startswith(prefix) and one.code[len(prefix) :].isdigit():
            brought[prefix] = max(brought[prefix], int(one.code[len(prefix) :]))
    numbers: dict[str, Iterator[int]] = {}
    for prefix in sorted({*brought, *wanted}):
        CodeSerial.objects.get_or_create(city=city, prefix=prefix)
        serial = CodeSerial.objects.select_for_update().get(city=city, prefix=prefix)
        first = max(serial.last, brought[prefix])
        serial.last = first + wanted[prefix]
        if scheme is not None and serial.last > scheme.most:
            raise BadInput(
                Text("「{prefix}」的顺序号已用完。", "There are no numbers left under {prefix!r}.", prefix=prefix)
            )
        serial.save(update_fields=["last"])
        numbers[prefix] = iter(range(first + 1, serial.last + 1))
    return [
        one.code
        or (
            scheme.code(prefix=prefix, number=next(numbers[prefix]))
            if scheme is not None
            else f"{prefix}{next(numbers[prefix]):06d}"
        )
        for one, prefix in zip(found, prefixes, strict=True)
    ]


# --- a later census ---------------------------------------------------------------------------------------------------

_KNOWN = (
    "id", "code", "source_id", "lon", "lat", "name", "state", "authority", "owner", "maintainer", "note", "source", "first_on",
    "attributes",
)  # fmt: skip


def _compared(
    place: CityRuntime, kind: str, survey: Survey, rows: Rows, options: Options, progress: Progress | None
) -> tuple[Taken, list[tuple[Any, ...]]]:
    """What differs, as rows of `FINDING_COLUMNS` without their census."""
    taken = Taken()
    counted: list[Counted] = []
    described: tuple[str, ...] = ()
    for block in survey.blocks():
        found = _take_block(taken, rows, block, place.info.id, kind)
        described = described or tuple(found[0].said) if found else described
        counted += found
        _tell(progress, taken.rows)
    del taken.counts["new"]
    known = list(Component.objects.filter(city=place.info.id, kind=kind).order_by("id").values(*_KNOWN))
    found_now = compare(
        Side(
            codes=[one["code"] for one in known],
            sources=[one["source_id"] for one in known],
            places=_places([(one["lon"], one["lat"]) for one in known]),
            contents=[_content_of_row(one, described, survey.kept) for one in known],
        ),
        Side(
            codes=[one.code for one in counted],
            sources=[one.source_id for one in counted],
            places=_places([(one.lon, one.lat) for one in counted]),
            contents=[_content(one.said, described, one.attributes, survey.kept) for one in counted],
        ),
        within=options.within,
        tolerance=options.tolerance,
    )
    lost = {index for index, one in enumerate(known) if one["state"] in GONE}
    findings: list[tuple[Any, ...]] = []
    for one in found_now:
        if one.outcome is Outcome.MISSING and one.known in lost:
            continue  # it is known to be gone
        outcome = one.outcome
        if outcome is Outcome.SAME and one.known in lost:
            outcome = Outcome.CHANGED  # it is there again
        taken.counts[outcome.value] += 1
        if outcome is Outcome.SAME:
            continue
        census_says = counted[one.counted] if one.counted is not None else None
        findings.append(
            (
                outcome.value,
                known[one.known]["id"] if one.known is not None else None,
                census_says.row if census_says else None,
                one.metres,
                json.dumps(_values(census_says), ensure_ascii=False) if census_says else "{}",
            )
        )
    return taken, findings


def _write_findings(census: Census, taken: Taken, findings: list[tuple[Any, ...]]) -> Taken:
    taken.census = census.pk
    with transaction.atomic():
        held = Census.objects.select_for_update().get(pk=census.pk)
        if held.step == Census.Step.WRITING:
            insert_many(CensusFinding, FINDING_COLUMNS, [(census.pk, *finding, "open", "") for finding in findings])
            held.step = Census.Step.WAITING if findings else Census.Step.DONE
            held.ended_at = None if findings else datetime.now(UTC)
            _note(held, taken)
        taken.step = held.step
    return taken


def _places(pairs: Sequence[tuple[float, float]]) -> Any:
    return np.array(pairs, dtype=float).reshape(-1, 2)


def _content_of_row(one: Mapping[str, Any], described: Sequence[str], kept: Sequence[str]) -> tuple[Any, ...]:
    said = {**one, "first_on": one["first_on"].isoformat() if one["first_on"] else None}
    return _content(said, described, one["attributes"], kept)


def _content(
    said: Mapping[str, Any], described: Sequence[str], attributes: Mapping[str, str], kept: Sequence[str]
) -> tuple[Any, ...]:
    return (*(said[name] for name in described), *(attributes.get(name, "") for name in kept))


def _values(one: Counted) -> dict[str, Any]:
    """What a finding keeps of the census, so that it can be taken up later."""
    return {
        "code": one.code, "source_id": one.source_id, "lon": one.lon, "lat": one.lat, "region": one.region, "grid": one.grid,
        "said": one.said, "attributes": one.attributes,
    }  # fmt: skip


def _tell(progress: Progress | None, rows: int) -> None:
    if progress is not None:
        progress(rows, 0)
