"""The CSV file of a transport plan: a row for each lot, need and link.

Columns ``kind`` (``lot``, ``need``, ``link``), ``place``, ``to``, ``good``, ``amount``, ``cost``, ``period``, ``until``, ``id``:

========  =====================================  ==============================================
kind      needs                                  may have
========  =====================================  ==============================================
``lot``   ``place``, ``good``, ``amount``        ``period`` (from), ``until`` (last), ``id``
``need``  ``place``, ``good``, ``amount``        ``period`` (1)
``link``  ``place``, ``to``                      ``good`` (all), ``cost`` (0), ``amount`` (capacity)
========  =====================================  ==============================================
"""

from __future__ import annotations

import csv
import io
from math import inf

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.core.planning.cells import Cells
from yiwang.core.planning.reserves.flow import NEVER, Link, Lot, Need, Network

KINDS = ("lot", "need", "link")
COLUMNS = ("kind", "place", "to", "good", "amount", "cost", "period", "until", "id")
NEEDED = ("kind", "place", "to", "good", "amount")


def read_network(text: str, *, file: str = "") -> Network:
    """Read the text of a CSV file.

    Raises:
        BadInput: With every fault, each with its row and column.
    """
    problems: list[Problem] = []
    reader = csv.DictReader(io.StringIO(text, newline=""))
    header = reader.fieldnames or ()
    if missing := [column for column in NEEDED if column not in header]:
        hint = Text("表头可用：{columns}。", "The header may have: {columns}.", columns=", ".join(COLUMNS))
        raise BadInput(
            Problem(Text("没有 {column} 列。", "There is no column {column}.", column=column), hint, file, 1, column)
            for column in missing
        )
    lots: list[Lot] = []
    needs: list[Need] = []
    links: list[Link] = []
    for number, row in enumerate(reader, start=2):
        cells = Cells(cells=row, problems=problems, file=file, row=number)
        if None in row:  # csv.DictReader keeps surplus cells under None
            cells.fault(
                "",
                Text("这一行的单元格比表头多。", "The row has more cells than the header."),
                Text("请检查多余的逗号。", "Look for a comma too many."),
            )
        kind = cells.choice("kind", KINDS)
        place, before = cells.text("place"), len(problems)
        if kind == "link":
            good, cost = cells.text("good", needed=False), cells.number("cost", default=0.0)
            room = cells.number("amount", default=inf)
            links.append(Link(start=place, end=cells.text("to"), good=good, cost=cost, capacity=room))
            continue
        good, amount = cells.text("good"), cells.number("amount")
        period = int(cells.number("period", default=1, least=1, whole=True))
        if kind == "need":
            needs.append(Need(place=place, good=good, amount=amount, period=period))
            continue
        until = int(cells.number("until", default=NEVER, least=1, whole=True))
        if len(problems) == before and until < period:
            cells.fault(
                "until",
                Text("{until} 早于 {period}。", "{until} is before {period}.", until=until, period=period),
                Text("有效期不能早于入库期。", "A lot cannot expire before it is there."),
            )
        name = cells.text("id", needed=False) or f"{place}/{number}"
        lots.append(Lot(id=name, place=place, good=good, amount=amount, since=period, until=until))
    if not needs and not problems:
        problems.append(
            Problem(
                Text("没有任何需求。", "Nothing is needed."),
                Text("请至少写一行 need。", "Write at least one row of kind need."),
                file,
            )
        )
    problems += _unreached(needs, lots, links, file) if not problems else []
    if problems:
        raise BadInput(problems)
    return Network(lots=tuple(lots), needs=tuple(needs), links=tuple(links))


def _unreached(needs: list[Need], lots: list[Lot], links: list[Link], file: str) -> list[Problem]:
    """Places of needs that no row names otherwise: a slip of the pen, not a shortage."""
    known = {lot.place for lot in lots} | {link.end for link in links}
    return [
        Problem(
            Text("没有线路通往 {place}，那里也没有库存。", "No link leads to {place} and it has no lot.", place=place),
            Text("请检查地点的写法，或添加 link 行。", "Check how the place is written, or add a row of kind link."),
            file,
            None,
            "place",
        )
        for place in sorted({need.place for need in needs} - known)
    ]
