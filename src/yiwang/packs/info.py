"""`pack.toml`: who the city is, how its codes are built, which tables decide."""

from __future__ import annotations

import re
from datetime import date
from functools import cached_property
from string import Formatter
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, Strict, StringConstraints

from yiwang.core.kernel.text import NO_TEXT, Text
from yiwang.core.space import BASE_36, DIGITS, DefaultPoint, GridRules, Level
from yiwang.core.space.crs import SYSTEMS
from yiwang.core.things.codes import CODE_SCHEMES
from yiwang.packs.files import PackFiles
from yiwang.packs.toml_tables import (
    Expected,
    ListOf,
    Positive,
    Required,
    TimeZone,
    TomlTable,
    Width,
    Words,
    choice,
    read_table,
    wrong,
)

FILE = "pack.toml"
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# The first parts of the site's own addresses; a city's id is one too (a test compares this with the addresses).
RESERVED_IDS = frozenset(
    {"account", "api", "healthz", "metrics", "nation", "readyz", "sensorthings", "sign-in", "sign-out", "static", "switch"}
)  # fmt: skip
# What a number pattern may ask for: figures of limited width, and parts of the date.
_SERIAL_SPEC = re.compile(r"(0?([1-9]|1[0-9]|20))?d?")
_DATE_SPEC = re.compile(r"(%[YymdjGgVuU]|[0-9A-Za-z._-]){0,20}")
_WORD = re.compile(r"[a-z][a-z0-9_]*")
ID_HINT = Text(
    "请用小写字母、数字和单个短横线，例如 new-york。", "Small letters, digits and single dashes, e.g. new-york."
)


def is_id(value: str) -> bool:
    """Whether a text can be a city's id."""
    return _ID.fullmatch(value) is not None


def _check_id(value: str) -> str:
    if not is_id(value):
        raise wrong(Text("「{id}」不能作 id。", "{id!r} is no id.", id=value), ID_HINT)
    if value in RESERVED_IDS:
        raise wrong(
            Text("「{id}」是本站自身的网址。", "{id!r} is an address of the site itself.", id=value),
            Text("请换一个 id，例如城市的名称。", "Take another id, e.g. the city's name."),
        )
    return value


def _check_level_id(value: str) -> str:
    if not _WORD.fullmatch(value):
        raise wrong(
            Text("「{id}」不能作层级 id。", "{id!r} is no level id.", id=value),
            Text(
                "请用小写字母，例如 district：它要写进单位模板。",
                "Small letters, e.g. district: it stands in unit templates.",
            ),
        )
    return value


def _check_country(value: str) -> str:
    if not re.fullmatch(r"[A-Z]{2}", value):
        raise wrong(
            Text("「{value}」不是国家代码。", "{value!r} is no country code.", value=value),
            Text('两个大写字母，例如 "CN"。', 'Two capital letters, e.g. "CN".'),
        )
    return value


