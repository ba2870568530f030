"""Judging a whole recorded series at once, over NumPy arrays: the alarms that `detecting` gives reading by reading.

A latch is closed after reading i when the last reading that closed it is later than the last one that opened it, and both are
running maxima of indexes.
"""

from __future__ import annotations

from math import inf

import numpy as np
from numpy.typing import NDArray

from yiwang.core.observations.alarms import Alarm
from yiwang.core.observations.baseline import Baseline
from yiwang.core.observations.conditions import Condition, Direction, Measured, Pattern, Rate, Silence
from yiwang.core.observations.detecting import check_baseline, make_alarm

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indexes = NDArray[np.int64]


def alarms_of_series(
    condition: Condition,
    times: Floats,
    values: Floats,
    *,
    stream: str = "",
    baseline: Baseline | None = None,
    since: float | None = None,
    now: float = -inf,
) -> list[Alarm]:
    """The alarms of a stream's readings in the order of their arrival, with the clock at ``now`` after the last.

    Args:
        condition, stream, baseline, since: As for `detecting.detector`.
        times: POSIX seconds; readings that are not after all those before them are passed over.
        values: In the stream's unit; what is no number is passed over.
        now: When the series is looked at; until then silence may have come.

    Raises:
        BadInput: A pattern without a baseline.
    """
    times, values = _in_order(np.asarray(times, np.float64), np.asarray(values, np.float64), since, condition)
    if isinstance(condition, Silence):
        return _silences(condition, times, values, stream, since, now)
    assert isinstance(condition, Measured)
    check_baseline(condition, baseline)
    return _levels(condition, times, values, stream, baseline, now)


def _in_order(times: Floats, values: Floats, since: float | None, condition: Condition) -> tuple[Floats, Floats]:
    good = np.isfinite(values) & np.isfinite(times)
    if not good.all():
        times, values = times[good], values[good]
    if isinstance(condition, Silence) and since is not None:
        after = times > since
        times, values = times[after], values[after]
    if times.size > 1 and not (times[1:] > times[:-1]).all():
        later = np.concatenate(([True], times[1:] > np.maximum.accumulate(times)[:-1]))
        times, values = times[later], values[later]
    return times, values


# --- levels of a figure -------------------------------------------------------------------------------------------------


def _levels(
    condition: Measured, times: Floats, values: Floats, stream: str, baseline: Baseline | None, now: float
) -> list[Alarm]:
    if not times.size:
        return []
    gaps = np.zeros(times.size, np.bool_)
    if condition.ends_after < inf:
        gaps[1:] = times[1:] - times[:-1] > condition.ends_after
    figures = _figures(condition, times, values, gaps, baseline)
    good = np.isfinite(figures)
    if good.all():
        judged, at, figure, broken = np.arange(times.size), times, figures, gaps.copy()
    else:
        judged = np.flatnonzero(good)
        at, figure = times[judged], figures[judged]
        # a silence before a reading that is not judged is one before the next that is
        silences = np.cumsum(gaps)[judged]
        broken = np.diff(silences, prepend=silences[:1]) > 0
    broken[:1] = True
    levels = _closed_levels(condition, at, figure, broken)
    return _changes(condition, times, values, stream, gaps, judged, figure, levels, broken, now)


def _figures(condition: Measured, times: Floats, values: Floats, gaps: Flags, baseline: Baseline | None) -> Floats:
    figures = values
    if isinstance(condition, Rate):
        figures = np.full(times.size, np.nan)
        with np.errstate(over="ignore"):
            figures[1:] = np.diff(values) / np.diff(times) * condition.per
        figures[gaps] = np.nan
    elif isinstance(condition, Pattern):
        assert baseline is not None
        figures = baseline.departures(times, values)
    if condition.direction is Direction.EITHER:
        return np.abs(figures)
    return -figures if condition.direction is Direction.BELOW else figures


def _closed_levels(condition: Measured, times: Floats, figures: Floats, broken: Flags) -> NDArray[np.int8]:
    """The number of the worst closed latch after each figure."""
    levels = np.zeros(figures.size, np.int8)
    top = figures.max(initial=-inf)
    for number, (bound, clear) in enumerate(condition.bounds(), start=1):
        if top < bound:
            break
        closing = figures >= bound
        if condition.hold > 0 or condition.count > 1:
            closing = _long_enough(closing, times, broken, condition.hold, condition.count)
        opening = figures <= clear
        if condition.clear_for > 0:
            opening = _long_enough(opening, times, broken, condition.clear_for, 1)
        # only the readings that move the latch: +1 closes, -1 opens, and the last one counts
        moves = np.flatnonzero(closing | opening | broken)
        states = closing[moves]
        ends = np.append(moves[1:], figures.size)
        levels[np.repeat(states, ends - moves)] = number
    return levels


