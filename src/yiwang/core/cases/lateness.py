"""What late means, once: after the deadline, not yet at it. Whatever says "late", "overdue" or "red" asks here.

Lists and counts ask the database by `server.cases.reading.queries.is_past_deadline`, which says the same.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from yiwang.core.cases.rulebook import Rulebook
    from yiwang.core.cases.state import CaseState


def has_passed(deadline: datetime | None, *, at: datetime) -> bool:
    """Whether a deadline has passed; there is none to pass where it is None."""
    return deadline is not None and at > deadline


def is_late(state: CaseState, *, rules: Rulebook, at: datetime) -> bool:
    """Whether the main clock is running and has run out."""
    return state.deadline_clock == rules.workflow.main_clock and has_passed(state.deadline, at=at)


def have_passed(deadlines: NDArray[np.int64], *, at: float) -> NDArray[np.bool_]:
    """Whether each of many deadlines has passed, in seconds since 1970."""
    found: NDArray[np.bool_] = at > deadlines
    return found


def counts_as_late(*, overdue: bool, deadline: datetime | None, closed_at: datetime | None, at: datetime) -> bool:
    """Whether a case counts as late at a moment.

    Args:
        overdue: What the case has recorded: its main clock ran out, whether it has ended since or not.
        deadline: That people see.
        closed_at: When it ended.
        at: The moment. What was recorded only after it is left out: the deadline decides then.
    """
    if closed_at is not None and closed_at > at:
        return has_passed(deadline, at=at)
    return overdue or (closed_at is None and has_passed(deadline, at=at))