def _check_pattern(pattern: str) -> str:
    """That a pattern of numbers can be filled and gives every serial a number of its own."""
    if not _is_fillable(pattern):
        raise wrong(
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
    try:
        numbers = {pattern.format(date=date(2026, 1, 2), serial=serial) for serial in (1, 2, 10, 11)}
    except (KeyError, IndexError, ValueError, AttributeError, TypeError) as error:
        raise wrong(
            Text(
                "编号格式「{pattern}」无法填写：{why}。",
                "The pattern {pattern!r} cannot be filled: {why}.",
                pattern=pattern,
                why=str(error),
            ),
            Text("其中可以有 {date:…} 和 {serial:…}。", "It may hold {date:…} and {serial:…}."),
        ) from None
    if len(numbers) < 4:
        raise wrong(
            Text(
                "编号格式「{pattern}」会产生重复的编号。",
                "The pattern {pattern!r} gives the same number twice.",
                pattern=pattern,
            ),
            Text("其中必须有 {serial}。", "It must hold {serial}."),
        )
    if max(map(len, numbers)) > 40 or not all(re.fullmatch(r"[0-9A-Za-z._-]+", number) for number in numbers):
        raise wrong(
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


_CRS = choice(SYSTEMS, Text("未知的坐标系：「{value}」。", "Unknown coordinate system {value!r}."))
_CODES = choice(
    ("", *CODE_SCHEMES), Text("未知的部件编码标准：「{value}」。", "Unknown standard of component codes {value!r}.")
)
_ALPHABET = Expected(
    Text("可填「{digits}」或「{base_36}」。", "{digits!r} or {base_36!r}.", digits=DIGITS, base_36=BASE_36),
    Text("未知的字符集：「{value}」。", "Unknown alphabet {value!r}."),
)
_PLACE = Expected(
    Text("请写经度和纬度，例如 [120.3, 31.5]。", "Longitude and latitude, e.g. [120.3, 31.5]."),
    Text("「{value}」不是位置。", "{value!r} is no place."),
)
NumberPattern = Annotated[
    Required,
    AfterValidator(_check_pattern),
    Expected(
        Text('例如 "WX{date:%Y%m%d}{serial:05d}"。', 'For example "WX{date:%Y%m%d}{serial:05d}".'), otherwise="{serial}"
    ),
]


class LevelTable(TomlTable):
    """One `[[level]]`: its id, its name and how many characters its codes have."""

    id: Annotated[Required, AfterValidator(_check_level_id)]
    name: Words
    width: Width


class GridTable(TomlTable):
    """`[grid]`: see `GridRules`."""

    size_m: Positive = 100.0
    code_width: Width
    smallest_share: float = 0.25
    alphabet: Annotated[str, choice((DIGITS, BASE_36)), _ALPHABET] = DIGITS
    origin: Annotated[Annotated[tuple[float, float], Strict(False)] | None, _PLACE] = None


class PointTable(TomlTable):
    """One of `default_points`, in degrees and metres."""

    lon: float
    lat: float
    radius_m: Positive = 25.0


class CreditTable(TomlTable):
    """A line of `attribution`."""

    text: Words


def _in_both(value: Any) -> Any:
    """A line that is written as a plain text says the same in both languages."""
    if not isinstance(value, list):
        return value
    return [{"text": one, "text_en": one} if isinstance(one, str) else one for one in value]


class PackInfo(TomlTable):
    """What `pack.toml` says of the city.

    Attributes:
        id: Letters, digits and dashes; the folder's usual name and the city's id everywhere.
        name: Of the city.
        country: ISO 3166 code of two letters.
        timezone: IANA name.
        language: BCP 47 tag in lower case, e.g. ``zh-hans``.
        crs: Coordinate system of coordinates that come without one.
        scheme: Catalogue scheme that cases use.
        case_number: Pattern with ``{serial}`` and, if serials start again each day, ``{date}``.
        report_number: Likewise for reports.
        component_codes: The standard by which components are numbered, see `CODE_SCHEMES`; empty for none.
        simulated: The cases are not real; every page says so.
        notice: Shown on every page of the city.
        tables: Declarations of the decision tables as written, by table name.
    """

    id: Annotated[Required, AfterValidator(_check_id)]
    name: Words
    country: Annotated[
        Required, AfterValidator(_check_country), Expected(Text('两个字母，例如 "CN"。', 'Two letters, e.g. "CN".'))
    ]
    timezone: Annotated[TimeZone, Expected(Text('例如 "Asia/Shanghai"。', 'E.g. "Asia/Shanghai".'), otherwise="UTC")]
    language: Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True)] = "en"
    crs: Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True), _CRS] = "wgs84"
    scheme: Annotated[
        Required,
        Expected(Text("案卷所用的分类体系，见 categories.csv。", "The scheme of categories.csv that cases use.")),
    ]
    case_number: NumberPattern
    report_number: NumberPattern
    component_codes: Annotated[str, _CODES] = ""
    simulated: bool = False
    notice: Words = NO_TEXT
    tables: dict[str, dict[str, Any]] = Field(default_factory=dict)
    credit_tables: Annotated[ListOf[CreditTable], BeforeValidator(_in_both)] = Field((), alias="attribution")
    level_tables: ListOf[LevelTable] = Field((), alias="level")
    point_tables: ListOf[PointTable] = Field((), alias="default_points")
    grid_table: GridTable | None = Field(None, alias="grid")

    @cached_property
    def levels(self) -> tuple[Level, ...]:
        """From the city down."""
        return tuple(Level(**dict(one)) for one in self.level_tables)

    @cached_property
    def default_points(self) -> tuple[DefaultPoint, ...]:
        """Where records without a place land."""
        return tuple(DefaultPoint(**dict(one)) for one in self.point_tables)

    @cached_property
    def grid(self) -> GridRules | None:
        """Unit grid, or None."""
        return GridRules(**dict(self.grid_table)) if self.grid_table else None

    @property
    def attribution(self) -> tuple[Text, ...]:
        """Whom the data comes from, a line each."""
        return tuple(one.text for one in self.credit_tables)

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
    info = read_table(PackInfo, data, files, FILE)
    _check_levels(info, files)
    for number, point in enumerate(info.point_tables, start=1):
        if not (-180 <= point.lon <= 180 and -90 <= point.lat <= 90):
            files.fault(
                Text(
                    "地球上没有 {lon}, {lat} 这个位置。",
                    "{lon}, {lat} is no place on Earth.",
                    lon=point.lon,
                    lat=point.lat,
                ),
                Text("lon 是经度，lat 是纬度，单位为度。", "lon is the longitude, lat the latitude, in degrees."),
                file=FILE,
                column=f"default_points {number}: lon",
            )
    return info


def _check_levels(info: PackInfo, files: PackFiles) -> None:
    """Levels have ids of their own, and codes grow from each to the next, and to the grid."""
    levels = info.levels
    for number, level in enumerate(levels, start=1):
        if any(other.id == level.id for other in levels[: number - 1]):
            message = Text("层级「{id}」重复出现。", "The level {id!r} stands twice.", id=level.id)
            files.fault(message, file=FILE, column=f"level {number}: id")
        if number > 1 and level.width <= levels[number - 2].width:
            files.fault(
                Text(
                    "{width} 没有大于上一级的 {above}。",
                    "{width} is not more than {above} above.",
                    width=level.width,
                    above=levels[number - 2].width,
                ),
                Text("代码长度要逐级增加。", "Codes grow from level to level."),
                file=FILE,
                column=f"level {number}: width",
            )
    if not levels:
        files.fault(
            Text("城市包没有写层级。", "The pack names no levels."),
            Text("请为全市及其下各级添加 [[level]]。", "Add [[level]] for the city and each level below it."),
            file=FILE,
            column="level",
        )
    elif info.grid and info.grid.code_width <= levels[-1].width:
        files.fault(
            Text("{width} 没有给编号留出位数。", "{width} leaves no place for a number.", width=info.grid.code_width),
            Text("必须大于上一级的长度 {above}。", "More than {above}, the width above.", above=levels[-1].width),
            file=FILE,
            column="grid.code_width",
        )
