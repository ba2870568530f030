"""`components.csv`: classes of components by the name of the thing itself. A pack may have none.

A catalogue names what may be wrong with a thing ("manhole cover: problem"); a class of components has the code of that category
and the thing's own name. A class without category can be counted and drawn, and no case is opened for it by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from yiwang.core.kernel.text import Text
from yiwang.packs.catalogue import Category
from yiwang.packs.files import PackFiles

FILE = "components.csv"
LONGEST_CODE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentClass:
    """A class of components.

    Attributes:
        code: Its code, that of the category of its troubles where there is one.
        name: Of the thing, e.g. 雨水井盖, "stormwater manhole cover".
    """

    code: str
    name: Text


def read_component_classes(files: PackFiles, *, categories: Mapping[str, Category]) -> dict[str, ComponentClass]:
    """Classes by code: those of the file, and the catalogue's components that it does not name; problems go to ``files``."""
    found: dict[str, ComponentClass] = {}
    if files.exists(FILE):
        for number, cells in enumerate(files.rows(FILE, columns=("code", "name", "name_en")), start=2):
            blank = [column for column in ("code", "name", "name_en") if not cells[column]]
            for column in blank:
                files.fault(Text("单元格为空。", "The cell is empty."), file=FILE, row=number, column=column)
            code = cells["code"]
            if len(code) > LONGEST_CODE:
                message = Text(
                    "类别代码最多 {most} 个字符。", "A class has at most {most} characters.", most=LONGEST_CODE
                )
                files.fault(message, file=FILE, row=number, column="code")
            elif code in found:
                message = Text("类别「{code}」已有一行。", "The class {code!r} has a row already.", code=code)
                files.fault(message, file=FILE, row=number, column="code")
            elif not blank:
                found[code] = ComponentClass(code=code, name=Text(cells["name"], cells["name_en"]))
    for code, category in categories.items():
        if category.kind == "component" and code not in found:
            found[code] = ComponentClass(code=code, name=category.name)
    return found
