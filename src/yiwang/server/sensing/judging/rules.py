"""Which conditions of a city judge a stream, by its key, observed property and unit."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from yiwang.core.kernel.errors import BadInput
from yiwang.core.observations.units import convert
from yiwang.packs.sensing import AlarmRule
from yiwang.server.cities.queries import CityRuntime, NoSuchCity, runtime

log = logging.getLogger("yiwang.sensing")
MOST = 200_000  # streams whose rules are remembered


@dataclass(frozen=True, slots=True)
class Fitted:
    """A rule for a stream.

    Attributes:
        rule: The rule.
        in_unit: Gives a reading in the rule's unit; None where the stream has it already.
    """

    rule: AlarmRule
    in_unit: Callable[[float], float] | None = None


_fitted: dict[tuple[str, str, str, str], tuple[Fitted, ...]] = {}


def city_with_rules(city: str) -> CityRuntime | None:
    """The city, where it is installed and anything is judged in it.

    A pack that cannot be read judges nothing, and is said in the log: readings are kept all the same.
    """
    try:
        place = runtime(city)
    except NoSuchCity:
        return None
    except BadInput as error:
        log.error("Nothing is judged in %s, since its pack cannot be read: %s", city, error)
        return None
    return place if place.pack.sensing.alarms else None


def rules_for(place: CityRuntime, *, key: str, observed: str, unit: str) -> tuple[Fitted, ...]:
    """The rules for a stream. A rule whose unit the stream's cannot be converted to does not judge it.

    Args:
        place: The city.
        key: Of the stream.
        observed: Name of its observed property.
        unit: The JSON text of its unit, see `Datastream`.
    """
    asked = (place.digest, key, observed, unit)
    known = _fitted.get(asked)
    if known is None:
        if len(_fitted) >= MOST:
            _fitted.clear()
        symbol = str((json.loads(unit) if unit else {}).get("symbol", ""))
        found = (_fit(rule, symbol, key) for rule in place.pack.sensing.rules_for(key=key, observed=observed))
        known = _fitted[asked] = tuple(one for one in found if one is not None)
    return known


def _fit(rule: AlarmRule, symbol: str, key: str) -> Fitted | None:
    if rule.reads_in in ("", symbol):
        return Fitted(rule)
    try:
        convert(1.0, symbol, rule.reads_in)
    except BadInput as error:
        log.warning("%s does not judge the stream %s: %s", rule.condition.id, key, error)
        return None
    return Fitted(rule, partial(convert, from_unit=symbol, to_unit=rule.reads_in))
