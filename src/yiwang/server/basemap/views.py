"""What the maps ask for their base map: its description (TileJSON 3.0) and its tiles. Both are public, as the city's map is."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe
from pmtiles.tile import Compression

from yiwang.core.kernel.text import Text
from yiwang.packs.basemap import Credit
from yiwang.server.basemap import archives, tiling
from yiwang.server.basemap.chosen import IMAGES, MOST_ZOOM, ChosenMap, chosen_for, open_archive
from yiwang.server.basemap.grounds import Ground, ground_of
from yiwang.server.cities.finding import city_or_404
from yiwang.server.cities.queries import NoSuchCity, runtime
from yiwang.server.common.language import say
from yiwang.server.common.vector_tiles import MEDIA_TYPE

META = "yiwang-basemap"  # name of the meta element that leads the front end here
FRAME = "yiwang-map-crs"  # and of that which says in which system the map is drawn, where that is not WGS 84
MISSING = Text(
    "底图服务没有返回内容，目前只显示区域和案卷。",
    "The base map's service gives nothing; only regions and cases are shown.",
)
FOREVER = "public, max-age=31536000, immutable"


def head(city: str) -> dict[str, str]:
    """Where the pages of a city find its base map; nothing when it has none."""
    try:
        pack = runtime(city).pack
    except NoSuchCity:
        return {}
    if chosen := chosen_for(pack.id, settings.YIWANG_BASEMAPS):
        frame = {FRAME: chosen.crs} if chosen.crs == "gcj02" else {}
        return {META: f"{reverse('basemap', args=[city])}?v={chosen.version}", **frame}
    ground = ground_of(pack)
    return {META: f"{reverse('basemap', args=[city])}?v={archives.version_of(ground.basemap)}"} if ground else {}


def ground_or_404(city: str) -> Ground:
    """The layers under a city's maps.

    Raises:
        Http404: When there is no such city, or it has no base map.
    """
    ground = ground_of(city_or_404(city).pack)
    if ground is None:
        raise Http404(say("这个城市没有底图", "This city has no base map"))
    return ground


@require_safe
def description(request: HttpRequest, city: str) -> JsonResponse:
    """What is drawn: ``kind`` says how.

    ``vector`` is TileJSON, with two members of our own: ``credits`` (text, url) and ``overview`` (max_zoom, note), in the
    reader's language; ``raster`` has images in ``layers``, from below; ``style`` names a MapLibre style. Of a map of others
    ``missing`` is what the page says when its service gives nothing.
    """
    place = city_or_404(city)
    if chosen := chosen_for(city, settings.YIWANG_BASEMAPS):
        answer = JsonResponse({**_description(place.info.id, chosen), **_credited(chosen.credits)})
        answer["Cache-Control"] = "no-cache"
        return answer
    ground = ground_or_404(city)
    basemap, archive = ground.basemap, ground.archive()
    answer = JsonResponse(
        {
            "kind": "vector",
            "tilejson": "3.0.0",
            "tiles": [_pattern(city, archives.version_of(basemap))],
            "minzoom": tiling.FIRST_ZOOM,
            "maxzoom": tiling.last_zoom(basemap.max_zoom),
            "bounds": archive.bounds,
            "vector_layers": [{"id": name, "fields": {}} for name in tiling.TILE_LAYERS],
            **_credited(basemap.credits),
            "overview": {"max_zoom": basemap.max_zoom, "note": say(basemap.note) if basemap.note else ""},
        }
    )
    answer["Cache-Control"] = "no-cache"
    return answer


def _credited(credits: Sequence[Credit]) -> dict[str, Any]:
    return {
        "attribution": " ".join(say(credit.text) for credit in credits),
        "credits": [{"text": say(credit.text), "url": credit.url} for credit in credits],
    }


def _pattern(city: str, version: str) -> str:
    return f"{reverse('basemap-tile', args=[city, 0, 0, 0]).removesuffix('0/0/0.mvt')}{{z}}/{{x}}/{{y}}.mvt?v={version}"


def _description(city: str, chosen: ChosenMap) -> dict[str, Any]:
    """How a map of others is drawn. The key is in its addresses: the browser asks the service, not we."""
    said: dict[str, Any] = {
        "crs": chosen.crs, "minzoom": 0, "maxzoom": chosen.max_zoom, "overview": {"max_zoom": MOST_ZOOM, "note": ""},
        "missing": say(MISSING),
    }  # fmt: skip
    if chosen.pmtiles is not None:
        header = open_archive(chosen.pmtiles).header()
        said |= {
            "minzoom": header["min_zoom"],
            "maxzoom": header["max_zoom"],
            "tiles": [_pattern(city, chosen.version)],
        }
        if header["tile_type"] in IMAGES:
            return {**said, "kind": "raster", "layers": said["tiles"]}
    if isinstance(chosen.style, str) and chosen.style:
        return {**said, "kind": "style", "style": chosen.open(chosen.style)}
    if chosen.style:
        return {**said, "kind": "style", "style": f"{reverse('basemap-style', args=[city])}?v={chosen.version}"}
    if chosen.pmtiles is not None:
        return {**said, "kind": "vector"}
    return {**said, "kind": "raster", "layers": [chosen.open(pattern) for pattern in chosen.tiles]}


@require_safe
def style(request: HttpRequest, city: str) -> HttpResponse:
    """The MapLibre style of an operator's file, with the key where it belongs."""
    city_or_404(city)
    chosen = chosen_for(city, settings.YIWANG_BASEMAPS)
    if chosen is None or isinstance(chosen.style, str):
        raise Http404(say("这个城市的底图没有样式文件", "The base map of this city has no style file"))
    answer = HttpResponse(chosen.open(json.dumps(chosen.style, ensure_ascii=False)), content_type="application/json")
    answer["Cache-Control"] = "no-cache"
    return answer


