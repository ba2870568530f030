"""Calls of the HTTP API."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Field, Router, Schema

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.server.cities.finding import city_or_404
from yiwang.server.notices import operations, queries, showing
from yiwang.server.people.callers import ACTING, SIGNED_IN, caller_of

router = Router(tags=["notices"])
Id = Annotated[int, Field(ge=1, lt=queries.MOST_ID)]


class NoticeOut(Schema):
    """A notice; ``number``, ``verb``, ``category``, ``step`` and ``holder`` are empty where its case is no longer the caller's to see."""

    id: int
    kind: str
    text: str
    at: str
    unread: bool
    number: str
    verb: str
    category: str
    step: str
    holder: str
    deadline: str | None


class NoticeList(Schema):
    """Unread ones first, each part newest first."""

    items: list[NoticeOut]
    next: str | None
    unread: int = Field(description=f"How many have not been read; {queries.MOST_COUNTED + 1} for more than that.")


class ReadIn(Schema):
    """What has been read: some by their ids, or all up to one."""

    ids: list[Id] = Field(default=[], max_length=operations.MOST_MARKED)
    until: Id | None = None


class ReadOut(Schema):
    """What is left."""

    unread: int


@router.get("/cities/{city}/notices", auth=SIGNED_IN, response=NoticeList, summary="What concerns the caller")
def list_notices(
    request: HttpRequest, city: str, kind: str = "", unread: bool = False, cursor: str = "", limit: int = 50
) -> dict[str, Any]:
    """The notices of the token's account and of the units at which it has posts; ``unread=true`` leaves out what has been read."""
    place, user = city_or_404(city), caller_of(request)
    own = queries.mine(user, place=place)
    page = queries.page(own, kind=kind, unread_only=unread, cursor=cursor, limit=limit)
    items = [_answer(line) for line in showing.lines(page.items, user=user, place=place)]
    return {"items": items, "next": page.next or None, "unread": queries.unread_count(own)}


def _answer(line: dict[str, Any]) -> dict[str, Any]:
    deadline = line.get("deadline")
    return {
        **{
            name: line.get(name, "")
            for name in ("id", "text", "unread", "number", "verb", "category", "step", "holder")
        },
        "kind": line["kind"].id,
        "at": line["at"].isoformat(),
        "deadline": deadline.isoformat() if deadline else None,
    }


@router.post("/cities/{city}/notices/read", auth=ACTING, response=ReadOut, summary="Mark notices as read")
def mark_read(request: HttpRequest, city: str, said: ReadIn) -> dict[str, Any]:
    """Safe to repeat. Ids that are not the caller's own are left alone."""
    if not said.ids and said.until is None:
        hint = Text("请给出 ids 或 until。", "Give ids or until.")
        raise BadInput(Problem(Text("没有说哪些已读。", "It does not say what has been read."), hint, column="ids"))
    place = city_or_404(city)
    own = queries.mine(caller_of(request), place=place)
    operations.mark_read(own, said.ids)
    if said.until is not None:
        operations.mark_all_read(own, until=said.until)
    return {"unread": queries.unread_count(queries.mine(caller_of(request), place=place))}
