"""`regions.csv` and `regions.geojson.gz`: the region tree with its outlines."""

from __future__ import annotations

from collections.abc import Sequence

from yiwang.core.kernel.text import Text
from yiwang.core.space import Level, RegionTree, Shape, read_regions, read_shapes
from yiwang.packs.files import PackFiles

FILE = "regions.csv"
SHAPES = ("regions.geojson.gz", "regions.geojson")
_COLUMNS = ("code", "name", "name_en", "level", "parent")
_OPTIONAL = ("official_code", "valid_from", "valid_to", "predecessors", "source", "confidence")


def read_tree(files: PackFiles, *, levels: Sequence[Level]) -> RegionTree:
    """The tree of the regions whose rows are sound; problems go to ``files``."""
    shapes = _read_shapes(files)
    rows = files.rows(FILE, columns=_COLUMNS, optional=_OPTIONAL)
    regions, problems = read_regions(rows=rows, levels=levels, shapes=shapes, file=FILE)
    files.problems.extend(problems)
    for number, cells in enumerate(rows, start=2):
        for column in ("name", "name_en"):
            if cells["code"] and not cells[column]:
                files.fault(
                    Text("单元格为空。", "The cell is empty."),
                    Text("每个区域都要有中文名和英文名。", "Every region needs both names."),
                    file=FILE,
                    row=number,
                    column=column,
                )
    tree = RegionTree(regions=regions, levels=levels)
    if rows and len(tree.roots) != 1:
        message = Text(
            "区域树有 {count} 个根（{roots}）。",
            "The tree has {count} roots ({roots}).",
            count=len(tree.roots),
            roots=", ".join(region.code for region in tree.roots) or Text("无", "none"),
        )
        files.fault(message, Text("只有全市这一个区域没有上级。", "One region has no parent: the city."), file=FILE)
    return tree


def _read_shapes(files: PackFiles) -> dict[str, Shape]:
    for name in SHAPES:
        if files.exists(name):
            collection = files.geojson(name)
            if collection is None:
                return {}
            shapes, problems = read_shapes(collection=collection, file=name)
            files.problems.extend(problems)
            return shapes
    files.warn(
        Text("没有区域边界，坐标无法落到区域。", "There are no outlines, so no coordinates can be located."),
        Text("请添加 regions.geojson.gz。", "Add regions.geojson.gz."),
        file=SHAPES[0],
    )
    return {}