def _long_enough(holds: Flags, times: Floats, broken: Flags, seconds: float, count: int) -> Flags:
    """Where what holds has held for so many seconds and readings in a row without a silence between."""
    index = np.flatnonzero(holds)
    if not index.size:
        return holds
    begins = broken[index]
    begins[1:] |= np.diff(index) > 1
    begins[0] = True
    first = np.flatnonzero(begins)
    place = np.repeat(first, np.diff(np.append(first, index.size)))
    long = times[index] - times[index[place]] >= seconds
    if count > 1:
        long &= np.arange(index.size) - place + 1 >= count
    result = np.zeros(holds.size, np.bool_)
    result[index[long]] = True
    return result


def _changes(
    condition: Measured,
    times: Floats,
    values: Floats,
    stream: str,
    gaps: Flags,
    judged: Indexes,
    figures: Floats,
    levels: NDArray[np.int8],
    broken: Flags,
    now: float,
) -> list[Alarm]:
    before = np.concatenate((np.zeros(1, np.int8), levels[:-1]))
    places = np.flatnonzero((levels != before) | (broken & (before > 0)))
    if not places.size:
        return []
    silent = np.flatnonzero(gaps)  # readings before which there was a silence

    def end(last: int, old: int, peak: float, since: float) -> Alarm:
        """The alarm ends because of the silence after a reading."""
        time, value = float(times[last]) + condition.ends_after, float(values[last])
        return make_alarm(condition, stream, time, value, old, 0, peak, since, silent=True)

    alarms: list[Alarm] = []
    peak, since = 0.0, 0.0
    readings = judged[places]
    for place, after_silence, old, level, time, value, figure, worst in zip(
        places.tolist(),
        broken[places].tolist(),
        before[places].tolist(),
        levels[places].tolist(),
        times[readings].tolist(),
        values[readings].tolist(),
        figures[places].tolist(),
        [0.0, *np.maximum.reduceat(figures, places).tolist()[:-1]],  # since the change before, this figure left out
        strict=True,
    ):
        if old:
            peak = max(peak, worst)
            if after_silence:
                first = silent[np.searchsorted(silent, judged[place - 1], side="right")]
                alarms.append(end(int(first) - 1, old, peak, since))
                old = 0
        if old != level:
            if not old:
                peak, since = figure, time
            peak = max(peak, figure)
            alarms.append(make_alarm(condition, stream, time, value, old, level, peak, since))
    standing = int(levels[-1])
    if standing:
        peak = max(peak, float(figures[places[-1] :].max()))
        later = silent[silent > judged[-1]]
        if later.size:
            alarms.append(end(int(later[0]) - 1, standing, peak, since))
        elif now - times[-1] > condition.ends_after:
            alarms.append(end(times.size - 1, standing, peak, since))
    return alarms


# --- silence ------------------------------------------------------------------------------------------------------------


def _silences(
    condition: Silence, times: Floats, values: Floats, stream: str, since: float | None, now: float
) -> list[Alarm]:
    known = times if since is None else np.concatenate(([since], times))
    if not known.size:
        return []
    value_of = [*([] if since is None else [None]), *values.tolist()]
    ends = np.append(known[1:], max(now, float(known[-1])))
    shortest = condition.levels[0].at
    alarms = []
    for index in np.flatnonzero(ends - known > shortest).tolist():
        last, end = float(known[index]), float(ends[index])
        level = 0
        for number, limit in enumerate(condition.levels, start=1):
            if end - last > limit.at:
                alarms.append(
                    make_alarm(
                        condition,
                        stream,
                        last + limit.at,
                        value_of[index],
                        level,
                        number,
                        limit.at,
                        last + shortest,
                    )
                )
                level = number
        if index + 1 < known.size:
            alarms.append(
                make_alarm(
                    condition,
                    stream,
                    end,
                    value_of[index + 1],
                    level,
                    0,
                    end - last,
                    last + shortest,
                )
            )
    return alarms
