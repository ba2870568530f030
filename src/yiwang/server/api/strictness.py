"""Query parameters that nobody reads are refused, as unknown fields of a body are: a misspelt filter would show everything."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest
from ninja import Router
from ninja.operation import Operation

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.packs.hints import did_you_mean


def refuse_unknown_parameters(router: Router) -> None:
    """Let every GET of a router refuse parameters that it does not have; before the router is added to the API."""
    for path in router.path_operations.values():
        for operation in path.operations:
            if "GET" in operation.methods:
                operation.view_func = _strict(operation.view_func, parameters_of(operation))


def parameters_of(operation: Operation) -> tuple[str, ...]:
    """Names of an operation's query parameters."""
    models = [model for model in operation.models if model.__ninja_param_source__ == "query"]
    return tuple(sorted(name for model in models for name in model.__ninja_flatten_map__))


def _strict(view: Callable[..., Any], known: tuple[str, ...]) -> Callable[..., Any]:
    @wraps(view)
    def check_request(request: HttpRequest, **values: Any) -> Any:
        unknown = [name for name in request.GET if name not in known]
        if unknown:
            raise BadInput([_problem(name, known) for name in unknown])
        return view(request, **values)

    return check_request


def _problem(name: str, known: tuple[str, ...]) -> Problem:
    shown = name[:60]
    hint = did_you_mean(name, known) or (
        Text("可用：{known}。", "Known: {known}.", known=", ".join(known))
        if known
        else Text("这个接口没有参数。", "This call takes none.")
    )
    return Problem(
        Text("没有「{shown}」这个参数。", "There is no parameter {shown!r}.", shown=shown), hint, column=shown
    )
