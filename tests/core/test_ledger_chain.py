"""The chain of a case: hashes, and naming what was done to a history."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from yiwang.core.cases.events import Event
from yiwang.core.cases.ledger import EVENT_FIELDS, event_hash, event_record, genesis, verify_chain
from yiwang.core.kernel.errors import BadInput
from yiwang.core.ledger import chain

NUMBER = "WX2026112000001"


def history(length: int, *, number: str = NUMBER) -> tuple[list[dict[str, Any]], list[bytes]]:
    events, hashes, previous = [], [], genesis(number)
    for seq in range(1, length + 1):
        event: dict[str, Any] = dict.fromkeys(EVENT_FIELDS, "")
        event |= {"number": number, "seq": seq, "at": datetime(2026, 11, 20, 8, tzinfo=UTC) + timedelta(minutes=seq)}
        event |= {"verb": f"verb-{seq}", "payload": {"note": "井盖", "lon": 120.3, "nothing": None}}
        previous = event_hash(event=event, previous=previous)
        events.append(event)
        hashes.append(previous)
    return events, hashes


def check(events: list[dict[str, Any]], hashes: list[bytes], *, head: bytes, size: int) -> tuple[str, int] | None:
    fault = verify_chain(number=NUMBER, events=events, hashes=hashes, head_hash=head, head_seq=size)
    assert fault is None or str(fault.seq) in fault.sentence
    return None if fault is None else (fault.kind, fault.seq)


# --- hashes -----------------------------------------------------------------------------------------------------------


def test_hash_is_the_documented_one() -> None:
    previous = genesis("A1")
    assert previous == sha256(b"yiwang-chain-v2\0cases\0A1").digest()
    assert (
        event_hash(event={"seq": 1}, previous=previous)
        == sha256(b"yiwang-entry-v2\0cases\0" + previous + b'{"seq":1}').digest()
    )


def test_no_stream_can_show_an_entry_of_another() -> None:
    """Nor can a longer name take bytes from what comes after it."""
    previous = genesis("A1")
    names = ("cases", "case", "passes")
    assert len({chain.genesis(stream=name, chain="A1") for name in names}) == 3
    assert len({chain.entry_hash(stream=name, entry={"seq": 1}, previous=previous) for name in names}) == 3


@pytest.mark.parametrize("name", ["", "Cases", "a b", "a\0", "1a", "案卷", "a" * 41, "a\n"])
def test_a_name_that_no_stream_can_have_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="cannot name a stream"):
        chain.genesis(stream=name, chain="A1")
    with pytest.raises(BadInput, match="cannot name a stream"):
        chain.ChainForm(stream=name, key="number")


def test_a_previous_hash_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(BadInput, match="32 bytes"):
        event_hash(event={}, previous=b"short")


def test_every_field_of_an_event_is_hashed() -> None:
    assert [field.name for field in fields(Event)] == list(EVENT_FIELDS)


def test_any_object_with_the_fields_can_be_hashed() -> None:
    events, _ = history(1)
    assert event_record(type("Row", (), {**events[0], "id": 7})()) == events[0]


# --- verification -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [0, 1, 2, 7])
def test_an_untouched_history_is_whole(length: int) -> None:
    events, hashes = history(length)
    assert check(events, hashes, head=hashes[-1] if hashes else genesis(NUMBER), size=length) is None


LENGTH = 6


@pytest.mark.parametrize("place", range(LENGTH))
@pytest.mark.parametrize("field", EVENT_FIELDS)
def test_changing_any_field_of_any_event_is_named(place: int, field: str) -> None:
    events, hashes = history(LENGTH)
    head = hashes[-1]
    if field == "seq":
        events[place]["seq"] = 99
        expected = ("missing", place + 1)
    else:
        events[place][field] = {"note": "else"} if field == "payload" else "else"
        expected = ("altered", place + 1)
    assert check(events, hashes, head=head, size=LENGTH) == expected


@pytest.mark.parametrize("place", range(LENGTH))
def test_changing_a_stored_hash_is_named(place: int) -> None:
    events, hashes = history(LENGTH)
    head = hashes[-1]
    hashes[place] = bytes(32)
    assert check(events, hashes, head=head, size=LENGTH) == ("altered", place + 1)
    assert verify_chain(
        number=NUMBER, events=events, hashes=[None, *hashes[1:]], head_hash=head, head_seq=LENGTH
    ) == verify_chain(number=NUMBER, events=events, hashes=[b"", *hashes[1:]], head_hash=head, head_seq=LENGTH)


@pytest.mark.parametrize("place", range(LENGTH))
def test_an_event_rewritten_with_its_hash_is_noticed_at_the_next_or_at_the_head(place: int) -> None:
    events, hashes = history(LENGTH)
    head = hashes[-1]
    events[place]["reason"] = "else"
    hashes[place] = event_hash(event=events[place], previous=hashes[place - 1] if place else genesis(NUMBER))
    assert check(events, hashes, head=head, size=LENGTH) == ("altered", min(place + 2, LENGTH))


def test_a_history_rewritten_to_its_end_is_noticed_by_the_head() -> None:
    _, hashes = history(3)
    events, other = history(3)
    events[0]["reason"] = "else"
    previous = genesis(NUMBER)
    for i, event in enumerate(events):
        other[i] = previous = event_hash(event=event, previous=previous)
    assert check(events, other, head=hashes[-1], size=3) == ("altered", 3)


@pytest.mark.parametrize("place", range(LENGTH - 1))
def test_a_removed_event_is_missing(place: int) -> None:
    events, hashes = history(LENGTH)
    head = hashes[-1]
    del events[place], hashes[place]
    assert check(events, hashes, head=head, size=LENGTH) == ("missing", place + 1)


@pytest.mark.parametrize("place", range(LENGTH - 2))
def test_a_removed_event_is_missing_though_the_others_were_numbered_anew(place: int) -> None:
    events, hashes = history(LENGTH)
    head = hashes[-1]
    del events[place], hashes[place]
    for i, event in enumerate(events):
        event["seq"] = i + 1
    assert check(events, hashes, head=head, size=LENGTH - 1) == ("missing", place + 1)


@pytest.mark.parametrize("left", range(LENGTH))
def test_events_cut_off_at_the_end_are_truncated(left: int) -> None:
    events, hashes = history(LENGTH)
    assert check(events[:left], hashes[:left], head=hashes[-1], size=LENGTH) == ("truncated", left + 1)


@pytest.mark.parametrize(("first", "second"), [(i, j) for i in range(LENGTH) for j in range(i + 1, LENGTH)])
@pytest.mark.parametrize("anew", [False, True])
def test_two_events_that_changed_places_are_reordered(first: int, second: int, anew: bool) -> None:
    events, hashes = history(LENGTH)
    head = hashes[-1]
    events[first], events[second] = events[second], events[first]
    hashes[first], hashes[second] = hashes[second], hashes[first]
    if anew:
        events[first]["seq"], events[second]["seq"] = first + 1, second + 1
    assert check(events, hashes, head=head, size=LENGTH) == ("reordered", first + 1)


@pytest.mark.parametrize("place", range(LENGTH + 1))
def test_an_event_put_in_is_extra(place: int) -> None:
    events, hashes = history(LENGTH)
    head = hashes[-1]
    events.insert(place, {**events[0], "verb": "slipped in"})
    hashes.insert(place, sha256(b"made up").digest())
    for i, event in enumerate(events):
        event["seq"] = i + 1
    if place < LENGTH:
        assert check(events, hashes, head=head, size=LENGTH + 1) == ("extra", place + 1)
    assert check(events, hashes, head=head, size=LENGTH) == ("extra", place + 1)


def test_a_second_event_of_one_number_is_extra() -> None:
    events, hashes = history(3)
    assert check([*events, events[2]], [*hashes, hashes[2]], head=hashes[2], size=4) == ("extra", 3)


def test_the_history_of_another_case_does_not_pass() -> None:
    events, hashes = history(2, number="OTHER")
    assert check(events, hashes, head=hashes[-1], size=2) == ("altered", 1)


def test_another_stream_has_words_of_its_own() -> None:
    form = chain.ChainForm(stream="passes", key="plate", entry="entry", chain="plate")
    entry = {"plate": "苏B12345", "seq": 1, "gate": "N"}
    digest = chain.entry_hash(stream="passes", entry=entry, previous=chain.genesis(stream="passes", chain="苏B12345"))
    told: dict[str, Any] = {"form": form, "chain": "苏B12345", "hashes": [digest], "head_hash": digest, "head_seq": 1}
    assert chain.verify_chain(entries=[entry], **told) is None
    fault = chain.verify_chain(entries=[{**entry, "gate": "S"}], **told)
    assert fault is not None
    assert (fault.kind, fault.sentence) == ("altered", "Entry 1 or its hash is not what was recorded.")
    cut = chain.verify_chain(entries=[entry], **{**told, "head_seq": 2})
    assert cut is not None
    assert cut.sentence == "Entry 2 and all after it are gone: plate 苏B12345 has 2."
