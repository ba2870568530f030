"""What one may ask of target letters."""

from __future__ import annotations

from collections.abc import Iterable

from yiwang.core.kernel.text import Text
from yiwang.core.targets.light import Light, worst_of
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.ledger.api import first_broken, stream_of_events
from yiwang.server.targets.drafting import NAME, OPEN
from yiwang.server.targets.models import Letter, TargetEvent
from yiwang.server.targets.progress import Months, Progress

STREAM = stream_of_events(TargetEvent, name=NAME, title=Text("目标责任书", "target letters"))


def years_of(city: str, *, staff: bool) -> list[int]:
    """Years of which there are letters, the latest first."""
    found = Letter.objects.filter(city=city, step__in=_steps(staff=staff))
    return list(found.order_by("-year").values_list("year", flat=True).distinct())


def letters_of(city: str, year: int, *, staff: bool) -> list[Letter]:
    """The letters of a year that stand, by unit, the newest first: those in force, for staff also those on their way there."""
    found = Letter.objects.filter(city=city, year=year, step__in=_steps(staff=staff)).defer("file")
    return list(found.prefetch_related("items", "signatures").order_by("unit", "-version"))


def versions_of(city: str, year: int, unit: str) -> list[Letter]:
    """Every version of a unit's letter, the newest first."""
    found = (
        Letter.objects.filter(city=city, year=year, unit=unit)
        .defer("file")
        .select_related("parent")
        .defer("parent__file")
    )
    return list(found.prefetch_related("items", "signatures").order_by("-version"))


def file_of(letter: Letter) -> bytes | None:
    """The PDF of a letter; None before it is issued."""
    found = Letter.objects.filter(pk=letter.pk).values_list("file", flat=True).first()
    return bytes(found) if found else None


def events_of(letter: Letter) -> list[TargetEvent]:
    """What happened to all versions of a unit's letter of a year, the latest first."""
    return list(
        TargetEvent.objects.filter(city=letter.city, subject__startswith=f"{letter.year}/{letter.unit}/").order_by(
            "-id"
        )
    )


def in_force(found: Iterable[Letter]) -> list[Letter]:
    """Those that bind."""
    return [one for one in found if one.step == Letter.Step.IN_FORCE]


def standing(letter: Letter, months: Months) -> tuple[Light, list[Progress]]:
    """The light of a letter, and how far each of its items is."""
    found = [months.progress(letter.unit, item) for item in letter.items.all()]
    return worst_of([one.light for one in found]), found


def ordered(place: CityRuntime, found: Iterable[Letter]) -> list[tuple[int, Letter]]:
    """Letters as they stand in the tree of regions, each with its depth below the city."""
    known = [one for one in found if one.unit in place.regions]
    return [(place.regions.depth(one.unit), one) for one in sorted(known, key=lambda one: (one.unit, -one.version))]


def broken(city: str) -> int | None:
    """Id of the first event of a city that was changed; None when none was."""
    return first_broken(TargetEvent, stream=NAME, city=city)


def _steps(*, staff: bool) -> list[str]:
    return [Letter.Step.IN_FORCE, *(OPEN if staff else ())]
