"""Judging readings: rules for a stream, what is usual for it, combinations, and the turns of alarms that come of it."""
