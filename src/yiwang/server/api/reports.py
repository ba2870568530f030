"""Reporting."""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import replace
from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Header, Path, Router

from yiwang.server.api.answering import ready
from yiwang.server.api.schemas import Code, ReportAnswer, ReportIn
from yiwang.server.api.schemas import Problem as ProblemDocument
from yiwang.server.cases.api import ReportDraft, actor_for, report_case
from yiwang.server.common import idempotency, throttling
from yiwang.server.people.callers import REPORTING, caller_of
from yiwang.server.portal import links
from yiwang.server.portal import operations as portal

router = Router(tags=["cases"])
Key = Annotated[str, Header("", alias="Idempotency-Key", description="The same key and body get the same answer.")]


def idempotency_key_of(request: HttpRequest) -> str:
    """The idempotency key of a call; empty where there is none.

    Raises:
        BadInput: For a key that was given and cannot be used; dropping it would do the work twice.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return ""
    idempotency.check(key)
    return key


def pictures(texts: list[str]) -> list[bytes]:
    """Pictures from their base64 texts, with or without a ``data:`` prefix; what is no base64 is no picture either: empty."""
    found = []
    for text in texts:
        try:
            found.append(base64.b64decode(text.split(",", 1)[1] if text.startswith("data:") else text, validate=True))
        except (binascii.Error, ValueError, IndexError):
            found.append(b"")
    return found


@router.post(
    "/cities/{city}/reports",
    auth=REPORTING,
    response={
        201: ReportAnswer,
        401: ProblemDocument,
        403: ProblemDocument,
        404: ProblemDocument,
        422: ProblemDocument,
        429: ProblemDocument,
    },
    summary="Report a problem",
)
def report(
    request: HttpRequest, city: Annotated[Code, Path()], said: ReportIn, idempotency_key: Key = ""
) -> HttpResponse:
    """Locates, triages, routes, opens the case and says who has it, until when, and which rows of the rules decided.

    With ``follow`` a caller without an account is given a secret address, as on the portal: repeated with the same key
    within ten minutes it is the same report, and the address is a new one; later it is null. Who has the address acts for the
    reporter, so it is shown to the citizen only. A key from a caller without an account has 16 random characters or more.
    """
    user = caller_of(request)
    signed_in = user.is_authenticated
    words = said.model_dump(exclude={"photos", "source", "follow"}, exclude_none=True)
    draft = ReportDraft(**words, channel=said.source, photos=pictures(said.photos))
    if not signed_in and (
        draft.channel or draft.evidence
    ):  # anybody can claim to be an instrument, or to have been there
        draft = replace(draft, channel="", evidence=None)
    caller = throttling.stranger(request)
    if said.follow and not signed_in:
        key = idempotency_key_of(request) or secrets.token_urlsafe(16)
        taken = portal.report(
            city=city,
            draft=draft,
            key=key,
            caller=throttling.caller(request),
            scope="api",
            good_photos_only=True,
        )
        link = f"{links.origin(request)}{links.secret_path(taken.follow, taken.secret)}" if taken.secret else None
        answer = {**taken.answer, "follow": link}
        return ready(answer, status=201, Location=f"/api/v1/cases/{answer['case']}", ETag=f'"{answer["seq"]}"')
    answer = report_case(
        city=city, draft=draft, actor=actor_for(user, city=city), key=idempotency_key_of(request), caller=caller, good_photos_only=True,
    )  # fmt: skip
    return ready(answer, status=201, Location=f"/api/v1/cases/{answer['case']}", ETag=f'"{answer["seq"]}"')
