"""Which facts of a domain, on which days, some rows of a table cover: the ground of the analysis of gaps and dead rows.

The full product of a domain (hundreds of categories, a thousand regions, channels, priorities, days) is never walked
through. Values that the same rows match are one group; walking down the inputs, values that leave the same candidates
make one state; a state is settled at once when a candidate that matches everything still to come is in force on every
day wanted; and a settled state is remembered.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import and_, or_

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.periods import Validity
from yiwang.core.kernel.text import Text
from yiwang.core.rules.axes import Axis, Epochs
from yiwang.core.rules.bits import bits
from yiwang.core.rules.table import Table

# Values of one input, or of several that belong together (the conditions of a category, say).
Domain = Mapping[str | tuple[str, ...], Sequence[str] | Sequence[tuple[str, ...]]]
# Days on which a value exists, by input and value; one that is not named exists always.
Lifetimes = Mapping[str, Mapping[str, Validity]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Values of a dimension that behave alike: the same rows match them, and they exist on the same days."""

    rows: int
    epochs: int
    example: tuple[str, ...]
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """One input of the domain, or several that belong together.

    Attributes:
        names: The inputs.
        groups: Groups of values, in order of their first value.
    """

    names: tuple[str, ...]
    groups: tuple[Group, ...]

    @property
    def reach(self) -> int:
        """Rows that match some value."""
        return reduce(or_, (group.rows for group in self.groups), 0)

    @property
    def size(self) -> int:
        return sum(group.size for group in self.groups)


def build_dimensions(
    *, table: Table, axes: Sequence[Axis], epochs: Epochs, domain: Domain | None, lifetimes: Lifetimes | None
) -> tuple[Dimension, ...]:
    """Dimensions of the domain in order of precedence (of the first input of each).

    An input that the domain does not name is represented by one fact of every class, the missing fact among them: every
    text is possible then.

    Raises:
        BadInput: The domain names an input twice, or one that the table has not, or has no value for it.
    """
    names = table.spec.input_names
    axis_of = dict(zip(names, axes, strict=True))
    keys = [(key,) if isinstance(key, str) else tuple(key) for key in domain or {}]
    named = [name for key in keys for name in key]
    wrong = sorted({name for name in named if name not in axis_of or named.count(name) > 1})
    if wrong:
        raise BadInput(
            Text(
                "决策表「{table}」的取值域中每个输入最多写一次；请检查 {inputs}。",
                "The domain of table {table!r} must name each input at most once; look at {inputs}.",
                table=table.name,
                inputs=", ".join(wrong),
            )
        )
    values: dict[tuple[str, ...], Iterable[tuple[str, ...]]] = {
        key: [(value,) if isinstance(value, str) else tuple(value) for value in given]
        for key, given in zip(keys, (domain or {}).values(), strict=True)
    }
    for name in names:
        if name not in named:
            values[(name,)] = [(fact,) for fact in axis_of[name].representatives()]
    order = table.spec.precedence
    keys = sorted(values, key=lambda key: min(map(order.index, key)))
    return tuple(_dimension(key, values[key], axis_of, epochs, lifetimes or {}) for key in keys)


def _dimension(
    names: tuple[str, ...],
    values: Iterable[tuple[str, ...]],
    axis_of: Mapping[str, Axis],
    epochs: Epochs,
    lifetimes: Lifetimes,
) -> Dimension:
    always = epochs.span(None, None)
    groups: dict[tuple[int, int], list[tuple[str, ...]]] = {}
    for value in dict.fromkeys(values):
        if len(value) != len(names):
            raise BadInput(
                Text(
                    "{inputs} 的值应有 {count} 个部分，而不是 {value!r}。",
                    "A value of {inputs} has {count} parts, not {value!r}.",
                    inputs=", ".join(names),
                    count=len(names),
                    value=value,
                )
            )
        lives = [
            lifetimes[name][part] for name, part in zip(names, value, strict=True) if part in lifetimes.get(name, {})
        ]
        exists = reduce(and_, (epochs.span(life.valid_from, life.valid_to) for life in lives), always)
        rows = reduce(and_, (axis_of[name].rows_for(part) for name, part in zip(names, value, strict=True)))
        groups.setdefault((rows, exists), []).append(value)
    if not groups:
        raise BadInput(
            Text("取值域中没有 {inputs} 的值。", "The domain has no value for {inputs}.", inputs=", ".join(names))
        )
    return Dimension(
        names=names,
        groups=tuple(
            Group(rows=rows, epochs=exists, example=members[0], size=len(members))
            for (rows, exists), members in groups.items()
        ),
    )


@dataclass(slots=True, kw_only=True)
class Coverage:
    """Asks which combinations of groups the given rows leave uncovered.

    Args:
        levels: Per dimension the groups to walk through.
        spans: Epochs in which each row is in force, by bit.
    """

    levels: Sequence[Sequence[Group]]
    spans: Sequence[int]
    _always: list[int] = field(init=False)
    _known: dict[tuple[int, int, int], int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        # Rows that match every combination from a level down.
        self._always = [-1]
        for groups in reversed(self.levels):
            self._always.append(reduce(and_, (group.rows for group in groups), self._always[-1]))
        self._always.reverse()

    def covered_epochs(self, rows: int, wanted: int) -> int:
        """Those of the wanted epochs in which one of these rows is in force."""
        found = 0
        for bit in bits(rows):
            found |= self.spans[bit]
            if not wanted & ~found:
                return wanted
        return wanted & found

    def below(self, level: int, rows: int, wanted: int) -> dict[tuple[int, int], list[Group]]:
        """Groups of a level by the state that they lead to: the candidates and the epochs still wanted."""
        states: dict[tuple[int, int], list[Group]] = {}
        for group in self.levels[level]:
            states.setdefault((rows & group.rows, wanted & group.epochs), []).append(group)
        return states

    def missing(self, level: int, rows: int, wanted: int) -> int:
        """Number of combinations of values from a level down that are uncovered in some wanted epoch."""
        if not wanted or self.covered_epochs(rows & self._always[level], wanted) == wanted:
            return 0
        if level == len(self.levels):
            return 1
        key = (level, rows, wanted)
        known = self._known.get(key)
        if known is None:
            states = self.below(level, rows, wanted)
            known = sum(
                sum(group.size for group in groups) * self.missing(level + 1, *state)
                for state, groups in states.items()
            )
            self._known[key] = known
        return known

    def leaks(self, level: int, rows: int, wanted: int) -> bool:
        """Whether some combination from a level down is uncovered in some wanted epoch; stops at the first one."""
        if not wanted or self.covered_epochs(rows & self._always[level], wanted) == wanted:
            return False
        if level == len(self.levels):
            return True
        key = (level, rows, wanted)
        if key in self._known:
            return False
        # The least covered first: most rows are not dead, and this finds why at once.
        states = sorted(self.below(level, rows, wanted), key=lambda state: state[0].bit_count())
        if any(self.leaks(level + 1, *state) for state in states):
            return True
        self._known[key] = 0
        return False

    @property
    def combinations(self) -> int:
        return math.prod(sum(group.size for group in groups) for groups in self.levels)
