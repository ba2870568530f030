"""One open case for one cause: who opens it, whoever comes first, and which case a cause has now."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from django.db import transaction

from yiwang.packs.sensing import CaseRule
from yiwang.server.assets.api import Component
from yiwang.server.cases.api import Case, Report, open_near
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.sensing.models import Alarm, Cause, Datastream

ORIGIN = "sensing"
OF_THING = "thing="  # how the group of a combination begins that is judged for each thing
MOST_MERGERS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """The thing of an alarm, as its case needs it.

    Attributes:
        stream, unit: Key of the datastream, and its unit's symbol.
        thing, name: Id and name of the thing.
        component: Code of the component that it is; empty for none.
        lon, lat: Where it is, in degrees of WGS 84; None where nobody said.
        category: Of the case that its alarm opens.
        combined: Names the combination and its group, where that goes beyond one thing; empty for any other alarm.
    """

    stream: str
    unit: str
    thing: int
    name: str
    component: str
    lon: float | None
    lat: float | None
    category: str
    combined: str = ""

    @property
    def cause(self) -> str:
        """Names what its alarms have in common."""
        if self.combined:
            return f"combination:{self.combined}"
        what = f"component:{self.component}" if self.component else f"thing:{self.thing}"
        return f"{what}:{self.category}"


def spot_of(alarm: Alarm, rule: CaseRule | None, place: CityRuntime) -> Spot:
    """Where and what an alarm is about. Without a place of its own the thing is where its component is."""
    stream = Datastream.objects.select_related("thing").get(pk=alarm.datastream_id)
    thing = stream.thing
    where = thing.locations.filter(lon__isnull=False).first()
    lon, lat = (where.lon, where.lat) if where else (None, None)
    category = rule.category if rule else ""
    if thing.component and (lon is None or (rule and rule.by_component)):
        known = Component.objects.filter(city=place.info.id, code=thing.component).first()
        if known is not None:
            if lon is None:
                lon, lat = known.lon, known.lat
            if rule and rule.by_component and known.kind in place.categories:
                category = known.kind
    return Spot(
        stream=stream.key or f"#{stream.pk}",
        unit=str(stream.unit.get("symbol") or "1"),
        thing=thing.pk,
        name=thing.name,
        component=thing.component,
        lon=lon,
        lat=lat,
        category=category,
        combined=f"{alarm.condition}:{alarm.group}" if alarm.group and not alarm.group.startswith(OF_THING) else "",
    )


class Step(Enum):
    """What is to be done for an alarm."""

    OPEN = auto()
    JOIN = auto()
    NOTE = auto()
    AFTER = auto()  # after another alarm, which somebody began to open the case for


@dataclass(frozen=True, slots=True)
class Plan:
    """A step, with the case, or the alarm that comes first."""

    step: Step
    case: str = ""
    first: int = 0


def plan(alarm: Alarm, key: str, *, near: str) -> Plan:
    """Say what becomes of an alarm, and keep it: whoever goes on after a kill, and whoever comes at the same time, does the same.

    Args:
        alarm: The alarm.
        key: Names its cause.
        near: An open case that people reported of the same matter; empty for none.
    """
    with transaction.atomic():
        Cause.objects.get_or_create(city=alarm.city, key=key)
        cause = Cause.objects.select_for_update().get(city=alarm.city, key=key)
        if cause.opener == alarm.pk:
            return Plan(Step.JOIN if cause.joined else Step.OPEN, cause.case)
        if cause.case and (now := open_case(alarm.city, cause.case)):
            return Plan(Step.NOTE, now)
        if not cause.case and cause.opener is not None and _waits(cause.opener):
            return Plan(Step.AFTER, first=cause.opener)
        cause.opener, cause.joined, cause.case = alarm.pk, bool(near), near
        cause.save()
        return Plan(Step.JOIN if near else Step.OPEN, near)


def settle(alarm: Alarm, key: str, case: str) -> None:
    """The cause has its case."""
    Cause.objects.filter(city=alarm.city, key=key, opener=alarm.pk).update(case=case)


def give_up(alarm: Alarm, key: str) -> None:
    """The case that was to be joined has ended meanwhile: the next plan begins anew."""
    Cause.objects.filter(city=alarm.city, key=key).update(case="", opener=None, joined=False)


def open_cause(city: str, key: str) -> str:
    """The open case of a cause; empty when it has none."""
    case = Cause.objects.filter(city=city, key=key).values_list("case", flat=True).first()
    return open_case(city, case) if case else ""


def open_case(city: str, number: str) -> str:
    """The case, or that into which it was merged, while it is open; empty when it has ended."""
    for _ in range(MOST_MERGERS):
        found = Case.objects.filter(city=city, number=number).values_list("closed_at", "merged_into").first()
        if found is None:
            return ""
        closed, into = found
        if not into:
            return number if closed is None else ""
        number = into
    return ""


def reported_by_people(spot: Spot, *, place: CityRuntime, within: float, channel: str) -> str:
    """An open case of the category that people reported of the component, or near by; empty for none."""
    city = place.info.id
    if spot.component:
        asked = Case.objects.filter(city=city, component=spot.component, category=spot.category, closed_at=None)
        if number := asked.order_by("opened_at").values_list("number", flat=True).first():
            return str(number)
    if spot.lon is None or spot.lat is None or not within:
        return ""
    near = open_near(place=place, lon=spot.lon, lat=spot.lat, within_m=within, category=spot.category)
    numbers = [one["number"] for one in near if one["category"] == spot.category]
    # what another sensor found, or people of another component, is another matter
    theirs = Case.objects.filter(number__in=numbers, component__in=("", spot.component)).exclude(source=channel)
    found = set(theirs.values_list("number", flat=True))
    return next((number for number in numbers if number in found), "")


def case_reported_as(alarm: Alarm) -> str:
    """The case to which an alarm has been reported already; empty when it has not."""
    asked = Report.objects.filter(city=alarm.city, origin=ORIGIN, external=str(alarm.pk))
    return asked.values_list("case__number", flat=True).first() or ""


def _waits(pk: int) -> bool:
    return Alarm.objects.filter(pk=pk, outcome=Alarm.Outcome.WAITING).exists()
