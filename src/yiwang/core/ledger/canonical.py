"""The bytes of a record: RFC 8785, JSON Canonicalization Scheme, so that any language can make them again.

The library `rfc8785` defines them. Records in which orjson can only write the same bytes, nearly all of ours, go through
orjson, seven times as quick (`docs/decisions/0158`); a generative test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import orjson
import rfc8785

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text

_AS_IT_IS, _LEVELLED, _BY_LIBRARY = "as it is", "levelled", "by the library"
_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME
_LEAST, _MOST = 1e-4, 1e15  # floats between them, whole ones apart, are written alike by everybody
LARGEST = 2**53 - 1  # beyond it a JSON number is not one integer for every reader (RFC 8785, RFC 7493)


def canonical(value: Mapping[str, Any]) -> bytes:
    """The one byte string of a JSON object by RFC 8785; times are texts in RFC 3339, in UTC with microseconds.

    What a database gives back after storing the object has the same bytes as long as its times are told as times.

    Raises:
        BadInput: When RFC 8785 cannot carry something in it: another type, a key that is no text, text that is no Unicode,
            a time without a zone, a number that is not finite or beyond 2**53 - 1 (floats too: they would be read back as
            integers that cannot be carried).
    """
    try:
        if (way := _way(value)) is not _BY_LIBRARY:
            return orjson.dumps(value if way is _AS_IT_IS else _plain(value), default=_time_text, option=_OPTIONS)
    except TypeError:
        pass  # the library says whether it is one, and why not
    return by_library(value)


def by_library(value: Mapping[str, Any]) -> bytes:
    """The same bytes by the library alone; what `canonical` is compared with."""
    try:
        return rfc8785.dumps(_plain(value))
    except (ValueError, RecursionError) as error:
        raise BadInput(
            Text("记录无法写成规范形式：{error}。", "A record cannot be put in canonical form: {error}.", error=error)
        ) from error


def _way(value: Any) -> str:
    """How a record can be written. This runs for every event, so it is one flat loop.

    orjson sorts keys by code point and RFC 8785 by UTF-16 unit, which is the same for ASCII; the two write whole floats,
    and those near zero, differently.
    """
    pending, way = [value], _AS_IT_IS
    while pending:
        item = pending.pop()
        kind = type(item)
        if kind is str or kind is bool or item is None:
            continue
        if kind is dict:
            if not "".join(item).isascii():
                return _BY_LIBRARY
            pending += item.values()
        elif kind is int:
            if not -LARGEST <= item <= LARGEST:
                return _BY_LIBRARY
        elif kind is float:
            if item.is_integer() and -LARGEST <= item <= LARGEST:
                way = _LEVELLED
            elif not _LEAST <= abs(item) <= _MOST:
                return _BY_LIBRARY
        elif kind is list or kind is tuple:
            pending += item
        elif kind is not datetime:
            return _BY_LIBRARY
    return way


def _plain(value: Any) -> Any:
    """The value with nothing in it but what JSON has."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if kind is dict:
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, int | float):
        if not -LARGEST <= value <= LARGEST:
            raise BadInput(
                Text(
                    "记录中不能有数值 {number}：它不是有限数，或超出 ±(2^53 − 1)。",
                    "The number {number} cannot stand in a record: it is not finite, or beyond ±(2^53 − 1).",
                    number=value,
                )
            )
        return int(value) if isinstance(value, float) and value.is_integer() else value
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return _time_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return value
    raise ValueError(f"{kind.__name__} is no JSON type")


def _time_text(value: datetime) -> str:
    """A time in RFC 3339."""
    if value.tzinfo is None:
        raise ValueError(f"{value.isoformat()} has no time zone")
    return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
