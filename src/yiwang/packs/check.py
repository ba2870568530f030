"""`yiwang pack check`: everything that can be wrong with a pack, in one run."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.periods import Validity
from yiwang.core.kernel.text import NO_TEXT, Text
from yiwang.core.rules import Finding, Kind, Table, analyse
from yiwang.core.rules.cells import ANY
from yiwang.core.worktime import Limit
from yiwang.packs.basemap import read_layers
from yiwang.packs.catalogue import CONDITION_KEY
from yiwang.packs.crosscheck import CrossCheck
from yiwang.packs.examples import Example
from yiwang.packs.explain import Explainer, Explanation
from yiwang.packs.pack import Pack, Reading, read_all
from yiwang.packs.tables import TEMPLATES


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a check found.

    Attributes:
        path: The folder.
        on: The day that it was checked for.
        pack: The pack; None when it could not even be read.
        problems: Faults: the pack must not be installed with them.
        warnings: What is odd but harmless.
        counts: How much there is of what.
        examples: How many of the pack's own tests hold.
        seconds: How long the check took.
    """

    path: Path
    on: date
    pack: Pack | None
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    counts: Mapping[str, int] = field(default_factory=dict)
    examples: int = 0
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        return not self.problems


def check_pack(path: Path | str, *, on: date | None = None, with_examples: bool = True) -> Report:
    """Check a pack folder.

    Args:
        path: The folder.
        on: The day whose rules, regions and units are looked at; today by default.
        with_examples: Run the pack's own tests too, which takes most of the time.

    Returns:
        The report; nothing that is in a file raises.
    """
    started = time.perf_counter()
    reading = read_all(path)
    day = on or datetime.now().astimezone().date()
    problems, warnings = list(reading.files.problems), list(reading.files.warnings)
    passed = 0
    pack = reading.pack
    drawn: dict[str, int] = {}
    if pack is not None and pack.basemap is not None:
        before = len(reading.files.problems)
        layers = read_layers(reading.files, pack.basemap)
        problems.extend(reading.files.problems[before:])
        drawn["drawn features"] = sum(len(layer.shapes) for layer in layers.values())
    if pack is not None:
        for table in pack.tables.values():
            for finding in analyse_table(table, pack):
                (warnings if finding.kind is Kind.HOLE else problems).append(finding.problem)
        found = CrossCheck(pack, on=day).run()
        problems.extend(found.problems)
        warnings.extend(found.warnings)
        if not problems and with_examples:
            passed = _run_examples(pack, problems)
        if not pack.examples:
            warnings.append(
                Problem(
                    Text("城市包没有示例。", "The pack has no examples."),
                    Text(
                        "示例是城市包自己的测试：请添加 examples/*.toml。",
                        "They are its own tests: add examples/*.toml.",
                    ),
                    "examples",
                )
            )
    return Report(
        path=Path(path),
        on=day,
        pack=pack,
        problems=tuple(problems),
        warnings=tuple(warnings),
        counts=_counts(reading) | drawn,
        examples=passed,
        seconds=time.perf_counter() - started,
    )


def analyse_table(table: Table, pack: Pack) -> list[Finding]:
    """Overlaps, gaps, rows that can never decide and holes of one table, for what can occur in this city."""
    names = table.spec.input_names
    codes = list(pack.categories)
    if table.name == "triage":
        codes.append("")  # a report may come without a category
    domain: dict[str | tuple[str, ...], list[Any]] = {}
    if "category" in names and "condition" in names:
        pairs = [(code, "") for code in codes]
        domain[CONDITION_KEY] = pairs + [pair for pair in pack.conditions if pair[0] in pack.categories]
    elif "category" in names:
        domain["category"] = codes
    if "region" in names:
        domain["region"] = ["", *pack.regions.codes]
    if "priority" in names:
        domain["priority"] = sorted({row.outputs["priority"] for row in pack.tables["triage"].rows})
    lives = {
        "category": {code: category.validity for code, category in pack.categories.items()},
        "region": {region.code: region.validity for region in pack.regions},
    }
    always = Validity()
    lifetimes = {
        name: {value: life for value, life in values.items() if life != always}
        for name, values in lives.items()
        if name in names
    }
    findings = analyse(table, domain, lifetimes=lifetimes)
    return [finding for finding in findings if not _steps_in(finding, table, pack)]


