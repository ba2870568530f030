"""Which alarms the rules would have given on the stored past, and which with other thresholds. Nothing is written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import inf

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.instants import to_micros
from yiwang.core.kernel.text import Text
from yiwang.core.observations.alarms import Episode
from yiwang.core.observations.conditions import Level
from yiwang.core.observations.declared import SEVERITIES, check_levels
from yiwang.core.observations.dry_run import WhatIf, what_if
from yiwang.core.observations.units import convert
from yiwang.packs.hints import did_you_mean, one_of
from yiwang.packs.sensing import FILE, AlarmRule
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.sensing.judging.learning import usable
from yiwang.server.sensing.judging.rules import rules_for
from yiwang.server.sensing.judging.turns import Stream
from yiwang.server.sensing.judging.usual import baselines
from yiwang.server.sensing.models import Datastream
from yiwang.server.sensing.streams import datastream_of

_SETTING = re.compile(r"(?P<id>[^.=]+)(\.(?P<severity>[a-z]+))?\.(?P<key>at|clear)=(?P<value>[^=]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a rule gives on the past of a stream.

    Attributes:
        rule: The rule as it is declared.
        stream: Key of the stream.
        readings: How many were judged.
        found: Episodes by the thresholds in force and by the others; the same where no others are asked about.
    """

    rule: AlarmRule
    stream: str
    readings: int
    found: WhatIf

    def opening(self, episodes: Sequence[Episode]) -> int:
        """How many of some episodes are as bad as opens a case."""
        if self.rule.case is None:
            return 0
        return sum(one.severity >= SEVERITIES[self.rule.case.since] for one in episodes)


def read_settings(place: CityRuntime, said: Sequence[str]) -> dict[str, tuple[Level, ...]]:
    """Levels by the id of the condition from ``ID.at=NUMBER`` (its mildest level) or ``ID.SEVERITY.at=NUMBER``, and ``clear``.

    Raises:
        BadInput: With what is wrong with the first of them that is wrong.
    """
    alarms, levels = place.pack.sensing.alarms, dict[str, tuple[Level, ...]]()
    for one in said:
        match = _SETTING.fullmatch(one)
        value = _number(match["value"]) if match else None
        if match is None or value is None:
            raise BadInput(
                Problem(
                    Text("「{said}」无法理解。", "{said!r} cannot be understood.", said=one),
                    Text(
                        "例如 water.at=10 或 water.severe.clear=20。",
                        "For example water.at=10 or water.severe.clear=20.",
                    ),
                )
            )
        known = alarms.get(match["id"])
        if known is None:
            message = Text("没有报警规则「{id}」。", "There is no alarm {id!r}.", id=match["id"])
            raise BadInput(Problem(message, did_you_mean(match["id"], alarms) or one_of(alarms)))
        now = list(levels.get(match["id"], known.condition.levels))
        names = [level.severity.name.lower() for level in now]
        name = match["severity"] or names[0]
        if name not in names:
            message = Text("规则 {id} 没有等级「{name}」。", "{id} has no level {name!r}.", id=match["id"], name=name)
            raise BadInput(Problem(message, one_of(names)))
        place_of = names.index(name)
        now[place_of] = (
            replace(now[place_of], at=value) if match["key"] == "at" else replace(now[place_of], clear=value)
        )
        levels[match["id"]] = tuple(now)
    for condition, changed in levels.items():
        check_levels(replace(alarms[condition].condition, levels=changed), f"alarm {condition}: levels", FILE)
    return levels


def try_rules(
    place: CityRuntime,
    *,
    now: datetime,
    since: datetime | None = None,
    stream: str = "",
    settings: Mapping[str, tuple[Level, ...]] | None = None,
) -> Iterator[Trial]:
    """Judge the stored observations of a city by its rules; those of kind ``pattern`` by what is usual now. Combinations are not
    tried.

    Args:
        place: The city.
        now: Until when silence counts.
        since: Only what was observed from then on.
        stream: Key of one stream; all of them by default.
        settings: Other levels by condition; only these conditions are then tried.

    Raises:
        BadInput: There is no such stream.
    """
    asked = Datastream.objects.filter(city=place.info.id).select_related("observed_property").order_by("key", "id")
    if stream:
        asked = asked.filter(pk=datastream_of(city=place.info.id, key=stream).pk)
    for one in asked:
        about = Stream.of(one)
        rules = rules_for(place, key=about.key, observed=about.observed, unit=about.unit)
        tried = [fitted.rule for fitted in rules if not settings or fitted.rule.condition.id in settings]
        if not tried:
            continue
        times, values = usable(one.pk, start=None if since is None else to_micros(since))
        known = baselines(place, {one.pk: (about, rules)})
        symbol = str(one.unit.get("symbol", ""))
        for rule in tried:
            same = rule.reads_in in ("", symbol)
            found = what_if(
                rule.condition,
                (settings or {}).get(rule.condition.id, rule.condition.levels),
                times,
                values if same else convert(values, symbol, rule.reads_in),
                stream=one.key,
                baseline=known.get((one.pk, rule.condition.id)),
                now=now.timestamp(),
            )
            yield Trial(rule=rule, stream=one.key, readings=len(times), found=found)


def _number(word: str) -> float | None:
    try:
        value = float(word)
    except ValueError:
        return None
    return value if -inf < value < inf else None
