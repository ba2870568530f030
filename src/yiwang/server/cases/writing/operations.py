"""Writing cases. Each command is one transaction: lock, load, decide, then events with their hashes, row and outbox together.

Nothing that must last hangs on a signal or on_commit. A process killed at any point leaves the case as it was before
the command or as it is after it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from django.db import IntegrityError, connection, transaction

from yiwang.core.cases.decide import advance
from yiwang.core.cases.events import SYSTEM, SYSTEM_ACTOR, Actor, Command, Event
from yiwang.core.cases.fields import ALSO_CALLED, REPORTED, field_values
from yiwang.core.cases.payloads import BY_PEOPLE
from yiwang.core.cases.state import CaseState
from yiwang.core.cases.workflow import Verb
from yiwang.core.kernel.refusals import Missing, NotPossible, Unknown
from yiwang.core.kernel.text import Text
from yiwang.server.cases.models import Case, Outbox, Photo, Report, Tally
from yiwang.server.cases.models import Event as EventRow
from yiwang.server.cases.reading import answers, queries
from yiwang.server.cases.storage import numbering, row_from_events, rows, tallies, words
from yiwang.server.cases.writing import intake, relocating
from yiwang.server.cases.writing.drafts import ReportDraft
from yiwang.server.cities.queries import CityRuntime, NoSuchCity, runtime
from yiwang.server.common import idempotency, sql, throttling
from yiwang.server.common import photos as pictures
from yiwang.server.common.throttling import Caller
from yiwang.server.people.queries import people_at

REPORT_COLUMNS = (
    "case_id", "number", "city", "at", "text", "category", "lon", "lat", "region", "address", "source", "contact",
    "reporter", "origin", "external",
)  # fmt: skip
PHOTO_COLUMNS = ("case_id", "seq", "path", "digest", "width", "height", "at", "taken_at")
OUTBOX_COLUMNS = ("city", "number", "first", "last", "created_at", "attempts", "next_at", "error")
MOST_PARTS = 20
# who can be shown to be the same person again: an account, the holder of a secret link, a simulated citizen
IDENTITIES = ("user:", "follow:", "sim:")


@dataclass(slots=True, kw_only=True)
class Change:
    """What a command does to one case: its row before (None for a new one), the state after, the events."""

    state: CaseState
    events: list[Event]
    row: Mapping[str, Any] | None = None
    flag: str = ""
    head: bytes = b""


# --- reporting ----------------------------------------------------------------------------------------------------


def report(
    *,
    city: str,
    draft: ReportDraft,
    actor: Actor,
    key: str = "",
    at: datetime | None = None,
    caller: Caller | None = None,
    good_photos_only: bool = False,
) -> dict[str, Any]:
    """Take a report: locate, triage, route, open a case, all in one transaction.

    Args:
        city: Id of the city.
        draft: What is reported.
        actor: Who reports.
        key: Idempotency key; empty for none. An account's report without one is kept under a key of our own.
        at: When, for records of the past; now by default.
        caller: From where somebody without an account calls: counted against the limit of reports, and keys of strangers do
            not meet. None for accounts and for our own machinery.
        good_photos_only: Take the good ones of the photos and name the others in the answer, instead of refusing all.

    Returns:
        The answer of ``POST /cities/{city}/reports``.

    Raises:
        BadInput: With every field that is wrong.
        Refusal: `Unknown` without such a city, `NotAllowed`, `KeyReuse`, `TooOften`.
    """
    if caller is not None:
        throttling.slow_reports(caller)
    place = _place(city)
    at = at or datetime.now(UTC)
    if key:
        idempotency.check(key, stranger=idempotency.is_stranger(actor))
    kept, refused = _keep_photos(draft.photos, good_only=good_photos_only)
    scope = idempotency.scope_of(city=city, actor=actor, client=caller.pseudonym if caller else "")
    asked = idempotency.fingerprint({"report": draft.words(), "photos": _digests(kept)}) if key else b""
    if key and (answer := idempotency.stored_answer(scope=scope, key=key, body=asked)):
        return answer
    kept_under = key or idempotency.own_key(actor)
    said = intake.normalize(draft, place=place, at=at)
    where = intake.place_report(draft, place=place)
    numbers = {kind: numbering.next_number(place.info, kind=kind, at=at) for kind in (numbering.CASE, numbering.REPORT)}
    source = said.channel or default_source(actor, place)
    payload = {
        **dict(field_values(said, REPORTED)), **where.fields(), "number": numbers[numbering.CASE], "city": city, "source": source,
        "reporter": actor.id if actor.id.startswith(IDENTITIES) else "",
        "flags": [where.flag] if where.flag else [], "photos": _digests(kept),
    }  # fmt: skip
    if said.priority and SYSTEM in actor.roles:
        payload["priority"] = said.priority
    command = Command(verb=place.rules.workflow.opening().id, actor=actor, payload=payload)
    events, state = advance(None, command, rules=place.rules, calendar=place.calendar, at=at)
    change = Change(state=state, events=events, flag=where.flag)
    answer = answers.report_answer(change.state, events, report=numbers[numbering.REPORT], flag=where.flag, place=place)
    answer |= answers.notice(where, place=place) | refused
    row = (
        numbers[numbering.REPORT], city, at, said.text, said.category, where.lon, where.lat, where.region,
        said.address, source, said.contact, payload["reporter"], said.origin, said.external,
    )  # fmt: skip
    statements = [
        *write_statements([change], place),
        sql.insertion(Report, REPORT_COLUMNS, [(rows.NEW_CASE, *row)]),
        *_photo_statements(change, kept, seq=1, place=place),
    ]
    if kept_under:
        statements.append(idempotency.insert_statement(scope=scope, key=kept_under, body=asked, answer=answer))
    try:
        _commit(statements)
    except IntegrityError:
        # somebody else came first with the same key
        if key and (answer := idempotency.stored_answer(scope=scope, key=key, body=asked) or {}):
            return answer
        raise
    return answer


def default_source(actor: Actor, place: CityRuntime) -> str:
    """The source of a report that names none: the channel of who reports."""
    return place.rules.workflow.channel_of(actor.roles) or "public"


# --- acting -------------------------------------------------------------------------------------------------------


def act(
    *,
    number: str,
    command: Command,
    city: str = "",
    photos: Sequence[Any] = (),
    key: str = "",
    at: datetime | None = None,
    good_photos_only: bool = False,
) -> dict[str, Any]:
    """Do a verb on a case.

    Args:
        number: The case.
        command: The wish; ``expected_seq`` makes it a conflict when somebody acted since.
        city: If given, the case must be of this city.
        photos: Pictures that come with it.
        key: Idempotency key; empty for none. An account's verb without one is kept under a key of our own.
        at: When, for records of the past; now by default.
        good_photos_only: As for :func:`report`.

    Returns:
        The answer of ``POST /cases/{number}/verbs/{verb}``.

    Raises:
        Refusal: Why it cannot be done; the case is as it was.
        BadInput: With every field that is wrong.
    """
    scope = f"{number}:{command.actor.id}"
    asked = b""
    if key:
        idempotency.check(key)
    kept, refused = _keep_photos(photos, good_only=good_photos_only)
    if key:
        body = {
            "verb": command.verb,
            "payload": dict(command.payload),
            "seq": command.expected_seq,
            "photos": _digests(kept),
        }
        asked = idempotency.fingerprint(body)
        if answer := idempotency.stored_answer(scope=scope, key=key, body=asked):
            return answer
    kept_under = key or idempotency.own_key(command.actor)
    place, verb = _case_place(number, command, city=city)
    parts = (
        _part_numbers(verb, command.payload, place, at or datetime.now(UTC)) if verb and verb.effect == "split" else []
    )
    if verb and verb.effect == "merge" and (into := str(command.payload.get("into") or "")):
        meant = queries.case_of(into, city=place.info.id) or into  # a receipt's number means its case
        command = replace(command, payload={**command.payload, "into": meant})
    # the other case's row is locked together with this one, in the order of numbers
    others = [str(command.payload.get("into") or "")] if verb and verb.effect == "merge" else []

    def attempt(*, lock: bool) -> dict[str, Any]:
        found = rows.load([number, *filter(None, others)], lock=lock)
        if number not in found:
            raise _no_case(number)
        if lock and key and (answer := idempotency.stored_answer(scope=scope, key=key, body=asked)):
            return answer  # the same call, at the same time, has been before us
        moment = at or datetime.now(UTC)
        changes = _decide(found, number, command, verb, place, moment, photos=kept, parts=parts)
        statements = write_statements(changes, place) + _photo_statements(
            changes[0], kept, seq=changes[0].events[0].seq, place=place
        )
        answer = answers.verb_answer(changes[0].state, changes[0].events, head=changes[0].head, place=place) | refused
        if kept_under:
            statements.append(idempotency.insert_statement(scope=scope, key=kept_under, body=asked, answer=answer))
        sql.run(statements)
        return answer

    if _one_message_is_a_transaction() and not others and not parts:
        try:
            return attempt(lock=False)
        except IntegrityError:
            pass  # somebody has written the event of that number first: decide again, on what they left, under the lock
    with transaction.atomic():
        return attempt(lock=True)


def _decide(
    found: Mapping[str, Mapping[str, Any]],
    number: str,
    command: Command,
    verb: Verb | None,
    place: CityRuntime,
    at: datetime,
    *,
    photos: Sequence[pictures.StoredPhoto],
    parts: Sequence[str],
) -> list[Change]:
    """The changes that a command makes: to its case first, then to the others that it concerns."""
    row = found[number]
    called = ((ALSO_CALLED.get(name, name), value) for name, value in command.payload.items())
    payload = {name: value for name, value in called if name in BY_PEOPLE}
    if command.actor == SYSTEM_ACTOR:
        payload = dict(command.payload)
    if photos:
        payload["photos"] = _digests(photos)
    if parts:
        payload["numbers"] = list(parts)
    state = rows.state_of(row)
    if payload.get("person"):
        payload["person"] = _person_at(state.holder, str(payload["person"]), place)
    if not relocating.MEANING_A_PLACE.isdisjoint(payload):
        payload = relocating.relocate(payload, state=state, flag=row["flag"], place=place)
    wish = Command(verb=command.verb, actor=command.actor, payload=payload, expected_seq=command.expected_seq)
    changes = [_change(row, state, wish, place, at)]
    if verb is not None and verb.effect == "merge":
        changes.append(_absorb(found, number, str(payload.get("into") or ""), place, at))
    if parts:
        changes += _split(changes[0].state, payload.get("parts") or [], parts, place, at, flag=changes[0].flag)
    return changes


def _person_at(unit: str, said: str, place: CityRuntime) -> str:
    """The id in history of somebody at a unit, named by it or by the name of the account."""
    found = {f"user:{user.pk}": user.username for user in people_at(city=place.info.id, unit=unit)}
    for one, name in found.items():
        if said in {one, name}:
            return one
    raise Unknown(
        Text(
            "承办单位「{unit}」没有这个人：{said}。",
            "Nobody at {unit}, which has the case, is called {said!r}.",
            unit=unit_of.name if (unit_of := place.rules.units.get(unit)) else unit,
            said=said,
        ),
        field="person",
    )


def _change(row: Mapping[str, Any], state: CaseState, command: Command, place: CityRuntime, at: datetime) -> Change:
    events, state = advance(state, command, rules=place.rules, calendar=place.calendar, at=at)
    flag = row_from_events.flag_after(row["flag"], events)
    return Change(state=state, events=events, row=row, flag=flag, head=row["head"])


def _absorb(found: Mapping[str, Mapping[str, Any]], number: str, into: str, place: CityRuntime, at: datetime) -> Change:
    """The other side of a merger."""
    row = found.get(into)
    if row is None or row["city"] != place.info.id:
        raise Unknown(Text("没有编号为 {into} 的案卷。", "There is no case {into!r}.", into=into), field="into")
    if row["merged_into"]:
        raise NotPossible(
            Text(
                "{into} 已并入 {merged_into}，请并入后者。",
                "{into} has been merged into {merged_into}; merge into that one.",
                into=into,
                merged_into=row["merged_into"],
            ),
            field="into",
        )
    verb = next((verb for verb in place.rules.workflow.verbs.values() if verb.effect == "absorb"), None)
    if verb is None:
        raise NotPossible(Text("这个城市的流程不收并入的案卷。", "This city's workflow takes in no merged cases."))
    wish = Command(verb=verb.id, actor=SYSTEM_ACTOR, payload={"number": number})
    return _change(row, rows.state_of(row), wish, place, at)


def _part_numbers(verb: Verb, payload: Mapping[str, Any], place: CityRuntime, at: datetime) -> list[str]:
    parts = payload.get("parts") or []
    if (
        not isinstance(parts, list)
        or not 1 < len(parts) <= MOST_PARTS
        or not all(isinstance(part, Mapping) for part in parts)
    ):
        raise Missing(
            Text(
                "「{verb}」须写明 2 至 {most} 个部分。",
                "“{verb}” needs 2 to {most} parts.",
                verb=verb.name,
                most=MOST_PARTS,
            ),
            field="parts",
        )
    for part in parts:
        draft = ReportDraft(text=str(part.get("text") or ""), category=str(part.get("category") or ""))
        intake.normalize(draft, place=place, at=at)
    return [numbering.next_number(place.info, kind=numbering.CASE, at=at) for _ in parts]


def _split(
    whole: CaseState,
    parts: Sequence[Mapping[str, Any]],
    numbers: Sequence[str],
    place: CityRuntime,
    at: datetime,
    *,
    flag: str,
) -> list[Change]:
    """The new cases that a split makes: at the same place, each with its own words and category."""
    changes = []
    for number, part in zip(numbers, parts, strict=True):
        payload = {
            "number": number, "city": whole.city, "text": intake.clean(part.get("text")) or whole.text,
            "category": intake.clean(part.get("category")) or whole.category, "region": whole.region, "grid": whole.grid,
            "lon": whole.lon, "lat": whole.lat, "address": whole.address, "source": whole.source, "reporter": whole.reporter,
            "part_of": whole.number, "flags": [flag] if flag else [],
        }  # fmt: skip
        command = Command(verb=place.rules.workflow.opening().id, actor=SYSTEM_ACTOR, payload=payload)
        events, state = advance(None, command, rules=place.rules, calendar=place.calendar, at=at)
        changes.append(Change(state=state, events=events, flag=flag))
    return changes


# --- writing ------------------------------------------------------------------------------------------------------


def write_statements(changes: Sequence[Change], place: CityRuntime) -> list[sql.Statement]:
    """What writes rows, events with their hashes and outbox of every case concerned, all of it or nothing."""
    city = place.info.id
    statements: list[sql.Statement] = []
    outbox: list[tuple[Any, ...]] = []
    moved: list[tuple[Any, ...]] = []
    for change in changes:
        digests = rows.hash_chain(change.events, head=change.head if change.row is not None else None)
        change.head = digests[-1]
        values = rows.case_values(change.state, head=change.head, flag=change.flag, place=place)
        if change.row is None:
            statements.append(sql.insertion(Case, rows.CASE_COLUMNS, [values]))
        else:
            statements.append(sql.change(Case, rows.CASE_COLUMNS, values, pk=change.row["id"]))
        case_id = rows.NEW_CASE if change.row is None else change.row["id"]
        written = [
            rows.event_values(event, case_id=case_id, city=city, digest=digest)
            for event, digest in zip(change.events, digests, strict=True)
        ]
        statements.append(sql.insertion(EventRow, rows.EVENT_COLUMNS, written))
        if change.row is not None and (change.row["text"], change.row["address"]) != (
            change.state.text,
            change.state.address,
        ):
            statements.append(
                words.upsert_statement(case_id=change.row["id"], text=change.state.text, address=change.state.address)
            )
        outbox.append(outbox_values(change.events, city=city))
        moved += tallies.moves(change.row, change.state)
    statements.append(sql.insertion(Outbox, OUTBOX_COLUMNS, outbox))
    if moved:
        statements.append(sql.insertion(Tally, tallies.COLUMNS, moved))
    return statements


def _one_message_is_a_transaction() -> bool:
    return connection.vendor == "postgresql" and not connection.in_atomic_block


def _commit(statements: Sequence[sql.Statement]) -> None:
    """Run statements as one transaction."""
    if _one_message_is_a_transaction():
        sql.run(statements)
        return
    with transaction.atomic():
        sql.run(statements)


def outbox_values(events: Sequence[Event], *, city: str) -> tuple[Any, ...]:
    """The outbox row of a command's events, in the order of `OUTBOX_COLUMNS`."""
    now = datetime.now(UTC)
    return (city, events[0].number, events[0].seq, events[-1].seq, now, 0, now, "")


