"""``$filter`` and the paths of ``$orderby`` as conditions and expressions of the database."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import shapely
from django.db.models import F, JSONField, Q, QuerySet, TextField, Value, lookups
from django.db.models import functions as sql
from django.db.models.fields.json import KeyTextTransform, KeyTransform, KeyTransformExact, KeyTransformIsNull
from django.utils import timezone
from odata_query import ast

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.instants import SECOND, from_micros, to_micros
from yiwang.core.kernel.text import NO_TEXT, Text
from yiwang.server.sensorthings.database import AsFloat, ClockOf, DateOf, JsonText, MomentOf
from yiwang.server.sensorthings.entities import OBSERVATION, TYPES, EntityType, Kind, own_columns
from yiwang.server.sensorthings.query.geometry import RELATIONS, Among, ids_where, measure, read_wkt
from yiwang.server.sensorthings.query.grammar import bad_query, operands, parse, path_of, place_of
from yiwang.server.sensorthings.query.operands import Operand, calculated, expression, floating, holds, whole_of

_DEEPEST = 60  # levels of a filter that are nested
_COMPARISONS: dict[type, str] = {
    ast.Eq: "eq",
    ast.NotEq: "ne",
    ast.Gt: "gt",
    ast.GtE: "ge",
    ast.Lt: "lt",
    ast.LtE: "le",
}
_TURNED = {"eq": "eq", "ne": "ne", "gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}
_PYTHON = {
    "eq": operator.eq, "ne": operator.ne, "gt": operator.gt, "ge": operator.ge, "lt": operator.lt, "le": operator.le,
}  # fmt: skip
_LOOKUPS: dict[str, Callable[..., Any]] = {
    "eq": lookups.Exact,
    "gt": lookups.GreaterThan,
    "ge": lookups.GreaterThanOrEqual,
    "lt": lookups.LessThan,
    "le": lookups.LessThanOrEqual,
}
_ARITHMETIC = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Mod: "%"}
_NUMBERS = {"year", "month", "day", "hour", "minute", "second"}


class Filter:
    """A filter of the entities of a type.

    Attributes:
        many: Whether a path led over a link to several entities: then one entity may be found more than once.
        observed: Whether a path led to the observations of another entity.
    """

    def __init__(self, kind: EntityType, text: str, cities: list[str], *, option: str = "$filter") -> None:
        self.kind, self.text, self.cities, self.option = kind, text, cities, option
        self.many = False
        self.observed = False
        self._now = to_micros(timezone.now())

    def condition(self) -> Q:
        """The whole filter.

        Raises:
            BadInput: It cannot be read, or compares what cannot be compared.
        """
        return self._truth(parse(self.text), 0)

    def demands(self) -> Iterator[tuple[tuple[str, ...], str, Operand] | None]:
        """What must hold at once: of each comparison with a literal its path, ``eq`` or the like, and the literal; None for
        a condition of another form."""
        tree = parse(self.text)
        together = isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And)
        for node in operands(tree) if together else (tree,):
            name = _COMPARISONS.get(type(node.comparator)) if isinstance(node, ast.Compare) else None
            if name is None:
                yield None
                continue
            left, right = node.left, node.right
            if path_of(left) is None:
                left, right, name = right, left, _TURNED[name]
            literal = None if path_of(right) is not None else self._side(right, 0)
            path = path_of(left)
            yield None if path is None or literal is None or not literal.literal else (tuple(path), name, literal)

    def _wrong(self, zh: str, en: str, *, at: str = "", hint: Text = NO_TEXT, **values: Any) -> BadInput:
        place = place_of(self.text, at) if at else 1
        return bad_query(
            self.option,
            "第 {at} 个字符处：" + zh,
            "At character {at}: " + en,
            hint=hint,
            at=place,
            **values,
        )

    # --- conditions -----------------------------------------------------------------------------------------------

    def _truth(self, node: Any, depth: int) -> Q:
        if depth > _DEEPEST:
            raise self._wrong("条件嵌套超过 {most} 层。", "it is nested more than {most} levels deep.", most=_DEEPEST)
        if isinstance(node, ast.BoolOp):
            parts = [self._truth(one, depth + 1) for one in operands(node)]
            return Q(*parts, _connector=Q.AND if isinstance(node.op, ast.And) else Q.OR)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return ~self._truth(node.operand, depth + 1)
        if isinstance(node, ast.Compare):
            return self._compare(node, depth + 1)
        found = self._operand(node, depth + 1)
        if found.kind is Kind.TRUTH:
            return Q(Value(found.value)) if found.literal else Q(found.value)
        if found.kind is Kind.JSON:
            return (
                Q(KeyTransformExact(found.value, Value(True, output_field=JSONField())))
                if isinstance(found.value, KeyTransform)
                else Q()
            )
        raise self._wrong("这里要一个条件。", "a condition is needed here.", at=".".join(path_of(node) or [""]))

    def _compare(self, node: ast.Compare, depth: int) -> Q:
        if isinstance(node.comparator, ast.In):
            if not isinstance(node.right, ast.List):
                raise self._wrong("in 的右边要一个列表。", "on the right of in there must be a list.", at=" in ")
            parts = [self._compare(ast.Compare(ast.Eq(), node.left, one), depth) for one in node.right.val]
            return Q(*parts, _connector=Q.OR)
        name = _COMPARISONS[type(node.comparator)]
        left, right = self._side(node.left, depth), self._side(node.right, depth)
        if left.literal and not right.literal:
            left, right, name = right, left, _TURNED[name]
        if name == "ne":
            return self._unequal(left, right)
        return self._compared(name, left, right)

    def _side(self, node: Any, depth: int) -> Operand:
        """One side of a comparison; a condition in brackets is a truth value."""
        if isinstance(node, ast.BoolOp | ast.Compare) or (
            isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
        ):
            return Operand(kind=Kind.TRUTH, value=self._truth(node, depth))
        return self._operand(node, depth)

    def _unequal(self, left: Operand, right: Operand) -> Q:
        """What is empty is not equal to a value, which three-valued logic would leave open."""
        equal = self._compared("eq", left, right)
        if right.kind is Kind.NULL or left.kind is Kind.TRUTH or left.literal:
            return ~equal
        if left.measure is not None:
            return self._compared("ne", left, right)
        if left.kind is Kind.RESULT:  # a word is not equal to a number
            return ~equal | Q(lookups.IsNull(left.value if right.kind is Kind.NUMBER else left.other, True))
        missing = self._compared("eq", left, Operand(kind=Kind.NULL, value=None, literal=True))
        return ~equal | missing

    def _compared(self, name: str, left: Operand, right: Operand) -> Q:
        if left.measure is not None:
            return self._measured(name, left, right)
        if right.kind is Kind.NULL:
            return self._empty(left) if name == "eq" else Q(Value(False))
        if left.kind is Kind.TRUTH:
            if right.kind is not Kind.TRUTH or not right.literal or name != "eq":
                raise self._mixed(left, right)
            held = Q(Value(left.value)) if left.literal else Q(left.value)
            return held if right.value else ~held
        if left.kind is Kind.RESULT:
            return self._result(name, left, right)
        if left.kind is Kind.JSON:
            return self._json(name, left, right)
        if right.kind in (Kind.RESULT, Kind.JSON):
            right = self._as(left.kind, right)
        if Kind.MOMENT in (left.kind, right.kind):
            left, right = self._moment(left), self._moment(right)
        if left.kind is not right.kind or left.kind is Kind.GEOMETRY:
            raise self._mixed(left, right)
        lookup = _LOOKUPS[name]
        if left.end is not None and name in ("lt", "le"):  # an interval is before a moment when it has ended by then
            ended = Q(lookups.IsNull(left.end, True)) | Q(lookup(left.end, right.value))
            return Q(lookup(left.value, right.value)) & ended
        return Q(lookup(expression(left), right.value))

    def _empty(self, left: Operand) -> Q:
        if left.literal:
            return Q(Value(left.kind is Kind.NULL))
        if left.kind is Kind.RESULT:
            return Q(lookups.IsNull(left.value, True)) & Q(lookups.IsNull(left.other, True))
        if isinstance(left.value, KeyTransform):
            return Q(KeyTransformIsNull(left.value, True)) | Q(
                KeyTransformExact(left.value, Value(None, output_field=JSONField()))
            )
        if left.kind is Kind.GEOMETRY:
            return Q(lookups.IsNull(F(left.column), True))
        return Q(lookups.IsNull(left.value, True))

    def _result(self, name: str, left: Operand, right: Operand) -> Q:
        """A number is compared with numbers; a word or a truth value with what is no number."""
        if right.kind is Kind.TRUTH and right.literal and name == "eq":
            return Q(lookups.Exact(JsonText(left.other), "true" if right.value else "false"))
        if right.kind is Kind.TEXT:
            return Q(_LOOKUPS[name](JsonText(left.other), right.value))
        if right.kind in (Kind.RESULT, Kind.JSON):
            right = self._as(Kind.NUMBER, right)
        if right.kind is not Kind.NUMBER:
            raise self._mixed(left, right)
        return Q(_LOOKUPS[name](left.value, right.value))

    def _json(self, name: str, left: Operand, right: Operand) -> Q:
        if not isinstance(left.value, KeyTransform):
            raise self._wrong("要写出其中的键，如 properties/owner。", "name a key in it, such as properties/owner.")
        if right.literal and right.kind in (Kind.NUMBER, Kind.TEXT, Kind.TRUTH) and name == "eq":
            return Q(KeyTransformExact(left.value, Value(right.value, output_field=JSONField())))
        wanted = Kind.NUMBER if right.kind in (Kind.RESULT, Kind.JSON) else right.kind
        if wanted in (Kind.MICROS, Kind.MOMENT) and right.literal:
            raise self._mixed(left, right)
        return self._compared(name, self._as(wanted, left), self._as(wanted, right))

    def _measured(self, name: str, left: Operand, right: Operand) -> Q:
        if right.kind is not Kind.NUMBER or not right.literal:
            raise self._mixed(left, right)
        how, compare, value = left.measure, _PYTHON[name], right.value
        assert how is not None
        return self._where(left, lambda shapes: compare(how(shapes), value), near=None)

    def _where(self, geometry: Operand, test: Callable[..., Any], *, near: shapely.Geometry | None) -> Q:
        assert geometry.owner is not None
        rows: QuerySet[Any] = geometry.owner.model._default_manager.filter(city__in=self.cities)
        names = {field.name for field in geometry.owner.model._meta.concrete_fields}
        ids = ids_where(rows, geometry.column, test, near=near if "lon" in names else None)
        return Q(Among(F(geometry.path), ids))

    def _mixed(self, left: Operand, right: Operand) -> BadInput:
        return self._wrong(
            "不能比较或计算 {left} 和 {right}。",
            "{left} and {right} do not go together.",
            left=left.kind.value,
            right=right.kind.value,
        )

    # --- values ---------------------------------------------------------------------------------------------------

    def _operand(self, node: Any, depth: int) -> Operand:
        if depth > _DEEPEST:
            raise self._wrong("条件嵌套超过 {most} 层。", "it is nested more than {most} levels deep.", most=_DEEPEST)
        if (names := path_of(node)) is not None:
            return self.path(names)
        if isinstance(node, ast.Call):
            return self._call(node, depth)
        if isinstance(node, ast.BinOp):
            return self._calculation(node, depth)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            inner = self._as(Kind.NUMBER, self._operand(node.operand, depth + 1))
            return Operand(kind=Kind.NUMBER, value=-inner.value, literal=inner.literal)
        return self._literal(node)

    def _literal(self, node: Any) -> Operand:
        try:
            match node:
                case ast.Null():
                    return Operand(kind=Kind.NULL, value=None, literal=True)
                case ast.Integer() | ast.Float():
                    value = float(node.val) if abs(float(node.val)) > 2**53 else node.py_val
                    if value in (float("inf"), float("-inf")):
                        raise ValueError(node.val)
                    return Operand(kind=Kind.NUMBER, value=value, literal=True)
                case ast.String():
                    return Operand(kind=Kind.TEXT, value=node.py_val, literal=True)
                case ast.Boolean():
                    return Operand(kind=Kind.TRUTH, value=node.py_val, literal=True)
                case ast.DateTime():
                    return Operand(kind=Kind.MICROS, value=to_micros(node.py_val), literal=True)
                case ast.Date():
                    return Operand(kind=Kind.DATE, value=node.py_val.isoformat(), literal=True)
                case ast.Time():
                    return Operand(kind=Kind.CLOCK, value=node.py_val.isoformat("microseconds"), literal=True)
                case ast.Duration():
                    return Operand(kind=Kind.DURATION, value=node.py_val // timedelta(microseconds=1), literal=True)
                case ast.Geography():
                    return Operand(kind=Kind.GEOMETRY, value=read_wkt(node.val), literal=True)
        except (ValueError, OverflowError):
            raise self._wrong("无法读懂“{value}”。", "{value!r} cannot be read.", at=node.val, value=node.val) from None
        raise self._wrong("这里不支持这种写法。", "this is not possible here.")

    def path(self, names: list[str]) -> Operand:
        """The property, or the part of one, that a path leads to.

        Raises:
            BadInput: It leads nowhere.
        """
        kind, prefix, left = self.kind, "", list(names)
        while len(left) > 1 and left[0] in kind.links:
            link = kind.links[left.pop(0)]
            kind, prefix = TYPES[link.target], f"{prefix}{link.field}__"
            self.many = self.many or link.many
            self.observed = self.observed or kind is OBSERVATION
        name, keys = left[0], left[1:]
        found = kind.properties.get(name)
        if found is None or (keys and found.kind not in (Kind.JSON, Kind.RESULT, Kind.GEOMETRY)):
            raise self._wrong(
                "{entity} 没有 {name}。",
                "{entity} has no {name}.",
                at="/".join(names),
                entity=kind.name,
                name="/".join(left),
                hint=Text("有：{names}。", "It has: {names}.", names=", ".join([*kind.properties, *kind.links])),
            )
        column = F(prefix + found.column)
        if found.kind is Kind.RESULT:
            other = F(f"{prefix}result")
            return self._key(f"{prefix}result", keys) if keys else Operand(kind=Kind.RESULT, value=column, other=other)
        if found.kind is Kind.GEOMETRY:
            if keys:
                return self._key(prefix + found.column, keys)
            return Operand(kind=found.kind, value=None, path=f"{prefix}id", owner=kind, column=found.column)
        if found.kind is Kind.JSON:
            if name == "properties" and len(keys) == 1 and keys[0] in own_columns(kind):
                return Operand(kind=Kind.TEXT, value=F(prefix + keys[0]))
            if found.column == "more":
                keys = [name, *keys]
            return self._key(prefix + found.column, keys) if keys else Operand(kind=Kind.JSON, value=column)
        return Operand(kind=found.kind, value=column, end=F(prefix + found.end) if found.end else None)

    @staticmethod
    def _key(column: str, keys: list[str]) -> Operand:
        found: Any = column
        for key in keys:
            found = KeyTransform(key, found)
        return Operand(kind=Kind.JSON, value=found)

    def _as(self, kind: Kind, one: Operand) -> Operand:
        """A value as a kind that it can be read as; of another kind where it cannot."""
        if one.kind is kind:
            return one
        if one.kind is Kind.RESULT and kind is Kind.NUMBER:
            return Operand(kind=kind, value=one.value)
        if one.kind is Kind.RESULT and kind is Kind.TEXT:
            return Operand(kind=kind, value=JsonText(one.other))
        if one.kind is Kind.JSON and isinstance(one.value, KeyTransform):
            text = KeyTextTransform(one.value.key_name, *one.value.get_source_expressions())
            if kind is Kind.NUMBER:
                return Operand(kind=kind, value=AsFloat(one.value))
            if kind is Kind.TEXT:
                return Operand(kind=kind, value=sql.Cast(text, TextField()))
        if kind is Kind.NUMBER or kind is Kind.TEXT:
            raise self._mixed(Operand(kind=kind, value=None), one)
        return one

    @staticmethod
    def _moment(one: Operand) -> Operand:
        """A time in microseconds beside a column of times."""
        if one.kind is Kind.MICROS and one.literal:
            return Operand(kind=Kind.MOMENT, value=from_micros(one.value), literal=True)
        if one.kind is Kind.MICROS:
            return Operand(kind=Kind.MOMENT, value=MomentOf(one.value))
        return one

    def _calculation(self, node: ast.BinOp, depth: int) -> Operand:
        left, right = self._operand(node.left, depth + 1), self._operand(node.right, depth + 1)
        sign = _ARITHMETIC[type(node.op)]
        times = (Kind.MICROS, Kind.DURATION)
        if left.kind in times and right.kind in times and sign in "+-":
            value = calculated(left.value, sign, right.value)
            kind = Kind.DURATION if left.kind is right.kind else Kind.MICROS
            return Operand(kind=kind, value=value, literal=left.literal and right.literal)
        left, right = self._as(Kind.NUMBER, left), self._as(Kind.NUMBER, right)
        try:
            if left.literal and right.literal:
                return Operand(kind=Kind.NUMBER, value=calculated(left.value, sign, right.value), literal=True)
        except (ZeroDivisionError, OverflowError):
            raise self._wrong("不能除以零。", "it divides by zero.") from None
        if sign == "%":
            return Operand(kind=Kind.NUMBER, value=sql.Mod(floating(left), floating(right)))
        divisor: Any = sql.NullIf(floating(right), Value(0.0)) if sign == "/" else floating(right)
        return Operand(kind=Kind.NUMBER, value=calculated(floating(left), sign, divisor))

    # --- functions ------------------------------------------------------------------------------------------------

    def _call(self, node: ast.Call, depth: int) -> Operand:
        name = ".".join((*node.func.namespace, node.func.name)).lower()
        given = [self._operand(one, depth + 1) for one in node.args]
        if name in RELATIONS or name == "st_relate" or name.startswith("geo."):
            return self._spatial(name, given)
        if name in ("now", "mindatetime", "maxdatetime"):
            least, most = datetime(1, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
            value = {"now": self._now, "mindatetime": to_micros(least), "maxdatetime": to_micros(most)}[name]
            return Operand(kind=Kind.MICROS, value=value, literal=True)
        if name in ("round", "floor", "ceiling"):
            made = {"round": sql.Round, "floor": sql.Floor, "ceiling": sql.Ceil}[name]
            return Operand(kind=Kind.NUMBER, value=made(floating(self._as(Kind.NUMBER, given[0]))))
        if name in _NUMBERS or name in ("fractionalseconds", "date", "time", "totaloffsetminutes"):
            return self._of_time(name, given[0])
        return self._of_text(name, given)

    def _of_time(self, name: str, one: Operand) -> Operand:
        if one.kind not in (Kind.MICROS, Kind.MOMENT):
            raise self._wrong("函数 {name} 要一个时间。", "the function {name} takes a time.", at=name, name=name)
        if name == "totaloffsetminutes":
            return Operand(kind=Kind.NUMBER, value=0, literal=True)  # all times are kept in UTC
        if name == "fractionalseconds" and one.kind is Kind.MICROS:
            part = one.value % SECOND if one.literal else sql.Mod(one.value, Value(SECOND))
            return Operand(
                kind=Kind.NUMBER,
                value=part / 1e6 if one.literal else calculated(part, "/", Value(1e6)),
                literal=one.literal,
            )
        moment = one.value if one.kind is Kind.MOMENT else MomentOf(Value(one.value) if one.literal else one.value)
        if name == "date":
            return Operand(kind=Kind.DATE, value=DateOf(moment))
        if name == "time":
            return Operand(kind=Kind.CLOCK, value=ClockOf(moment))
        if name == "fractionalseconds":
            raise self._wrong("这里不支持 {name}。", "{name} is not possible here.", at=name, name=name)
        return Operand(kind=Kind.NUMBER, value=sql.Extract(moment, name, tzinfo=UTC))

    def _of_text(self, name: str, given: list[Operand]) -> Operand:
        if name == "substring":
            text, start = self._text(given[0]), whole_of(self._as(Kind.NUMBER, given[1]))
            length = [whole_of(self._as(Kind.NUMBER, given[2]))] if len(given) > 2 else []
            return Operand(kind=Kind.TEXT, value=sql.Substr(text, calculated(start, "+", Value(1)), *length))
        texts = [self._text(one) for one in given]
        match name:
            case "length":
                return Operand(kind=Kind.NUMBER, value=sql.Length(texts[0]))
            case "tolower" | "toupper" | "trim":
                made = {"tolower": sql.Lower, "toupper": sql.Upper, "trim": sql.Trim}[name]
                return Operand(kind=Kind.TEXT, value=made(texts[0]))
            case "concat":
                return Operand(kind=Kind.TEXT, value=sql.Concat(*texts, output_field=TextField()))
            case "indexof":
                return Operand(kind=Kind.NUMBER, value=calculated(sql.StrIndex(*texts), "-", Value(1)))
            case "contains":
                return holds(lookups.GreaterThan(sql.StrIndex(*texts), 0))
            case "substringof":
                return holds(lookups.GreaterThan(sql.StrIndex(texts[1], texts[0]), 0))
            case "startswith":
                return holds(lookups.Exact(sql.StrIndex(*texts), 1))
            case _:
                start = calculated(calculated(sql.Length(texts[0]), "-", sql.Length(texts[1])), "+", Value(1))
                return holds(lookups.Exact(sql.Substr(texts[0], start), texts[1]))

    def _text(self, one: Operand) -> Any:
        found = self._as(Kind.TEXT, one)
        return Value(found.value, output_field=TextField()) if found.literal else found.value

    def _spatial(self, name: str, given: list[Operand]) -> Operand:
        geometries = given[:2]
        if any(one.kind is not Kind.GEOMETRY for one in geometries):
            raise self._wrong("函数 {name} 要几何。", "the function {name} takes geometries.", at=name, name=name)
        stored = next((one for one in geometries if not one.literal), None)
        if stored is None or (len(geometries) == 2 and not any(one.literal for one in geometries)):
            raise self._wrong(
                "函数 {name} 要一个属性和一个 geography'…'。",
                "the function {name} takes a property and a geography'…'.",
                at=name,
                name=name,
            )
        other = next((one.value for one in geometries if one.literal), None)
        if name in ("geo.distance", "geo.length"):
            return Operand(
                kind=Kind.NUMBER, value=None, path=stored.path, owner=stored.owner, column=stored.column, measure=measure(name, other)
            )  # fmt: skip
        first = geometries[0].literal
        if name == "st_relate":
            pattern = given[2].value
            if (
                given[2].kind is not Kind.TEXT
                or not isinstance(pattern, str)
                or len(pattern) != 9
                or set(pattern) - set("TF*012")
            ):
                raise self._wrong(
                    "st_relate 的模式是九个字符 T F * 0 1 2。",
                    "the pattern of st_relate is nine of T F * 0 1 2.",
                    at="st_relate",
                )
            relate = shapely.relate_pattern
            return holds(
                self._where(
                    stored,
                    lambda shapes: relate(other, shapes, pattern) if first else relate(shapes, other, pattern),
                    near=None,
                )
            )
        how = RELATIONS[name]
        near = None if name == "st_disjoint" else other
        return holds(self._where(stored, lambda shapes: how(other, shapes) if first else how(shapes, other), near=near))
