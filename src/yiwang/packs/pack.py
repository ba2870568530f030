"""A pack, read: a city's whole data as core objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from yiwang.core.cases.rulebook import Rulebook
from yiwang.core.cases.units import UnitDirectory
from yiwang.core.cases.workflow import Workflow, read_workflow
from yiwang.core.facts.cases import FactContext
from yiwang.core.facts.table import FactTable
from yiwang.core.indicators.definitions import IndicatorBook
from yiwang.core.inspections.checklists import Checklist
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.core.planning.values import PeopleCount, PlanningValue
from yiwang.core.rules import Table, compile_table
from yiwang.core.space import Locator, RegionTree, UnitGrids, generate_unit_grids
from yiwang.core.surveys.questionnaires import Questionnaire
from yiwang.core.worktime import WorkCalendar
from yiwang.packs.basemap import BaseMap, read_basemap
from yiwang.packs.calendar import read_calendar
from yiwang.packs.catalogue import Catalogue, Category, Condition, read_catalogue
from yiwang.packs.components import ComponentClass, read_component_classes
from yiwang.packs.examples import Example, read_examples
from yiwang.packs.fact_tables import fact_tables
from yiwang.packs.files import PackFiles
from yiwang.packs.honours import HonourRules, read_honours
from yiwang.packs.indicators import fact_context, read_indicators, read_moments
from yiwang.packs.info import PackInfo, read_info
from yiwang.packs.inspections import read_inspections
from yiwang.packs.planning import read_planning
from yiwang.packs.portal import PortalPolicy, read_portal
from yiwang.packs.records.mapping import ReplayMapping, read_mapping
from yiwang.packs.regions import read_tree
from yiwang.packs.sensing import SensingPolicy, read_sensing
from yiwang.packs.simulated import SimulatedSensors, read_simulated
from yiwang.packs.surveys import read_surveys
from yiwang.packs.tables import read_tables
from yiwang.packs.units import read_units

WORKFLOW = "workflow.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """A city's data as core objects. Two reads of the same files are equal in everything that they decide.

    Attributes:
        root: Folder that it was read from.
        info: `pack.toml`.
        regions: The tree with every region that was ever in force; ``regions.on(day)`` for one day.
        catalogue: Categories of all schemes, mappings, conditions.
        units: Who can hold a case.
        tables: Decision tables by name: triage, routing, limits.
        workflow: The checked workflow.
        calendar: Working time.
        examples: The pack's own tests.
        simulation: `simulation.toml` as parsed, or None.
        replay: How the city's own records read, from `replay.toml`, or None.
        indicators: What is measured, from `indicators.toml`; empty without it.
        portal: How the public portal is run, from `portal.toml`, or its defaults.
        components: Classes of components by code, from `components.csv` and the catalogue.
        sensing: Which readings raise an alarm and open a case, from `sensing.toml`; nothing without it.
        checklists: By which places are inspected, from `inspections.toml`; none without it.
        honours: When a region is a demonstration area and who may hold a banner, from `honours.toml`; none without it.
        questionnaires: What citizens are asked about closed cases, from `surveys.toml`; none without it.
        planning: Figures that plans are made with, from `planning.toml`; none without it.
        people: How many people live in some of its regions, from the same file.
        simulated_sensors: The sensors that the city pretends to have, from `simulated.toml`, or None.
        basemap: What is drawn under the regions, from `basemap/`, or None; its layers are read by `read_layers`.
        files: Names of its files.
        digest: SHA-256 over the names and content of all of them: the pack's version.
    """

    root: Path
    info: PackInfo
    regions: RegionTree
    catalogue: Catalogue
    units: UnitDirectory
    tables: Mapping[str, Table]
    workflow: Workflow
    calendar: WorkCalendar
    examples: tuple[Example, ...] = ()
    simulation: Mapping[str, Any] | None = None
    replay: ReplayMapping | None = None
    indicators: IndicatorBook = field(default_factory=IndicatorBook)
    portal: PortalPolicy = field(default_factory=PortalPolicy)
    components: Mapping[str, ComponentClass] = field(default_factory=dict)
    sensing: SensingPolicy = field(default_factory=SensingPolicy)
    checklists: tuple[Checklist, ...] = ()
    honours: HonourRules = field(default_factory=HonourRules)
    questionnaires: tuple[Questionnaire, ...] = ()
    planning: tuple[PlanningValue, ...] = ()
    people: tuple[PeopleCount, ...] = ()
    simulated_sensors: SimulatedSensors | None = None
    basemap: BaseMap | None = None
    files: tuple[str, ...] = ()
    digest: str = ""

    @property
    def id(self) -> str:
        return self.info.id

    @property
    def categories(self) -> Mapping[str, Category]:
        """Categories of the scheme that cases use, by code."""
        return self.catalogue.categories

    @property
    def conditions(self) -> Mapping[tuple[str, str], Condition]:
        """Filing conditions by category and condition."""
        return self.catalogue.conditions

    def fact_context(self) -> FactContext:
        """What the facts of a case need of this city: names, codes and levels."""
        return fact_context(
            info=self.info, regions=self.regions, workflow=self.workflow, units=self.units,
            categories=self.catalogue.categories, moments=self.indicators.moments,
        )  # fmt: skip

    def fact_tables(self) -> dict[str, FactTable]:
        """The tables of facts of this city by name."""
        return fact_tables(self.fact_context())

    def rulebook(self) -> Rulebook:
        """What deciding may consult, with the tables compiled."""
        return Rulebook(
            workflow=self.workflow,
            triage=compile_table(self.tables["triage"]),
            routing=compile_table(self.tables["routing"]),
            limits=compile_table(self.tables["limits"]),
            units=self.units,
            regions=self.regions,
        )

    def grids(self, *, on: date, previous: UnitGrids | None = None) -> UnitGrids | None:
        """Unit grids over the regions of a day; None when the pack wants none or has no outlines."""
        if self.info.grid is None:
            return None
        lowest = self.info.levels[-1].id
        tree = self.regions.on(on)
        if not any(region.geometry is not None for region in tree.at_level(lowest)):
            return None
        return generate_unit_grids(tree=tree, rules=self.info.grid, previous=previous)

    def locator(self, *, on: date, grids: UnitGrids | None = None) -> Locator:
        """Point → region on a day, and → unit grid when grids are given."""
        return Locator(tree=self.regions.on(on), grids=grids, default_points=self.info.default_points)


@dataclass(slots=True)
class Reading:
    """A pack as far as it could be read, with everything that is wrong with it."""

    files: PackFiles
    pack: Pack | None = None
    parts: dict[str, Any] = field(default_factory=dict)


def read_pack(path: Path | str) -> Pack:
    """Read a pack folder.

    Args:
        path: The folder.

    Returns:
        The pack. Only what would make it unusable is an error here; :func:`yiwang.packs.check_pack` looks at much more.

    Raises:
        BadInput: with every problem of every file.
    """
    reading = read_all(path)
    if reading.pack is None:
        raise BadInput(reading.files.problems)
    return reading.pack


def read_all(path: Path | str) -> Reading:
    """Read everything that can be read; the pack is None when there were problems."""
    root = Path(path)
    files = PackFiles(root)
    reading = Reading(files)
    if not root.is_dir():
        files.fault(
            Text("没有文件夹「{root}」。", "There is no folder {root!r}.", root=str(root)),
            Text("请写 pack.toml 所在的文件夹。", "Name the folder that holds pack.toml."),
            file="",
        )
        return reading
    info = read_info(files)
    if info is None:
        return reading
    regions = read_tree(files, levels=info.levels)
    parts = reading.parts
    parts["planning"], parts["people"] = read_planning(files, regions=regions)
    parts |= {
        "info": info,
        "regions": regions,
        "catalogue": read_catalogue(files, scheme=info.scheme),
        "units": read_units(files, levels=info.levels, regions=regions),
        "tables": read_tables(files, declared=info.tables),
        "workflow": _read_workflow(files),
        "calendar": read_calendar(files, timezone=info.timezone),
        "examples": read_examples(files),
        "simulation": files.toml("simulation.toml", required=False),
        "replay": read_mapping(files, timezone=info.timezone),
        "simulated_sensors": read_simulated(files),
        "basemap": read_basemap(files),
    }
    if parts["catalogue"] is not None:
        parts["components"] = read_component_classes(files, categories=parts["catalogue"].categories)
    parts["sensing"] = _read_sensing(files, parts)
    parts["checklists"] = _read_checklists(files, parts)
    parts["questionnaires"] = read_surveys(files)
    parts["indicators"] = _read_book(files, parts)
    parts["honours"] = read_honours(files, checklists=parts["checklists"], lists=parts["indicators"].lists)
    parts["portal"] = read_portal(files, workflow=parts["workflow"])
    if not files.problems:
        reading.pack = Pack(root=root, files=tuple(files.names()), digest=files.digest(), **parts)
    return reading


def _read_sensing(files: PackFiles, parts: Mapping[str, Any]) -> SensingPolicy:
    triage = (parts["tables"] or {}).get("triage")
    return read_sensing(
        files, workflow=parts["workflow"], categories=parts["catalogue"].categories if parts["catalogue"] else {},
        levels=[level.id for level in parts["info"].levels],
        priorities={row.outputs["priority"] for row in triage.rows} if triage else (),
    )  # fmt: skip


def _read_checklists(files: PackFiles, parts: Mapping[str, Any]) -> tuple[Checklist, ...]:
    return read_inspections(
        files, levels=[level.id for level in parts["info"].levels],
        categories=parts["catalogue"].categories if parts["catalogue"] else (),
        components=parts.get("components", ()),
    )  # fmt: skip


def _read_book(files: PackFiles, parts: Mapping[str, Any]) -> IndicatorBook:
    """The indicators, checked against the columns that this city's facts have; empty where those cannot be known."""
    if any(parts[name] is None for name in ("info", "regions", "catalogue", "units", "workflow")):
        return IndicatorBook()
    context = fact_context(
        info=parts["info"], regions=parts["regions"], workflow=parts["workflow"], units=parts["units"],
        categories=parts["catalogue"].categories, moments=read_moments(files, workflow=parts["workflow"]),
    )  # fmt: skip
    return read_indicators(files, context=context, workflow=parts["workflow"])


def _read_workflow(files: PackFiles) -> Workflow | None:
    data = files.toml(WORKFLOW)
    if data is None:
        return None
    try:
        return read_workflow(data, file=WORKFLOW)
    except BadInput as error:
        files.problems.extend(Problem(p.message, p.hint, p.file or WORKFLOW, p.row, p.column) for p in error.problems)
        return None
