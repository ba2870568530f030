"""Open data: the cases of a month as CSV or GeoJSON, streamed, without anything about persons, with words as moderated."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.db.models import Q

from yiwang.core.cases.lateness import counts_as_late
from yiwang.core.kernel.text import Text
from yiwang.packs.portal import BEFORE
from yiwang.server.cases.api import Case, lateness_moment
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common import publishing
from yiwang.server.common.spreadsheets import harmless
from yiwang.server.portal.months import bounds

CHUNK = 1000
PLACES = 4  # decimals of a degree: about ten metres, so that a point names no flat
READ = (
    "id", "number", "opened_at", "filed_at", "closed_at", "deadline", "overdue", "step", "category", "region", "holder",
    "source", "lon", "lat", "text", "rating", "merged_into",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the files, explained."""

    name: str
    meaning: Text


COLUMNS = (
    Column("number", Text("案卷编号", "Number of the case")),
    Column("reported_at", Text("上报时间（带时区）", "When it was reported, with the zone")),
    Column("filed_at", Text("立案时间", "When the case was filed")),
    Column("closed_at", Text("办结时间；在办为空", "When it was closed; empty while open")),
    Column("deadline", Text("截止时间", "When it is due")),
    Column("late", Text("是否超时：`true`、`false`；没有时限为空", "Whether it was or is late: `true`, `false`; empty without a deadline")),
    Column("step", Text("环节代码", "Code of the step of the workflow")),
    Column("step_name", Text("环节名称", "Name of the step")),
    Column("category", Text("类别代码", "Code of the category")),
    Column("category_name", Text("类别名称", "Name of the category")),
    Column("category_name_en", Text("类别英文名称", "Name of the category in English")),
    Column("region", Text("区域代码", "Code of the region")),
    Column("region_name", Text("区域名称，由大到小", "Names of the region, from the largest")),
    Column("unit", Text("承办单位代码", "Code of the unit that holds it")),
    Column("source", Text("来源：`public` 市民、`hotline` 热线、`inspector` 监督员等", "Channel: `public`, `hotline`, `inspector`, …")),
    Column("lon", Text("经度（WGS84，保留四位小数，约 10 米）", "Longitude (WGS 84, four decimals, about 10 m)")),
    Column("lat", Text("纬度", "Latitude")),
    Column("rating", Text("上报人评分 1–5；未评为空", "Rating by who reported, 1–5; empty if none")),
    Column("merged_into", Text("并入的案卷", "The case that it was merged into")),
    Column("text", Text("公开文字：个人信息已隐去（***），不公开的为空", "Public words: personal data masked (***); empty if withheld")),
)  # fmt: skip


def rows(*, place: CityRuntime, month: str) -> Iterator[list[dict[str, Any]]]:
    """A month's cases in the order in which they were reported, a chunk at a time: two queries each, whatever the month."""
    start, end = bounds(month, place)
    before, last, now = start, 0, lateness_moment(city=place.info.id)
    while True:
        found = list(
            Case.objects.filter(city=place.info.id, opened_at__gte=before, opened_at__lt=end)
            .filter(Q(opened_at__gt=before) | Q(id__gt=last))
            .order_by("opened_at", "id")
            .values(*READ)[:CHUNK]
        )
        if not found:
            return
        texts = publishing.public_texts(
            kind=publishing.CASE, originals={row["number"]: row["text"] for row in found},
            released_only=place.pack.portal.moderation == BEFORE,
        )  # fmt: skip
        yield [_public(row, texts[row["number"]] or "", place, now) for row in found]
        before, last = found[-1]["opened_at"], found[-1]["id"]
        if len(found) < CHUNK:
            return


def _public(row: dict[str, Any], text: str, place: CityRuntime, now: datetime) -> dict[str, Any]:
    zone, step, category = (
        place.info.zone,
        place.rules.workflow.steps.get(row["step"]),
        place.categories.get(row["category"]),
    )
    chain = place.regions.chain(row["region"]) if row["region"] in place.regions else ()

    def moment(value: datetime | None) -> str | None:
        return value.astimezone(zone).isoformat(timespec="seconds") if value else None

    late = counts_as_late(overdue=row["overdue"], deadline=row["deadline"], closed_at=row["closed_at"], at=now)
    return {
        "number": row["number"], "reported_at": moment(row["opened_at"]), "filed_at": moment(row["filed_at"]),
        "closed_at": moment(row["closed_at"]), "deadline": moment(row["deadline"]),
        "late": late if late or row["deadline"] else None, "step": row["step"], "step_name": step.name.zh if step else "",
        "category": row["category"], "category_name": category.name.zh if category else "",
        "category_name_en": category.name.en if category else "", "region": row["region"],
        "region_name": " ".join(region.name.zh for region in chain), "unit": row["holder"], "source": row["source"],
        "lon": None if row["lon"] is None else round(row["lon"], PLACES),
        "lat": None if row["lat"] is None else round(row["lat"], PLACES),
        "rating": row["rating"] or None, "merged_into": row["merged_into"] or None, "text": text,
    }  # fmt: skip


def as_csv(*, place: CityRuntime, month: str) -> Iterator[bytes]:
    """The month as CSV in UTF-8 with a byte order mark, as spreadsheets want it."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, [column.name for column in COLUMNS], lineterminator="\r\n")
    writer.writeheader()
    yield b"\xef\xbb\xbf"
    for chunk in rows(place=place, month=month):
        writer.writerows({name: _cell(value) for name, value in row.items()} for row in chunk)
        yield _drain(buffer)
    yield _drain(buffer)


def _drain(buffer: io.StringIO) -> bytes:
    content = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return content


def _cell(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return harmless(value) if isinstance(value, str) else value


def as_geojson(*, place: CityRuntime, month: str) -> Iterator[bytes]:
    """The month as GeoJSON (RFC 7946); cases without a place have no geometry."""
    yield b'{"type":"FeatureCollection","features":['
    first = True
    for chunk in rows(place=place, month=month):
        parts = []
        for row in chunk:
            lon, lat = row.pop("lon"), row.pop("lat")
            geometry = None if lon is None else {"type": "Point", "coordinates": [lon, lat]}
            parts.append(orjson.dumps({"type": "Feature", "geometry": geometry, "properties": row}))
        yield (b"" if first else b",\n") + b",\n".join(parts)
        first = False
    yield b"]}"
