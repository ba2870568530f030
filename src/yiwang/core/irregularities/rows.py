"""What detectors look at: plain rows of what happened, made from the events of cases. Times are aware throughout."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """A case that was reported done, or closed.

    Attributes:
        case, unit: Its number, and the unit that answers for its main clock.
        category: Its category.
        at: When its main clock was stopped (it was reported done).
        left_s: Time from then to the deadline in seconds; below zero when it was late. None without a deadline.
        actor: Who reported it done.
        closed_at: When it ended; None while it is open.
        x_m, y_m: Its place on a local plane in metres, east and north; None where that is not known.
    """

    case: str
    unit: str
    category: str
    at: datetime
    left_s: float | None
    actor: str
    closed_at: datetime | None = None
    x_m: float | None = None
    y_m: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A case that was opened, for what came again.

    Attributes:
        case, category: Its number and category.
        at: When it was opened.
        x_m, y_m: As in `Closing`.
    """

    case: str
    category: str
    at: datetime
    x_m: float
    y_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspension:
    """A pause of the main clock that began (挂账), with the unit that had the case."""

    case: str
    unit: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """A report behind a case.

    Attributes:
        case, unit: The case, and the unit that handled it.
        own: Whether the reporter belongs to that unit, its teams included.
    """

    case: str
    unit: str
    own: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reclassification:
    """A case that was handled, with the limits of its first and of its last category.

    Attributes:
        case, unit: The case, and the unit that answers for it.
        before_s, after_s: The limits in seconds, both by the rules of the same day. Equal where the category stayed.
    """

    case: str
    unit: str
    before_s: float
    after_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """A handled case that somebody verified.

    Attributes:
        case, unit: The case, and the unit that handled it.
        handlers: Accounts that handled it.
        verifier: Account that verified it.
        inside: Whether the verifier holds a post in the handling unit or its teams.
    """

    case: str
    unit: str
    handlers: frozenset[str]
    verifier: str
    inside: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockReading:
    """A time that a device or a program claimed, with what the server knew.

    Attributes:
        case, unit: The case, and the unit for which it was claimed.
        claimed: The time by the device: of a photo, or of an event.
        received: The server's time.
        not_before: What it claims to come after: the opening of the case for a photo of its handling, the event before for
            an event. None for nothing.
    """

    case: str
    unit: str
    claimed: datetime
    received: datetime
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoPrint:
    """A photo by its two perceptual hashes (`photos.fingerprint`).

    Attributes:
        id: Key of the photo.
        city, case, unit: Whose it is; the unit that sent it.
        at: When the server had it.
        after: Whether it is to show that something was done.
        seq: The event with which it came: pictures of one event may be alike.
        phash, dhash: 64 bits each.
    """

    id: str
    city: str
    case: str
    unit: str
    at: datetime
    after: bool
    seq: int
    phash: int
    dhash: int
