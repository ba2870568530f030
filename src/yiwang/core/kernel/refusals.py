"""Why something that was asked for is not done, said to whoever asked."""

from __future__ import annotations

from yiwang.core.kernel.errors import YiwangError
from yiwang.core.kernel.text import Text


class Refusal(YiwangError):
    """Something that cannot be done as it was asked for.

    Attributes:
        code: For machines.
        text: The sentence for people.
        field: Field of the command that is at fault, if one is.
        role: Roles that may, comma-separated, where the actor's are the wrong ones.
    """

    code = "refused"

    def __init__(self, text: Text, *, field: str = "", role: str = "") -> None:
        super().__init__(text)
        self.field, self.role = field, role


class Conflict(Refusal):
    """Somebody else acted first."""

    code = "conflict"


class NotAllowed(Refusal):
    """The actor may not do this; ``role`` names who may."""

    code = "not-allowed"


class NotPossible(Refusal):
    """Nobody may do this now: wrong step, used up, too late."""

    code = "not-possible"


class Missing(Refusal):
    """The verb needs something that the command does not carry; ``field`` names it."""

    code = "missing"


class Invalid(Refusal):
    """The command carries something that cannot be read; ``field`` names it."""

    code = "invalid"


class Unknown(Refusal):
    """There is no such verb, unit or region."""

    code = "unknown"


class Unruled(Refusal):
    """The city's rules or calendar give no answer, e.g. for a year whose holidays are not known."""

    code = "unruled"
