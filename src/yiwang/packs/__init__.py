"""City packs: files → core objects, with every fault named by file, row and column."""

from __future__ import annotations

from yiwang.packs.catalogue import Catalogue, Category, CategoryMapping, Condition
from yiwang.packs.check import Report, check_pack
from yiwang.packs.explain import Explainer, Explanation
from yiwang.packs.find import find_pack, pack_folders
from yiwang.packs.info import PackInfo
from yiwang.packs.pack import Pack, read_pack

__all__ = [
    "Catalogue",
    "Category",
    "CategoryMapping",
    "Condition",
    "Explainer",
    "Explanation",
    "Pack",
    "PackInfo",
    "Report",
    "check_pack",
    "find_pack",
    "pack_folders",
    "read_pack",
]
