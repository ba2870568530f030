"""Installs and upgrades packs. The installed copy belongs to the platform: it never loses a region, category or unit."""

from __future__ import annotations

import shutil
import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.core.space import UnitGrids
from yiwang.packs import Pack, find_pack, read_pack
from yiwang.server.basemap import grounds
from yiwang.server.cases.api import recount_deadlines
from yiwang.server.cities import queries as places
from yiwang.server.cities.models import City, PackVersion
from yiwang.server.provision.retaining import retain
from yiwang.server.verification.rebuilding import renew_dues

_TWO_DAYS = (date(2000, 1, 1), date(2011, 12, 31))


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallResult:
    """What an installation did.

    Attributes:
        city: Id.
        version: Version now in force.
        changed: False when the very same pack was in force already.
        retained: Codes that the new pack no longer names and whose validity was ended instead, by file.
    """

    city: str
    version: int
    changed: bool
    digest: str
    retained: dict[str, list[str]] = field(default_factory=dict)


def install_pack(path_or_id: str | Path, *, origin: str = PackVersion.Origin.PACK, note: str = "") -> InstallResult:
    """Install a pack, or upgrade its city; the same pack again changes nothing.

    A region, category or unit that the city has and the new pack does not name stays, with its validity ended today:
    old cases keep their place and their words.

    Args:
        path_or_id: Folder or id of the pack.
        origin: ``rules`` for a change of rules that was decided on the pages. A pack that is installed again after such
            changes is still the same pack and changes nothing: starting the demonstration again must not undo them.
        note: What brought the version.

    Raises:
        BadInput: With every problem of the pack; then nothing has changed.
    """
    source = find_pack(str(path_or_id))
    pack = read_pack(source)
    current = PackVersion.objects.filter(city_id=pack.id).order_by("-version").first()
    same = current
    if origin == PackVersion.Origin.PACK and current is not None:
        same = PackVersion.objects.filter(city_id=pack.id, origin=origin).order_by("-version").first()
    if current is not None and same is not None and same.source_digest == pack.digest and _complete(current.folder):
        return InstallResult(city=pack.id, version=current.version, changed=False, digest=current.digest)
    _check_numbers(pack)
    return _install(source, pack, current, origin=origin, note=note)


def _complete(folder: str) -> bool:
    return Path(settings.YIWANG_HOME, folder, "pack", "pack.toml").is_file()


def _check_numbers(pack: Pack) -> None:
    """Case numbers are addresses, so two cities must not give the same ones."""
    mine = _numbers(pack)
    for other in places.cities():
        if other.id == pack.id:
            continue
        if mine & {
            pattern.format(date=day, serial=1)
            for pattern in (other.case_number, other.report_number)
            for day in _TWO_DAYS
        }:
            raise BadInput(
                Problem(
                    Text(
                        "编号会与 {other} 的相同。",
                        "The numbers would be the same as those of {other}.",
                        other=other.id,
                    ),
                    Text(
                        "请让 case_number 和 report_number 以本市的字母开头。",
                        "Begin case_number and report_number with letters of the city.",
                    ),
                    "pack.toml",
                    None,
                    "case_number",
                )
            )
    if pack.info.case_number == pack.info.report_number:
        raise BadInput(
            Problem(
                Text("案卷号与上报号会重复。", "Cases and reports would have the same numbers."),
                Text("请把 report_number 改得不同。", "Make report_number different."),
                "pack.toml",
                None,
                "report_number",
            )
        )


def _numbers(pack: Pack) -> set[str]:
    return {
        pattern.format(date=day, serial=1)
        for pattern in (pack.info.case_number, pack.info.report_number)
        for day in _TWO_DAYS
    }


def _install(source: Path, pack: Pack, current: PackVersion | None, *, origin: str, note: str) -> InstallResult:
    version = current.version + 1 if current else 1
    base = Path(settings.YIWANG_HOME, "packs", pack.id)
    building = base / f".new-{uuid.uuid4().hex}"
    # a folder's name is never used twice: a process may still be reading the old one
    folder = base / f"{version:04d}-{pack.digest[:8]}-{uuid.uuid4().hex[:16]}"
    today = datetime.now(UTC).astimezone(pack.info.zone).date()
    try:
        _copy(source, pack.files, building / "pack")
        retained = retain(new=building / "pack", old=_pack_folder(current), today=today)
        copy = read_pack(building / "pack")
        _make_grids(copy, building, _old_grids(current), today)
        grounds.prepare(copy)
        building.rename(folder)
        row = {
            "folder": str(folder.relative_to(settings.YIWANG_HOME)),
            "retained": retained,
            "origin": origin,
            "note": note[:200],
        }
        installed = _enter(copy, pack, version=version, row=row)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    places.forget()
    if current is not None:
        recount_deadlines(city=installed.city)  # a changed calendar moves them
        renew_dues(city=installed.city)  # what the new rules ask of open cases, they ask of them from now on
    return installed


def _copy(source: Path, names: tuple[str, ...], target: Path) -> None:
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, target / name)


def _pack_folder(version: PackVersion | None) -> Path | None:
    return Path(settings.YIWANG_HOME, version.folder, "pack") if version and _complete(version.folder) else None


def _old_grids(version: PackVersion | None) -> UnitGrids | None:
    file = Path(settings.YIWANG_HOME, version.folder, places.GRIDS) if version else None
    return UnitGrids.from_bytes(file.read_bytes()) if file and file.is_file() else None


def _make_grids(pack: Pack, folder: Path, previous: UnitGrids | None, today: date) -> None:
    grids = pack.grids(on=today, previous=previous)
    if grids is not None:
        (folder / places.GRIDS).write_bytes(grids.to_bytes())


def _enter(copy: Pack, given: Pack, *, version: int, row: dict[str, Any]) -> InstallResult:
    """Put the version into force: one transaction, and every process takes it up within a second."""
    info = copy.info
    with transaction.atomic():
        position = City.objects.count()
        city, _ = City.objects.update_or_create(
            id=info.id,
            defaults={"name": info.name.zh, "name_en": info.name.en, "version": version, "digest": copy.digest},
            create_defaults={
                "name": info.name.zh,
                "name_en": info.name.en,
                "version": version,
                "digest": copy.digest,
                "position": position,
            },
        )
        PackVersion.objects.create(
            city=city,
            version=version,
            source_digest=given.digest,
            digest=copy.digest,
            **row,
        )
    return InstallResult(city=info.id, version=version, changed=True, digest=copy.digest, retained=row["retained"])
