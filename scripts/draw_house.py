"""Draw the picture of the house, docs/images/house.svg, from the import contracts. `make docs` calls it; a test compares.

A room may import what stands below it, never what stands above or beside it. Rooms that are planned but not built are left out.
"""

from __future__ import annotations

import re
import tomllib
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "images" / "house.svg"
FLOORS = (("yiwang", "yiwang"), ("server", "yiwang.server"), ("cases", "yiwang.server.cases"), ("core", "yiwang.core"))
LEFT, HEIGHT, GAP, ROOM = 118, 26, 6, 104
STYLE = """
.house { font: 12px system-ui, sans-serif; color-scheme: light dark; }
.house rect { fill: light-dark(#eef2f0, #1a2126); stroke: light-dark(#9aa6ab, #5d6a71); }
.house .floor { fill: none; stroke: light-dark(#0b6b5d, #4fc3ae); }
.house text { fill: light-dark(#1c2529, #e6ecea); text-anchor: middle; }
.house .name { font-weight: 600; text-anchor: start; }
"""


def layers(contracts: list[dict[str, object]], container: str) -> list[list[str]]:
    """The layers of a package, the highest first, each with the rooms that exist."""
    for contract in contracts:
        if contract["type"] == "layers" and contract["containers"] == [container]:
            rows = [re.findall(r"\w+", str(layer)) for layer in contract["layers"]]  # type: ignore[attr-defined]
            folder = ROOT / "src" / container.replace(".", "/")
            built = [
                [room for room in row if (folder / room).is_dir() or (folder / f"{room}.py").exists()] for row in rows
            ]
            return [row for row in built if row]
    raise SystemExit(f"pyproject.toml has no layers for {container}")


def drawn() -> str:
    """The picture."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    parts, top, width = [], 10, 0
    for title, container in FLOORS:
        rows = layers(contracts, container)
        whole = len(rows) * (HEIGHT + GAP) + GAP
        widest = max(map(len, rows)) * (ROOM + GAP) + GAP
        width = max(width, LEFT + widest)
        parts.append(f'<text class="name" x="10" y="{top + 20}">{escape(title)}</text>')
        parts.append(f'<rect class="floor" x="{LEFT}" y="{top}" width="{widest}" height="{whole}" rx="4"/>')
        for place, row in enumerate(rows):
            y = top + GAP + place * (HEIGHT + GAP)
            for column, room in enumerate(row):
                x = LEFT + GAP + column * (ROOM + GAP)
                parts.append(f'<rect x="{x}" y="{y}" width="{ROOM}" height="{HEIGHT}" rx="3"/>')
                parts.append(f'<text x="{x + ROOM / 2:g}" y="{y + 17}">{escape(room)}</text>')
        top += whole + 14
    size = f'width="{width + 10}" height="{top}" viewBox="0 0 {width + 10} {top}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" class="house" role="img" {size}>'
    title = "<title>What may import what: each room only what stands below it</title>"
    return "\n".join([head, title, f"<style>{STYLE}</style>", *parts, "</svg>"]) + "\n"


if __name__ == "__main__":
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(drawn(), encoding="utf-8")
