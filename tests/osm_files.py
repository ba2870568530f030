"""Small extracts of OpenStreetMap, written as they come from a download server."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import osmium

Tags = dict[str, str]
POND = [(120.006, 31.006), (120.013, 31.006), (120.013, 31.013), (120.006, 31.013)]
FAR = (125.0, 40.0)


def write_extract(path: Path, *, street: str = "长街", stamp: str = "2026-11-01T20:21:00Z") -> Path:
    """An extract of the toy city: a pond with an island, streets, one of which lacks a node, a railway, a canal, a wood, places."""
    path.unlink(missing_ok=True)
    writer = _Writer(path, stamp)
    writer.way(writer.nodes([(119.0, 31.005), (120.005, 31.005), (121.0, 31.005)]), highway="trunk", name=street)
    writer.way(writer.nodes([(120.0, 31.0), (120.01, 31.01)]), highway="residential")
    writer.way(writer.nodes([(120.0, 31.001), (120.01, 31.001)]), highway="footway", name="小径")
    writer.way(writer.nodes([(120.002, 31.0), (120.002, 31.02)]), railway="rail", service="yard")
    writer.way(writer.nodes([(120.003, 31.0), (120.003, 31.02)]), waterway="canal", name="运河")
    torn = writer.nodes([(120.004, 31.014), (120.005, 31.014), (120.007, 31.014), (120.008, 31.014)])
    writer.way([*torn[:2], 999_999, *torn[2:]], highway="primary", name="断路")
    wood = writer.nodes([(120.014, 31.002), (120.018, 31.002), (120.018, 31.004)])
    writer.way([*wood, wood[0]], landuse="forest", name="Wood")
    outer, inner = writer.nodes(POND), writer.nodes([(120.008, 31.008), (120.009, 31.008), (120.009, 31.009)])
    ring, hole = writer.way([*outer, outer[0]]), writer.way([*inner, inner[0]])
    names = {"name": "Donghu", "name:zh": "东湖", "name:en": "East Lake"}
    writer.relation([("w", ring, "outer"), ("w", hole, "inner")], type="multipolygon", natural="water", **names)
    writer.node((120.005, 31.012), place="town", name="老城", **{"name:en": "Old Town"})
    writer.node((120.015, 31.005), amenity="school", name="小学")
    writer.node((120.016, 31.005), amenity="bench", name="长椅")
    writer.node(FAR, place="city", name="远方")
    writer.close()
    return path


def write_coast(path: Path, *, gap: bool = False) -> Path:
    """An extract of the toy city by the sea: a coast from south to north through its middle in two ways, an island, a street."""
    path.unlink(missing_ok=True)
    writer = _Writer(path, "2026-11-01T20:21:00Z")
    south, middle, north = writer.nodes([(120.01, 30.5), (120.01, 31.01), (120.01, 31.5)])
    writer.way([south, middle], natural="coastline")
    if not gap:
        writer.way([middle, north], natural="coastline")
    island = writer.nodes([(120.014, 31.004), (120.016, 31.004), (120.016, 31.006), (120.014, 31.006)])
    writer.way([*island, island[0]], natural="coastline", place="islet", name="小岛")
    writer.way(writer.nodes([(120.0, 31.005), (120.009, 31.005)]), highway="residential")
    writer.close()
    return path


class _Writer:
    def __init__(self, path: Path, stamp: str) -> None:
        header = osmium.io.Header()
        if stamp:
            header.set("osmosis_replication_timestamp", stamp)
        self._writer = osmium.SimpleWriter(str(path), header=header)
        self._made = 0
        self._later: list[Any] = []  # nodes come first in an extract, then ways, then relations

    def node(self, at: tuple[float, float], **tags: str) -> int:
        self._made += 1
        self._writer.add_node(osmium.osm.mutable.Node(id=self._made, location=at, tags=tags, **self._meta()))
        return self._made

    def nodes(self, points: list[tuple[float, float]]) -> list[int]:
        return [self.node(point) for point in points]

    def way(self, nodes: list[int], **tags: str) -> int:
        self._made += 1
        self._later.append(osmium.osm.mutable.Way(id=self._made, nodes=nodes, tags=tags, **self._meta()))
        return self._made

    def relation(self, members: list[tuple[str, int, str]], **tags: str) -> None:
        self._made += 1
        made = osmium.osm.mutable.Relation(id=self._made, members=members, tags=tags, **self._meta())
        self._later.append(made)

    def close(self) -> None:
        for one in self._later:
            (self._writer.add_way if hasattr(one, "nodes") else self._writer.add_relation)(one)
        self._writer.close()

    def _meta(self) -> dict[str, Any]:
        return {"version": 1, "timestamp": datetime(2026, 10, 3, 12, tzinfo=UTC)}
