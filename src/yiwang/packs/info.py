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
from yiwang.packs.hints import one_of

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
ID_HINT = Text(
    "请用小写字母、数字和单个短横线，例如 new-york。", "Small letters, digits and single dashes, e.g. new-york."
)


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
        scheme=fields.text(
            "scheme",
            hint=Text("案卷所用的分类体系，见 categories.csv。", "The scheme of categories.csv that cases use."),
        ),
        case_number=_pattern(fields, "case_number"),
        report_number=_pattern(fields, "report_number"),
        default_points=_default_points(fields),
        simulated=fields.flag("simulated"),
        notice=fields.words("notice", required=False),
        attribution=fields.texts("attribution"),
        grid=_grid(fields, levels),
        tables=fields.mapping("tables"),
    )
    fields.check_keys()
    return info


def is_id(value: str) -> bool:
    """Whether a text can be a city's id."""
    return _ID.fullmatch(value) is not None


def _id(fields: Fields) -> str:
    value = fields.text("id")
    if value and not is_id(value):
        fields.fault("id", Text("「{id}」不能作 id。", "{id!r} is no id.", id=value), ID_HINT)
    if value in RESERVED_IDS:
        fields.fault(
            "id",
            Text("「{id}」是本站自身的网址。", "{id!r} is an address of the site itself.", id=value),
            Text("请换一个 id，例如城市的名称。", "Take another id, e.g. the city's name."),
        )
    return value


def _country(fields: Fields) -> str:
    value = fields.text("country", hint=Text('两个字母，例如 "CN"。', 'Two letters, e.g. "CN".'))
    if value and not re.fullmatch(r"[A-Z]{2}", value):
        fields.fault(
            "country",
            Text("「{value}」不是国家代码。", "{value!r} is no country code.", value=value),
            Text('两个大写字母，例如 "CN"。', 'Two capital letters, e.g. "CN".'),
        )
    return value


def _timezone(fields: Fields) -> str:
    value = fields.text("timezone", hint=Text('例如 "Asia/Shanghai"。', 'For example "Asia/Shanghai".'))
    try:
        ZoneInfo(value or "UTC")
    except (KeyError, ValueError, OSError):
        fields.fault(
            "timezone",
            Text("「{value}」不是时区。", "{value!r} is no time zone.", value=value),
            Text('请写 IANA 时区名，例如 "Asia/Shanghai"。', 'An IANA name, e.g. "Asia/Shanghai".'),
        )
        return "UTC"
    return value or "UTC"


def _crs(fields: Fields) -> str:
    value = fields.text("crs", default="wgs84").lower()
    if value not in SYSTEMS:
        message = Text("未知的坐标系：「{value}」。", "Unknown coordinate system {value!r}.", value=value)
        fields.fault("crs", message, one_of(SYSTEMS))
    return value


