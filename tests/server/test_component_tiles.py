"""Tiles of components: what the table has, each in one tile of every zoom, as fresh as the last commit, and nobody else's."""

from __future__ import annotations

import random
import threading
from collections import Counter
from datetime import UTC, datetime
from itertools import product
from typing import Any

import mapbox_vector_tile
import numpy as np
import pytest
from django.db import transaction
from django.test import Client
from tests.narrowing import present

from yiwang.core.kernel.errors import BadInput
from yiwang.core.space.crs import from_wgs84
from yiwang.core.space.tiles import BITS, from_morton, morton, to_map
from yiwang.server.assets import inventory
from yiwang.server.assets.api import Component, ComponentChange, write_begins
from yiwang.server.assets.listing import cell_ranges
from yiwang.server.assets.rows import cell_of
from yiwang.server.assets.tiles import current, tile
from yiwang.server.cities.queries import runtime
from yiwang.server.common import vector_tiles
from yiwang.server.common.sql import insert_many

pytestmark = pytest.mark.django_db
LAMP, COVER = "01002", "01001"
WEST, SOUTH, EAST, NORTH = 120.0, 31.0, 120.02, 31.02
COLUMNS = ("city", "code", "kind", "source_id", "name", "state", "lon", "lat", "cell", "region", "grid", "authority", "owner",
           "maintainer", "attributes", "note", "source", "version")  # fmt: skip
STATES = ("intact", "intact", "damaged", "lost", "removed", "abandoned")
Layers = dict[str, list[dict[str, Any]]]


def put(count: int, *, city: str = "mini", prefix: str = "C", seed: int = 3) -> list[str]:
    """Write components at random places of the toy city."""
    draw = random.Random(seed)
    rows = []
    for number in range(count):
        lon, lat = draw.uniform(WEST, EAST), draw.uniform(SOUTH, NORTH)
        rows.append(
            (
                city, f"{prefix}{number:05d}", draw.choice((LAMP, COVER)), "", f"{prefix} {number}" if number % 3 else "",
                draw.choice(STATES), lon, lat, int(cell_of(lon, lat)), "900101", "", "局", "局", "队", '{"secret": "x"}', "note", "",
                1,
            )
        )  # fmt: skip
    with transaction.atomic():
        write_begins(city)
        insert_many(Component, COLUMNS, rows)
    return [str(row[1]) for row in rows]


def change(code: str, **values: Any) -> None:
    """Change a component as everybody has to who does."""
    with transaction.atomic():
        component = Component.objects.get(code=code)
        write_begins(component.city)
        if "lon" in values:
            values["cell"] = int(cell_of(values["lon"], values["lat"]))
        Component.objects.filter(pk=component.pk).update(**values)
        ComponentChange.objects.create(component=component, by="tester", at=datetime.now(UTC))


def read(data: bytes) -> Layers:
    decoded = mapbox_vector_tile.decode(data, default_options={"y_coord_down": True}) if data else {}
    return {name: [one["properties"] for one in layer["features"]] for name, layer in decoded.items()}


def tiles_at(zoom: int, crs: str = "wgs84") -> list[tuple[int, int]]:
    """The tiles in which the toy city lies."""
    lon, lat = np.array([WEST, EAST]), np.array([NORTH, SOUTH])
    x, y = to_map(*(from_wgs84(lon, lat, crs) if crs != "wgs84" else (lon, lat)))
    (left, right), (top, bottom) = (x >> np.uint64(BITS - zoom)).tolist(), (y >> np.uint64(BITS - zoom)).tolist()
    return list(product(range(left - 1, right + 2), range(top - 1, bottom + 2)))


def drawn(zoom: int, **asked: Any) -> list[Layers]:
    seen = current("mini")
    made = []
    for column, row in tiles_at(zoom, asked.get("crs", "wgs84")):
        if 0 <= column < 1 << zoom and 0 <= row < 1 << zoom:
            made.append(read(tile(seen, place=runtime("mini"), zoom=zoom, column=column, row=row, **asked)))
    return made


def codes_in(tiles: list[Layers]) -> Counter[str]:
    return Counter(one["code"] for layers in tiles for one in layers.get("components", []))


