"""A letter that was issued is signed by two people: one who assesses the city, and one who answers for the unit. Then it is in force."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from django.db import transaction
from django.utils import translation

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import Conflict, NotAllowed, NotPossible
from yiwang.core.kernel.text import Text
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say
from yiwang.server.people.models import User
from yiwang.server.people.queries import name_of
from yiwang.server.scrutiny.access import assesses
from yiwang.server.targets import pades
from yiwang.server.targets.access import signs_for
from yiwang.server.targets.drafting import hold, sums_of, tell
from yiwang.server.targets.models import Letter, Signature

SIDES = {
    Signature.Side.ASSESSOR: Text("考评方签订", "Signed for the city's assessment"),
    Signature.Side.UNIT: Text("责任单位签订", "Signed for the unit"),
}


def sides_open_to(user: object, letter: Letter, *, place: CityRuntime) -> list[Signature.Side]:
    """For whom somebody may sign a letter now; nobody signs for both."""
    if not isinstance(user, User) or letter.step != Letter.Step.ISSUED:
        return []
    signed = list(letter.signatures.all())
    if any(one.by == user.username for one in signed):
        return []
    done = {one.side for one in signed}
    may = {
        Signature.Side.ASSESSOR: assesses(user, place=place),
        Signature.Side.UNIT: signs_for(user, letter.unit, place=place),
    }
    return [side for side, allowed in may.items() if allowed and side not in done]


def sign_letter(place: CityRuntime, letter: Letter, *, side: str, user: User, now: datetime | None = None) -> Letter:
    """Sign. With the second signature the letter is in force, and the version before it is replaced.

    Raises:
        BadInput: When the letters beside it no longer make up the one above.
        Conflict: When somebody has signed for this side.
        NotAllowed: When the person may not sign for it, or has signed for the other one.
        NotPossible: When the letter is not there to be signed.
    """
    now = now or datetime.now(UTC)
    with transaction.atomic():
        held = hold(letter)
        if held.step != Letter.Step.ISSUED or not held.file:
            raise NotPossible(Text("这份责任书现在不能签订。", "This letter cannot be signed now."))
        signed = list(held.signatures.all())
        if any(one.side == side for one in signed):
            raise Conflict(Text("这一方已经签订。", "This side has been signed already."))
        if any(one.by == user.username for one in signed):
            raise NotAllowed(Text("一个人不能签两方。", "Nobody signs for both sides."))
        if side not in sides_open_to(user, held, place=place):
            raise NotAllowed(
                Text(
                    "只有考评方和责任单位的负责岗位可以签订。",
                    "Only who assesses the city, or holds a responsible post of the unit, may sign.",
                )
            )
        if signed and (problems := sums_of(place, held)):
            raise BadInput(problems)  # what lies beside it was changed or dropped since it was issued
        which = Signature.Side(side)
        with translation.override(held.language or None):
            name = name_of(user)
            reason = say(SIDES[which])
        held.file = pades.sign(bytes(held.file), field=which.value, name=name, reason=reason)
        digest = hashlib.sha256(held.file).hexdigest()
        Signature.objects.create(
            letter=held, side=which, by=user.username[:150], name=name[:200], at=now, digest=digest
        )
        held.save(update_fields=["file"])
        tell(held, "signed", {"side": which.value, "name": name, "file": digest}, by=user.username)
        if len(signed) + 1 == len(SIDES):
            _put_in_force(held, by=user.username, now=now)
    return held


def _put_in_force(letter: Letter, *, by: str, now: datetime) -> None:
    before = Letter.objects.select_for_update().filter(
        city=letter.city, unit=letter.unit, year=letter.year, step=Letter.Step.IN_FORCE
    )
    for old in before:
        old.step, old.ended_at = Letter.Step.REPLACED, now
        old.save(update_fields=["step", "ended_at"])
        tell(old, "replaced", {"version": letter.version, "reasons": letter.reasons}, by=by)
    letter.step, letter.in_force_at = Letter.Step.IN_FORCE, now
    letter.save(update_fields=["step", "in_force_at"])
    tell(letter, "in_force", {}, by=by)
