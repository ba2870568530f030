"""A file whose columns have set names: its rows as cells by name, and what became of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.packs.records.file import open_rows

KEPT_PROBLEMS = 200
Cells = dict[str, str]


@dataclass(slots=True)
class Taken:
    """What became of a file.

    Attributes:
        rows: Rows of it, the head left out.
        refused: Rows that cannot be used.
        problems: Why, the first `KEPT_PROBLEMS` of them.
    """

    rows: int = 0
    refused: int = 0
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, path: Path, row: int, problems: Collection[Problem]) -> None:
        """A row that cannot be used, with every reason."""
        self.refused += 1
        left = KEPT_PROBLEMS - len(self.problems)
        self.problems += [replace(one, file=path.name, row=row) for one in list(problems)[:left]]


def named_rows(
    path: Path, *, columns: Sequence[str], needed: Sequence[str], taken: Taken, others: bool = False
) -> Iterator[tuple[int, Cells]]:
    """Number and cells of each row of CSV or a workbook, by the names of the columns; spaces around them are of no matter.

    A row that cannot be split, or that has more or fewer cells than the head, is refused in ``taken``.

    Args:
        path: The file.
        columns: Names that are known.
        needed: Those that must be there.
        taken: Where rows are counted.
        others: Whether the file may have other columns, which are passed over.

    Raises:
        BadInput: The file cannot be read, a column is missing, or one stands there twice or is not known.
    """
    with open_rows(path, score=lambda heads: sum(head.strip().lower() in columns for head in heads)) as rows:
        heads = [head.strip().lower() for head in next(rows).cells]
        check_heads(path, heads, columns=columns, needed=needed, others=others)
        where = {name: heads.index(name) for name in columns if name in heads}
        for row in rows:
            taken.rows += 1
            if row.fault or len(row.cells) != len(heads):
                width = Text(
                    "此行有 {given} 格，表头有 {width} 格。",
                    "The row has {given} cells, the header {width}.",
                    given=len(row.cells),
                    width=len(heads),
                )
                taken.refuse(path, row.number, [Problem(row.fault or width)])
                continue
            yield row.number, {name: row.cells[at].strip() for name, at in where.items()}


def check_heads(
    path: Path, heads: Sequence[str], *, columns: Sequence[str], needed: Sequence[str], others: bool
) -> None:
    """Look whether a head has what is needed; see `named_rows`.

    Raises:
        BadInput: With every reason why not.
    """
    hint = Text("可用的列：{columns}。", "The columns are {columns}.", columns=", ".join(columns))
    wrong = [
        Text("缺少列 {column}。", "The column {column} is missing.", column=name)
        for name in needed
        if name not in heads
    ]
    for name in dict.fromkeys(heads):
        if name in columns and heads.count(name) > 1:
            wrong.append(
                Text("列 {column} 出现多次。", "The column {column} stands there more than once.", column=name)
            )
        elif name not in columns and not others:
            wrong.append(Text("列「{column}」不认识。", "The column {column!r} is not known.", column=name))
    if wrong:
        raise BadInput([Problem(one, hint, file=path.name, row=1) for one in wrong])
