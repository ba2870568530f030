"""Who may do what with a project."""

from __future__ import annotations

from typing import Any

from yiwang.core.kernel.refusals import NotAllowed
from yiwang.core.kernel.text import Text
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.people.models import User
from yiwang.server.projects.models import Project
from yiwang.server.scrutiny.access import assesses, belongs_to, is_staff


def sees(user: Any, project: Project, *, place: CityRuntime) -> bool:
    """Whether somebody may look at a project: everybody once it was chosen, before that those who hold a post in the city."""
    return project.chosen_at is not None or is_staff(user, place=place)


def of_its_unit(user: Any, project: Project, *, place: CityRuntime) -> bool:
    """Whether somebody holds a post in the unit that is responsible, or below it."""
    return belongs_to(user, place=place, level="department", code=project.unit)


def works_on(user: Any, project: Project, *, place: CityRuntime) -> bool:
    """Whether somebody keeps a project: its unit, and who assesses the city."""
    return of_its_unit(user, project, place=place) or assesses(user, place=place)


def may_vote(user: Any, project: Project, *, place: CityRuntime) -> bool:
    """Whether somebody's vote counts: not of those who built it or decide on it."""
    return not works_on(user, project, place=place)


def check_staff(user: User, *, place: CityRuntime) -> None:
    """Refuse whoever holds no post in the city.

    Raises:
        NotAllowed: For them.
    """
    if not is_staff(user, place=place):
        raise NotAllowed(Text("只有本市工作人员可以提出项目。", "Only people who hold a post in the city may propose."))


def check_assesses(user: User, *, place: CityRuntime) -> None:
    """Refuse whoever does not assess the city.

    Raises:
        NotAllowed: For them.
    """
    if not assesses(user, place=place):
        raise NotAllowed(
            Text(
                "由系统管理员和负责考评的岗位决定。",
                "That is for administrators and for those who assess the city.",
            )
        )


def check_works_on(user: User, project: Project, *, place: CityRuntime) -> None:
    """Refuse whoever does not keep a project.

    Raises:
        NotAllowed: For them.
    """
    if not works_on(user, project, place=place):
        raise NotAllowed(
            Text(
                "只有责任单位和负责考评的人员可以办理。",
                "Only people of the unit responsible and those who assess the city may do that.",
            )
        )
