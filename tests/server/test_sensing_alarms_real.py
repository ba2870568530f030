"""New York's floods reading by reading through the database give the alarms that the core's own run gives. Needs ../shared/data."""

from __future__ import annotations

import pytest
from tests.core import test_detection_real as real

from yiwang.core.kernel.instants import SECOND
from yiwang.core.observations.alarms import Turn
from yiwang.core.observations.conditions import Threshold
from yiwang.packs.sensing import AlarmRule, Storm, StreamChoice
from yiwang.server.cities.queries import runtime
from yiwang.server.sensing.api import Alarm, Reading, StreamSaid, find_or_make, write_observations
from yiwang.server.sensing.judging import judge as judging
from yiwang.server.sensing.judging.rules import Fitted

pytestmark = [pytest.mark.django_db, *real.pytestmark]
BATCH = 100
READINGS = 40_000


def test_the_floods_as_a_live_feed(mini: str, monkeypatch: pytest.MonkeyPatch) -> None:
    condition = real.rules()["street_flood"]
    assert isinstance(condition, Threshold)
    rule = AlarmRule(condition=condition, streams=StreamChoice(), reads_in="in", case=None, storm=Storm())
    monkeypatch.setattr(judging, "rules_for", lambda *_, **__: (Fitted(rule),))
    ids = {}
    for key in real.series_in(real.FLOODS):
        said = StreamSaid(key=key, name=key, observed="depth", unit="in", least=0, greatest=120)
        ids[key] = find_or_make(runtime(mini), said)[0].pk
    feed = sorted(
        (round(time * SECOND), key, value)
        for key, (times, values) in real.series_in(real.FLOODS).items()
        for time, value in zip(times.tolist(), values.tolist(), strict=True)
    )[:READINGS]
    for start in range(0, len(feed), BATCH):
        part = feed[start : start + BATCH]
        write_observations([Reading(ids[key], time, value) for time, key, value in part], received=part[-1][0])
    standing = [Turn.RAISED, Turn.WORSENED, Turn.EASED]
    found = Alarm.objects.filter(turn__in=standing).values_list("datastream__key", "turn", "time", "peak")
    expected = [
        (one.stream, one.turn.value, round(one.time * SECOND), one.peak)
        for one in real.flood_alarms()
        if one.turn in standing and one.time * SECOND <= feed[-1][0]
    ]
    assert len(expected) > 400
    assert sorted(found) == sorted(expected)
