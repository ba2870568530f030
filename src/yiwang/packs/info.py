"""`pack.toml`: who the city is, how its codes are built, which tables decide."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from string import Formatter
from typing import Any
from zoneinfo import ZoneInfo

from yiwang.core.kernel.text import NO_TEXT, Text
from yiwang.core.space import BASE_36, DIGITS, DefaultPoint, GridRules, Level
from yiwang.core.space.crs import SYSTEMS
from yiwang.packs.fields import Fields
from yiwang.packs.files import PackFiles

FILE = "pack.toml"
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# The first parts of the site's own addresses; a city's id is one too (a test compares this with the addresses).
RESERVED_IDS = frozenset(
    {"account", "api", "healthz", "metrics", "readyz", "sign-in", "sign-out", "static", "switch"}
)  # fmt: skip
# What a number pattern may ask for: figures of limited width, and parts of the date.
_SERIAL_SPEC = re.compile(r"(0?([1-9]|1[0-9]|20))?d?")
_DATE_SPEC = re.compile(r"(%[YymdjGgVuU]|[0-9A-Za-z._-]){0,20}")
_WORD = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class PackInfo:
    """What `pack.toml` says of the city.

    Attributes:
        id: Letters, digits and dashes; the folder's usual name and the city's id everywhere.
        name: Of the city.
        country: ISO 3166 code of two letters.
        timezone: IANA name.
        language: BCP 47 tag in lower case, e.g. ``zh-hans``.
        crs: Coordinate system of coordinates that come without one.
        levels: From the city down.
        scheme: Catalogue scheme that cases use.
        case_number: Pattern with ``{serial}`` and, if serials start again each day, ``{date}``.
        report_number: Likewise for reports.
        default_points: Where records without a place land.
        simulated: The cases are not real; every page says so.
        notice: Shown on every page of the city.
        attribution: Whom the data comes from.
        grid: Unit grid, or None.
        tables: Declarations of the decision tables as written, by table name.
    """

    id: str
    name: Text
    country: str
    timezone: str
    language: str = "en"
    crs: str = "wgs84"
    levels: tuple[Level, ...]
    scheme: str
    case_number: str
    report_number: str
    default_points: tuple[DefaultPoint, ...] = ()
    simulated: bool = False
    notice: Text = NO_TEXT
    attribution: tuple[str, ...] = ()
    grid: GridRules | None = None
    tables: Mapping[str, Mapping[str, Any]]

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def format_case_number(self, *, day: date, serial: int) -> str:
        """The number of a case opened on a city-local day."""
        return self.case_number.format(date=day, serial=serial)

    def format_report_number(self, *, day: date, serial: int) -> str:
        """The number of a report received on a city-local day."""
        return self.report_number.format(date=day, serial=serial)


def read_info(files: PackFiles) -> PackInfo | None:
    """Read `pack.toml`; None when it is missing or no TOML, else as much as could be read, with problems in ``files``."""
    data = files.toml(FILE)
    if data is None:
        return None
    fields = Fields(files, FILE, data)
    levels = _levels(fields)
    info = PackInfo(
        id=_id(fields),
        name=fields.words("name"),
        country=_country(fields),
        timezone=_timezone(fields),
        language=fields.text("language", default="en").lower(),
        crs=_crs(fields),
        levels=levels,
        scheme=fields.text("scheme", hint="The scheme of categories.csv that cases use."),
        case_number=_pattern(fields, "case_number"),
        report_number=_pattern(fields, "report_number"),
        default_points=_default_points(fields),
        simulated=fields.flag("simulated"),
        notice=fields.words("notice", required=False),
        attribution=fields.texts("attribution"),
        grid=_grid(fields, levels),
        tables=fields.mapping("tables"),
    )
    fields.done()
    return info


def is_id(value: str) -> bool:
    """Whether a text can be a city's id."""
    return _ID.fullmatch(value) is not None


def _id(fields: Fields) -> str:
    value = fields.text("id")
    if value and not is_id(value):
        fields.fault("id", f"{value!r} is no id.", "Small letters, digits and single dashes, e.g. new-york.")
    if value in RESERVED_IDS:
        fields.fault("id", f"{value!r} is an address of the site itself.", "Take another id, e.g. the city's name.")
    return value


def _country(fields: Fields) -> str:
    value = fields.text("country", hint='Two letters, e.g. "CN".')
    if value and not re.fullmatch(r"[A-Z]{2}", value):
        fields.fault("country", f"{value!r} is no country code.", 'Two capital letters, e.g. "CN".')
    return value


def _timezone(fields: Fields) -> str:
    value = fields.text("timezone", hint='For example "Asia/Shanghai".')
    try:
        ZoneInfo(value or "UTC")
    except (KeyError, ValueError, OSError):
        fields.fault("timezone", f"{value!r} is no time zone.", 'An IANA name, e.g. "Asia/Shanghai".')
        return "UTC"
    return value or "UTC"


def _crs(fields: Fields) -> str:
    value = fields.text("crs", default="wgs84").lower()
    if value not in SYSTEMS:
        fields.fault("crs", f"Unknown coordinate system {value!r}.", "One of " + ", ".join(SYSTEMS) + ".")
    return value


