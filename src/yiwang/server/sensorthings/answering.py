"""One request of the API and its answer, whether it came alone or in a batch."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import orjson
from django.db import DataError

from yiwang.core.kernel.errors import BadInput, Problem, YiwangError
from yiwang.core.kernel.refusals import Refusal
from yiwang.core.kernel.text import Text
from yiwang.server.common.language import say
from yiwang.server.common.refusing import status_of
from yiwang.server.common.throttling import TooOften
from yiwang.server.sensorthings.access import Writer
from yiwang.server.sensorthings.conformance import root
from yiwang.server.sensorthings.data_array import create_observations
from yiwang.server.sensorthings.entities import DATASTREAM, OBSERVATION, EntityType
from yiwang.server.sensorthings.older import NotFromTheLake
from yiwang.server.sensorthings.operations import Operations
from yiwang.server.sensorthings.paths import Resource, find
from yiwang.server.sensorthings.query.options import Options, read_options
from yiwang.server.sensorthings.reading import Reader
from yiwang.server.sensorthings.taking import wrong

log = logging.getLogger("yiwang.sensorthings")
_READS = ("GET", "HEAD")
_NOTHING = object()


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer.

    Attributes:
        body: JSON; bytes as they are; None for none.
    """

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request.

    Attributes:
        path: Behind the address of the service, without its query.
        query: As it was written.
        body: JSON that was sent; bytes that nobody has read yet.
        base: Address of the service.
        writer: Who writes; None for a request that only reads.
        patch: Whether the body is a JSON Patch.
    """

    method: str
    path: str
    query: str
    body: Any
    base: str
    writer: Writer | None
    patch: bool = False


def answer(call: Call) -> Answer:
    """The answer to a request; what is wrong with it is an answer too."""
    try:
        return _answer(call)
    except YiwangError as error:
        return refused(error)
    except RecursionError:
        return told(400, Text("请求嵌套太深。", "The request is nested too deeply."))
    except (DataError, OverflowError) as error:
        log.warning("A value that cannot be: %s", error)
        return told(400, Text("请求中的数字或时间超出范围。", "A number or time of the request is out of range."))


def told(status: int, text: Text, **more: Any) -> Answer:
    """An error in both languages."""
    body = {
        "code": status,
        "type": "error",
        "message": say(text),
        "message_zh": text.into("zh"),
        "message_en": text.into("en"),
        **more,
    }
    return Answer(status, body)


def refused(error: YiwangError) -> Answer:
    """What is wrong with a request, with the property or option at fault."""
    if isinstance(error, BadInput):
        errors = [{"field": one.column, "detail": say(one.message), "hint": say(one.hint)} for one in error.problems]
        return told(400, Text.join({"zh": " ", "en": " "}, [_named(one) for one in error.problems]), errors=errors)
    if isinstance(error, Refusal):
        status = 501 if isinstance(error, NotFromTheLake) else status_of(error)
        errors = [{"field": error.field, "detail": say(error.text)}] if error.field else []
        found = told(400 if status == 422 else status, error.text, errors=errors)
        if isinstance(error, TooOften):
            found.headers["Retry-After"] = str(error.seconds)
        return found
    return told(400, error.text)


def _named(problem: Problem) -> Text:
    said = Text.join({"zh": "", "en": " "}, [part for part in (problem.message, problem.hint) if part])
    return Text("{where}：{said}", "{where}: {said}", where=problem.column, said=said) if problem.column else said


def _answer(call: Call) -> Answer:
    path = call.path.strip("/")
    if call.method in _READS:
        return _read(call, path)
    if call.writer is None or not call.writer.known:
        words = Text("写入需要令牌（Authorization: Bearer）。", "Writing needs a token (Authorization: Bearer).")
        missing = told(401, words)
        return Answer(401, missing.body, {"WWW-Authenticate": "Bearer"})
    reader, operations = Reader(call.base), Operations(call.writer)
    if path == "CreateObservations":
        if call.method != "POST":
            return _no_method(call, "POST")
        links = create_observations(
            read_json(call.body), writer=call.writer, link=lambda pk: reader.link(OBSERVATION, pk)
        )
        return Answer(201, links)
    if not path:
        return _no_method(call, "GET")
    resource = find(path)
    if resource.property or resource.refs:
        return _no_method(call, "GET")
    if resource.id is None:
        return _create(call, resource, reader, operations) if call.method == "POST" else _no_method(call, "GET, POST")
    if call.method == "DELETE":
        operations.delete(resource.kind, resource.id)
        return Answer(200)
    if call.method not in ("PATCH", "PUT"):
        return _no_method(call, "GET, PATCH, PUT, DELETE")
    if call.patch and call.method == "PATCH":
        operations.patch(resource.kind, resource.id, read_json(call.body))
    else:
        operations.change(resource.kind, resource.id, read_json(call.body), whole=call.method == "PUT")
    return Answer(200, reader.entity(resource.kind, resource.rows, Options()))


def _create(call: Call, resource: Resource, reader: Reader, operations: Operations) -> Answer:
    kind = resource.kind
    made = operations.create(kind, read_json(call.body), given=resource.given())
    shown = reader.entity(kind, kind.model._default_manager.filter(pk=made), Options())
    return Answer(201, shown, {"Location": reader.link(kind, made)})


def _no_method(call: Call, allowed: str) -> Answer:
    words = Text("此处不能用 {method}，可用：{allowed}。", "{method} is not possible here; possible: {allowed}.")
    refusal = told(405, words.with_values(method=call.method, allowed=allowed))
    return Answer(405, refusal.body, {"Allow": allowed})


def read_json(body: Any) -> Any:
    """The JSON that was sent.

    Raises:
        BadInput: It is none.
    """
    if not isinstance(body, bytes):
        return body
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise wrong(
            "",
            "请求正文不是有效的 JSON（第 {line} 行第 {at} 列）。",
            "The body of the request is no valid JSON (line {line}, column {at}).",
            line=error.lineno,
            at=error.colno,
        ) from None


def _read(call: Call, path: str) -> Answer:
    pairs = parse_qsl(call.query, keep_blank_values=True)
    if not path:
        return Answer(200, root(call.base))
    resource = find(path)
    kind, reader = resource.kind, Reader(call.base)
    if resource.property:
        return _property(resource)
    options = read_options(kind, pairs)
    if resource.id is not None:
        _only_for_sets(options)
        found = reader.entity(kind, resource.rows, options)
        return Answer(200, found)
    address = f"{call.base}/{path}"
    stream = resource.parent[1] if resource.parent is not None and resource.parent[0] is DATASTREAM else None
    shown = reader.page(kind, resource.rows, options, address=address, refs=resource.refs, stream=stream)
    return Answer(200, shown)


def _only_for_sets(options: Options) -> None:
    for name in options.texts:
        if name not in ("$select", "$expand"):
            raise wrong(name, "只用于实体集。", "It is for sets of entities only.")


def _property(resource: Resource) -> Answer:
    """A property alone, or its value as text; none is no content."""
    kind: EntityType = resource.kind
    row = resource.rows.values_list(*kind.columns)[0]
    value: Any = {"@iot.id": row[0], "id": row[0], **kind.show(row)}
    for name in resource.property:
        value = value.get(name, _NOTHING) if isinstance(value, dict) else _NOTHING
    if value is _NOTHING:
        if len(resource.property) > 1:
            return told(404, Text("没有这个属性。", "There is no such property."))
        value = None
    if value is None:
        return Answer(204)
    if not resource.raw:
        return Answer(200, {resource.property[-1]: value})
    text = value.encode() if isinstance(value, str) else orjson.dumps(value)
    return Answer(200, text, content_type="text/plain; charset=utf-8")
