"""The toy city with a small base map around it."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MINI = Path(__file__).resolve().parent / "packs" / "fixtures" / "mini"
TOML = """
max_zoom = 13
note = "底图为概览"
note_en = "The base map is an overview"

[[credit]]
text = "© OpenStreetMap 贡献者（ODbL）"
text_en = "© OpenStreetMap contributors (ODbL)"
url = "https://www.openstreetmap.org/copyright"
"""
POND = [[[120.006, 31.006], [120.013, 31.006], [120.013, 31.013], [120.006, 31.013], [120.006, 31.006]]]


def feature(shape: str, coordinates: Any, /, **properties: Any) -> dict[str, Any]:
    """A GeoJSON feature of a geometry type."""
    return {"type": "Feature", "geometry": {"type": shape, "coordinates": coordinates}, "properties": properties}


LAYERS: Mapping[str, list[dict[str, Any]]] = {
    "water": [feature("Polygon", POND, name="东湖", name_en="East Lake", kind="lake", rank=1)],
    "roads": [
        feature(
            "LineString", [[119.9, 31.005], [120.1, 31.005]], name="长街", name_en="Long Street", kind="trunk", rank=2
        ),
        feature("LineString", [[120.0, 31.0], [120.01, 31.01]], kind="minor", rank=6),
    ],
    "places": [
        feature("Point", [120.005, 31.012], name="老城", name_en="Old Town", kind="town", rank=2),
        feature("Point", [120.015, 31.005], name="小学", kind="school", rank=9),
    ],
}


def mini_with_basemap(folder: Path, *, toml: str = TOML, layers: Mapping[str, list[dict[str, Any]]] = LAYERS) -> Path:
    """A copy of the toy city's pack in a folder, with a base map."""
    pack = Path(shutil.copytree(MINI, folder / "mini"))
    (pack / "basemap").mkdir()
    (pack / "basemap" / "basemap.toml").write_text(toml, encoding="utf-8")
    for name, features in layers.items():
        write_layer(pack, name, features)
    return pack


def write_layer(pack: Path, name: str, features: list[Any]) -> None:
    """Write one layer of a pack's base map."""
    text = json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)
    (pack / "basemap" / f"{name}.geojson.gz").write_bytes(gzip.compress(text.encode()))
