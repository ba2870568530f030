"""A report that joins an open case: "me too". The case and its history stay as they are; one more person is behind it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from django.db import IntegrityError, transaction

from yiwang.core.cases.events import Actor
from yiwang.core.kernel.refusals import NotPossible
from yiwang.core.kernel.text import Text
from yiwang.server.cases.models import Photo, Report
from yiwang.server.cases.reading import queries
from yiwang.server.cases.storage import numbering, rows, words
from yiwang.server.cases.writing import intake, operations
from yiwang.server.cases.writing.drafts import ReportDraft
from yiwang.server.common import idempotency, sql, throttling
from yiwang.server.common import photos as pictures
from yiwang.server.common.throttling import Caller


def join(
    *,
    city: str,
    number: str,
    draft: ReportDraft,
    actor: Actor,
    key: str = "",
    at: datetime | None = None,
    caller: Caller | None = None,
) -> dict[str, Any]:
    """Add a report to an open case, in one transaction under the case's lock.

    Args:
        city: City of the case.
        number: The case.
        draft: What is added; its text may be empty, and category and region are the case's.
        actor: Who reports.
        key: Idempotency key; empty for none.
        at: When; now by default.
        caller: As for `operations.report`.

    Returns:
        ``number`` of the report, ``case``, and its ``step``, ``holder``, ``seq``.

    Raises:
        Refusal: `Unknown` without such a case, `NotPossible` when it has ended, `KeyReuse`, `TooOften`.
        BadInput: With every field that is wrong.
    """
    if caller is not None:
        throttling.slow_reports(caller)
    place = operations._place(city)
    number = queries.case_of(number, city=city) or number
    at = at or datetime.now(UTC)
    scope = idempotency.scope_of(city=city, actor=actor, client="")
    if key:
        idempotency.check(key, stranger=idempotency.is_stranger(actor))
    kept = pictures.keep(draft.photos) if draft.photos else []
    digests = [photo.digest for photo in kept]
    asked = idempotency.fingerprint({"join": number, **draft.words(), "photos": digests}) if key else b""
    if key and (answer := idempotency.stored_answer(scope=scope, key=key, body=asked)):
        return answer
    checked = intake.normalize(replace(draft, text=draft.text or "+1", category="", condition=""), place=place, at=at)
    report = numbering.next_number(place.info, kind=numbering.REPORT, at=at)
    try:
        with transaction.atomic():
            row = rows.load([number], lock=True).get(number)
            if row is None or row["city"] != city:
                raise operations._no_case(number)
            state = rows.state_of(row)
            if row["closed_at"] is not None:
                step = place.rules.workflow.steps[state.step]
                raise NotPossible(
                    Text(
                        "案卷 {number} 已{step}，请另行上报。",
                        "The case {number} has ended ({step}); please make a report of your own.",
                        number=number,
                        step=step.name,
                    ),
                )
            answer = {
                "number": report, "case": number, "step": state.step, "holder": state.holder, "seq": state.seq,
                "category": state.category, "region": state.region,
            }  # fmt: skip
            said = (
                row["id"], report, city, at, "" if checked.text == "+1" else checked.text, state.category,
                draft.lon, draft.lat, state.region, checked.address,
                checked.channel or operations.default_source(actor, place), checked.contact,
                actor.id if actor.id.startswith(operations.IDENTITIES) else "", checked.origin, checked.external,
            )  # fmt: skip
            statements = [sql.insertion(Report, operations.REPORT_COLUMNS, [said])]
            statements.append(
                words.upsert_statement(case_id=row["id"], text=state.text, address=state.address, more=[report])
            )
            if kept:
                pictured = operations.photo_values(kept, case_id=row["id"], seq=state.seq, place=place)
                statements.append(sql.insertion(Photo, operations.PHOTO_COLUMNS, pictured))
            if key:
                statements.append(idempotency.insert_statement(scope=scope, key=key, body=asked, answer=answer))
            sql.run(statements)
    except IntegrityError:
        if key and (answer := idempotency.stored_answer(scope=scope, key=key, body=asked) or {}):
            return answer  # the same call came first
        raise
    return answer