def _keep_photos(files: Sequence[Any], *, good_only: bool) -> tuple[list[pictures.StoredPhoto], dict[str, Any]]:
    """The photos that are taken, and what the answer says of the others."""
    if not good_only:
        return pictures.keep(files) if files else [], {}
    kept, refused = pictures.keep_good(files)
    return kept, {"photos_refused": [asdict(photo) for photo in refused]} if refused else {}


def _digests(kept: Sequence[pictures.StoredPhoto]) -> list[str]:
    return [photo.digest for photo in kept]


def _photo_statements(
    change: Change, kept: Sequence[pictures.StoredPhoto], *, seq: int, place: CityRuntime
) -> list[sql.Statement]:
    if not kept:
        return []
    case_id = rows.NEW_CASE if change.row is None else change.row["id"]
    return [sql.insertion(Photo, PHOTO_COLUMNS, photo_values(kept, case_id=case_id, seq=seq, place=place))]


def photo_values(
    kept: Sequence[pictures.StoredPhoto], *, case_id: Any, seq: int, place: CityRuntime
) -> list[tuple[Any, ...]]:
    """Rows of photos in the order of `PHOTO_COLUMNS`. A camera that names no zone stands in the city's."""
    now, zone = datetime.now(UTC), place.info.zone
    return [
        (case_id, seq, photo.path, photo.digest, photo.width, photo.height, now, pictures.in_zone(photo.taken_at, zone))
        for photo in kept
    ]


# --- finding ------------------------------------------------------------------------------------------------------


def _place(city: str) -> CityRuntime:
    try:
        return runtime(city)
    except NoSuchCity:
        raise Unknown(Text("没有「{city}」这个城市。", "There is no city {city!r}.", city=city), field="city") from None


def _no_case(number: str) -> Unknown:
    return Unknown(Text("没有编号为 {number} 的案卷。", "There is no case {number!r}.", number=number), field="number")


def _case_place(number: str, command: Command, *, city: str) -> tuple[CityRuntime, Verb | None]:
    """The city of a case and the verb; an unknown verb is refused by `decide`, which names it."""
    found = city or queries.city_of(number)
    if not found:
        raise _no_case(number)
    place = _place(found)
    return place, place.rules.workflow.verbs.get(command.verb)
