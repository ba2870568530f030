"""Problem documents (RFC 9457) for every error of the API, whatever raised it; a page for people everywhere else."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any

import orjson
from django.db import DataError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from yiwang.core.kernel.errors import BadInput, NotReady
from yiwang.core.kernel.refusals import Refusal
from yiwang.core.kernel.text import Text
from yiwang.server.api import validation
from yiwang.server.common.faults import is_full
from yiwang.server.common.language import say
from yiwang.server.common.refusing import status_of
from yiwang.server.common.throttling import TooOften

CONTENT_TYPE = "application/problem+json"
_PREFIX = "/api/"
NOTHING_CHANGED = Text("系统出错，什么都没有改动。", "Something went wrong on our side; nothing was changed.")
NOT_DESCRIBED = Text("请求与接口说明不符。", "The request does not fit its description.")
NO_ROOM = Text(
    "服务器存储空间已满，什么都没有改动，请稍后再试。",
    "The server's disk is full; nothing was changed. Please try again later.",
)
AWAY = Text("数据库繁忙或无法连接，请稍后再试。", "The database is busy or away; try again.")
OUT_OF_RANGE = Text("请求中的数字或时间超出范围。", "A number or time of the request is out of range.")
NINJA_SAYS = {
    "Unauthorized": Text("请登录，或带上有效的令牌。", "Sign in, or send a token that is valid."),
    "Cannot parse request body": Text("请求正文不是有效的 JSON。", "The body of the request is no valid JSON."),
}
# the names of statuses in Chinese; the English ones are those of the standard
STATUS_NAMES = {
    status: Text(words, HTTPStatus(status).phrase)
    for status, words in {
        400: "请求无效", 401: "未登录或令牌无效", 403: "不允许", 404: "不存在", 405: "不支持此方法", 409: "与现状冲突",
        410: "已失效", 412: "条件不符", 413: "内容过大", 415: "类型不支持", 422: "内容有误", 429: "过于频繁",
        500: "系统出错", 503: "暂时不可用",
    }.items()
}  # fmt: skip
log = logging.getLogger("yiwang.api")


class Precondition(Exception):
    """The entity tag of ``If-Match`` is not the current one."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


def problem(
    status: int, *, code: str = "", detail: str = "", errors: Iterable[Mapping[str, Any]] = (), **members: Any
) -> HttpResponse:
    """The document as a response.

    Args:
        status: HTTP status; its name in the reader's language is the title, as RFC 9457 allows.
        code: What kind of problem, for machines; it ends the ``type``.
        detail: What happened, for people.
        errors: Each ``{"field", "detail"}``, with ``hint`` where something is known to be right.
        members: Further members of the document.
    """
    phrase = HTTPStatus(status).phrase
    title = say(STATUS_NAMES.get(status, phrase), None if status in STATUS_NAMES else phrase)
    body = {
        "type": f"urn:yiwang:problem:{code or phrase.lower().replace(' ', '-')}",
        "title": title,
        "status": status,
        "detail": detail or title,
        "errors": list(errors),
        **members,
    }
    return HttpResponse(orjson.dumps(body), status=status, content_type=CONTENT_TYPE)


def of_refusal(refusal: Refusal, *, status: int = 0) -> HttpResponse:
    """A command that was not taken."""
    members: dict[str, Any] = {"detail_zh": refusal.text.zh, "detail_en": refusal.text.en}
    if refusal.role:
        members["roles"] = [role.strip() for role in refusal.role.split(",")]
    detail = say(refusal.text)
    errors = [{"field": refusal.field, "detail": detail}] if refusal.field else []
    response = problem(status or status_of(refusal), code=refusal.code, detail=detail, errors=errors, **members)
    if isinstance(refusal, TooOften):
        response["Retry-After"] = str(refusal.seconds)
    return response


def of_bad_input(error: BadInput) -> HttpResponse:
    """Fields that cannot be taken."""
    errors = [{"field": item.column, "detail": say(item.message), "hint": say(item.hint)} for item in error.problems]
    return problem(422, code="bad-input", detail=" ".join(item["detail"] for item in errors), errors=errors)


