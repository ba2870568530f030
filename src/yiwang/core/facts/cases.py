"""The table ``cases``: one row per case. Its columns are an interface: `docs/reference/facts.md` says what each one means."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from zoneinfo import ZoneInfo

from yiwang.core.facts.case_labels import LABELS, clock_label, level_label, post_label, stage_label
from yiwang.core.facts.table import (
    DAY,
    DEPARTMENT,
    FLAG,
    FLOAT,
    INTEGER,
    MOMENT,
    POST,
    TEXT,
    Dimension,
    FactColumn,
    FactTable,
    Row,
    region_columns,
    region_dimensions,
)
from yiwang.core.kernel.text import Text

CASES = "cases"
TIMES = ("wall", "work")
FORMAT = 2  # of the rows; another one makes stored facts be counted anew

HEAD: tuple[tuple[str, str], ...] = (
    ("number", TEXT), ("city", TEXT), ("seq", INTEGER), ("external", TEXT),
    ("region", TEXT), ("grid", TEXT), ("lon", FLOAT), ("lat", FLOAT), ("flag", TEXT), ("located", FLAG),
    ("category", TEXT), ("major", TEXT), ("kind", TEXT), ("condition", TEXT),
    ("source", TEXT), ("opener", TEXT), ("opened_by", TEXT), ("priority", TEXT), ("step", TEXT), ("stage", TEXT),
)  # fmt: skip
MOMENTS = (
    "opened_at", "verified_at", "filed_at", "dispatched_at", "responded_at", "disposed_at", "checked_at", "closed_at", "updated_at",
    "deadline_at", "stage_since", "held_since",
)  # fmt: skip
# what one may group by beside levels and posts
DIMENSIONS = (
    "department", "unit", "centre", "category", "major", "kind", "condition", "source", "opener", "priority", "grid", "unit_level",
)  # fmt: skip
_HANDLING = frozenset({"department", "unit"})  # groups of these are evaluated as departments
# basis of a period → the column with the local day
BASES: Mapping[str, str] = {
    basis: f"{basis}_day" for basis in ("opened", "filed", "dispatched", "due", "disposed", "closed")
}
RESULTS: tuple[tuple[str, str], ...] = (
    ("end_kind", TEXT), ("merged_into", TEXT), ("part_of", TEXT),
    ("main_clock", TEXT), ("limit_s", INTEGER), ("used_s", INTEGER), ("overdue", FLAG), ("penalty_lifted", FLAG),
    ("wall_s", INTEGER), ("work_s", INTEGER), ("response_s", INTEGER), ("paused_wall_s", INTEGER), ("paused_work_s", INTEGER),
    ("events", INTEGER), ("returns", INTEGER), ("reworks", INTEGER), ("extensions_asked", INTEGER), ("extensions", INTEGER),
    ("suspensions_asked", INTEGER), ("suspensions", INTEGER), ("supervisions", INTEGER), ("escalations", INTEGER),
    ("appeals", INTEGER), ("appeals_granted", INTEGER), ("reopens", INTEGER), ("corrections", INTEGER), ("assists", INTEGER),
    ("duplicates", INTEGER), ("parts", INTEGER), ("dispatches", INTEGER), ("handovers", INTEGER), ("departments", INTEGER),
    ("handlers", INTEGER), ("rating", INTEGER), ("ratings", INTEGER), ("recurrences", INTEGER), ("reports", INTEGER),
    ("holder", TEXT), ("holder_level", TEXT), ("centre", TEXT), ("unit", TEXT), ("unit_kind", TEXT), ("unit_level", TEXT),
    ("department", TEXT), ("unit_chain", TEXT), ("custody", TEXT),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitFacts:
    """What the facts say of a unit.

    Attributes:
        kind, level: As in units.csv.
        department: The nearest unit at or above it that is a department or a community; itself where there is none.
        chain: Codes from the top down to it, joined by ``/``.
    """

    kind: str
    level: str
    department: str
    chain: str


@dataclass(frozen=True, kw_only=True)
class FactContext:
    """What a row of facts needs of a city beside the events: names and codes, no rule.

    Attributes:
        city: Id of the city.
        zone: Its time zone, for local days.
        levels: Levels from the city down: id and width of a region's code.
        root: Code of the city's own region.
        stages, clocks, posts: Ids from the workflow; posts are the roles on an axis.
        main_clock: The clock by which a case is late.
        moments: Verbs that mark ``verified`` (核实) and ``checked`` (核查), as the pack says; and ``responded``, which
            otherwise is when somebody first takes the case in hand.
        categories: Category → group above and kind.
        units: Unit → what is said of it.
        latitude: Of the city's middle, in degrees: where near is near.
    """

    city: str
    zone: ZoneInfo
    levels: tuple[tuple[str, int], ...]
    root: str
    stages: tuple[str, ...]
    clocks: tuple[str, ...]
    posts: tuple[str, ...]
    main_clock: str
    moments: Mapping[str, frozenset[str]] = field(default_factory=dict)
    categories: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    units: Mapping[str, UnitFacts] = field(default_factory=dict)
    latitude: float = 0.0

    @cached_property
    def table(self) -> FactTable:
        """The table of the case facts of this city."""
        dimensions = region_dimensions(self.levels)
        dimensions |= {
            name: Dimension(column=name, object=DEPARTMENT if name in _HANDLING else "") for name in DIMENSIONS
        }
        dimensions |= {
            f"post_{post}": Dimension(column=f"post_{post}", object=POST, member=post) for post in self.posts
        }
        return FactTable(
            name=CASES, label=Text("案卷", "cases"), key="number", columns=tuple(self._columns()), bases=BASES, dimensions=dimensions,
            month="opened_day", order="opened_at", inputs=self.digest(),
        )  # fmt: skip

    @property
    def columns(self) -> Mapping[str, str]:
        """Every column of the case facts in order, with its kind."""
        return self.table.kinds

    @property
    def blank(self) -> Row:
        """A row of the case facts with nothing in it."""
        return self.table.blank

    def _columns(self) -> Iterator[FactColumn]:
        yield from (FactColumn(name, kind, LABELS[name]) for name, kind in HEAD)
        yield from region_columns(self.levels)
        yield from (FactColumn(name, MOMENT, LABELS[name]) for name in MOMENTS)
        yield from (FactColumn(name, DAY, LABELS[name]) for name in BASES.values())
        yield from (FactColumn(name, kind, LABELS[name]) for name, kind in RESULTS)
        for stage in self.stages:
            yield from (FactColumn(f"stage_{stage}_{time}_s", INTEGER, stage_label(stage, time)) for time in TIMES)
        for level, _ in self.levels:
            yield from (FactColumn(f"level_{level}_{time}_s", INTEGER, level_label(level, time)) for time in TIMES)
        for clock in self.clocks:
            for figure in ("runs", "done", "late", "used_s"):
                yield FactColumn(f"clock_{clock}_{figure}", INTEGER, clock_label(clock, figure))
        yield from (FactColumn(f"post_{post}", TEXT, post_label(post)) for post in self.posts)

    def digest(self) -> str:
        """Changes whenever a row could come out otherwise from the same events and calendar."""
        parts = (
            FORMAT, self.city, self.zone.key, self.levels, self.root, self.stages, self.clocks, self.posts, self.main_clock, self.latitude,
            sorted((name, sorted(verbs)) for name, verbs in self.moments.items()), sorted(self.categories.items()),
            sorted((code, unit.kind, unit.level, unit.chain) for code, unit in self.units.items()),
        )  # fmt: skip
        return hashlib.sha256(repr(parts).encode()).hexdigest()