@require_safe
def tile(request: HttpRequest, city: str, zoom: int, column: int, row: int) -> HttpResponse:
    """A tile; no bytes where there is none. Under an address that names the version it never changes."""
    city_or_404(city)
    chosen = chosen_for(city, settings.YIWANG_BASEMAPS)
    version = chosen.version if chosen else archives.version_of(ground_or_404(city).basemap)
    tag = f'W/"{version}"'  # weak: packed and unpacked are the same tile
    if tag.removeprefix("W/") in request.headers.get("If-None-Match", ""):
        answer = HttpResponse(status=304)
    else:
        answer = _of_archive(request, chosen, zoom, column, row) if chosen else _drawn(request, city, zoom, column, row)
    answer["ETag"] = tag
    answer["Cache-Control"] = FOREVER if request.GET.get("v") == version else "no-cache"
    patch_vary_headers(answer, ("Accept-Encoding",))
    return answer


def _of_archive(request: HttpRequest, chosen: ChosenMap, zoom: int, column: int, row: int) -> HttpResponse:
    """A tile of an operator's archive."""
    if chosen.pmtiles is None:
        raise Http404(say("这个城市的底图不由本平台提供", "The base map of this city does not come from here"))
    if not (zoom <= MOST_ZOOM and column < 1 << zoom and row < 1 << zoom):
        raise Http404(say("没有这个瓦片", "There is no such tile"))
    reader = open_archive(chosen.pmtiles)
    header, data = reader.header(), reader.get(zoom, column, row) or b""
    if header["tile_type"] in IMAGES:
        if not data:
            raise Http404(say("没有这个瓦片", "There is no such tile"))
        return HttpResponse(data, content_type=IMAGES[header["tile_type"]])
    if data and header["tile_compression"] != Compression.GZIP:
        return HttpResponse(data, content_type=MEDIA_TYPE)
    return _packed(request, data)


def _drawn(request: HttpRequest, city: str, zoom: int, column: int, row: int) -> HttpResponse:
    return _packed(request, _tile(ground_or_404(city), zoom, column, row))


def _tile(ground: Ground, zoom: int, column: int, row: int) -> bytes:
    nearest = tiling.last_zoom(ground.basemap.max_zoom)
    if not (tiling.FIRST_ZOOM <= zoom <= nearest and column < 1 << zoom and row < 1 << zoom):
        raise Http404(
            say(
                "底图没有这个瓦片：缩放级别从 {first} 到 {last}",
                "The base map has no such tile: zooms are from {first} to {last}",
                first=tiling.FIRST_ZOOM,
                last=nearest,
            )
        )
    return ground.archive().tile(zoom, column, row)


def _packed(request: HttpRequest, data: bytes) -> HttpResponse:
    """The tile as it lies in the archive, or unpacked for a client that cannot."""
    if not data or "gzip" not in request.headers.get("Accept-Encoding", ""):
        return HttpResponse(gzip.decompress(data) if data else b"", content_type=MEDIA_TYPE)
    return HttpResponse(data, content_type=MEDIA_TYPE, headers={"Content-Encoding": "gzip"})
