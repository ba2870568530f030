"""What a verification finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that does not fit.

    Attributes:
        kind: ``altered``, ``missing``, ``reordered``, ``extra``, ``truncated`` (events of a case), ``row`` (the case's
            row says something else than its events), ``report``, ``photo`` (what lies beside the events and is told by
            them), ``tally`` (the counts), ``root``, ``seal``, ``node`` (the log), ``unsealed`` (an event that a seal should
            hold), ``published`` (a root that was published is not this log's).
        number: The case; empty for the log as a whole.
        seq: The event; 0 when it concerns no single one.
        sentence: What is wrong.
    """

    kind: str
    number: str
    seq: int
    sentence: str