def install(api: NinjaAPI) -> None:
    """Answer everything that an operation may raise."""

    @api.exception_handler(Refusal)
    def handle_refusal(_request: HttpRequest, error: Refusal) -> HttpResponse:
        return of_refusal(error)

    @api.exception_handler(Precondition)
    def precondition(_request: HttpRequest, error: Precondition) -> HttpResponse:
        return of_refusal(error.refusal, status=412)

    @api.exception_handler(BadInput)
    def bad_input(_request: HttpRequest, error: BadInput) -> HttpResponse:
        return of_bad_input(error)

    @api.exception_handler(ValidationError)
    def invalid(_request: HttpRequest, error: ValidationError) -> HttpResponse:
        errors = [
            {
                "field": ".".join(str(part) for part in item["loc"][1:] if part not in {"said", "asked"}),
                "detail": say(validation.words(item)),
            }
            for item in error.errors
        ]
        return problem(422, code="bad-input", detail=say(NOT_DESCRIBED), errors=errors)

    @api.exception_handler(Http404)
    def missing(_request: HttpRequest, error: Http404) -> HttpResponse:
        return problem(404, detail=str(error))

    @api.exception_handler(HttpError)
    def http_error(_request: HttpRequest, error: HttpError) -> HttpResponse:
        return problem(error.status_code, detail=_in_both(error.message))

    @api.exception_handler(NotReady)
    def handle_not_ready(_request: HttpRequest, error: NotReady) -> HttpResponse:
        response = problem(503, code="starting", detail=say(error.text))
        response["Retry-After"] = "2"
        response._has_been_logged = True  # type: ignore[attr-defined] # nothing is wrong: not one for the error log
        return response

    @api.exception_handler(OperationalError)
    def busy(_request: HttpRequest, error: OperationalError) -> HttpResponse:
        log.exception("The database could not answer.", exc_info=error)
        return _later(error)

    @api.exception_handler(DataError)
    @api.exception_handler(OverflowError)
    def out_of_range(_request: HttpRequest, error: Exception) -> HttpResponse:
        log.warning("A value that cannot be: %s", error)
        return problem(422, code="bad-input", detail=say(OUT_OF_RANGE))

    @api.exception_handler(Exception)
    def handle_unexpected(_request: HttpRequest, error: Exception) -> HttpResponse:
        log.exception("Unexpected error.", exc_info=error)
        return _later(error) if is_full(error) else problem(500, detail=say(NOTHING_CHANGED))


def _in_both(message: str) -> str:
    """What Django Ninja says by itself, in the caller's language; our own words come in it."""
    for begins, words in NINJA_SAYS.items():
        if message.startswith(begins):
            return say(words)
    return message


def _later(error: BaseException) -> HttpResponse:
    """503 of the API: no room, or the database is busy or away."""
    full = is_full(error)
    why = NO_ROOM if full else AWAY
    response = problem(503, code="full" if full else "busy", detail=say(why), detail_zh=why.zh, detail_en=why.en)
    response["Retry-After"] = "60" if full else "1"
    return response


class ProblemDocuments:
    """Turns errors that the framework answers by itself (wrong method, bad host, CSRF) into problem documents."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if (
            response.status_code < 400
            or not request.path.startswith(_PREFIX)
            or response.get("Content-Type") == CONTENT_TYPE
        ):
            return response
        allowed = response.get("Allow", "")
        detail = ""
        if response.status_code == 405:
            detail = say(
                "此处不能用 {method}，可用：{allowed}。",
                "{method} is not possible here; possible: {allowed}.",
                method=request.method,
                allowed=allowed,
            )
        made = problem(response.status_code, detail=detail)
        if allowed:
            made["Allow"] = allowed
        return made


# --- handlers of the site (urls.py) -------------------------------------------------------------------------------


TITLES = {
    400: Text("这个请求无法处理", "This request cannot be handled"),
    403: Text("不允许", "Not allowed"),
    404: Text("没有这个页面", "There is no such page"),
    500: Text("出错了，什么都没有改动", "Something went wrong; nothing was changed"),
}


def _page(request: HttpRequest, status: int, error: Exception | None = None) -> HttpResponse:
    if request.path.startswith(_PREFIX):
        return problem(status)
    detail = str(error.args[0]) if status == 404 and error and error.args and isinstance(error.args[0], str) else ""
    title = say(TITLES[status])
    return render(request, "problem.html", {"status": status, "title": title, "detail": detail}, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 404, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """A page of 500; or of 503 when there is no room or no database, and of 400 for a value no calendar or column holds."""
    error = sys.exc_info()[1]
    if isinstance(error, DataError | OverflowError):
        return _without_database(400, OUT_OF_RANGE)
    if is_full(error):
        return _without_database(503, NO_ROOM)
    if isinstance(error, OperationalError):
        return _without_database(503, AWAY)
    return _page(request, 500)


def _without_database(status: int, words: Text) -> HttpResponse:
    """A page needs the session and the cities, and they cannot be read now."""
    response = HttpResponse(f"{words.zh}\n{words.en}\n", status=status, content_type="text/plain; charset=utf-8")
    if status == 503:
        response["Retry-After"] = "60"
    return response
