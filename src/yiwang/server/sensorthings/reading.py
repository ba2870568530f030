"""Entities as they are answered: a page of a set, one entity, and what is expanded in them."""

from __future__ import annotations

import base64
import binascii
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from typing import Any
from urllib.parse import quote

from django.db import connection
from django.db.models import Count, F, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from yiwang.core.kernel.instants import DAY
from yiwang.server.sensing import api as sensing
from yiwang.server.sensorthings import older
from yiwang.server.sensorthings.data_array import as_data_arrays
from yiwang.server.sensorthings.entities import DATASTREAM, OBSERVATION, TYPES, EntityType, Kind, Link, Row
from yiwang.server.sensorthings.older import Older
from yiwang.server.sensorthings.paths import visible_cities
from yiwang.server.sensorthings.query.filtering import Filter
from yiwang.server.sensorthings.query.geometry import Among
from yiwang.server.sensorthings.query.grammar import bad_query
from yiwang.server.sensorthings.query.options import EXPANDED, USUAL, Options, keyset_possible

Entity = dict[str, Any]
_MOST_IN_ALL = 50_000  # entities of an answer, those that are expanded with them
_BRANCHES = 200  # datastreams whose observations one statement reads
_TIME_AT = OBSERVATION.columns.index("phenomenon_time")
_ESCAPED = "()/,;:$'=@"


