"""How tests forge: the database refuses to alter or delete an event, so a forger takes the triggers away first.

Whoever owns a database can do that; it is what the ledger's published roots are for. Only tests do it:

    with forging():
        Event.objects.filter(…).update(…)
"""

from __future__ import annotations

from contextlib import AbstractContextManager


def allow_forging() -> AbstractContextManager[None]:
    """Events can be altered and deleted within."""
    from yiwang.server.common.append_only import lift_guard

    return lift_guard("cases_event")
