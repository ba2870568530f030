"""A storm: many alarms of one condition in one region within minutes are one incident, with one case that names its streams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from yiwang.core.kernel.instants import SECOND
from yiwang.core.kernel.text import Text
from yiwang.core.observations.alarms import Turn
from yiwang.core.observations.declared import SEVERITIES
from yiwang.packs.sensing import Rule
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.sensing import causes
from yiwang.server.sensing.causes import Spot
from yiwang.server.sensing.models import Alarm, Cause

PREFIX = "storm:"
NAMED = 30
LONGEST_NAME = 60
STARTS = (Turn.RAISED.value, Turn.WORSENED.value)  # many alarms begin mild and open a case only when they worsen


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """Many alarms at once.

    Attributes:
        key: Names it as a cause.
        region: Code of the region; the city's own where storms are counted in the whole city.
        rule: The condition.
        alarms: Those that wait, the earliest first.
        early: Those that opened cases of their own before it was known to be a storm.
        count: How many there are, with those that have cases of their own.
        streams: Names of the streams of all of them.
    """

    key: str
    region: str
    rule: Rule
    alarms: list[Alarm]
    early: list[Alarm]
    count: int
    streams: Sequence[str]

    def spot(self, one: Spot) -> Spot:
        """The region in place of a thing."""
        assert self.rule.case is not None
        return replace(one, component="", lon=None, lat=None, category=self.rule.case.category)

    def words(self, place: CityRuntime) -> Text:
        """What happened, with the names of the streams."""
        shown = self.streams[:NAMED]
        more = len(self.streams) - len(shown)
        names = Text.join({"zh": "、", "en": ", "}, [Text(one, one) for one in shown])
        if more:
            names = Text("{names}等 {all} 路", "{names} and {more} more", names=names, all=len(self.streams), more=more)
        return Text(
            "{name}：{region} {minutes:g} 分钟内有 {count} 路报警，合为一个案卷。监测流：{names}。",
            "{name}: {count} alarms in {region} within {minutes:g} min, taken as one incident. Streams: {names}.",
            name=self.rule.condition.name,
            region=place.regions[self.region].name if self.region in place.regions else self.region,
            minutes=self.rule.storm.within / 60,
            count=self.count,
            names=names,
        )


def storm_of(alarm: Alarm, rule: Rule, place: CityRuntime) -> Storm | None:
    """The storm to which an alarm belongs that was raised, or worsened, as far as opens a case; None when it stands alone."""
    if rule.case is None:
        return None
    region = _region(alarm, rule, place)
    if region is None:
        return None
    within = round(rule.storm.within * SECOND)
    asked = Alarm.objects.filter(
        city=alarm.city, condition=alarm.condition, turn__in=STARTS, severity__gte=SEVERITIES[rule.case.since],
        time__gte=alarm.time - within, time__lte=alarm.time + within, region__startswith=region if rule.storm.level else "",
    )  # fmt: skip
    if asked.count() <= rule.storm.more_than:
        return None
    found = list(asked.order_by("time", "id").select_related("datastream"))
    around = _around(alarm, found, within)
    if len({one.datastream_id for one in around}) <= rule.storm.more_than:
        return None
    waiting = [one for one in around if one.outcome == Alarm.Outcome.WAITING]
    own = [
        one for one in waiting if one.pk == alarm.pk or (one.look_at is None and not _has_own_case(one, rule, place))
    ]
    return Storm(
        key=f"{PREFIX}{alarm.condition}:{region}",
        region=region,
        rule=rule,
        alarms=own,
        early=[one for one in around if one.outcome == Alarm.Outcome.OPENED and one.case],
        count=len({one.datastream_id for one in around}),
        streams=list(dict.fromkeys((one.datastream.name or one.datastream.key)[:LONGEST_NAME] for one in around)),
    )


def is_storm(city: str, number: str) -> bool:
    """Whether a case is that of a storm."""
    return Cause.objects.filter(city=city, case=number, key__startswith=PREFIX).exists()


def _around(alarm: Alarm, found: Sequence[Alarm], within: int) -> list[Alarm]:
    """The most alarms that lie in one stretch of time with this one."""
    best: list[Alarm] = []
    first = 0
    for last, one in enumerate(found):
        while one.time - found[first].time > within:
            first += 1
        if found[first].time <= alarm.time <= one.time and last - first + 1 > len(best):
            best = list(found[first : last + 1])
    return best


def _region(alarm: Alarm, rule: Rule, place: CityRuntime) -> str | None:
    """The region in which storms are counted; None for a thing whose region is not known at that level."""
    root = place.regions.roots[0].code
    if not rule.storm.level:
        return root
    if alarm.region not in place.regions:
        return None
    return place.rules.codes_of(alarm.region).get(rule.storm.level)


def _has_own_case(alarm: Alarm, rule: Rule, place: CityRuntime) -> bool:
    return bool(causes.open_cause(alarm.city, causes.spot_of(alarm, rule.case, place).cause))