def _pattern(fields: Fields, key: str) -> str:
    pattern = fields.text(key, hint='For example "WX{date:%Y%m%d}{serial:05d}".')
    if not pattern:
        return "{serial}"
    if not _fillable(pattern):
        fields.fault(
            key,
            f"The pattern {pattern[:80]!r} asks for more than a number.",
            "It may hold {date:%Y%m%d} and {serial:05d}, at most 20 figures wide, and nothing of them but their digits.",
        )
        return "{serial}"
    try:
        numbers = {pattern.format(date=date(2026, 1, 2), serial=serial) for serial in (1, 2, 10, 11)}
    except (KeyError, IndexError, ValueError, AttributeError, TypeError) as error:
        fields.fault(key, f"The pattern {pattern!r} cannot be filled: {error}.", "It may hold {date:…} and {serial:…}.")
        return "{serial}"
    if len(numbers) < 4:
        fields.fault(key, f"The pattern {pattern!r} gives the same number twice.", "It must hold {serial}.")
    longest = max(map(len, numbers))
    if longest > 40 or not all(re.fullmatch(r"[0-9A-Za-z._-]+", number) for number in numbers):
        fields.fault(
            key, f"The pattern {pattern!r} gives {min(numbers)!r}.", "Up to 40 letters, digits, '.', '_' and '-'."
        )
    return pattern


def _fillable(pattern: str) -> bool:
    """Whether a pattern asks for a date and a serial only: no attributes, items or conversions, no huge widths."""
    try:
        parts = list(Formatter().parse(pattern))
    except ValueError:
        return True  # filling it says what is wrong
    specs = {"serial": _SERIAL_SPEC, "date": _DATE_SPEC}
    return len(pattern) <= 200 and all(
        name is None
        or (name.isalnum() and name not in specs)  # there is no such field: filling says so
        or (name in specs and conversion is None and specs[name].fullmatch(spec or "") is not None)
        for _, name, spec, conversion in parts
    )


def _levels(fields: Fields) -> tuple[Level, ...]:
    levels: list[Level] = []
    for number, table in enumerate(fields.tables("level"), start=1):
        item = Fields(fields.files, FILE, table, where=f"level {number}: ")
        level = Level(
            id=item.text("id"),
            name=item.words("name"),
            width=int(item.number("width", above=0)),
        )
        item.done()
        if level.id and not _WORD.fullmatch(level.id):
            item.fault(
                "id", f"{level.id!r} is no level id.", "Small letters, e.g. district: it stands in unit templates."
            )
        if any(other.id == level.id for other in levels):
            item.fault("id", f"The level {level.id!r} stands twice.")
        if levels and level.width <= levels[-1].width:
            item.fault(
                "width", f"{level.width} is not more than {levels[-1].width} above.", "Codes grow from level to level."
            )
        levels.append(level)
    if not levels:
        fields.fault("level", "The pack names no levels.", "Add [[level]] for the city and each level below it.")
    return tuple(levels)


def _grid(fields: Fields, levels: tuple[Level, ...]) -> GridRules | None:
    table = fields.mapping("grid")
    if not table:
        return None
    item = Fields(fields.files, FILE, table, where="grid.")
    size_m = item.number("size_m", default=100.0, above=0)
    width = int(item.number("code_width", above=0))
    share = item.number("smallest_share", default=0.25)
    alphabet = item.text("alphabet", default=DIGITS)
    origin = item.raw("origin")
    item.done()
    if levels and width <= levels[-1].width:
        item.fault(
            "code_width", f"{width} leaves no place for a number.", f"More than {levels[-1].width}, the width above."
        )
        return None
    if alphabet not in (DIGITS, BASE_36):
        item.fault("alphabet", f"Unknown alphabet {alphabet!r}.", f"{DIGITS!r} or {BASE_36!r}.")
    if not (origin is None or (isinstance(origin, list) and len(origin) == 2)):
        item.fault("origin", f"{origin!r} is no place.", "Longitude and latitude, e.g. [120.3, 31.5].")
        origin = None
    return GridRules(
        size_m=size_m,
        code_width=width,
        smallest_share=share,
        alphabet=alphabet,
        origin=(float(origin[0]), float(origin[1])) if origin else None,
    )


def _default_points(fields: Fields) -> tuple[DefaultPoint, ...]:
    points = []
    for number, table in enumerate(fields.tables("default_points"), start=1):
        item = Fields(fields.files, FILE, table, where=f"default_points {number}: ")
        lon, lat = item.number("lon"), item.number("lat")
        radius = item.number("radius_m", default=25.0, above=0)
        item.done()
        if not (-180 <= lon <= 180 and -90 <= lat <= 90):
            item.fault(
                "lon", f"{lon}, {lat} is no place on Earth.", "lon is the longitude, lat the latitude, in degrees."
            )
            continue
        points.append(DefaultPoint(lon=lon, lat=lat, radius_m=radius))
    return tuple(points)
