"""The registry of devices: what is refused, passwords, files of many, and the commands."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.contrib.auth import hashers
from tests.server.sensing_city import at

from yiwang.cli.main import main
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.instants import to_micros
from yiwang.core.kernel.refusals import Unknown
from yiwang.server.cities.queries import CityRuntime, runtime
from yiwang.server.sensing.api import (
    Device,
    DeviceSaid,
    Imported,
    Message,
    Thing,
    add_device,
    change_device,
    check_device,
    device_of,
    device_silences,
    import_devices,
    take_messages,
)

pytestmark = pytest.mark.django_db
EUI = "A81758FFFE04D1C2"


@pytest.fixture
def place(mini: str) -> CityRuntime:
    Thing.objects.create(city="mini", key="tunnel-1", name="tunnel", component="C-7")
    return runtime("mini")


def test_a_device_is_at_a_thing_or_at_a_component(place: CityRuntime) -> None:
    made = add_device(place, DeviceSaid(key="p1", thing="tunnel-1", adapter="well", silence_after=60))
    assert (made.thing.key, made.secret, made.enabled) == ("tunnel-1", "", True)
    assert made.silent_at == made.added + timedelta(seconds=60)
    assert add_device(place, DeviceSaid(key="p2", thing="C-7")).thing.key == "tunnel-1"


def test_an_eui_is_one_however_it_is_written(place: CityRuntime) -> None:
    assert add_device(place, DeviceSaid(key=EUI.lower(), thing="tunnel-1")).key == EUI
    assert device_of("mini", EUI.lower()).key == EUI
    with pytest.raises(BadInput, match="registered already"):
        add_device(place, DeviceSaid(key=EUI, thing="tunnel-1"))


@pytest.mark.parametrize(
    ("change", "column", "reason"),
    [
        ({"key": ""}, "key", "cannot be the key"),
        ({"key": "a/b"}, "key", "without spaces"),
        ({"key": "a" * 101}, "key", "cannot be the key"),
        ({"key": "a\0"}, "key", "cannot be the key"),
        ({"thing": "nowhere"}, "thing", "no thing 'nowhere'"),
        ({"thing": "\0"}, "thing", "no thing"),
        ({"adapter": "wel"}, "adapter", "well"),
        ({"silence_after": 0}, "silence_after", "from 1"),
        ({"silence_after": 10**12}, "silence_after", "from 1"),
        ({"password": "short"}, "password", "8 to 512"),
        ({"name": "n" * 256}, "name", "at most 255"),
    ],
)
def test_what_is_wrong_with_a_device_is_named(
    place: CityRuntime, change: dict[str, Any], column: str, reason: str
) -> None:
    with pytest.raises(BadInput) as caught:
        add_device(place, DeviceSaid(**{"key": "p1", "thing": "tunnel-1"} | change))
    assert [one.column for one in caught.value.problems] == [column]
    assert reason in str(caught.value)
    assert Device.objects.count() == 0


def test_all_faults_are_named_at_once(place: CityRuntime) -> None:
    with pytest.raises(BadInput) as caught:
        add_device(place, DeviceSaid(key="a b", thing="x", adapter="y", password="z"))
    assert {one.column for one in caught.value.problems} == {"key", "thing", "adapter", "password"}


def test_passwords(place: CityRuntime) -> None:
    made = add_device(place, DeviceSaid(key="p1", thing="tunnel-1", password="correct horse"))
    add_device(place, DeviceSaid(key="open", thing="tunnel-1"))
    assert "correct" not in made.secret
    assert check_device("mini", "p1", "correct horse")
    for city, key, password in [
        ("mini", "p1", "wrong horse"), ("mini", "p2", "correct horse"), ("other", "p1", "correct horse"),
        ("mini", "open", ""), ("mini", "p1", ""), ("mini", "p1\0", "correct horse"), ("mini", "p1", "x" * 100_000),
    ]:  # fmt: skip
        assert not check_device(city, key, password)
    change_device(place, "p1", enabled=False)
    assert not check_device("mini", "p1", "correct horse")
    change_device(place, "p1", enabled=True, password="battery staple")
    assert check_device("mini", "p1", "battery staple")


@pytest.mark.parametrize("key", ["p1", "nobody", "open"])
def test_every_wrong_sign_in_hashes_once(place: CityRuntime, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    """Whether a key is known is not to be told by how long the answer takes."""
    add_device(place, DeviceSaid(key="p1", thing="tunnel-1", password="correct horse"))
    add_device(place, DeviceSaid(key="open", thing="tunnel-1"))
    hashed = []
    real = hashers.MD5PasswordHasher.encode

    def counted(self: Any, password: str, salt: str) -> str:
        hashed.append(password)
        return real(self, password, salt)

    monkeypatch.setattr(hashers.MD5PasswordHasher, "encode", counted)
    assert not check_device("mini", key, "wrong horse")
    assert hashed == ["wrong horse"]


def test_a_change_of_the_limit_moves_the_silence(place: CityRuntime) -> None:
    add_device(place, DeviceSaid(key="p1", thing="tunnel-1"))
    take_messages([Message("yiwang/mini/streams/x", b"1", "p1")], received=to_micros(at(0)))
    assert device_silences("mini", at=at(10_000)) == []
    change_device(place, "p1", silence_after=60)
    assert [one.since for one in device_silences("mini", at=at(1))] == [at(1)]
    change_device(place, "p1", silence_after=0)
    assert device_silences("mini", at=at(10_000)) == []


def test_an_unknown_device_cannot_be_changed(place: CityRuntime) -> None:
    with pytest.raises(Unknown, match="'p9' is not registered"):
        change_device(place, "p9", enabled=False)
    add_device(place, DeviceSaid(key="p1", thing="tunnel-1"))
    with pytest.raises(BadInput, match="no adapter 'x'"):
        change_device(place, "p1", adapter="x")
    with pytest.raises(BadInput, match="no thing 'x'"):
        change_device(place, "p1", thing="x")


# --- many from a file -----------------------------------------------------------------------------------------------------


@pytest.fixture
def bring(place: CityRuntime, tmp_path: Path) -> Callable[[str], Imported]:
    def bring(text: str) -> Imported:
        file = tmp_path / "devices.csv"
        file.write_text(text, encoding="utf-8")
        return import_devices(place, file)

    return bring


def told(done: Imported) -> tuple[int, int, int, int]:
    return done.new, done.changed, done.same, done.refused


def test_a_file_may_be_given_again(bring: Callable[[str], Imported]) -> None:
    text = "key,thing,adapter,silence_after,password\np1,tunnel-1,well,60,correct horse\np2,C-7,,,\n"
    assert told(bring(text)) == (2, 0, 0, 0)
    secret = Device.objects.get(key="p1").secret
    assert told(bring(text)) == (0, 0, 2, 0)
    assert Device.objects.get(key="p1").secret == secret
    assert told(bring(text.replace("60", "90"))) == (0, 1, 1, 0)
    assert told(bring("key,thing\np1,tunnel-1\n")) == (0, 0, 1, 0)  # says nothing of the rest
    row = Device.objects.get(key="p1")
    assert (row.adapter, row.silence_after, row.secret) == ("well", 90, secret)


def test_faults_are_told_by_row_and_the_other_rows_are_taken(bring: Callable[[str], Imported]) -> None:
    done = bring("key,thing,silence_after\np1,tunnel-1,1.5\np2,nowhere,\np3,tunnel-1,60\np3,tunnel-1,\np4\n")
    assert told(done) == (1, 0, 0, 4)
    assert [(one.row, one.column) for one in done.problems] == [(2, "silence_after"), (3, "thing"), (5, "key"), (6, "")]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("key\np1\n", "thing is missing"),
        ("key,thing,colour\n", "'colour' is not known"),
        ("key,key,thing\n", "more than once"),
    ],
)
def test_a_file_with_other_columns_is_refused(bring: Callable[[str], Imported], text: str, reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        bring(text)


# --- commands -------------------------------------------------------------------------------------------------------------


def run(*said: str, given: str | None = None, fails: bool = False) -> Any:
    result = CliRunner().invoke(main, ["sensing", *said, *([] if fails else ["--json"])], input=given)
    assert (result.exit_code != 0) is fails, result.output
    return result.output if fails else json.loads(result.output)


def test_the_commands(place: CityRuntime, tmp_path: Path) -> None:
    made = run("device", "mini", "add", "p1", "--thing", "tunnel-1", "--silence-after", "60", "--password-stdin",
               given="correct horse\n")  # fmt: skip
    assert (made["device"], made["thing"], made["silence_after"], made["password"]) == ("p1", "tunnel-1", 60, True)
    assert check_device("mini", "p1", "correct horse")
    assert "no password" in run("device", "mini", "change", "p1", "--password-stdin", given="", fails=True)
    assert run("device", "mini", "change", "p1", "--adapter", "well")["adapter"] == "well"
    assert run("device", "disable", "mini", "p1")["enabled"] is False
    assert run("devices", "mini")[0]["enabled"] is False
    assert run("device", "mini", "enable", "p1")["enabled"] is True
    assert "is not registered" in run("device", "mini", "disable", "p9", fails=True)
    Device.objects.update(silent_at=at(-60))
    assert [(one["device"], one["silent_since"]) for one in run("devices", "mini", "--silent")] == [
        ("p1", at(-60).isoformat())
    ]
    file = tmp_path / "d.csv"
    file.write_text("key,thing\np2,tunnel-1\np3,x\n", encoding="utf-8")
    done = run("device", "mini", "import", str(file))
    assert (done["new"], done["refused"], done["problems"][0]["row"]) == (1, 1, 3)
    take_messages([Message("yiwang/mini/well/p9", b"{}")], received=to_micros(at(0)))
    assert [(one["topic"], one["count"]) for one in run("rejected", "mini")] == [("yiwang/mini/well/p9", 1)]


@pytest.mark.parametrize("command", [["devices", "mini"], ["rejected", "mini"]])
def test_the_tables_for_people(place: CityRuntime, command: list[str]) -> None:
    add_device(place, DeviceSaid(key="p1", thing="tunnel-1"))
    take_messages([Message("yiwang/mini/well/p1", b"{", "p1")], received=to_micros(at(0)))
    shown = CliRunner().invoke(main, ["sensing", *command])
    assert shown.exit_code == 0
    assert "p1" in shown.output