def _pattern(fields: Fields, key: str) -> str:
    example = Text('例如 "WX{date:%Y%m%d}{serial:05d}"。', 'For example "WX{date:%Y%m%d}{serial:05d}".')
    pattern = fields.text(key, hint=example)
    if not pattern:
        return "{serial}"
    if not _is_fillable(pattern):
        fields.fault(
            key,
            Text(
                "编号格式「{pattern}」要的不只是编号。",
                "The pattern {pattern!r} asks for more than a number.",
                pattern=pattern[:80],
            ),
            Text(
                "其中可以有 {date:%Y%m%d} 和 {serial:05d}，最多 20 位，只取数字。",
                "It may hold {date:%Y%m%d} and {serial:05d}, at most 20 figures wide, "
                "and nothing of them but their digits.",
            ),
        )
        return "{serial}"
    try:
        numbers = {pattern.format(date=date(2026, 1, 2), serial=serial) for serial in (1, 2, 10, 11)}
    except (KeyError, IndexError, ValueError, AttributeError, TypeError) as error:
        fields.fault(
            key,
            Text(
                "编号格式「{pattern}」无法填写：{why}。",
                "The pattern {pattern!r} cannot be filled: {why}.",
                pattern=pattern,
                why=str(error),
            ),
            Text("其中可以有 {date:…} 和 {serial:…}。", "It may hold {date:…} and {serial:…}."),
        )
        return "{serial}"
    if len(numbers) < 4:
        fields.fault(
            key,
            Text(
                "编号格式「{pattern}」会产生重复的编号。",
                "The pattern {pattern!r} gives the same number twice.",
                pattern=pattern,
            ),
            Text("其中必须有 {serial}。", "It must hold {serial}."),
        )
    longest = max(map(len, numbers))
    if longest > 40 or not all(re.fullmatch(r"[0-9A-Za-z._-]+", number) for number in numbers):
        fields.fault(
            key,
            Text(
                "编号格式「{pattern}」产生的编号是「{number}」。",
                "The pattern {pattern!r} gives {number!r}.",
                pattern=pattern,
                number=min(numbers),
            ),
            Text(
                "最多 40 个字符，只能是字母、数字、「.」「_」和「-」。", "Up to 40 letters, digits, '.', '_' and '-'."
            ),
        )
    return pattern


def _is_fillable(pattern: str) -> bool:
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
        item.check_keys()
        if level.id and not _WORD.fullmatch(level.id):
            item.fault(
                "id",
                Text("「{id}」不能作层级 id。", "{id!r} is no level id.", id=level.id),
                Text(
                    "请用小写字母，例如 district：它要写进单位模板。",
                    "Small letters, e.g. district: it stands in unit templates.",
                ),
            )
        if any(other.id == level.id for other in levels):
            item.fault("id", Text("层级「{id}」重复出现。", "The level {id!r} stands twice.", id=level.id))
        if levels and level.width <= levels[-1].width:
            item.fault(
                "width",
                Text(
                    "{width} 没有大于上一级的 {above}。",
                    "{width} is not more than {above} above.",
                    width=level.width,
                    above=levels[-1].width,
                ),
                Text("代码长度要逐级增加。", "Codes grow from level to level."),
            )
        levels.append(level)
    if not levels:
        fields.fault(
            "level",
            Text("城市包没有写层级。", "The pack names no levels."),
            Text("请为全市及其下各级添加 [[level]]。", "Add [[level]] for the city and each level below it."),
        )
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
    item.check_keys()
    if levels and width <= levels[-1].width:
        item.fault(
            "code_width",
            Text("{width} 没有给编号留出位数。", "{width} leaves no place for a number.", width=width),
            Text("必须大于上一级的长度 {above}。", "More than {above}, the width above.", above=levels[-1].width),
        )
        return None
    if alphabet not in (DIGITS, BASE_36):
        item.fault(
            "alphabet",
            Text("未知的字符集：「{alphabet}」。", "Unknown alphabet {alphabet!r}.", alphabet=alphabet),
            Text("可填「{digits}」或「{base_36}」。", "{digits!r} or {base_36!r}.", digits=DIGITS, base_36=BASE_36),
        )
    if not (origin is None or (isinstance(origin, list) and len(origin) == 2)):
        item.fault(
            "origin",
            Text("「{origin}」不是位置。", "{origin!r} is no place.", origin=origin),
            Text("请写经度和纬度，例如 [120.3, 31.5]。", "Longitude and latitude, e.g. [120.3, 31.5]."),
        )
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
        item.check_keys()
        if not (-180 <= lon <= 180 and -90 <= lat <= 90):
            item.fault(
                "lon",
                Text("地球上没有 {lon}, {lat} 这个位置。", "{lon}, {lat} is no place on Earth.", lon=lon, lat=lat),
                Text("lon 是经度，lat 是纬度，单位为度。", "lon is the longitude, lat the latitude, in degrees."),
            )
            continue
        points.append(DefaultPoint(lon=lon, lat=lat, radius_m=radius))
    return tuple(points)