class Reader:
    """Reads entities for one request.

    Attributes:
        base: Address of the service, without a slash at its end.
    """

    def __init__(self, base: str) -> None:
        self.base = base
        self._read = 0
        self._cities = visible_cities()

    def page(
        self,
        kind: EntityType,
        rows: QuerySet[Any],
        options: Options,
        *,
        address: str,
        refs: bool = False,
        stream: int | None = None,
    ) -> dict[str, Any]:
        """A page of a set: ``value``, and ``@iot.count`` and ``@iot.nextLink`` where they belong.

        Args:
            stream: The datastream, where they are its observations.
        """
        if stream is not None:
            options = _by_time(options)
        top = USUAL if options.top is None else options.top
        order = _order(kind, options)
        keyset = keyset_possible(kind, order)
        columns = _columns(kind, order)
        after = _after(kind, order, options.after) if options.after else None
        rows = self._filtered(kind, rows, options.filter)
        count = rows.count() if options.count else 0
        if after is not None:
            rows = rows.filter(_behind(kind, order, after))
        asked = self._ordered(kind, rows, order)[options.skip : options.skip + top + 1]
        found: list[Row] = list(asked.values_list(*columns)) if top else []
        if kind is OBSERVATION:  # the lake is asked last: what left the database by then is in it
            if stream is None:
                older.check_without(self._cities, options.filter, option="$filter" if options.filter else "")
            elif self._lake([stream], options):
                lake = Older.of(stream, options)
                found = lake.rows(options.skip, top + 1, after=after[0] if after else None) if top else []
                count = lake.count() if options.count else 0
        answer: dict[str, Any] = {"@iot.count": count} if options.count else {}
        if len(found) > top:
            last = found[top - 1]
            said = {name: text for name, text in options.texts.items() if name not in ("$skip", "$skiptoken")}
            if keyset:
                said["$skiptoken"] = _token([last[columns.index(kind.properties[path].column)] for path, _ in order])
            else:
                said["$skip"] = str(options.skip + top)
            answer["@iot.nextLink"] = f"{address}?{_written(said, '&')}"
        if refs:
            answer["value"] = [{"@iot.selfLink": self.link(kind, row[0])} for row in found[:top]]
        elif options.as_rows:
            answer["value"] = as_data_arrays(found[:top], options.select, base=self.base)
        else:
            answer["value"] = self._shown(kind, found[:top], options)
        return answer

    def _lake(self, streams: Sequence[int], options: Options) -> set[int]:
        """The datastreams of which observations in the lake are asked for."""
        days = sensing.kept_span(self._cities)
        if days is None or not (asked := older.wanted(options.filter)).concerns(days):
            return set()
        firsts: dict[int, int | None] = {}
        for start in range(0, len(streams), _BRANCHES):
            part = sensing.DatastreamState.objects.filter(datastream__in=streams[start : start + _BRANCHES])
            firsts.update(part.values_list("datastream", "first_time"))
        return {pk for pk in streams if asked.begins(firsts.get(pk)).concerns(days)}

    def entity(self, kind: EntityType, rows: QuerySet[Any], options: Options) -> Entity | None:
        """One entity; None when it is gone."""
        found = list(rows.values_list(*kind.columns)[:1])
        return self._shown(kind, found, options)[0] if found else None

    def shown(self, kind: EntityType, rows: Sequence[Row], options: Options) -> list[Entity]:
        """Entities of rows with the columns of their type, for an answer of their own."""
        self._read = 0
        return self._shown(kind, rows, options)

    def link(self, kind: EntityType, pk: int) -> str:
        """Address of an entity."""
        return f"{self.base}/{kind.plural}({pk})"

    # --- rows -----------------------------------------------------------------------------------------------------

    def _filtered(self, kind: EntityType, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        if not text:
            return rows
        asked = Filter(kind, text, self._cities)
        condition = asked.condition()
        if asked.observed:
            older.check_through(self._cities)
        if asked.many:  # over a link to several an entity would be found once for each of them
            return rows.filter(pk__in=kind.model._default_manager.filter(condition).values("pk"))
        return rows.filter(condition)

    def _ordered(self, kind: EntityType, rows: QuerySet[Any], order: Sequence[tuple[str, bool]]) -> QuerySet[Any]:
        return rows.order_by(*self._terms(kind, order))

    def _terms(self, kind: EntityType, order: Sequence[tuple[str, bool]]) -> list[Any]:
        """What to order by; what is empty stands first, and last where it descends, in either database."""
        terms: list[Any] = []
        for path, descends in order:
            asked = Filter(kind, path, self._cities, option="$orderby")
            found = asked.path([_id_name(one) for one in path.split("/")])
            if asked.many or found.kind is Kind.GEOMETRY or (found.kind is Kind.JSON and isinstance(found.value, F)):
                raise bad_query("$orderby", "不能按 {path} 排序。", "One cannot order by {path}.", path=path[:60])
            certain = len(path.split("/")) == 1 and not kind.properties[_id_name(path)].nullable
            for value in (found.value, found.other) if found.other is not None else (found.value,):
                expression = value if isinstance(value, F) else value.copy()
                if certain:
                    terms.append(expression.desc() if descends else expression.asc())
                else:
                    terms.append(expression.desc(nulls_last=True) if descends else expression.asc(nulls_first=True))
        return terms

    # --- entities -------------------------------------------------------------------------------------------------

    def _shown(self, kind: EntityType, rows: Sequence[Row], options: Options) -> list[Entity]:
        self._read += len(rows)
        if self._read > _MOST_IN_ALL:
            raise bad_query(
                "$expand",
                "展开后超过 {most} 个实体，请用 $top 或 $filter 减少。",
                "That is more than {most} entities with those expanded; ask for less with $top or $filter.",
                most=_MOST_IN_ALL,
            )
        chosen = set(options.select)
        links = [name for name in kind.links if name not in options.expand and (not chosen or name in chosen)]
        head = f"{self.base}/{kind.plural}("
        shown: list[Entity] = []
        for row in rows:
            address = f"{head}{row[0]})"
            entity: Entity = {}
            if not chosen or "id" in chosen:
                entity["@iot.id"] = row[0]
                entity["@iot.selfLink"] = address
            properties = kind.show(row)
            entity.update(
                {name: properties.get(name) for name in options.select if name in kind.properties and name != "id"}
                if chosen
                else properties
            )
            for name in links:
                entity[f"{name}@iot.navigationLink"] = f"{address}/{name}"
            shown.append(entity)
        for name, inner in options.expand.items():
            link = kind.links[name]
            if link.many:
                self._expand_many(kind, link, [row[0] for row in rows], shown, inner)
            else:
                self._expand_one(kind, link, rows, shown, inner)
        return shown

    def _expand_one(
        self, kind: EntityType, link: Link, rows: Sequence[Row], shown: list[Entity], options: Options
    ) -> None:
        target, index = TYPES[link.target], kind.ends[link.name]
        ids = {row[index] for row in rows if row[index] is not None}
        asked = self._filtered(target, target.model._default_manager.filter(pk__in=ids), options.filter)
        found = list(asked.values_list(*target.columns)) if ids else []
        entities = {row[0]: one for row, one in zip(found, self._shown(target, found, options), strict=True)}
        for row, entity in zip(rows, shown, strict=True):
            entity[link.name] = entities.get(row[index])

    def _expand_many(self, kind: EntityType, link: Link, ids: list[int], shown: list[Entity], options: Options) -> None:
        target = TYPES[link.target]
        if target is OBSERVATION and kind is DATASTREAM:
            options = _by_time(options)
        top = EXPANDED if options.top is None else options.top
        order = _order(target, options)
        counts: dict[int, int] = {}
        if options.count and ids:
            counted = self._of_parents(target, link, ids, options.filter).values("parent").order_by()
            counts = dict(counted.annotate(of=Count("pk")).values_list("parent", "of"))
        if not ids or not top:
            found: list[tuple[Any, ...]] = []
        elif target is OBSERVATION:
            found = self._slices(target, link, ids, options, order, top)
        else:
            asked = self._of_parents(target, link, ids, options.filter)
            rank = Window(RowNumber(), partition_by=[F("parent")], order_by=self._terms(target, order))
            asked = asked.annotate(rank=rank).filter(rank__gt=options.skip, rank__lte=options.skip + top + 1)
            rows = asked.order_by().values_list(*target.columns, "rank", "parent")
            found = sorted(rows, key=lambda row: row[-2])  # Django cannot order a filtered window on SQLite
        of_parent: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
        for row in found:
            of_parent[row[-1]].append(row)
        if target is OBSERVATION and ids:
            self._expand_older(kind, ids, of_parent, counts, options, top)
        kept = [row for pk in ids for row in of_parent[pk][:top]]
        entities = iter(self._shown(target, kept, options))
        for pk, entity in zip(ids, shown, strict=True):
            entity[link.name] = [next(entities) for _ in of_parent[pk][:top]]
            if options.count:
                entity[f"{link.name}@iot.count"] = counts.get(pk, 0)
            if len(of_parent[pk]) > top > 0:
                said = {**options.texts, "$top": str(top), "$skip": str(options.skip + top)}
                entity[f"{link.name}@iot.nextLink"] = f"{self.link(kind, pk)}/{link.name}?{_written(said, '&')}"

    def _expand_older(
        self,
        kind: EntityType,
        ids: list[int],
        found: dict[int, list[Row]],
        counts: dict[int, int],
        options: Options,
        top: int,
    ) -> None:
        """Put observations from the lake in place of those found in the database, for the datastreams where that matters."""
        if kind is not DATASTREAM:
            older.check_without(self._cities, options.filter, option="$expand")
            return
        concerned = self._lake(ids, options)
        if not concerned:
            return
        days = sensing.kept_span(self._cities)
        boundary = 0 if days is None else (days[1] + 1) * DAY
        newest = options.order[0] == ("phenomenonTime", True) and not options.count
        lacking = [
            pk
            for pk in ids
            if pk in concerned and not (newest and len(found[pk]) > top and found[pk][-1][_TIME_AT] >= boundary)
        ]
        if len(lacking) > older.MOST_STREAMS:
            raise older.too_many(len(lacking))
        for pk in lacking:
            lake = Older.of(pk, options)
            found[pk] = lake.rows(options.skip, top + 1) if top else []
            if options.count:
                counts[pk] = lake.count()

    def _of_parents(self, target: EntityType, link: Link, ids: list[int], text: str) -> QuerySet[Any]:
        rows = target.model._default_manager.filter(**{f"{link.back}__in": ids}).annotate(parent=F(link.back))
        return self._filtered(target, rows, text)

    def _slices(
        self,
        target: EntityType,
        link: Link,
        ids: list[int],
        options: Options,
        order: Sequence[tuple[str, bool]],
        top: int,
    ) -> list[tuple[Any, ...]]:
        """The first observations of each of many: a slice by the index for each, since a window would sort them all."""
        parents: dict[int, int] = {}
        for start in range(0, len(ids), _BRANCHES):
            parts: list[str] = []
            params: list[Any] = []
            for pk in ids[start : start + _BRANCHES]:
                rows = target.model._default_manager.filter(**{link.back: pk})
                rows = self._ordered(target, self._filtered(target, rows, options.filter), order)
                slice_of = rows.values_list("pk")[options.skip : options.skip + top + 1]
                sql, given = slice_of.query.sql_with_params()
                # Django has no UNION of slices on SQLite
                parts.append(f"SELECT s.*, %s FROM ({sql}) AS s")  # noqa: S608 - Django's own statement
                params += [pk, *given]
            with connection.cursor() as cursor:
                cursor.execute(" UNION ALL ".join(parts), params)
                parents.update(dict(cursor.fetchall()))
        found = target.model._default_manager.filter(Q(Among(F("id"), list(parents)))).values_list(*target.columns)
        rows_of = {row[0]: row for row in found}
        return [(*rows_of[pk], parent) for pk, parent in parents.items() if pk in rows_of]


def _id_name(name: str) -> str:
    return "id" if name == "@iot.id" else name


def _order(kind: EntityType, options: Options) -> tuple[tuple[str, bool], ...]:
    """What a set is ordered by, the id at last, so that no two entities change places between pages."""
    given = tuple((_id_name(path), descends) for path, descends in options.order)
    return given if any(path == "id" for path, _ in given) else (*given, ("id", False))


def _columns(kind: EntityType, order: Sequence[tuple[str, bool]]) -> tuple[str, ...]:
    more = [
        kind.properties[path].column
        for path, _ in order
        if path in kind.properties and kind.properties[path].column not in kind.columns
    ]
    return (*kind.columns, *more)


def _token(values: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(list(values)).encode()).decode().rstrip("=")


def _by_time(options: Options) -> Options:
    """The observations of a datastream come in the order of their times where no other is asked for, wherever they lie."""
    return options if options.order else replace(options, order=(("phenomenonTime", False),))


def _after(kind: EntityType, order: Sequence[tuple[str, bool]], token: str) -> list[Any]:
    """The values of the order behind which a page begins."""
    try:
        values = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        texts = [kind.properties[path].kind is Kind.TEXT for path, _ in order]
        fits = isinstance(values, list) and len(values) == len(order)
        if not fits or any(
            type(value) not in ((str,) if text else (int,)) for value, text in zip(values, texts, strict=True)
        ):
            raise ValueError(token)
    except (ValueError, KeyError, binascii.Error, UnicodeDecodeError):
        raise bad_query(
            "$skiptoken",
            "无法读懂，请用 @iot.nextLink 的地址。",
            "It cannot be read; use the address of @iot.nextLink.",
        ) from None
    return list(values)


def _behind(kind: EntityType, order: Sequence[tuple[str, bool]], values: Sequence[Any]) -> Q:
    """The entities behind those values in the order."""
    steps: list[Q] = []
    same = Q()
    for (path, descends), value in zip(order, values, strict=True):
        column = kind.properties[path].column
        steps.append(same & Q(**{f"{column}__{'lt' if descends else 'gt'}": value}))
        same &= Q(**{column: value})
    return reduce(lambda one, other: one | other, steps)


def _written(texts: dict[str, str], between: str) -> str:
    return between.join(f"{name}={quote(text, safe=_ESCAPED)}" for name, text in texts.items())
