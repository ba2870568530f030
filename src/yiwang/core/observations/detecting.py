"""Judging one stream reading by reading, with a state of fixed size that JSON can hold.

Each level of a condition is a latch: it closes once the figure has reached it for `hold` seconds and `count` readings in a row,
and opens once the figure has been clear of it for `clear_for` seconds. The alarm has the worst level that is closed.
A latch moves only at a reading, so that one spike followed by silence raises nothing; what silence does takes place at the
moment when it has lasted long enough, whenever that is noticed. Hence the alarms do not depend on how often the clock ticks.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, isfinite
from typing import Any, Protocol

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text
from yiwang.core.observations.alarms import Alarm, Turn
from yiwang.core.observations.baseline import Baseline
from yiwang.core.observations.conditions import Condition, Direction, Measured, Pattern, Rate, Silence

NOTHING: tuple[Alarm, ...] = ()


class Detector(Protocol):
    """Judges one stream by one condition."""

    def feed(self, time: float, value: float) -> tuple[Alarm, ...]:
        """The alarms of a reading; one that is no number, or not after the last one, is passed over."""

    def advance(self, now: float) -> tuple[Alarm, ...]:
        """The alarms of nothing having been heard until now."""

    def state(self) -> dict[str, Any]:
        """All that is to be remembered, as JSON can hold it."""


def detector(
    condition: Condition,
    *,
    stream: str = "",
    baseline: Baseline | None = None,
    since: float | None = None,
    state: Mapping[str, Any] | None = None,
) -> Detector:
    """What judges a stream by a condition.

    Args:
        condition: The condition.
        stream: Stands in its alarms.
        baseline: What is usual, for a pattern.
        since: From when on silence counts for a stream of which nothing has been heard yet.
        state: What `state` gave, to go on from there.

    Raises:
        BadInput: A pattern without a baseline.
    """
    if isinstance(condition, Silence):
        return SilenceDetector(condition, stream, since, state)
    assert isinstance(condition, Measured)
    check_baseline(condition, baseline)
    return LevelDetector(condition, stream, baseline, state)


def check_baseline(condition: Condition, baseline: Baseline | None) -> None:
    """Raises BadInput for a pattern without a baseline."""
    if isinstance(condition, Pattern) and baseline is None:
        raise BadInput(
            Text(
                "规则 {id} 需要历史基线，请先用过去的读数计算。",
                "Rule {id} needs a baseline; make one from past readings first.",
                id=condition.id,
            )
        )


class _Latch:
    """One level: closed or not, and the runs of readings that may close or open it."""

    __slots__ = ("at", "clear", "closed", "count", "down_since", "up_since")

    def __init__(self, at: float, clear: float) -> None:
        self.at, self.clear = at, clear
        self.closed = False
        self.up_since: float | None = None  # since when every figure has reached the level
        self.count = 0  # how many these are
        self.down_since: float | None = None  # since when every figure has been clear of the level

    def reset(self) -> None:
        self.closed, self.up_since, self.count, self.down_since = False, None, 0, None


class LevelDetector:
    """Judges by levels of a figure: value, change or departure from the usual."""

    __slots__ = (
        "_baseline",
        "_condition",
        "_count",
        "_either",
        "_ends_after",
        "_idle",
        "_last",
        "_latches",
        "_level",
        "_lowest",
        "_peak",
        "_per",
        "_plain",
        "_since",
        "_stream",
        "_value",
    )

    def __init__(
        self,
        condition: Measured,
        stream: str = "",
        baseline: Baseline | None = None,
        state: Mapping[str, Any] | None = None,
    ) -> None:
        self._condition, self._stream, self._baseline = condition, stream, baseline
        self._latches = [_Latch(at, clear) for at, clear in condition.bounds()]
        self._lowest = self._latches[0].at
        self._either = condition.direction is Direction.EITHER
        self._plain = not isinstance(condition, Rate | Pattern) and condition.direction is Direction.ABOVE
        self._per = condition.per if isinstance(condition, Rate) else 0.0
        self._ends_after = condition.ends_after
        self._last = -inf  # time of the last reading
        self._value = 0.0
        self._level = 0
        self._peak = 0.0  # worst figure since raised, with greater being worse
        self._since = 0.0
        self._idle = True  # every latch is open and has no run
        if state is not None:
            self._restore(state)

    def feed(self, time: float, value: float) -> tuple[Alarm, ...]:
        """See `Detector`."""
        last = self._last
        if not (last < time < inf) or not -inf < value < inf:
            return NOTHING
        if self._plain and self._idle and value < self._lowest:
            self._last, self._value = time, value
            return NOTHING
        ended: tuple[Alarm, ...] = NOTHING
        heard = time - last <= self._ends_after
        if not heard and not self._idle:
            ended = self._end(last + self._ends_after)
        figure = value if self._plain else self._figure(time, value, heard)
        self._last, self._value = time, value
        if figure is None:
            return ended
        level = self._turn_latches(time, figure)
        if level == self._level:
            if level and figure > self._peak:
                self._peak = figure
            return ended
        alarm = self._change(time, value, level, figure)
        return (*ended, alarm) if ended else (alarm,)

    def advance(self, now: float) -> tuple[Alarm, ...]:
        """See `Detector`."""
        if self._idle or now - self._last <= self._ends_after:
            return NOTHING
        return self._end(self._last + self._ends_after)

    def _figure(self, time: float, value: float, heard: bool) -> float | None:
        """What the levels are about, with greater being worse; None when the reading gives none."""
        figure = value
        if self._per:
            if not heard or self._last == -inf:
                return None
            figure = (value - self._value) / (time - self._last) * self._per
        elif self._baseline is not None:
            figure = self._baseline.departure(time, value)
        if not isfinite(figure):
            return None
        return abs(figure) if self._either else figure * self._condition.sign

    def _turn_latches(self, time: float, figure: float) -> int:
        """Moves every latch by a figure; the number of the worst one that is closed."""
        condition = self._condition
        level, idle = 0, True
        for number, latch in enumerate(self._latches, start=1):
            if figure >= latch.at:
                latch.down_since = None
                if latch.up_since is None:
                    latch.up_since, latch.count = time, 0
                latch.count += 1
                if time - latch.up_since >= condition.hold and latch.count >= condition.count:
                    latch.closed = True
                idle = False
            else:
                latch.up_since, latch.count = None, 0
                if not latch.closed:
                    continue
                if figure > latch.clear:
                    latch.down_since = None
                elif latch.down_since is None:
                    latch.down_since = time
                if latch.down_since is not None and time - latch.down_since >= condition.clear_for:
                    latch.closed, latch.down_since = False, None
                else:
                    idle = False
            if latch.closed:
                level = number
        self._idle = idle
        return level

    def _change(self, time: float, value: float, level: int, figure: float) -> Alarm:
        before, self._level = self._level, level
        if not before:
            self._since, self._peak = time, figure
        self._peak = max(self._peak, figure)
        return make_alarm(
            self._condition,
            self._stream,
            time,
            value,
            before,
            level,
            self._peak,
            self._since,
        )

    def _end(self, time: float) -> tuple[Alarm, ...]:
        """Forgets all runs, and ends the alarm that stands."""
        for latch in self._latches:
            latch.reset()
        self._idle = True
        before, self._level = self._level, 0
        if not before:
            return NOTHING
        return (
            make_alarm(
                self._condition,
                self._stream,
                time,
                self._value,
                before,
                0,
                self._peak,
                self._since,
                silent=True,
            ),
        )

    def state(self) -> dict[str, Any]:
        """See `Detector`."""
        return {
            "last": None if self._last == -inf else self._last,
            "value": self._value,
            "level": self._level,
            "peak": self._peak,
            "since": self._since,
            "latches": [[latch.closed, latch.up_since, latch.count, latch.down_since] for latch in self._latches],
        }

    def _restore(self, state: Mapping[str, Any]) -> None:
        if len(state["latches"]) != len(self._latches):
            raise BadInput(
                Text(
                    "保存的状态有 {saved} 级，规则 {id} 现有 {now} 级：规则改过，请从头开始。",
                    "The saved state has {saved} levels and rule {id} has {now}: the rule has changed, so begin anew.",
                    saved=len(state["latches"]),
                    now=len(self._latches),
                    id=self._condition.id,
                )
            )
        self._last = -inf if state["last"] is None else state["last"]
        self._value, self._level = state["value"], state["level"]
        self._peak, self._since = state["peak"], state["since"]
        for latch, saved in zip(self._latches, state["latches"], strict=True):
            latch.closed, latch.up_since, latch.count, latch.down_since = saved
        self._idle = not any(latch.closed or latch.up_since is not None for latch in self._latches)


class SilenceDetector:
    """Judges how long nothing has been heard."""

    __slots__ = ("_condition", "_last", "_level", "_since", "_stream", "_value")

    def __init__(
        self,
        condition: Silence,
        stream: str = "",
        since: float | None = None,
        state: Mapping[str, Any] | None = None,
    ) -> None:
        self._condition, self._stream = condition, stream
        given = state or {}
        self._last: float | None = given.get("last", since)
        self._value: float | None = given.get("value")
        self._level: int = given.get("level", 0)
        self._since: float = given.get("since", 0.0)

    def feed(self, time: float, value: float) -> tuple[Alarm, ...]:
        """See `Detector`."""
        if not isfinite(time) or not isfinite(value) or (self._last is not None and time <= self._last):
            return NOTHING
        alarms = list(self.advance(time))
        if self._level:
            assert self._last is not None
            alarms.append(self._alarm(time, value, 0, time - self._last))
        self._last, self._value = time, value
        return tuple(alarms)

    def advance(self, now: float) -> tuple[Alarm, ...]:
        """See `Detector`."""
        if self._last is None:
            return NOTHING
        alarms = []
        for level, limit in enumerate(self._condition.levels, start=1):
            if level > self._level and now - self._last > limit.at:
                alarms.append(self._alarm(self._last + limit.at, self._value, level, limit.at))
        return tuple(alarms)

    def _alarm(self, time: float, value: float | None, level: int, peak: float) -> Alarm:
        before, self._level = self._level, level
        if not before:
            self._since = time
        return make_alarm(
            self._condition,
            self._stream,
            time,
            value,
            before,
            level,
            peak,
            self._since,
        )

    def state(self) -> dict[str, Any]:
        """See `Detector`."""
        return {"last": self._last, "value": self._value, "level": self._level, "since": self._since}


def make_alarm(
    condition: Condition,
    stream: str,
    time: float,
    value: float | None,
    before: int,
    level: int,
    peak: float,
    since: float,
    *,
    silent: bool = False,
) -> Alarm:
    """The alarm of a change of level; the peak is given with greater being worse."""
    if not level:
        turn = Turn.CLEARED
    elif not before:
        turn = Turn.RAISED
    else:
        turn = Turn.WORSENED if level > before else Turn.EASED
    severity = condition.levels[(level or before) - 1].severity
    if isinstance(condition, Measured) and condition.direction is Direction.BELOW:
        peak = -peak
    return Alarm(turn, condition.id, stream, time, value, level, severity, peak, since, silent)
