"""The description of the API (OpenAPI): every status that a call can answer, each error as the problem document that it is."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from yiwang.server.api.problems import CONTENT_TYPE

PROBLEM = {"$ref": "#/components/schemas/Problem"}
# what any call may be answered, and what a call with a body may
ALWAYS = {
    400: "The request cannot be read: its path, query or body holds what no text is.",
    401: "The token is unknown, expired or revoked.",
    403: "The token has not the scope that the call needs, or the caller's posts do not allow it.",
    404: "There is no such thing.",
    422: "A parameter or field is not what the description asks for; `errors` names each.",
    500: "Something went wrong on our side; nothing was changed.",
    503: "The database is busy, away or full; try again after `Retry-After` seconds.",
}
WITH_BODY = {413: "The body is larger than the site allows.", 429: "Too many calls; wait `Retry-After` seconds."}
METHODS = {"get", "post", "put", "patch", "delete"}


class DescribedAPI(NinjaAPI):
    """An API whose description names errors as they are answered."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """The description, with the errors of every call."""
        schema = super().get_openapi_schema(**options)
        for operation in operations(schema):
            described = operation["responses"]
            for status, meaning in {**ALWAYS, **(WITH_BODY if "requestBody" in operation else {})}.items():
                described.setdefault(status, {"description": meaning})
            for status, response in described.items():
                if int(status) >= HTTPStatus.BAD_REQUEST:
                    response["content"] = {CONTENT_TYPE: {"schema": PROBLEM}}
                    if response["description"] == HTTPStatus(int(status)).phrase:
                        response["description"] = {**ALWAYS, **WITH_BODY}.get(int(status), response["description"])
        return schema


def operations(schema: OpenAPISchema) -> Iterator[dict[str, Any]]:
    """The operations of a description."""
    for path in schema["paths"].values():
        for method, operation in path.items():
            if method in METHODS:
                yield operation