def _steps_in(finding: Finding, table: Table, pack: Pack) -> bool:
    """Whether a row that seems dead decides where the units of those before it cannot be told: the region is too coarse."""
    if finding.kind is Kind.DEAD and all(cell is ANY for cell in table.row(finding.rows[0]).cells):
        return True  # the catch-all: a net for what cannot occur today
    outputs = [output for name, output in TEMPLATES if name == table.name]
    if finding.kind is not Kind.DEAD or not outputs or not pack.info.levels:
        return False
    city = "{" + pack.info.levels[0].id + "}"
    above = (table.row(row_id).outputs[outputs[0]] for row_id in finding.rows[1:])
    return any("{" in template.replace(city, "") for template in above)


def _counts(reading: Reading) -> dict[str, int]:
    parts = reading.parts
    if not parts:
        return {}
    counts = {
        "regions": len(parts["regions"]),
        "categories": len(parts["catalogue"].categories),
        "conditions": len(parts["catalogue"].conditions),
        "units": len(parts["units"]),
        **{name: len(table) for name, table in parts["tables"].items()},
    }
    if parts["workflow"] is not None:
        counts |= {"steps": len(parts["workflow"].steps), "verbs": len(parts["workflow"].verbs)}
    if parts["indicators"].indicators:
        counts["indicators"] = len(parts["indicators"].indicators)
    if parts["sensing"].alarms:
        counts["alarms"] = len(parts["sensing"].alarms)
    if parts["sensing"].adapters:
        counts["adapters"] = len(parts["sensing"].adapters)
    return counts | {"examples": len(parts["examples"])}


def _run_examples(pack: Pack, problems: list[Problem]) -> int:
    explainer = Explainer(pack, with_grids=any("grid" in example.expect for example in pack.examples))
    passed = 0
    for example in pack.examples:
        found = run_example(example, explainer)
        problems.extend(found)
        passed += not found
    return passed


def run_example(example: Example, explainer: Explainer) -> list[Problem]:
    """What an example expects and does not get; empty when it holds."""
    try:
        got = explainer.explain(
            category=example.category,
            condition=example.condition,
            lon=example.lon,
            lat=example.lat,
            crs=example.crs,
            region=example.region,
            source=example.source,
            at=example.at,
        )
    except BadInput as error:
        return [
            Problem(
                Text("{name}：{message}", "{name}: {message}", name=example.name, message=p.message),
                p.hint,
                example.file,
                p.row,
                p.column,
            )
            for p in error.problems
        ]
    answers = got.answers()
    nothing = Text("空", "nothing")
    return [
        Problem(
            Text(
                "{name}：{key} 是 {got}，应为 {wanted}。",
                "{name}: {key} is {got}, expected {wanted}.",
                name=example.name,
                key=key,
                got=answers[key] or nothing,
                wanted=wanted or nothing,
            ),
            _reason(got, key),
            example.file,
            None,
            key,
        )
        for key, wanted in example.expect.items()
        if not _agrees(key, wanted, answers[key])
    ]


def _agrees(key: str, wanted: str, got: str) -> bool:
    if wanted == got:
        return True
    if not wanted or not got:
        return False
    if key == "region":
        return got.startswith(wanted)
    if key == "deadline":
        return datetime.fromisoformat(wanted) == datetime.fromisoformat(got)
    if key == "limit":
        try:
            return Limit.parse(wanted) == Limit.parse(got)
        except BadInput:
            return False
    return False


_TABLE_OF = {
    "priority": "triage",
    "auto": "triage",
    "verify": "triage",
    "centre": "triage",
    "triage_row": "triage",
    "unit": "routing",
    "routing_row": "routing",
    "limit": "limits",
    "limits_row": "limits",
    "deadline": "limits",
}


def _reason(got: Explanation, key: str) -> Text:
    decision = got.decisions.get(_TABLE_OF.get(key, ""))
    if key == "deadline" and got.deadline_fault:
        return got.deadline_fault
    return decision.why()[0] if decision else NO_TEXT


def report_dict(report: Report) -> dict[str, Any]:
    """The report for machines."""

    def problem_rows(found: tuple[Problem, ...]) -> list[dict[str, Any]]:
        return [
            {"message": str(p.message), "hint": str(p.hint), "file": p.file, "row": p.row, "column": p.column}
            for p in found
        ]

    pack = report.pack
    return {
        "path": str(report.path),
        "ok": report.ok,
        "id": pack.id if pack else None,
        "digest": pack.digest if pack else None,
        "on": report.on.isoformat(),
        "counts": dict(report.counts),
        "examples_passed": report.examples,
        "problems": problem_rows(report.problems),
        "warnings": problem_rows(report.warnings),
        "seconds": round(report.seconds, 3),
    }
