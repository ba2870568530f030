"""What one may ask of projects: those of a year, one with all that belongs to it, its history."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from yiwang.core.kernel.text import Text
from yiwang.server.ledger.api import first_broken, stream_of_events
from yiwang.server.projects.models import Project, ProjectEvent, ProjectPhoto
from yiwang.server.projects.operations import NAME

STREAM = stream_of_events(ProjectEvent, name=NAME, title=Text("民生实事项目", "projects for people"))
MOST_EVENTS = 200


def years_of(city: str, *, staff: bool) -> list[int]:
    """Years of which there are projects, the latest first."""
    return list(_seen(city, staff=staff).order_by("-year").values_list("year", flat=True).distinct())


def projects_of(city: str, *, year: int, staff: bool) -> list[Project]:
    """The projects of a year by key, with their milestones and ``spent_cents``; to the public those that were chosen."""
    found = _seen(city, staff=staff).filter(year=year).order_by("key").prefetch_related("milestones")
    standing = Q(spendings__cancelled_at=None)
    return list(found.annotate(spent_cents=Coalesce(Sum("spendings__cents", filter=standing), 0)))


def project_of(*, city: str, key: str) -> Project | None:
    """One project, whoever asks; `access.sees` says who may look at it."""
    return Project.objects.filter(city=city, key=key).first()


def photo_of(*, city: str, key: str, photo: int) -> tuple[Project, Path] | None:
    """The project that a photo is of, and its file; None where there is none."""
    found = (
        ProjectPhoto.objects.select_related("project").filter(pk=photo, project__city=city, project__key=key).first()
    )
    path = Path(settings.YIWANG_HOME, found.path) if found else None
    return (found.project, path) if found and path and path.is_file() else None


def events_of(project: Project) -> list[ProjectEvent]:
    """What happened to a project, the latest first, without the votes."""
    found = ProjectEvent.objects.filter(city=project.city, subject=project.key).exclude(kind="voted")
    return list(found.order_by("-id")[:MOST_EVENTS])


def broken(city: str) -> int | None:
    """Id of the first event of a city that was changed; None when none was."""
    return first_broken(ProjectEvent, stream=NAME, city=city)


def _seen(city: str, *, staff: bool) -> QuerySet[Project]:
    found = Project.objects.filter(city=city)
    return found if staff else found.exclude(chosen_at=None)
