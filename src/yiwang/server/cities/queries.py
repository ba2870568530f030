"""A city as installed: rules, calendar, regions, ready in memory, and fresh within a second after an upgrade."""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from django.conf import settings

from yiwang.core.cases.rulebook import Rulebook
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import Unknown
from yiwang.core.kernel.text import Text
from yiwang.core.space import Location, Locator, RegionTree, UnitGrids, to_wgs84
from yiwang.core.worktime import WorkCalendar
from yiwang.packs import Category, Pack, PackInfo, read_pack
from yiwang.packs.fact_tables import TableBuilder, provide
from yiwang.server.cities.models import City, PackVersion
from yiwang.server.common.app import installed_apps

log = logging.getLogger("yiwang.places")
CHECK_EVERY_SECONDS = 1.0
GRIDS = "grids.bin"


class NoSuchCity(Unknown):
    """No city of this id is installed."""

    def __init__(self, city: str) -> None:
        super().__init__(Text("没有「{city}」这个城市。", "There is no city {city!r}.", city=city), field="city")


@dataclass(frozen=True, slots=True, kw_only=True)
class CityRuntime:
    """One city, ready to decide.

    Attributes:
        version: Number of the installed version; it grows with every upgrade.
        digest: Digest of the installed pack.
        pack: Everything that the pack says.
        rules, calendar: What `decide` takes.
        locator: Point → region and unit grid, of the regions in force on ``day``.
        day: Local day for which the locator was made.
    """

    version: int
    digest: str
    pack: Pack
    rules: Rulebook
    calendar: WorkCalendar
    locator: Locator
    day: date

    @property
    def info(self) -> PackInfo:
        return self.pack.info

    @property
    def regions(self) -> RegionTree:
        return self.pack.regions

    @property
    def categories(self) -> Mapping[str, Category]:
        """Categories of the scheme that cases use, by code."""
        return self.pack.categories

    def locate(self, lon: float, lat: float, *, crs: str = "") -> tuple[Location, float, float]:
        """Where a point lies, and the point in WGS 84.

        Args:
            lon, lat: Degrees.
            crs: Their coordinate system; empty for the one that the pack names.
        """
        system = crs or self.info.crs
        if system != "wgs84":
            lon, lat = (float(value) for value in to_wgs84(lon, lat, crs=system))
        return self.locator.locate(lon, lat), lon, lat


@dataclass(slots=True)
class _InstalledCities:
    """What this process knows of the installed cities."""

    versions: dict[str, int]
    checked_at: float
    runtimes: dict[str, CityRuntime]


def tables_of_apps() -> Iterator[tuple[str, TableBuilder]]:
    """The tables of facts that apps bring, by name."""
    for app in installed_apps():
        for source in app.fact_sources():
            yield source.name, source.table


provide(tables_of_apps)
_lock = threading.RLock()
_installed = _InstalledCities(versions={}, checked_at=float("-inf"), runtimes={})


def forget() -> None:
    """Look again at the next question: after an installation, or when a test has another database."""
    with _lock:
        _installed.versions = {}
        _installed.checked_at = float("-inf")


def _versions() -> dict[str, int]:
    now = time.monotonic()
    if now - _installed.checked_at >= CHECK_EVERY_SECONDS:
        _installed.versions = dict(City.objects.order_by("position", "id").values_list("id", "version"))
        _installed.checked_at = now
    return _installed.versions


def runtime(city_id: str) -> CityRuntime:
    """The city, read again when another version has been installed or the local day has changed.

    Raises:
        NoSuchCity: When none of this id is installed.
    """
    with _lock:
        version = _versions().get(city_id)
        if version is None:
            raise NoSuchCity(city_id)
        known = _installed.runtimes.get(city_id)
        if known is None or known.version != version:
            known = _read(city_id, version)
            _installed.runtimes[city_id] = known
            _spare_collector()
        today = datetime.now(UTC).astimezone(known.info.zone).date()
        if known.day != today:
            known = _with_locator(known, today)
            _installed.runtimes[city_id] = known
        return known


def _spare_collector() -> None:
    """Take what lives as long as the process out of the garbage collector's rounds, which took a tenth of the time of a report.

    Rules, regions and names of a city are some hundred thousand objects that refer to one another, and the collector goes
    through all of them again and again and frees nothing. What an older version leaves behind comes back into its rounds.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def cities() -> list[PackInfo]:
    """The installed cities, in the order in which they were installed; one whose pack this release cannot read is left out."""
    found = []
    with _lock:
        for city_id in list(_versions()):
            try:
                found.append(runtime(city_id).info)
            except BadInput as error:
                log.error("The installed pack of %s cannot be read; install it again. %s", city_id, error)
    return found


def installed_folder(city_id: str) -> Path:
    """Folder of the pack in force.

    Raises:
        NoSuchCity: When none of this id is installed.
    """
    row = PackVersion.objects.filter(city_id=city_id).order_by("-version").values_list("folder", flat=True).first()
    if row is None:
        raise NoSuchCity(city_id)
    return Path(settings.YIWANG_HOME, row)


def versions(city_id: str) -> list[PackVersion]:
    """Every installed version of a city's pack, the newest first."""
    return list(PackVersion.objects.filter(city_id=city_id).order_by("-version"))


def version_folder(city_id: str, version: int) -> Path | None:
    """Folder of the pack as of a version; None when there is no such version, or its folder is gone."""
    row = PackVersion.objects.filter(city_id=city_id, version=version).values_list("folder", flat=True).first()
    folder = Path(settings.YIWANG_HOME, row, "pack") if row else None
    return folder if folder and folder.is_dir() else None


def _read(city_id: str, version: int) -> CityRuntime:
    row = PackVersion.objects.values("folder", "digest").get(city_id=city_id, version=version)
    folder = Path(settings.YIWANG_HOME, row["folder"])
    known = _installed.runtimes.get(city_id)
    if known is not None and known.digest == row["digest"] and known.pack.root == folder / "pack":
        pack, rules = known.pack, known.rules
    else:
        pack = read_pack(folder / "pack")
        rules = pack.rulebook()
    today = datetime.now(UTC).astimezone(pack.info.zone).date()
    return CityRuntime(
        version=version,
        digest=row["digest"],
        pack=pack,
        rules=rules,
        calendar=pack.calendar,
        locator=_locator(pack, today),
        day=today,
    )


def _with_locator(known: CityRuntime, today: date) -> CityRuntime:
    changed = {region.code for region in known.regions.on(today)} != {region.code for region in known.locator.tree}
    return CityRuntime(
        version=known.version,
        digest=known.digest,
        pack=known.pack,
        rules=known.rules,
        calendar=known.calendar,
        locator=_locator(known.pack, today) if changed else known.locator,
        day=today,
    )


def _locator(pack: Pack, day: date) -> Locator:
    return pack.locator(on=day, grids=_grids(pack, day))


def _grids(pack: Pack, day: date) -> UnitGrids | None:
    """The unit grids made at installation; made again when the format of the file is of another release."""
    file = pack.root.parent / GRIDS
    if not file.is_file():
        return None
    try:
        return UnitGrids.from_bytes(file.read_bytes(), tree=pack.regions)
    except BadInput:
        return pack.grids(on=day)
