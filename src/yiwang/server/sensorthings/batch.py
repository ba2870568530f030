"""``$batch``: several requests in one, as JSON; those of an atomicity group are all done or none."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Any
from urllib.parse import unquote

from django.db import transaction

from yiwang.core.kernel.text import Text
from yiwang.server.sensorthings.access import Writer
from yiwang.server.sensorthings.answering import Answer, Call, answer, told
from yiwang.server.sensorthings.taking import Body, as_object, wrong

MOST = 200  # requests of a batch
_REFERENCE = re.compile(r"\$(?P<id>[A-Za-z0-9_-]+)")
_METHODS = ("get", "post", "patch", "put", "delete")


class _Undone(Exception):
    """A request of an atomicity group failed."""


def size_of(body: Any) -> int:
    """How many requests a batch stands for; 1 for what is no batch."""
    requests = body.get("requests") if isinstance(body, dict) else None
    return min(max(len(requests), 1), MOST) if isinstance(requests, list) else 1


def answer_batch(body: Any, *, base: str, writer: Writer | None) -> Answer:
    """The answers to the requests of a batch, in their order.

    Raises:
        BadInput: It is no batch.
    """
    requests = as_object(body).get("requests")
    if not isinstance(requests, list) or not 0 < len(requests) <= MOST:
        raise wrong("requests", "要 1 到 {most} 个请求。", "There must be 1 to {most} requests.", most=MOST)
    entries = [_checked(one, index) for index, one in enumerate(requests)]
    if len({str(one["id"]) for one in entries}) < len(entries):
        raise wrong("requests", "id 不得重复。", "No id may be there twice.")
    made: dict[str, str] = {}
    responses: list[dict[str, Any]] = []
    for group, them in groupby(entries, key=lambda one: one.get("atomicityGroup")):
        together = list(them)
        responses += (_together if group else _apart)(together, base, writer, made)
    return Answer(200, {"responses": responses})


def _checked(entry: Any, index: int) -> Body:
    at = f"requests[{index}]"
    one = as_object(entry, at)
    for name in ("id", "method", "url"):
        if not isinstance(one.get(name), str) or not one[name]:
            raise wrong(f"{at}.{name}", "这里要文字。", "A text is needed here.")
    if one["method"].lower() not in _METHODS:
        raise wrong(f"{at}.method", "可用：{names}。", "There are: {names}.", names=", ".join(_METHODS))
    return one


def _apart(entries: list[Body], base: str, writer: Writer | None, made: dict[str, str]) -> list[dict[str, Any]]:
    return [_shown(one, _one(one, base, writer, made)) for one in entries]


def _together(entries: list[Body], base: str, writer: Writer | None, made: dict[str, str]) -> list[dict[str, Any]]:
    done: list[dict[str, Any]] = []
    before = dict(made)
    try:
        with transaction.atomic():
            for one in entries:
                found = _one(one, base, writer, made)
                done.append(_shown(one, found))
                if found.status >= 400:
                    raise _Undone
    except _Undone:
        made.clear()
        made.update(before)
        words = Text("同组的另一个请求失败，未执行。", "It was not done, since another request of its group failed.")
        return [done[-1] if one is entries[len(done) - 1] else _shown(one, told(424, words)) for one in entries]
    return done


def _one(entry: Body, base: str, writer: Writer | None, made: dict[str, str]) -> Answer:
    url = entry["url"].removeprefix(base).lstrip("/")
    path, _, query = url.partition("?")
    path = _REFERENCE.sub(lambda found: made.get(found["id"], found[0]), path)
    if path.startswith("$batch"):
        return told(400, Text("批处理中不能再有批处理。", "A batch cannot be in a batch."))
    found = answer(
        Call(
            method=entry["method"].upper(),
            path=unquote(path),
            query=query,
            body=_with_ids(entry.get("body"), made),
            base=base,
            writer=writer,
            patch=isinstance(entry.get("body"), list),  # no other body of a PATCH is a list
        )
    )
    if "Location" in found.headers:
        made[entry["id"]] = found.headers["Location"].removeprefix(base).lstrip("/")
    return found


def _with_ids(value: Any, made: dict[str, str]) -> Any:
    """The body with the ids of entities that earlier requests made, for ``{"@iot.id": "$1"}``."""
    if isinstance(value, dict):
        return {key: _id_of(part, made) if key == "@iot.id" else _with_ids(part, made) for key, part in value.items()}
    return [_with_ids(part, made) for part in value] if isinstance(value, list) else value


def _id_of(value: Any, made: dict[str, str]) -> Any:
    if not isinstance(value, str) or not value.startswith("$") or value[1:] not in made:
        return value
    return int(made[value[1:]].rpartition("(")[2].rstrip(")"))


def _shown(entry: Body, found: Answer) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": entry["id"], "status": found.status}
    if group := entry.get("atomicityGroup"):
        shown["atomicityGroup"] = group
    if found.headers:
        shown["headers"] = found.headers
    if "Location" in found.headers:
        shown["location"] = found.headers["Location"]
    if found.body is not None:
        shown["body"] = found.body.decode() if isinstance(found.body, bytes) else found.body
    return shown
