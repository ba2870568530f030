"""Alarms of several streams that hold at once, told from the alarms of their members."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

from yiwang.core.observations.alarms import Alarm, Turn
from yiwang.core.observations.conditions import Combination, Mode


class Combiner:
    """Judges a combination alarm by alarm.

    A member holds while the alarm of a stream that fits it stands at its severity or worse, and for `within` seconds after that.
    An alarm that became known late, with a time before that of one already judged, counts from then on.
    """

    __slots__ = ("_combination", "_group", "_now", "_since", "_until")

    def __init__(
        self, combination: Combination, state: Mapping[str, Any] | None = None, *, group: str | None = None
    ) -> None:
        """Begin anew, or go on.

        Args:
            combination: The combination.
            state: What `state` gave, to go on from there.
            group: Only streams whose parts in braces are these count, see `Member.group_of`; None for all that fit.
        """
        self._combination, self._group = combination, group
        given = state or {}
        # until when each stream of each member holds: for ever while its alarm stands
        self._until: list[dict[str, float]] = [
            {stream: inf if one == "open" else float(one) for stream, one in streams.items()}
            for streams in given.get("until", [{}] * len(combination.of))
        ]
        self._now: float = -inf if given.get("now") is None else given["now"]
        self._since: float | None = given.get("since")

    def feed(self, alarm: Alarm) -> tuple[Alarm, ...]:
        """What a member's alarm changes."""
        places = [
            (place, member)
            for place, member in enumerate(self._combination.of)
            if member.condition == alarm.condition and self._counts(member.group_of(alarm.stream))
        ]
        if not places:
            return ()
        time = max(alarm.time, self._now)
        made = list(self.advance(time))
        for place, member in places:
            streams = self._until[place]
            if alarm.turn is not Turn.CLEARED and alarm.severity >= member.severity:
                streams[alarm.stream] = inf
            elif streams.get(alarm.stream) == inf:
                streams[alarm.stream] = time + self._combination.within
        if self._since is None and self.holds_until() > -inf and self.holds_until() >= time:
            self._since = time
            made.append(self._alarm(Turn.RAISED, time, alarm.stream))
        return tuple(made)

    def _counts(self, group: str | None) -> bool:
        return group is not None and self._group in (None, group)

    def advance(self, now: float) -> tuple[Alarm, ...]:
        """What the time that has passed changes."""
        if now <= self._now:
            return ()
        self._now = now
        made: tuple[Alarm, ...] = ()
        end = self.holds_until()
        if self._since is not None and end < now:
            made = (self._alarm(Turn.CLEARED, end, ""),)
            self._since = None
        self._until = [{stream: one for stream, one in streams.items() if one >= now} for streams in self._until]
        return made

    @property
    def standing(self) -> bool:
        """Whether the alarm stands."""
        return self._since is not None

    def holds_until(self) -> float:
        """Until when enough members hold, as far as is known: infinite while their alarms stand."""
        ends = [max(streams.values(), default=-inf) for streams in self._until]
        return min(ends) if self._combination.mode is Mode.ALL else max(ends)

    def _alarm(self, turn: Turn, time: float, stream: str) -> Alarm:
        assert self._since is not None
        return Alarm(
            turn=turn,
            condition=self._combination.id,
            stream=stream,
            time=time,
            value=None,
            level=0 if turn is Turn.CLEARED else 1,
            severity=self._combination.severity,
            peak=float(sum(max(streams.values(), default=-inf) >= time for streams in self._until)),
            since=self._since,
        )

    def state(self) -> dict[str, Any]:
        """All that is to be remembered, as JSON can hold it."""
        return {
            "until": [
                {stream: "open" if one == inf else one for stream, one in sorted(streams.items())}
                for streams in self._until
            ],
            "now": None if self._now == -inf else self._now,
            "since": self._since,
        }
