"""The text of ``$filter`` as a tree, by odata-query; what cannot be read says at which character."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from odata_query import ast
from odata_query.exceptions import (
    ArgumentCountException,
    ODataException,
    ParsingException,
    TokenizingException,
    UnknownFunctionException,
)
from odata_query.grammar import ODATA_FUNCTIONS, ODataLexer, ODataParser

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import NO_TEXT, Text

LONGEST = 4000  # characters of a filter
_KNOWN: dict[str, Any] = dict(ODATA_FUNCTIONS)
_ARGUMENTS: dict[str, tuple[int, int]] = {
    **{name: (count, count) if isinstance(count, int) else count for name, count in _KNOWN.items()},
    "substringof": (2, 2),
    **dict.fromkeys(
        (
            "st_equals", "st_disjoint", "st_touches", "st_within", "st_overlaps", "st_crosses", "st_intersects",
            "st_contains",
        ),
        (2, 2),
    ),
    "st_relate": (3, 3),
}  # fmt: skip
for _name in ("matchesPattern", "hassubset", "hassubsequence", "totalseconds"):
    del _ARGUMENTS[_name]  # not of this standard; a regular expression may take for ever
_STRING_OR_ID = re.compile(r"'(?:[^']|'')*'|@iot\.id\b")


class _Lexer(ODataLexer):
    """The library's, but a property may be called ``allowed`` or ``nullable``: these words end where they end."""

    tokens = ODataLexer.tokens

    @_(r"any\b(?=\s*\()")  # type: ignore[name-defined, untyped-decorator] # noqa: F821 - put there by the metaclass
    def ANY(self, t: Any) -> Any:  # noqa: N802 - name of a token
        t.value = ast.Any()
        return t

    @_(r"all\b(?=\s*\()")  # type: ignore[name-defined, untyped-decorator] # noqa: F821
    def ALL(self, t: Any) -> Any:  # noqa: N802
        t.value = ast.All()
        return t

    @_(r"(?:true|false)\b")  # type: ignore[name-defined, untyped-decorator] # noqa: F821
    def BOOLEAN(self, t: Any) -> Any:  # noqa: N802
        t.value = ast.Boolean(t.value)
        return t

    @_(r"null\b")  # type: ignore[name-defined, untyped-decorator] # noqa: F821
    def NULL(self, t: Any) -> Any:  # noqa: N802
        t.value = ast.Null()
        return t


class _Parser:
    """A parser that knows the functions of the standard besides those of OData."""

    def __init__(self) -> None:
        parser: Any = ODataParser()
        parser._function_call = self._call
        self._parser = parser

    def parse(self, text: str) -> Any:
        return self._parser.parse(_Lexer().tokenize(text))

    @staticmethod
    def _call(func: Any, args: list[Any]) -> ast.Call:
        name = func.full_name().lower()
        if name not in _ARGUMENTS:
            raise UnknownFunctionException(func.full_name())
        least, most = _ARGUMENTS[name]
        if not least <= len(args) <= most:
            raise ArgumentCountException(func.full_name(), least, most, len(args))
        return ast.Call(func, args)


def bad_query(option: str, zh: str, en: str, *, hint: Text = NO_TEXT, **values: Any) -> BadInput:
    """A query option that cannot be taken."""
    return BadInput(Problem(Text(zh, en, **values), hint, column=option))


def parse(text: str) -> Any:
    """The tree of a filter.

    Raises:
        BadInput: It cannot be read; says at which character, counted from 1.
    """
    if len(text) > LONGEST:
        raise bad_query(
            "$filter",
            "筛选条件有 {length} 个字符，最多 {most} 个。",
            "The filter has {length} characters; at most {most} can be read.",
            length=len(text),
            most=LONGEST,
        )
    plain = _STRING_OR_ID.sub(lambda found: "id     " if found[0] == "@iot.id" else found[0], text.strip())
    shift = len(text) - len(text.lstrip()) + 1
    try:
        tree = _Parser().parse(plain)
    except TokenizingException as error:
        raise _unreadable(text, error.token.index + shift) from error
    except ParsingException as error:
        raise _unreadable(text, len(plain) + shift if error.token is None else error.token.index + shift) from error
    except UnknownFunctionException as error:
        raise bad_query(
            "$filter",
            "第 {at} 个字符处：没有函数 {name}。",
            "At character {at}: there is no function {name}.",
            at=place_of(text, error.function_name),
            name=error.function_name,
            hint=Text("可用：{names}。", "There are: {names}.", names=", ".join(sorted(_ARGUMENTS))),
        ) from error
    except ArgumentCountException as error:
        raise bad_query(
            "$filter",
            "第 {at} 个字符处：函数 {name} 要 {least} 至 {most} 个参数，给了 {given} 个。",
            "At character {at}: the function {name} takes {least} to {most} arguments, not {given}.",
            at=place_of(text, error.function_name),
            name=error.function_name,
            least=_ARGUMENTS[error.function_name.lower()][0],
            most=_ARGUMENTS[error.function_name.lower()][1],
            given=error.n_args_given,
        ) from error
    except (ODataException, RecursionError, NotImplementedError, AttributeError, IndexError) as error:
        raise _unreadable(text, shift) from error
    if tree is None:
        raise _unreadable(text, shift)
    return tree


def place_of(text: str, name: str) -> int:
    """At which character a name stands in a filter, counted from 1."""
    return max(text.lower().find(name.lower()), 0) + 1


def _unreadable(text: str, at: int) -> BadInput:
    return bad_query(
        "$filter",
        "第 {at} 个字符起无法读懂：“{rest}”。",
        "It cannot be read from character {at} on: {rest!r}.",
        at=at,
        rest=text[max(at - 1, 0) : at + 20],
        hint=Text(
            "应如 result gt 5 and Datastream/name eq '水位'。", "It should look like result gt 5 and name eq 'x'."
        ),
    )


def path_of(node: Any) -> list[str] | None:
    """Names of a path such as ``Thing/properties/owner``; None for what is no path."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.owner
    if not isinstance(node, ast.Identifier):
        return None
    names.append(".".join((*node.namespace, node.name)))
    return names[::-1]


def operands(node: ast.BoolOp) -> Iterator[Any]:
    """The parts of a chain ``a or b or c``, which the tree nests as deeply as it is long."""
    waiting = [node.right, node.left]
    while waiting:
        one = waiting.pop()
        if isinstance(one, ast.BoolOp) and type(one.op) is type(node.op):
            waiting += [one.right, one.left]
        else:
            yield one
