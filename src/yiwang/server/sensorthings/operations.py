"""Makes, changes and deletes entities, with those that are made inside them; all of a request or nothing."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Model
from django.utils import timezone

from yiwang.core.kernel.instants import to_micros
from yiwang.core.kernel.refusals import Conflict, Unknown
from yiwang.core.kernel.text import Text
from yiwang.server.sensing import api as sensing
from yiwang.server.sensorthings.access import Writer
from yiwang.server.sensorthings.entities import (
    DATASTREAM,
    FEATURE,
    HISTORICAL_LOCATION,
    LOCATION,
    OBSERVATION,
    THING,
    TYPES,
    EntityType,
    Link,
)
from yiwang.server.sensorthings.patching import as_written, patched
from yiwang.server.sensorthings.paths import rows_of
from yiwang.server.sensorthings.taking import (
    Body,
    as_object,
    check_names,
    check_required,
    columns_of,
    observation_of,
    place_columns,
    wrong,
)

Given = dict[str, list[int]]  # link → ids of the entities at its other end
_DEEPEST = 6  # entities within each other


class Operations:
    """Writes for one caller.

    Attributes:
        writer: Who.
    """

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self._now = timezone.now()
        self._features: dict[int, int | None] = {}  # datastream → the feature of its thing's place
        self._city_of: dict[tuple[str, int], str] = {}

    # --- make -----------------------------------------------------------------------------------------------------

    @transaction.atomic
    def create(self, kind: EntityType, body: Any, *, given: Given | None = None) -> int:
        """Make an entity, and those inside it; its id.

        Args:
            body: As the client sent it.
            given: What the path says of its links.

        Raises:
            BadInput: A property cannot be taken.
            NotAllowed: It is not of a city of the caller.
            Conflict: There is another of its key.
        """
        try:
            with transaction.atomic():
                return self._create(kind, as_object(body), dict(given or {}), "", 0)
        except IntegrityError:
            raise Conflict(
                Text("这个 key 在本市已经用过。", "This key is taken in the city."), field="properties.key"
            ) from None

    def _create(self, kind: EntityType, body: Body, given: Given, city: str, depth: int) -> int:
        if depth > _DEEPEST:
            raise wrong(kind.name, "嵌套超过 {most} 层。", "It is nested more than {most} levels deep.", most=_DEEPEST)
        check_names(kind, body)
        check_required(kind, body)
        city = self._city(kind, body, given, city)
        self.writer.check(city)
        one_ended = self._link_ends(kind, body, given, city, depth)
        if kind is OBSERVATION:
            return self._observe(self._reading(body, given, to_micros(self._now)))
        needed = [name for name in one_ended if not given.get(name)]
        if needed:
            raise wrong(
                needed[0],
                "{entity} 要有 {name}。",
                "{entity} needs its {name}.",
                entity=kind.name,
                name=needed[0],
                hint=Text('如 "{name}": {{"@iot.id": 1}}。', 'For example "{name}": {{"@iot.id": 1}}.', name=needed[0]),
            )
        columns = columns_of(kind, body, city=city)
        columns.update(place_columns(kind, columns, str(body.get("encodingType", "")), city=city))
        columns.update({f"{one_ended[name].field}_id": given[name][0] for name in one_ended})
        if kind.city == "city":
            columns["city"] = city
        row = kind.model._default_manager.create(**columns)
        if kind is DATASTREAM:
            sensing.DatastreamState.objects.create(datastream_id=row.pk)
        sensing.note(kind.name, [row.pk])
        self._fill(kind, row, body, given, city, depth)
        return int(row.pk)

    def _link_ends(self, kind: EntityType, body: Body, given: Given, city: str, depth: int) -> dict[str, Link]:
        """Put the other ends of the links that lead to one entity among the given ones; the links."""
        one_ended = {name: link for name, link in kind.links.items() if not link.many}
        for name in one_ended:
            if name not in given and body.get(name) is not None:
                given[name] = [self._linked(kind.links[name], body[name], city, depth)]
        return one_ended

    def _fill(self, kind: EntityType, row: Model, body: Body, given: Given, city: str, depth: int) -> None:
        """What hangs on an entity that was just made."""
        for name, link in kind.links.items():
            if not link.many:
                continue
            entries = body.get(name) or []
            if not isinstance(entries, list):
                raise wrong(name, "这里要一个列表。", "A list is needed here.")
            owned = not TYPES[link.target].links[_back_name(kind, link)].many
            if owned:
                for entry in entries:
                    self._create(
                        TYPES[link.target], as_object(entry, name), {_back_name(kind, link): [row.pk]}, city, depth + 1
                    )
                continue
            ids = [*given.get(name, []), *(self._linked(link, entry, city, depth) for entry in entries)]
            if ids:
                self._connect(kind, link, row, ids)
        if kind is HISTORICAL_LOCATION:
            self._follow(row)

    def _connect(self, kind: EntityType, link: Link, row: Model, ids: list[int]) -> None:
        """Things stand at locations: what changes where a thing is, its history keeps."""
        if kind is THING:
            self._move(row.pk, ids)
        elif kind is LOCATION and link.target == THING.name:
            for pk in ids:
                self._move(pk, [row.pk])
        else:
            getattr(row, link.field).add(*ids)

    def _move(self, thing: int, locations: list[int]) -> None:
        found = sensing.Thing.objects.get(pk=thing)
        found.locations.set(locations)
        made = sensing.HistoricalLocation.objects.create(thing=found, time=self._now)
        made.locations.set(locations)
        sensing.note(HISTORICAL_LOCATION.name, [made.pk])
        sensing.note(THING.name, [thing])

    @staticmethod
    def _follow(row: Any) -> None:
        """A thing is where the latest entry of its history says."""
        later = sensing.HistoricalLocation.objects.filter(thing=row.thing_id, time__gt=row.time)
        if not later.exists() and (ids := list(row.locations.values_list("pk", flat=True))):
            row.thing.locations.set(ids)
            sensing.note(THING.name, [row.thing_id])

    def _city(self, kind: EntityType, body: Body, given: Given, city: str) -> str:
        """Of which city an entity is: the one it names, that of what it hangs on, or the one city of the caller."""
        properties = body.get("properties")
        named = properties.get("city") if isinstance(properties, dict) and kind.city == "city" else None
        if named is not None and not isinstance(named, str):
            raise wrong("properties.city", "这里要城市的代码。", "The id of a city is needed here.")
        for name, ids in given.items():
            target = TYPES[kind.links[name].target]
            city = city or self._known_city(target, ids[0])
        for name, link in kind.links.items():
            entry = body.get(name)
            if not city and not link.many and isinstance(entry, dict) and "@iot.id" in entry:
                target = TYPES[link.target]
                city = self._known_city(target, self._reference(link, entry))
        if named and city and named != city:
            raise wrong(
                "properties.city",
                "“{named}”与所属实体的城市“{city}”不同。",
                "{named!r} is not {city!r}, the city of what it belongs to.",
                named=named[:40],
                city=city,
            )
        return named or city or self.writer.only_city()

    def _linked(self, link: Link, entry: Any, city: str, depth: int) -> int:
        """Id of the entity that a link names, or that is made for it."""
        entry = as_object(entry, link.name)
        if "@iot.id" not in entry:
            return self._create(TYPES[link.target], entry, {}, city, depth + 1)
        target = TYPES[link.target]
        pk = self._reference(link, entry)
        of = self._known_city(target, pk)
        if of != city:
            raise wrong(
                link.name,
                "{name}({id}) 属于另一个城市“{of}”。",
                "{name}({id}) is of another city, {of!r}.",
                name=target.plural,
                id=pk,
                of=of,
            )
        return pk

    def _known_city(self, kind: EntityType, pk: int) -> str:
        """The city of an entity that there is."""
        key = (kind.name, pk)
        if key not in self._city_of:
            self._city_of[key] = str(kind.model._default_manager.filter(pk=pk).values_list(kind.city, flat=True)[0])
        return self._city_of[key]

    def _reference(self, link: Link, entry: Body) -> int:
        pk, target = entry.get("@iot.id"), TYPES[link.target]
        whole = isinstance(pk, int) and not isinstance(pk, bool) and 0 < pk < 2**63
        known = (target.name, pk) in self._city_of if whole else False
        if not whole or not (known or rows_of(target).filter(pk=pk).exists()):
            raise wrong(
                link.name, "没有 {name}({id})。", "There is no {name}({id}).", name=target.plural, id=str(pk)[:40]
            )
        assert isinstance(pk, int)
        return pk

    def reading(self, body: Any, *, given: Given, now: int) -> sensing.Reading:
        """An observation that is still to be written; a feature of interest inside it is made.

        Args:
            body: As the client sent it.
            given: What the path says of its links.
            now: Its time where it says none, in microseconds.

        Raises:
            BadInput: A property cannot be taken.
            NotAllowed: It is not of a city of the caller.
        """
        body, given = as_object(body), dict(given)
        check_names(OBSERVATION, body)
        check_required(OBSERVATION, body)
        city = self._city(OBSERVATION, body, given, "")
        self.writer.check(city)
        self._link_ends(OBSERVATION, body, given, city, 0)
        return self._reading(body, given, now)

    def _reading(self, body: Body, given: Given, now: int) -> sensing.Reading:
        if not given.get("Datastream"):
            hint = Text('如 "Datastream": {{"@iot.id": 1}}。', 'For example "Datastream": {{"@iot.id": 1}}.')
            raise wrong("Datastream", "观测要有 Datastream。", "An observation needs its Datastream.", hint=hint)
        columns = observation_of({"phenomenonTime": None, **body}, now=now)
        stream = given["Datastream"][0]
        if given.get("FeatureOfInterest"):
            feature: int | None = given["FeatureOfInterest"][0]
        else:
            if stream not in self._features:
                self._features[stream] = feature_of(stream)
            feature = self._features[stream]
        return sensing.Reading(
            datastream=stream,
            time=columns["phenomenon_time"],
            end=columns["phenomenon_end"],
            value=columns["value"],
            result=columns["result"],
            result_time=columns.get("result_time"),
            feature=feature,
            more=columns.get("more"),
        )

    def _observe(self, reading: sensing.Reading) -> int:
        key = (reading.datastream, reading.time)
        sensing.write_observations([reading], received=to_micros(self._now))
        return sensing.observation_ids([key])[key]

    # --- change ---------------------------------------------------------------------------------------------------

    @transaction.atomic
    def change(self, kind: EntityType, pk: int, body: Any, *, whole: bool = False) -> None:
        """Change an entity: what is given; or, ``whole``, all of it, so that what is not given becomes empty.

        Raises:
            BadInput: A property cannot be taken.
            NotAllowed: It is not of a city of the caller.
        """
        body = as_object(body)
        check_names(kind, body)
        row: Any = kind.model._default_manager.select_for_update(of=("self",)).get(pk=pk)
        city = str(kind.model._default_manager.filter(pk=pk).values_list(kind.city, flat=True)[0])
        self.writer.check(city)
        if whole:
            check_required(kind, body)
            empty = {name: None for name, one in kind.properties.items() if not one.required and name != "id"}
            body = {**empty, **body}
            if kind is OBSERVATION and body["phenomenonTime"] is None:
                del body["phenomenonTime"]  # the moment is what tells one observation from another
        self._stays(body, city)
        inner = [
            name
            for name, link in kind.links.items()
            if isinstance(body.get(name), dict | list) and not _only_references(body[name])
        ]
        if inner:
            raise wrong(
                inner[0],
                '修改时只能引用已有实体，如 {{"@iot.id": 1}}。',
                'A change may only refer to entities that there are, such as {{"@iot.id": 1}}.',
            )
        linked = {
            f"{link.field}_id": self._linked(link, body[name], city, 0)
            for name, link in kind.links.items()
            if not link.many and body.get(name) is not None
        }
        if kind is OBSERVATION:
            columns = {**observation_of(body, now=to_micros(self._now)), **linked}
            if "more" in columns and not whole:
                columns["more"] = {**(row.more or {}), **(columns["more"] or {})}
            sensing.change_observation(pk, columns)
            return
        columns = columns_of(kind, body, city=city)
        encoding = str(body.get("encodingType") or getattr(row, "encoding", ""))
        if kind in (LOCATION, FEATURE):
            columns.update(place_columns(kind, columns, encoding, city=city))
        for name, value in {**columns, **linked}.items():
            setattr(row, name, value)
        try:
            with transaction.atomic():
                row.save()
        except IntegrityError:
            raise Conflict(
                Text("这个 key 在本市已经用过。", "This key is taken in the city."), field="properties.key"
            ) from None
        for name, link in kind.links.items():
            if link.many and isinstance(body.get(name), list) and TYPES[link.target].links[_back_name(kind, link)].many:
                ids = [self._linked(link, entry, city, 0) for entry in body[name]]
                if kind is HISTORICAL_LOCATION:
                    row.locations.set(ids)
                elif ids:
                    self._connect(kind, link, row, ids)
        sensing.note(kind.name, [pk])
        if kind is HISTORICAL_LOCATION:
            self._follow(row)

    @transaction.atomic
    def patch(self, kind: EntityType, pk: int, operations: Any) -> None:
        """Change an entity by the operations of a JSON Patch, all of them or none.

        Raises:
            BadInput: One of them cannot be done, or what comes of them cannot be taken.
            Conflict: A ``test`` does not hold.
            NotAllowed: It is not of a city of the caller.
        """
        rows = kind.model._default_manager.filter(pk=pk)
        rows.select_for_update(of=("self",)).get()
        self.change(kind, pk, patched(as_written(kind, rows.values_list(*kind.columns)[0]), operations), whole=True)

    @staticmethod
    def _stays(body: Body, city: str) -> None:
        properties = body.get("properties")
        named = properties.get("city", city) if isinstance(properties, dict) else city
        if named != city:
            raise wrong(
                "properties.city",
                "实体不能移到另一个城市。",
                "An entity stays in its city, {city!r}.",
                city=city,
            )

    # --- delete ---------------------------------------------------------------------------------------------------

    @transaction.atomic
    def delete(self, kind: EntityType, pk: int) -> None:
        """Delete an entity with what cannot be without it, as the standard says.

        Raises:
            NotAllowed: It is not of a city of the caller.
        """
        rows = kind.model._default_manager.filter(pk=pk)
        city = rows.values_list(kind.city, flat=True).first()
        if city is None:
            raise Unknown(Text("没有 {name}({id})。", "There is no {name}({id}).", name=kind.plural, id=pk))
        self.writer.check(str(city))
        if kind is OBSERVATION:
            sensing.delete_observations(pk=pk)
            return
        if kind is FEATURE:
            sensing.delete_observations(feature=pk)
        if kind is LOCATION:
            sensing.HistoricalLocation.objects.filter(locations=pk).delete()
        rows.delete()


def feature_of(datastream: int) -> int | None:
    """The feature of interest of the place of a datastream's thing, made once for each location; None without a place."""
    location = (
        sensing.Location.objects.filter(things__datastreams=datastream)
        .order_by("id")
        .select_for_update(of=("self",))
        .first()
    )
    if location is None:
        return None
    found = sensing.FeatureOfInterest.objects.filter(location=location).values_list("pk", flat=True).first()
    if found is not None:
        return found
    made = sensing.FeatureOfInterest.objects.create(
        city=location.city,
        name=location.name,
        description=location.description,
        encoding=location.encoding,
        feature=location.location,
        lon=location.lon,
        lat=location.lat,
        location=location,
    )
    sensing.note(FEATURE.name, [made.pk])
    return made.pk


def _back_name(kind: EntityType, link: Link) -> str:
    """Name of the link that leads back."""
    target = TYPES[link.target]
    return next(one.name for one in target.links.values() if one.target == kind.name)


def _only_references(value: Any) -> bool:
    entries = value if isinstance(value, list) else [value]
    return all(isinstance(one, dict) and "@iot.id" in one for one in entries)