@pytest.mark.parametrize("crs", ["wgs84", "gcj02"])
@pytest.mark.parametrize("zoom", [0, 5, 10, 13, 16, 17])
def test_every_component_is_in_one_tile_of_each_zoom(mini: str, zoom: int, crs: str) -> None:
    put(300)
    stored = {one.code: one for one in Component.objects.all()}
    tiles = drawn(zoom, crs=crs)
    assert codes_in(tiles) == Counter(stored.keys())
    for said in (one for layers in tiles for one in layers.get("components", [])):
        one = stored[said["code"]]
        assert said == {
            "code": one.code, "kind": one.kind, "state": one.state, "class": runtime("mini").pack.components[one.kind].name.zh,
            "class_en": runtime("mini").pack.components[one.kind].name.en, **({"name": one.name} if one.name else {}),
        }  # fmt: skip


@pytest.mark.parametrize("crs", ["wgs84", "gcj02"])
@pytest.mark.parametrize("zoom", [0, 8, 11, 14, 15])
def test_counts_add_up_to_what_there_is(mini: str, monkeypatch: Any, zoom: int, crs: str) -> None:
    monkeypatch.setattr(vector_tiles, "MOST_POINTS", 40)
    put(2000)
    total: Counter[str] = Counter()
    for layers in drawn(zoom, crs=crs):
        assert len(layers) <= 1, "a tile has points or counts"
        for cell in layers.get("component_counts", []):
            total.update(cell)
        for one in layers.get("components", []):
            gone = one["state"] in {"lost", "removed"}
            total.update({"n": 1, "damaged": int(one["state"] == "damaged"), "gone": int(gone)})
    by_state = Counter(Component.objects.values_list("state", flat=True))
    assert total == {"n": 2000, "damaged": by_state["damaged"], "gone": by_state["lost"] + by_state["removed"]}


@pytest.mark.parametrize(
    "asked", [{"kind": LAMP}, {"kind": "01"}, {"kind": "02"}, {"state": "damaged"}, {"kind": COVER, "state": "lost"}]
)
def test_filters_choose_what_the_table_would(mini: str, asked: dict[str, str]) -> None:
    put(300)
    wanted = Component.objects.filter(
        kind__startswith=asked.get("kind", ""), state__in=[asked["state"]] if "state" in asked else STATES
    )
    assert codes_in(drawn(14, **asked)) == Counter(wanted.values_list("code", flat=True))


def test_a_change_is_seen_and_only_what_changed_is_read(mini: str, monkeypatch: Any) -> None:
    codes = put(60)
    before = current("mini")
    assert current("mini") is before, "nothing was written, nothing is read"
    monkeypatch.setattr(inventory.Inventory, "_read_all", lambda *_: pytest.fail("the whole table was read again"))
    change(codes[5], state="lost")
    change(codes[6], lon=120.0191, lat=31.0192)
    added = put(3, prefix="N", seed=9)
    after = current("mini")
    assert after.version == before.version + 3
    assert (np.diff(after.code.astype(object)) >= 0).all()
    tiles = drawn(17)
    assert codes_in(tiles) == Counter([*codes, *added])
    states = {one["code"]: one["state"] for layers in tiles for one in layers.get("components", [])}
    assert states == dict(Component.objects.values_list("code", "state"))
    place, zoom = runtime("mini"), 17
    x, y = (int(part) >> (BITS - zoom) for part in to_map(120.0191, 31.0192))
    assert codes[6] in codes_in([read(tile(after, place=place, zoom=zoom, column=x, row=y))])


def test_what_a_census_and_its_decision_write_is_seen(mini: str, tmp_path: Any) -> None:
    from yiwang.server.assets.api import Census, Options, decide, take_census

    path = tmp_path / "lamps.csv"
    path.write_text("id,lon,lat\n1,120.001,31.001\n2,120.002,31.001\n", encoding="utf-8")
    assert len(current("mini")) == 0
    take_census(city="mini", kind=LAMP, path=path, options=Options())
    assert len(current("mini")) == 2
    path.write_text("id,lon,lat\n1,120.001,31.002\n3,120.003,31.001\n", encoding="utf-8")
    taken = take_census(city="mini", kind=LAMP, path=path, options=Options())
    version = current("mini").version
    assert decide(census=Census.objects.get(pk=present(taken.census)), accept=True, by="tester") == 3
    seen = current("mini")
    assert seen.version > version
    stored = Component.objects.order_by("cell").values_list("id", "cell", "state")
    assert [
        (int(id_), int((code ^ np.uint64(1 << 63)).astype(np.int64)), inventory.STATES[state])
        for id_, code, state in zip(seen.id, seen.code, seen.state, strict=True)
    ] == list(stored)


