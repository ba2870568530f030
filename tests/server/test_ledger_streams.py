"""A stream of another app, in a list: sealed, proved, published, and found out when it was tampered with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.core import mail

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text
from yiwang.core.ledger import entry_hash, genesis, leaf_hash, root, verify_consistency, verify_inclusion
from yiwang.server.ledger import api, streams
from yiwang.server.ledger.models import Leaf, Node, Publication, Seal

pytestmark = pytest.mark.django_db
NAME = "meters"
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # nine o'clock in the toy city
Row = tuple[datetime, int, bytes]


@dataclass
class Meters:
    """Readings of meters, by city."""

    rows: dict[str, list[Row]] = field(default_factory=dict)

    def read(self, at: datetime, value: float, *, city: str = "mini") -> int:
        """Write down a reading; its key."""
        rows = self.rows.setdefault(city, [])
        before = rows[-1][2] if rows else genesis(stream=NAME, chain=city)
        rows.append((at, len(rows) + 1, entry_hash(stream=NAME, entry={"at": at, "value": value}, previous=before)))
        return len(rows)

    def entries(self, *, city: str, after: int, end: datetime) -> Iterator[Row]:
        yield from sorted(row for row in self.rows.get(city, []) if row[1] > after and row[0] < end)

    def lookup(self, *, city: str, keys: Sequence[int]) -> Mapping[int, tuple[datetime, bytes]]:
        return {key: (at, digest) for at, key, digest in self.rows.get(city, []) if key in keys}

    def seen(self, *, city: str, after: int, end: datetime) -> int:
        later = [key for at, key, _ in self.rows.get(city, []) if key > after and at >= end]
        return min(later) - 1 if later else max((key for _, key, _ in self.rows.get(city, [])), default=0)


@pytest.fixture
def meters(mini: str, monkeypatch: pytest.MonkeyPatch) -> Meters:
    made = Meters()
    monkeypatch.setattr(streams, "_registered", {})
    monkeypatch.setattr(streams, "_brought", dict)
    title = Text("表具读数", "readings of meters")
    api.register(api.Stream(name=NAME, title=title, entries=made.entries, lookup=made.lookup, seen=made.seen))
    return made


def filled(meters: Meters, *, days: int = 3, of_a_day: int = 2) -> None:
    for index in range(days * of_a_day):
        day, nth = divmod(index, of_a_day)
        meters.read(START + timedelta(days=day, minutes=nth), index)


def seal(days: int) -> list[Seal]:
    return api.seal_days(stream=NAME, city="mini", at=START + timedelta(days=days))


def kinds(roots: dict[date, str] | None = None) -> list[str]:
    return [fault.kind for fault in api.check(stream=NAME, city="mini", roots=roots).faults]


def test_days_are_sealed_and_each_once(meters: Meters) -> None:
    filled(meters)
    assert [(seal.day, seal.first, seal.size) for seal in seal(3)] == [
        (date(2026, 3, 2), 0, 2), (date(2026, 3, 3), 2, 4), (date(2026, 3, 4), 4, 6)
    ]  # fmt: skip
    assert seal(3) == []
    assert bytes(Seal.objects.get(size=6).root) == root(leaf_hash(digest) for *_, digest in meters.rows["mini"])
    assert list(Leaf.objects.order_by("position").values_list("stream", "city", "position", "key")) == [
        (NAME, "mini", key - 1, key) for key in range(1, 7)
    ]
    assert (kinds(), api.size(NAME, "mini")) == ([], 6)


def test_a_late_entry_comes_with_the_next_seal_and_what_is_settled_is_not_read_again(meters: Meters) -> None:
    for day in range(6):
        meters.read(START + timedelta(days=day), day)
        seal(day + 1)
    late = meters.read(START, 99)
    assert api.settled_key(stream=NAME, city="mini") == 5
    meters.read(START + timedelta(days=6), 6)
    assert [(one.day, one.size) for one in seal(7)] == [(date(2026, 3, 8), 8)]
    assert api.positions(stream=NAME, city="mini", keys=[1, late, 77]) == {1: 0, late: 6}
    assert kinds() == []


def test_cities_and_streams_have_logs_of_their_own(meters: Meters, report: Any) -> None:
    other = Meters()
    api.register(
        api.Stream(
            name="other", title=Text("其他", "other"), entries=other.entries, lookup=other.lookup, seen=other.seen
        )
    )
    other.read(START, 5)
    filled(meters, days=1)
    seal(1)
    api.seal_days(stream="other", city="mini", at=START + timedelta(days=1))
    assert {(one.stream, one.size) for one in Seal.objects.all()} == {(NAME, 2), ("other", 1)}
    assert api.positions(stream="other", city="mini", keys=[1, 2]) == {1: 0}
    assert sorted(api.check_others(city="mini", known={NAME})) == ["other"]


def test_a_proof_convinces_whoever_has_only_the_roots(meters: Meters) -> None:
    filled(meters, days=5, of_a_day=70)  # more than the 256 entries of a kept node
    seals = seal(5)
    assert Node.objects.filter(stream=NAME).count() == 1
    for key in (1, 70, 71, 256, 257, 350):
        proof = api.prove(stream=NAME, city="mini", key=key)
        assert proof is not None
        assert proof["verified"]
        sealed = next(one for one in seals if one.size >= key)
        path = [bytes.fromhex(step) for step in proof["proof"]]
        leaf = leaf_hash(meters.rows["mini"][key - 1][2])
        shows = partial(verify_inclusion, index=key - 1, size=sealed.size, proof=path, root=bytes(sealed.root))
        assert shows(leaf=leaf)
        assert not shows(leaf=leaf_hash(bytes(32)))
        assert verify_consistency(
            old_size=sealed.size, new_size=350, old_root=bytes(sealed.root), new_root=bytes(seals[-1].root),
            proof=[bytes.fromhex(step) for step in proof["consistency"]],
        )  # fmt: skip
    meters.read(START + timedelta(days=5), 0)
    assert api.prove(stream=NAME, city="mini", key=351) is None


def test_the_root_of_a_day_is_the_last_before_it(meters: Meters) -> None:
    filled(meters, days=1)
    seal(1)
    told = api.day_root(stream=NAME, city="mini", day=date(2026, 3, 9))
    assert (told["stream"], told["sealed_day"], told["size"]) == (NAME, "2026-03-02", 2)
    with pytest.raises(BadInput, match="was sealed by"):
        api.day_root(stream=NAME, city="mini", day=date(2026, 3, 1))
    with pytest.raises(BadInput, match="no stream"):
        api.day_root(stream="nothing", city="mini", day=date(2026, 3, 9))


def _altered(rows: list[Row]) -> None:
    rows[1] = (rows[1][0], rows[1][1], bytes(32))


def _swapped(rows: list[Row]) -> None:
    rows[0], rows[1] = (*rows[0][:2], rows[1][2]), (*rows[1][:2], rows[0][2])


def _moved(rows: list[Row]) -> None:
    rows[5] = (rows[5][0] + timedelta(days=1), *rows[5][1:])


TAMPERED = {
    "altered": (_altered, "root", "history was rewritten"),
    "swapped": (_swapped, "root", "The root of 2026-03-02"),
    "gone": (lambda rows: rows.pop(3), "missing", "position 3"),
    "newest gone": (lambda rows: rows.pop(), "missing", "position 5"),
    "moment": (_moved, "seal", "it is of 2026-03-05"),
    "place in the log gone": (lambda rows: Leaf.objects.filter(position=2).delete(), "missing", "position 2"),
    "last place gone": (lambda rows: Leaf.objects.filter(position=5).delete(), "missing", "position 5"),
    "another entry in its place": (lambda rows: Leaf.objects.filter(position=5).update(key=77), "missing", "position 5"),
    "seal gone": (lambda rows: Seal.objects.filter(size=6).delete(), "seal", "2 entries are in the log"),
    "seal in between gone": (lambda rows: Seal.objects.filter(size=4).delete(), "root", "begins at 4"),
    "day": (lambda rows: Seal.objects.filter(size=6).update(day=date(2026, 3, 9)), "seal", "it is of 2026-03-04"),
}  # fmt: skip


@pytest.mark.parametrize("how", TAMPERED)
def test_tampering_is_found(meters: Meters, how: str) -> None:
    filled(meters)
    seal(3)
    assert kinds() == []
    tamper, kind, words = TAMPERED[how]
    tamper(meters.rows["mini"])
    faults = [fault for fault in api.check(stream=NAME, city="mini").faults if fault.kind == kind]
    assert any(words in fault.sentence for fault in faults), faults


@pytest.mark.parametrize("how", ["altered", "gone"])
def test_nothing_is_sealed_on_top_of_what_was_tampered_with(meters: Meters, how: str) -> None:
    filled(meters)
    seal(3)
    TAMPERED[how][0](meters.rows["mini"])
    meters.rows["mini"].append((START + timedelta(days=3), 7, bytes(32)))
    with pytest.raises(api.LogMismatch, match="not the one sealed on 2026-03-04"):
        seal(4)
    assert Seal.objects.count() == 3


def test_a_proof_from_a_log_with_a_gap_is_refused(meters: Meters) -> None:
    filled(meters)
    seal(3)
    meters.rows["mini"].pop(3)
    for key in (1, 4):
        with pytest.raises(api.LogMismatch, match="position 3"):
            api.prove(stream=NAME, city="mini", key=key)


def test_a_history_rewritten_everywhere_is_found_by_the_published_root_only(meters: Meters) -> None:
    filled(meters)
    published = {one.day: bytes(one.root).hex() for one in seal(3)}
    assert kinds(published) == []
    for model in (Publication, Seal, Leaf):
        model.objects.all().delete()
    _altered(meters.rows["mini"])
    seal(3)
    assert kinds() == []
    assert set(kinds(published)) == {"published"}


def test_kept_nodes_are_made_anew(meters: Meters) -> None:
    filled(meters, days=1, of_a_day=300)
    seal(1)
    Node.objects.update(hash=bytes(32))
    assert kinds() == ["node"]
    assert api.renew_nodes(stream=NAME, city="mini", dry_run=True)[1] == 1
    assert kinds() == ["node"], "a dry run changes nothing"
    assert api.renew_nodes(stream=NAME, city="mini")[1] == 1
    assert kinds() == []


def test_its_root_is_published_beside_those_of_other_streams(meters: Meters, settings: Any, tmp_path: Path) -> None:
    settings.YIWANG_HOME, settings.YIWANG_PUBLISH_ROOTS = tmp_path, ["file", "mailto:archive@example.org"]
    other = Meters()
    api.register(
        api.Stream(
            name="other", title=Text("其他", "other"), entries=other.entries, lookup=other.lookup, seen=other.seen
        )
    )
    other.read(START, 5)
    filled(meters)
    seals = {NAME: seal(3)[-1], "other": api.seal_days(stream="other", city="mini", at=START + timedelta(days=3))[-1]}
    assert api.publish() == 4, "the root of one stream takes the place of no other's"
    lines = [f"mini {name} {one.day} {one.size} {bytes(one.root).hex()}" for name, one in seals.items()]
    assert (tmp_path / "roots.txt").read_text().splitlines() == lines
    assert ["readings of meters" in message.body for message in mail.outbox] == [True, False]


def test_the_command_line_checks_every_stream(meters: Meters, tmp_path: Path) -> None:
    from yiwang.cli.main import main

    filled(meters)
    seals, file = seal(3), tmp_path / "roots.txt"
    line = f"mini {NAME} {seals[-1].day} 6 {{}}\n"

    def run(*arguments: Any) -> Any:
        return CliRunner().invoke(main, ["ledger", *map(str, arguments)])

    file.write_text(line.format(bytes(seals[-1].root).hex()))
    good = run("verify", "mini", "--roots", file, "--json")
    assert good.exit_code == 0, good.output
    (told,) = json.loads(good.stdout)["cities"][0]["streams"]
    assert (told["stream"], told["seals"], told["published"]) == (NAME, 3, [{"day": "2026-03-04", "matches": True}])
    file.write_text(line.format("0" * 64))
    wrong = run("verify", "mini", "--roots", file)
    assert wrong.exit_code == 1
    assert f"mini {NAME}: The published root of 2026-03-04 is not this log" in wrong.stdout
    file.write_text(line.replace(NAME, "unheard").format("0" * 64))
    assert "no such stream" in run("verify", "mini", "--roots", file).stdout
    assert f"stream {NAME}" in " ".join(run("root", "mini", "2026-03-04", "--stream", NAME).stdout.split())


def test_a_stream_is_registered_once(meters: Meters) -> None:
    (known,) = api.streams()
    api.register(known)
    assert api.streams() == [known]
    with pytest.raises(ValueError, match="meters"):
        api.register(
            api.Stream(name=NAME, title=Text("", ""), entries=meters.entries, lookup=meters.lookup, seen=meters.seen)
        )
