"""The region tree: what lies above and below each region, and what became of those that ended."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.core.space.geometry import Shape
from yiwang.core.space.reading import read_regions
from yiwang.core.space.regions import Level, Region

# Larger than every character that a code may hold: the end of a prefix range.
_AFTER_EVERY_CODE = "\U0010ffff"


class RegionTree:
    """Regions by code, with what lies above and below each.

    Build one with :meth:`from_rows`, which checks; the constructor takes regions that are already sound.
    """

    def __init__(self, *, regions: Iterable[Region], levels: Sequence[Level]) -> None:
        self.levels: tuple[Level, ...] = tuple(levels)
        self._by_code: dict[str, Region] = {region.code: region for region in sorted(regions, key=lambda r: r.code)}
        self._codes: list[str] = list(self._by_code)
        self._depth = {level.id: depth for depth, level in enumerate(self.levels)}
        children: dict[str, list[Region]] = defaultdict(list)
        successors: dict[str, list[str]] = defaultdict(list)
        for region in self._by_code.values():
            children[region.parent].append(region)
            for predecessor in region.predecessors:
                successors[predecessor].append(region.code)
        self._children = {code: tuple(below) for code, below in children.items()}
        self._successors = dict(successors)
        self._chains: dict[str, tuple[Region, ...]] = {}
        self._lineages: dict[str, tuple[str, ...]] = {}

    @classmethod
    def from_rows(
        cls,
        *,
        rows: Sequence[Mapping[str, str]],
        levels: Sequence[Level],
        shapes: Mapping[str, Shape] | None = None,
        file: str = "regions.csv",
    ) -> RegionTree:
        """Build a tree from the rows of a ``regions.csv``, already read.

        Args:
            rows: One mapping per row, with the columns of the pack format.
            levels: The pack's levels, from the city down.
            shapes: Geometry by code, see :func:`yiwang.core.space.geometry.read_shapes`.
            file: Name used in problems.

        Raises:
            BadInput: with every problem found.
        """
        regions, problems = read_regions(rows=rows, levels=levels, shapes=shapes, file=file)
        if problems:
            raise BadInput(problems)
        return cls(regions=regions, levels=levels)

    def __len__(self) -> int:
        return len(self._by_code)

    def __iter__(self) -> Iterator[Region]:
        """Regions in the order of their codes, so parents before their children."""
        return iter(self._by_code.values())

    def __contains__(self, code: object) -> bool:
        return code in self._by_code

    def __getitem__(self, code: str) -> Region:
        try:
            return self._by_code[code]
        except KeyError:
            raise _unknown(code) from None

    def get(self, code: str) -> Region | None:
        """The region of this code, or None."""
        return self._by_code.get(code)

    @property
    def codes(self) -> tuple[str, ...]:
        """Every code, sorted."""
        return tuple(self._codes)

    @property
    def roots(self) -> tuple[Region, ...]:
        """Regions without a parent: the city, as a rule."""
        return self._children.get("", ())

    def depth(self, code: str) -> int:
        """0 for the city's level, counting down the pack's levels."""
        return self._depth[self[code].level]

    def at_level(self, level_id: str) -> tuple[Region, ...]:
        """Every region of one level, by code."""
        return tuple(region for region in self if region.level == level_id)

    def children(self, code: str) -> tuple[Region, ...]:
        """Regions directly below, by code."""
        return self._children.get(code, ())

    def chain(self, code: str) -> tuple[Region, ...]:
        """From the city down to the region itself. A unit grid's code gives the chain of the region around it.

        Raises:
            BadInput: neither the code nor a prefix of it at a level's width is a region.
        """
        found = self._chains.get(code)
        if found is None:
            region = self._by_code.get(code) or self._around(code)
            above = self.chain(region.parent) if region.parent else ()
            found = (*above, region)
            self._chains[region.code] = found
        return found

    def descendants(self, code: str) -> tuple[Region, ...]:
        """Everything below a region, at any depth, by code: one range of the sorted codes, since codes are paths."""
        start = bisect_left(self._codes, code)
        end = bisect_left(self._codes, code + _AFTER_EVERY_CODE)
        return tuple(self._by_code[below] for below in self._codes[start:end] if below != code)

    def ancestor(self, code: str, level_id: str) -> str | None:
        """Code of the region at a level on the way down to this one (itself included), or None if it lies above it."""
        return self.codes_by_level(code).get(level_id)

    def codes_by_level(self, code: str) -> dict[str, str]:
        """Level id to code for a region or unit grid and everything above it: what templates are filled from."""
        return {region.level: region.code for region in self.chain(code)}

    def on(self, day: date) -> RegionTree:
        """The tree of the regions in force on a day."""
        return RegionTree(regions=(region for region in self if region.validity.contains(day)), levels=self.levels)

    def successors(self, code: str, on: date) -> tuple[str, ...]:
        """Codes in force on a day that a region lives on in: itself, or what mergers, splits and renamings made of it.

        A merger gives one code for several; a split several for one. Empty when it ended without a successor.
        """
        found: set[str] = set()
        seen: set[str] = set()
        waiting = [self[code].code]
        while waiting:
            current = waiting.pop()
            if current in seen:
                continue
            seen.add(current)
            if self._by_code[current].validity.contains(on):
                found.add(current)
            else:
                waiting.extend(self._successors.get(current, ()))
        return tuple(sorted(found))

    def lineage(self, code: str) -> tuple[str, ...]:
        """Prefixes of everything that belongs to a region now: its own code first, then the regions that ended when it or a
        part of it came from them, as far as their codes lie elsewhere.

        What a split left behind belongs to each of its parts: nobody has said which one.
        """
        found = self._lineages.get(code)
        if found is None:
            prefixes, seen = [code], set[str]()
            waiting = [code, *(region.code for region in self.descendants(code))]
            while waiting:
                current = waiting.pop()
                if current in seen:
                    continue
                seen.add(current)
                if self._by_code[current].validity.valid_to is not None and not current.startswith(tuple(prefixes)):
                    prefixes.append(current)
                waiting.extend(self._by_code[current].predecessors)
            found = self._lineages[code] = (code, *sorted(prefixes[1:]))
        return found

    def _around(self, code: str) -> Region:
        """The finest region whose code begins a longer code."""
        for level in reversed(self.levels):
            region = self._by_code.get(code[: level.width]) if level.width < len(code) else None
            if region is not None:
                return region
        raise _unknown(code)


def _unknown(code: str) -> BadInput:
    return BadInput(
        Problem(
            Text("区域「{code}」不存在。", "Unknown region {code!r}.", code=code),
            hint=Text("请见该城市的 regions.csv。", "See the city's regions.csv."),
        )
    )