def test_another_citys_are_never_among_them(mini: str) -> None:
    own = put(40)
    put(40, city="elsewhere", prefix="E", seed=4)
    assert codes_in(drawn(12)) == Counter(own)
    seen = current("mini")
    change("E00001", state="lost")
    assert current("mini") is seen, "nothing of this city was written"


def test_a_database_that_was_put_back_is_read_anew(mini: str) -> None:
    from yiwang.server.assets.models import InventoryVersion

    codes = put(20)
    change(codes[0], state="lost")
    assert len(current("mini")) == 20
    Component.objects.filter(code__in=codes[10:]).delete()
    InventoryVersion.objects.update(version=1)
    assert len(current("mini")) == 10


@pytest.mark.django_db(transaction=True)
def test_who_writes_does_it_in_a_transaction() -> None:
    with pytest.raises(RuntimeError, match="transaction"):
        write_begins("mini")


def test_a_tile_is_kept_until_something_is_written(mini: str) -> None:
    client = Client()
    (code, *_) = put(1)
    (column, row) = (int(part) >> (BITS - 12) for part in to_map(120.01, 31.01))
    address = f"/api/v1/cities/mini/tiles/components/12/{column}/{row}.mvt"
    first = client.get(address)
    assert first.status_code == 200
    assert first["Content-Type"] == vector_tiles.MEDIA_TYPE
    assert codes_in([read(first.content)]) == Counter([code])
    for words in (b"secret", b"note", "局".encode(), "队".encode()):
        assert words not in first.content, "nothing that only staff read"
    known = {"If-None-Match": first["ETag"]}
    assert client.get(address, headers=known).status_code == 304
    change(code, state="damaged")
    again = client.get(address, headers=known)
    assert again.status_code == 200
    assert again["ETag"] != first["ETag"]
    assert client.get(f"{address}?state=lost").content == b""
    assert client.get(f"{address}?state=x").status_code == 422
    assert client.get("/api/v1/cities/mini/tiles/components/3/9/0.mvt").status_code == 422
    assert client.get("/api/v1/cities/nowhere/tiles/components/3/1/0.mvt").status_code == 404


def test_a_large_inventory_is_first_read_beside_the_request(mini: str, monkeypatch: Any) -> None:
    put(5)
    monkeypatch.setattr(inventory, "_AT_ONCE", 0)
    monkeypatch.setattr(threading.Thread, "start", lambda _: None)
    answer = Client().get("/api/v1/cities/mini/tiles/components/3/6/3.mvt")
    assert answer.status_code == 503
    assert answer["Retry-After"] == "2"


def test_no_such_tile(mini: str) -> None:
    with pytest.raises(BadInput):
        tile(current("mini"), place=runtime("mini"), zoom=2, column=4, row=0)


def test_morton_codes_go_back_to_places() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.integers(0, 1 << 32, (2, 1000), dtype=np.uint64)
    x[:2], y[:2] = (0, (1 << 32) - 1), (0, (1 << 32) - 1)
    back = from_morton(morton(x, y))
    assert (back[0] == x).all()
    assert (back[1] == y).all()


@pytest.mark.parametrize(
    "bbox",
    [
        (120.001, 31.001, 120.002, 31.003),
        (120.0, 31.0, 120.02, 31.02),
        (-180.0, -90.0, 180.0, 90.0),
        (0.0, 0.0, 0.0, 0.0),
    ],
)
def test_the_runs_of_a_box_hold_all_that_lies_in_it(bbox: tuple[float, float, float, float]) -> None:
    rng = np.random.default_rng(2)
    lon, lat = rng.uniform(bbox[0], bbox[2], 500), rng.uniform(bbox[1], bbox[3], 500)
    runs = cell_ranges(bbox)
    assert len(runs) <= 16
    for cell in cell_of(lon, lat).tolist():
        assert sum(first <= cell <= last for first, last in runs) == 1
