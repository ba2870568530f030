"""The toy pack, its city in a test's database, and a point in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from yiwang.server.cities.queries import CityRuntime

MINI = Path(__file__).parent / "packs" / "fixtures" / "mini"
WEST = {"lon": 120.003, "lat": 31.003}  # community 900101


@dataclass(frozen=True)
class _Installed:
    """What an installation left behind: its folder, the two digests, and the city as read into memory."""

    folder: Path
    source_digest: str
    digest: str
    runtime: CityRuntime


_installed: list[_Installed] = []


def install_toy_city() -> None:
    """Install the toy pack; after the first time in a process only its two rows are written again, which reads no file."""
    from yiwang.server.cities import queries
    from yiwang.server.cities.models import City, PackVersion
    from yiwang.server.provision.operations import install_pack

    home = _home()
    kept = next((one for one in _installed if one.folder.is_relative_to(home) and one.folder.is_dir()), None)
    if kept is None or City.objects.filter(id="mini").exists():
        queries._installed.runtimes.pop("mini", None)
        install_pack(MINI)
        row = PackVersion.objects.filter(city_id="mini").latest("version")
        if row.version == 1:
            folder = home / row.folder
            _installed[:] = [_Installed(folder, row.source_digest, row.digest, queries.runtime("mini"))]
        return
    info = kept.runtime.info
    city = City.objects.create(
        id=info.id,
        name=info.name.zh,
        name_en=info.name.en,
        version=1,
        digest=kept.digest,
        position=City.objects.count(),
    )
    PackVersion.objects.create(
        city=city,
        version=1,
        source_digest=kept.source_digest,
        digest=kept.digest,
        folder=str(kept.folder.relative_to(home)),
    )
    queries._installed.runtimes["mini"] = kept.runtime


def _home() -> Path:
    from django.conf import settings

    return Path(settings.YIWANG_HOME)
