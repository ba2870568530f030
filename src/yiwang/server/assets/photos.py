"""Photos of a component, as a person who keeps the inventory adds and removes them. Its history tells of both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from yiwang.core.kernel.refusals import Invalid, Unknown
from yiwang.core.kernel.text import Text
from yiwang.server.assets.finding import component_to_change
from yiwang.server.assets.models import Component, ComponentChange, ComponentPhoto
from yiwang.server.assets.versions import write_begins
from yiwang.server.cities.queries import runtime
from yiwang.server.common import photos as pictures

MOST = 24


def add_photos(
    *, city: str, code: str, files: Sequence[Any], by: str, allowed: Callable[[str], bool]
) -> list[ComponentPhoto]:
    """Add photos to a component, re-encoded as those of cases are. One that it has already is not added again.

    Args:
        city, code: Which component.
        files: Pictures.
        by: Who.
        allowed: Whether this person may change what lies in a region.

    Returns:
        Those that were added.

    Raises:
        BadInput: When one cannot be taken; then none is.
        Invalid: When there is none, or it would have more than `MOST`.
        NotAllowed: When it lies elsewhere.
        Unknown: When there is no such component.
    """
    component_to_change(city=city, code=code, allowed=allowed)
    if not files:
        raise Invalid(Text("请选择照片。", "Choose a photo."), field="photos")
    kept = {photo.digest: photo for photo in pictures.keep(files)}  # slow, so before anything is locked
    zone = runtime(city).info.zone
    with transaction.atomic():
        held = _held(city, code)
        has = set(held.photos.values_list("digest", flat=True))
        new = [photo for digest, photo in kept.items() if digest not in has]
        if len(has) + len(new) > MOST:
            raise Invalid(
                Text(
                    "一个部件最多 {most} 张照片，现有 {now} 张。",
                    "A component has at most {most} photos; this one has {now}.",
                    most=MOST,
                    now=len(has),
                ),
                field="photos",
            )
        rows = ComponentPhoto.objects.bulk_create(
            ComponentPhoto(
                component=held,
                path=photo.path,
                digest=photo.digest,
                width=photo.width,
                height=photo.height,
                taken_at=pictures.in_zone(photo.taken_at, zone),
                by=by[:150],
            )
            for photo in new
        )
        _tell(held, before=len(has), after=len(has) + len(new), by=by)
    return rows


def remove_photo(*, city: str, code: str, photo: int, by: str, allowed: Callable[[str], bool]) -> None:
    """Remove a photo from a component. The file stays: a case may have the same.

    Raises:
        NotAllowed: When the component lies elsewhere.
        Unknown: When there is no such component, or it has no such photo.
    """
    component_to_change(city=city, code=code, allowed=allowed)
    with transaction.atomic():
        held = _held(city, code)
        before = held.photos.count()
        if not held.photos.filter(pk=photo).delete()[0]:
            raise Unknown(Text("这张照片已不在了。", "This photo is not there any more."))
        _tell(held, before=before, after=before - 1, by=by)


def photos_of(component: Component) -> list[ComponentPhoto]:
    """The photos of a component, the latest first."""
    return list(component.photos.all())


def component_photo(*, city: str, photo: int) -> tuple[Component, Path] | None:
    """The component that a photo is of, and its file; None where there is none."""
    found = ComponentPhoto.objects.select_related("component").filter(pk=photo, component__city=city).first()
    path = Path(settings.YIWANG_HOME, found.path) if found else None
    return (found.component, path) if found and path and path.is_file() else None


def _held(city: str, code: str) -> Component:
    """The component, so that nobody else adds photos meanwhile."""
    write_begins(city)
    held = Component.objects.select_for_update().filter(city=city, code=code).first()
    if held is None:
        raise Unknown(Text("没有标识码为「{code}」的部件。", "There is no component {code!r}.", code=code))
    return held


def _tell(component: Component, *, before: int, after: int, by: str) -> None:
    if before != after:
        ComponentChange.objects.create(component=component, by=by[:150], fields={"photos": [before, after]})
