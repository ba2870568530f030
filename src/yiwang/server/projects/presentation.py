"""Projects as pages show them, in the reader's language."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from yiwang.core.kernel.text import Text
from yiwang.server.cases.api import region_name, unit_name
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.formatting import NONE, amount_text, percent_text
from yiwang.server.common.language import say
from yiwang.server.common.templatetags.yiwang import named
from yiwang.server.projects.models import Milestone, Project, ProjectEvent, ProjectPhoto
from yiwang.server.targets import queries as targets
from yiwang.server.targets.presentation import light_chip
from yiwang.server.targets.progress import months_for

STEPS = {
    "proposed": (Text("待立项", "Proposed"), "yellow"),
    "chosen": (Text("已立项", "Chosen"), ""),
    "refused": (Text("未立项", "Refused"), "grey"),
    "under_way": (Text("实施中", "Under way"), ""),
    "done": (Text("待验收", "Done, to be accepted"), "yellow"),
    "accepted": (Text("已验收", "Accepted"), "green"),
    "reopened": (Text("整改中", "To be done again"), "red"),
    "dropped": (Text("已取消", "Dropped"), "grey"),
}
EVENTS = {
    "proposed": Text("提出", "Proposed"),
    "chosen": Text("立项", "Chosen"),
    "refused": Text("不予立项", "Refused"),
    "begun": Text("开工", "Work began"),
    "milestone_done": Text("完成节点", "Milestone done"),
    "photos_added": Text("添加照片", "Photos added"),
    "photo_removed": Text("撤下照片", "Photo taken off"),
    "spent": Text("登记支出", "Spending entered"),
    "spending_cancelled": Text("作废支出", "Spending cancelled"),
    "reported_done": Text("报完工，开始群众评议", "Reported done; citizens vote"),
    "accepted": Text("验收", "Accepted"),
    "reopened": Text("退回整改", "To be done again"),
    "dropped": Text("取消", "Dropped"),
}
MOMENTS = {
    "before": Text("实施前", "Before"),
    "during": Text("实施中", "During the work"),
    "after": Text("实施后", "After"),
}
LIVE = ("chosen", "under_way", "reopened")  # while a milestone can be late


def money(cents: int | None, place: CityRuntime) -> str:
    """An amount in the currency of the city's country; a dash for none."""
    return NONE if cents is None else amount_text(Decimal(cents) / 100, place.info.country)


def is_late(milestone: Milestone, *, live: bool, today: date) -> bool:
    """Whether a milestone was not done by its day."""
    if milestone.done_on is not None:
        return milestone.done_on > milestone.due_on
    return live and milestone.due_on < today


def project_row(project: Project, place: CityRuntime, *, today: date, spent_cents: int) -> dict[str, Any]:
    """A project as a line of a list and as the head of its page."""
    name, light = STEPS[project.step]
    live, steps = project.step in LIVE, list(project.milestones.all())
    budget = project.budget_cents
    return {
        "project": project,
        "name": named(project),
        "step": {"name": say(name), "light": light},
        "region": region_name(place, project.region),
        "unit": unit_name(place, project.unit),
        "budget": money(budget, place),
        "spent": money(spent_cents, place) if budget is not None else NONE,
        "share": percent_text(spent_cents / budget, 0) if budget else NONE,
        "over": budget is not None and spent_cents > budget,
        "milestones": len(steps),
        "done": sum(one.done_on is not None for one in steps),
        "late": sum(one.done_on is None and is_late(one, live=live, today=today) for one in steps),
    }


def milestone_rows(project: Project, *, today: date) -> list[dict[str, Any]]:
    """The milestones of a project, each with whether it is late."""
    live = project.step in LIVE
    return [
        {
            "pk": one.pk,
            "name": one.name,
            "due_on": f"{one.due_on}",
            "done_on": f"{one.done_on}" if one.done_on else "",
            "note": one.note,
            "late": is_late(one, live=live, today=today),
        }
        for one in project.milestones.all()
    ]


def photo_pairs(photos: list[ProjectPhoto]) -> list[tuple[ProjectPhoto | None, ProjectPhoto | None]]:
    """Photos of before and after beside one another, the latest of after first."""
    before = [one for one in photos if one.moment == ProjectPhoto.Moment.BEFORE]
    after = [one for one in reversed(photos) if one.moment == ProjectPhoto.Moment.AFTER]
    rows = max(len(before), len(after))
    return [(_at(before, number), _at(after, number)) for number in range(rows)]


def spending_rows(project: Project, place: CityRuntime) -> list[dict[str, Any]]:
    """What was spent, the latest first; cancelled entries too."""
    return [
        {
            "pk": one.pk,
            "day": f"{one.day}",
            "amount": money(one.cents, place),
            "note": one.note,
            "cancelled_at": one.cancelled_at,
        }
        for one in project.spendings.all()
    ]


def event_rows(events: list[ProjectEvent], place: CityRuntime, *, staff: bool) -> list[dict[str, Any]]:
    """What happened; who did it only for staff."""
    rows = []
    for one in events:
        amount = one.said.get("cents", one.said.get("budget_cents"))
        rows.append(
            {
                "at": one.at,
                "what": say(EVENTS[one.kind]),
                "by": one.by if staff else "",
                "amount": money(amount, place) if amount is not None else "",
                "name": one.said.get("name", "") if one.kind == "milestone_done" else "",
                "text": one.said.get("text", ""),
                "votes": one.said if "good" in one.said else None,
            }
        )
    return rows


def letter_rows(place: CityRuntime, *, year: int) -> list[dict[str, Any]]:
    """The target letters of a year that are in force, as they stand in the tree of regions, each with its light."""
    found = targets.in_force(targets.letters_of(place.info.id, year, staff=False))
    months = months_for(place, found, year=year) if found else None
    rows = []
    for depth, one in targets.ordered(place, found):
        assert months is not None
        light, _ = targets.standing(one, months)
        name = named(place.regions.get(one.unit))
        rows.append({"unit": one.unit, "name": name, "indent": "\u3000" * depth, "chip": light_chip(light)})
    return rows


def _at(photos: list[ProjectPhoto], number: int) -> ProjectPhoto | None:
    return photos[number] if number < len(photos) else None
