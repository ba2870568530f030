"""Requests of the SensorThings API, and what only HTTP knows: tokens, headers, bytes."""

from __future__ import annotations

import logging

import orjson
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from ninja.errors import HttpError

from yiwang.core.kernel.errors import YiwangError
from yiwang.core.kernel.text import Text
from yiwang.server.common.throttling import TooOften
from yiwang.server.sensorthings.access import Writer, reader_of, slow_strangers, writer_of
from yiwang.server.sensorthings.answering import Answer, Call, answer, read_json, refused, told
from yiwang.server.sensorthings.batch import answer_batch, size_of

log = logging.getLogger("yiwang.sensorthings")
ADDRESS = "/sensorthings/v1.1"
FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


@csrf_exempt  # writing needs a token, which no browser sends by itself
def resource(request: HttpRequest, path: str | None = None) -> HttpResponse:
    """Whatever lies below the root of the service."""
    try:
        return _sent(_answered(request, path or ""))
    except HttpError as error:
        return _sent(told(error.status_code, Text(error.message, error.message)))
    except TooOften as error:
        return _sent(refused(error))
    except OperationalError:
        log.exception("The database could not answer.")
        words = Text("数据库繁忙或无法连接，请稍后再试。", "The database is busy or away; try again.")
        response = _sent(told(503, words))
        response["Retry-After"] = "1"
        return response


def _answered(request: HttpRequest, path: str) -> Answer:
    base = request.build_absolute_uri(ADDRESS)
    method = request.method or "GET"
    writer: Writer | None = None
    if method in ("GET", "HEAD"):
        if not reader_of(request).is_authenticated:
            slow_strangers(request)
    elif "Authorization" in request.headers:
        writer = writer_of(request)
    if request.content_type in FORMS:  # their bytes have been read as fields by now
        words = Text(
            "请求正文要是 JSON（application/json），不是表单。", "The body must be JSON (application/json), not a form."
        )
        return told(415, words)
    body = b"" if method in ("GET", "HEAD") else request.body
    if path.strip("/") == "$batch" and method == "POST":
        try:
            batch = read_json(body)
            if writer is None:
                slow_strangers(request, size_of(batch))
            return answer_batch(batch, base=base, writer=writer)
        except YiwangError as error:
            return refused(error)
        except RecursionError:
            return told(400, Text("请求嵌套太深。", "The request is nested too deeply."))
    query, patch = request.META.get("QUERY_STRING", ""), request.content_type == "application/json-patch+json"
    return answer(Call(method=method, path=path, query=query, body=body, base=base, writer=writer, patch=patch))


def _sent(found: Answer) -> HttpResponse:
    data = b"" if found.body is None else found.body if isinstance(found.body, bytes) else orjson.dumps(found.body)
    response = HttpResponse(data, status=found.status, content_type=found.content_type)
    for name, value in found.headers.items():
        response[name] = value
    response["Vary"] = "Accept-Language, Authorization"
    return response
