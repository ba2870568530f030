"""Parts of a filter that have a value, and what is calculated of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import FloatField, IntegerField, Value
from django.db.models import functions as sql

from yiwang.server.sensorthings.entities import EntityType, Kind

_FAR = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Operand:
    """A part of a filter that has a value.

    Attributes:
        value: An expression of the database, or a Python value where it is a ``literal``.
        end: Where it is the start of an interval: the expression of its end.
        other: Where it is a result: the expression of the result that is no number.
        path: Where it is a geometry of an entity: path to the entity's id.
        owner: The type of that entity, ``column`` its column.
    """

    kind: Kind
    value: Any
    literal: bool = False
    end: Any = None
    other: Any = None
    path: str = ""
    owner: EntityType | None = None
    column: str = ""
    measure: Callable[..., Any] | None = None


def holds(condition: Any) -> Operand:
    """A condition as a truth value."""
    return Operand(kind=Kind.TRUTH, value=condition)


def expression(one: Operand) -> Any:
    """An operand as an expression of the database."""
    return Value(one.value) if one.literal else one.value


def floating(one: Operand) -> Any:
    """A number as one with a fraction, so that neither database divides whole numbers."""
    return Value(float(one.value)) if one.literal else sql.Cast(one.value, FloatField())


def whole_of(one: Operand) -> Any:
    """A number as a whole one, which both databases take as a place in a text."""
    return Value(max(-_FAR, min(_FAR, int(one.value)))) if one.literal else sql.Cast(one.value, IntegerField())


def calculated(left: Any, sign: str, right: Any) -> Any:
    """Two values, or expressions, with a sign between them."""
    match sign:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "%":
            return left % right
        case _:
            return left / right
