"""Lists for the select fields of forms, in the page's language."""

from __future__ import annotations

from typing import Any

from yiwang.server.cities.queries import CityRuntime


def region_choices(place: CityRuntime, *, depth: int = 3) -> list[dict[str, Any]]:
    """Regions of the upper levels, parents before children, indented; the lowest level would be thousands of rows."""
    found: list[dict[str, Any]] = []

    def walk(code: str, level: int) -> None:
        for child in place.regions.children(code):
            found.append({"code": child.code, "name": child.name, "indent": "\u3000" * level})
            if level + 2 < depth:
                walk(child.code, level + 1)

    root = place.regions.roots[0]
    found.append({"code": root.code, "name": root.name, "indent": ""})
    walk(root.code, 0)
    return found


def category_choices(place: CityRuntime) -> list[dict[str, Any]]:
    """Categories in force, grouped by their major class."""
    majors: dict[str, dict[str, Any]] = {}
    for category in place.categories.values():
        major = majors.setdefault(category.major, {"name": category.major_name, "categories": []})
        major["categories"].append(category)
    return list(majors.values())
