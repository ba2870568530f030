"""Files of demand points and candidates."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from math import isfinite

import numpy as np

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.core.planning.cells import Cells
from yiwang.core.planning.sites.distances import Floats, Matrix

_COLUMNS = ("id", "lon", "lat", "weight", "candidate", "fixed", "capacity")
_YES, _NO = ("1", "yes", "true", "是"), ("", "0", "no", "false", "否")


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Demand points and candidates as a file names them.

    Attributes:
        ids: Of the demand points.
        points: n × 2 degrees, longitude and latitude.
        weights: n.
        candidates: Numbers of the rows that may be sites.
        fixed: Which of the candidates are open already, as positions in ``candidates``.
        capacity: One per candidate; infinite where none is given.
    """

    ids: tuple[str, ...]
    points: Floats
    weights: Floats
    candidates: tuple[int, ...]
    fixed: tuple[int, ...]
    capacity: Floats


def read_places(text: str, file: str) -> Places:
    """From CSV: ``id,lon,lat,weight[,candidate,fixed,capacity]``; without the column ``candidate`` every row may be a site.

    Raises:
        BadInput: With every fault.
    """
    rows = csv.DictReader(io.StringIO(text, newline=""))
    problems = list(_header_faults(rows.fieldnames or [], file))
    if problems:
        raise BadInput(problems)
    ids: dict[str, int] = {}
    points: list[tuple[float, float]] = []
    weights: list[float] = []
    candidates: list[int] = []
    fixed: list[int] = []
    capacity: list[float] = []
    every = "candidate" not in (rows.fieldnames or [])
    for number, row in enumerate(rows, start=2):
        cells = Cells(cells=row, problems=problems, file=file, row=number)
        name = cells.text("id")
        if name in ids:
            cells.fault(
                "id",
                Text(
                    "{name!r} 在第 {row} 行已经有了。",
                    "{name!r} stands in row {row} already.",
                    name=name,
                    row=ids[name],
                ),
            )
        ids.setdefault(name, number)
        points.append((cells.number("lon", least=-180, most=180), cells.number("lat", least=-90, most=90)))
        weights.append(cells.number("weight", default=0.0))
        stays = _flag(cells, "fixed")
        if every or _flag(cells, "candidate") or stays:
            if stays:
                fixed.append(len(candidates))
            candidates.append(len(points) - 1)
            capacity.append(cells.number("capacity", default=np.inf))
    if not problems and not points:
        problems.append(Problem(Text("没有数据行。", "There are no rows."), file=file))
    if problems:
        raise BadInput(problems)
    return Places(
        ids=tuple(ids), points=np.array(points), weights=np.array(weights), candidates=tuple(candidates), fixed=tuple(fixed),
        capacity=np.array(capacity),
    )  # fmt: skip


def read_pairs(text: str, file: str, places: Places) -> list[tuple[int, int]]:
    """Forbidden pairs from CSV ``id,candidate``: point and position among the candidates."""
    rows = csv.DictReader(io.StringIO(text, newline=""))
    if rows.fieldnames != ["id", "candidate"]:
        raise BadInput(Problem(Text("表头应为 id,candidate。", "The header must be id,candidate."), file=file, row=1))
    point = {name: at for at, name in enumerate(places.ids)}
    site = {places.ids[row]: at for at, row in enumerate(places.candidates)}
    found, problems = [], []
    for number, row in enumerate(rows, start=2):
        for column, known in (("id", point), ("candidate", site)):
            if (row[column] or "") not in known:
                problems.append(
                    Problem(
                        Text("没有 {name!r}。", "There is no {name!r}.", name=row[column] or ""),
                        file=file,
                        row=number,
                        column=column,
                    )
                )
        if not problems:
            found.append((point[row["id"]], site[row["candidate"]]))
    if problems:
        raise BadInput(problems)
    return found


def read_orlib(text: str, file: str) -> tuple[Matrix, int]:
    """A p-median of OR-Library: a graph ``n edges p`` and its edges; all vertices are points and candidates.

    Distances are shortest paths; where an edge is listed twice the last value holds, as J. E. Beasley's notes say.

    Returns:
        The distances, and p.
    """
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import dijkstra

    numbers: list[float] = []
    for line, words in enumerate(text.splitlines(), start=1):
        for word in words.split():
            try:
                numbers.append(float(word))
            except ValueError:
                raise BadInput(
                    Problem(Text("{word!r} 不是数。", "{word!r} is no number.", word=word), file=file, row=line)
                ) from None
    n, edges, p = (int(one) for one in numbers[:3]) if len(numbers) >= 3 else (0, 0, 0)
    if n < 1 or len(numbers) != 3 + 3 * edges:
        raise BadInput(
            Problem(
                Text("第一行应为点数、边数和 p，其后每条边三个数。",
                     "The first line must have the numbers of vertices and edges and p; then come three numbers for each edge."),
                Text("共有 {have} 个数，应为 {want} 个。",
                     "There are {have} numbers in all; {want} were expected.", have=len(numbers), want=3 + 3 * edges),
                file=file,
            )
        )  # fmt: skip
    length: dict[tuple[int, int], float] = {}
    triples = iter(numbers[3:])
    while triple := tuple(islice(triples, 3)):
        a, b, far = triple
        if not (1 <= a <= n and 1 <= b <= n and isfinite(far) and far >= 0):
            raise BadInput(
                Problem(Text("边 {a:g}–{b:g} 有误。", "The edge {a:g}–{b:g} is wrong.", a=a, b=b), file=file)
            )
        length[min(int(a), int(b)) - 1, max(int(a), int(b)) - 1] = far
    ends = np.array(list(length), dtype=np.int64).reshape(-1, 2)
    graph = csr_matrix((np.array(list(length.values())), (ends[:, 0], ends[:, 1])), shape=(n, n))
    return Matrix(dijkstra(graph, directed=False)), p


def _flag(cells: Cells, column: str) -> bool:
    value = str(cells.cells.get(column) or "").strip().lower()
    if value not in (*_YES, *_NO):
        cells.fault(
            column,
            Text("{value!r} 不是是或否。", "{value!r} is neither yes nor no.", value=value),
            Text("请填 1 或 0。", "Write 1 or 0."),
        )
    return value in _YES


def _header_faults(names: Sequence[str], file: str) -> Iterator[Problem]:
    for name in ("id", "lon", "lat", "weight"):
        if name not in names:
            yield Problem(
                Text("缺少 {name} 列。", "The column {name} is missing.", name=name), file=file, row=1, column=name
            )
    for name in names:
        if name not in _COLUMNS:
            yield Problem(
                Text("没有名为 {name!r} 的列。", "There is no column {name!r}.", name=name),
                Text("可用：{known}。", "There are: {known}.", known=", ".join(_COLUMNS)), file=file, row=1,
            )  # fmt: skip
