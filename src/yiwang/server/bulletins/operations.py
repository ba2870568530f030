"""Writes what shifts hand over: drafts by version, so that of two people at once neither loses a note; records for good."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.refusals import Conflict, NotAllowed, NotPossible
from yiwang.core.kernel.text import Text
from yiwang.server.bulletins.models import Handover, HandoverDraft, HandoverSignature
from yiwang.server.bulletins.standing import SHIFTS, Standing

LONGEST_NOTE = 4000  # characters, of the note for the whole
LONGEST_CASE_NOTE = 500
MOST_NOTES = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """What somebody has typed. ``notes`` is by number of case; empty ones are left out."""

    note: str
    notes: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Who writes: ``user:7``, and their name."""

    id: str
    name: str


def draft_of(*, city: str, unit: str) -> HandoverDraft:
    """The unit's draft; an empty one of version 0, not kept, where there is none."""
    return HandoverDraft.objects.filter(city=city, unit=unit).first() or HandoverDraft(city=city, unit=unit)


def save_draft(*, city: str, unit: str, version: int, typed: Notes, by: Writer) -> HandoverDraft:
    """Keep notes.

    Args:
        city, unit: Whose.
        version: That was seen.
        typed: What the draft is to be.
        by: Who saves.

    Raises:
        BadInput: When a note is too long.
        Conflict: When somebody has saved or handed over since; nothing is written.
    """
    _check(typed)
    with transaction.atomic():
        _replace(city, unit, version, typed, by)
    return draft_of(city=city, unit=unit)


def hand_over(*, city: str, unit: str, version: int, typed: Notes, by: Writer, hours: int, found: Standing) -> Handover:
    """End a shift: keep what is open, and the notes, for good; the draft begins anew.

    Args:
        city, unit, version, typed, by: As for `save_draft`.
        hours: Length of the next shift, one of `SHIFTS`.
        found: What is open.

    Raises:
        BadInput: When a note is too long, or there is no such shift.
        Conflict: When somebody has saved or handed over since; nothing is written. So one click more hands nothing over twice.
    """
    _check(typed)
    if hours not in SHIFTS:
        raise BadInput(
            Problem(
                Text("没有 {hours} 小时的班次。", "There is no shift of {hours} hours.", hours=hours),
                Text("可选：{shifts}。", "One of {shifts}.", shifts=", ".join(map(str, SHIFTS))),
                column="hours",
            )
        )
    with transaction.atomic():
        _replace(city, unit, version, Notes(note="", notes={}), by)
        return Handover.objects.create(
            city=city, unit=unit, by=by.id, by_name=by.name, hours=hours, note=typed.note, snapshot=snapshot(found, typed.notes)
        )  # fmt: skip


def sign(*, handover: Handover, by: Writer, note: str) -> HandoverSignature:
    """Take over.

    Raises:
        BadInput: When the note is too long.
        NotAllowed: When it is whoever handed over.
        NotPossible: When somebody has taken over already.
    """
    _check(Notes(note=note, notes={}))
    if by.id == handover.by:
        raise NotAllowed(
            Text("交班人不能自己签收，请由接班人签收。", "Whoever hands over cannot sign; the next shift does.")
        )
    try:
        with transaction.atomic():
            return HandoverSignature.objects.create(handover=handover, by=by.id, by_name=by.name, note=note)
    except IntegrityError:
        raise NotPossible(Text("已有人签收。", "Somebody has signed already.")) from None


def snapshot(found: Standing, notes: Mapping[str, str]) -> dict[str, Any]:
    """What is kept of what was open: codes, lights and times, and the notes; no words of citizens."""
    cases = [
        {
            "number": row["number"],
            "category": row["category"],
            "region": row["region"],
            "step": row["step"],
            "light": row["light"],
            "deadline": row["deadline"].isoformat() if row["deadline"] else "",
            "kinds": row["kinds"],
            "note": notes.get(row["number"], ""),
        }
        for row in found.cases
    ]
    listed = {row["number"] for row in cases}
    others = [{"number": number, "note": note} for number, note in notes.items() if number not in listed]
    return {"counts": found.counts, "cases": cases, "others": others}


def _replace(city: str, unit: str, version: int, typed: Notes, by: Writer) -> None:
    """Compare and set in one statement, so that no lock is needed."""
    HandoverDraft.objects.get_or_create(city=city, unit=unit)
    changed = HandoverDraft.objects.filter(city=city, unit=unit, version=version).update(
        version=version + 1, note=typed.note, notes=dict(typed.notes), by=by.id, by_name=by.name, at=timezone.now()
    )
    if not changed:
        raise Conflict(
            Text(
                "其他人刚保存过或已交班，您填写的内容还在下面，请核对后再保存。",
                "Somebody else has saved or handed over meanwhile. What you typed is still below: compare, then save again.",
            )
        )


def _check(typed: Notes) -> None:
    longest = max((len(note) for note in typed.notes.values()), default=0)
    if len(typed.note) > LONGEST_NOTE or longest > LONGEST_CASE_NOTE or len(typed.notes) > MOST_NOTES:
        raise BadInput(
            Problem(
                Text("备注太长或太多。", "A note is too long, or there are too many."),
                Text(
                    "总备注至多 {whole} 字，每件案卷至多 {each} 字。",
                    "At most {whole} characters for the whole, {each} for a case.",
                    whole=LONGEST_NOTE, each=LONGEST_CASE_NOTE,
                ),
                column="note",
            )
        )  # fmt: skip
