"""`yiwang ledger`, `yiwang token`, `yiwang rules dry-run` on a city with cases."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from tests.forging import allow_forging

Run = Callable[..., Result]
pytestmark = pytest.mark.django_db


@pytest.fixture
def city(pack_folder: Path, db: None) -> str:
    """The toy city with three cases: two of two days ago, one of today."""
    from tests.outsiders import CITIZEN

    from yiwang.server.cases.storage import numbering
    from yiwang.server.cases.writing import operations
    from yiwang.server.cases.writing.drafts import ReportDraft
    from yiwang.server.cities import queries
    from yiwang.server.provision.operations import install_pack

    queries.forget()
    numbering.forget()
    install_pack(pack_folder)
    now = datetime.now(UTC)
    for category, at in (("02001", now - timedelta(days=2)), ("01001", now - timedelta(days=2)), ("02001", now)):
        draft = ReportDraft(text="垃圾", category=category, lon=120.005, lat=31.005)
        operations.report(city="mini", draft=draft, actor=CITIZEN, at=at)
    return "mini"


def first_number() -> str:
    from yiwang.server.cases.models import Case

    return str(Case.objects.order_by("opened_at", "id").values_list("number", flat=True)[0])


def test_an_unaltered_ledger(run: Run, city: str) -> None:
    result = run("ledger", "verify", city)
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "mini: everything fits" in result.stderr
    assert "6 events are under no root yet" in result.stderr
    assert "compared with no published root" in result.stderr
    assert json.loads(run("ledger", "verify", "--json").stdout)["sound"] is True


def test_an_altered_event_is_named(run: Run, city: str) -> None:
    from yiwang.server.cases.models import Event

    number = first_number()
    with allow_forging():
        Event.objects.filter(case__number=number, seq=1).update(actor_name="nobody")
    result = run("ledger", "verify", city)
    assert result.exit_code == 1
    assert result.stdout.startswith(f"mini {number} event 1: ")
    found = json.loads(run("ledger", "verify", city, "--json").stdout)
    assert found["cities"][0]["faults"][0]["number"] == number


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--root", "2026-11-22"], "no root"),
        (["--root", "2026-11-22=abc"], "64 hexadecimal digits"),
        (["--root", "22/11/2026=" + "0" * 64], "no day"),
        (["--root", f"2026-11-22={'0' * 64}", "--root", f"2026-11-22={'1' * 64}"], "two different roots"),
        (["--roots", "nowhere.txt"], "nowhere.txt"),
    ],
)
def test_a_root_that_is_none_is_a_wrong_call(run: Run, city: str, arguments: list[str], words: str) -> None:
    result = run("ledger", "verify", city, *arguments)
    assert result.exit_code == 2
    assert words in result.stderr.replace("\n", " ")


def test_published_roots_are_compared(run: Run, city: str, tmp_path: Path) -> None:
    from yiwang.server.ledger import api as log
    from yiwang.server.ledger.models import Seal

    log.seal_days(stream="cases", city=city)
    seal = Seal.objects.get()
    root = bytes(seal.root).hex()
    right = run("ledger", "verify", city, "--root", f"{seal.day}={root}")
    assert right.exit_code == 0
    assert f"1 published roots match; the newest binds everything up to {seal.day}" in right.stderr
    assert f"2 events since the seal of {seal.day} are under no root yet" in right.stderr
    wrong = run("ledger", "verify", city, "--root", f"{seal.day}={'0' * 64}", "--json")
    assert wrong.exit_code == 1
    told = json.loads(wrong.stdout)["cities"][0]
    assert told["published"] == [{"day": str(seal.day), "matches": False}]
    assert (told["unsealed"], told["faults"][0]["kind"]) == (2, "published")
    before = run("ledger", "verify", city, "--root", f"2001-01-01={root}")
    assert before.exit_code == 1
    assert "nothing is sealed up to that day" in before.stdout
    file = tmp_path / "roots.txt"
    file.write_text(
        f"# published\nelsewhere cases 2026-01-01 7 {'0' * 64}\n{city} cases {seal.day} {seal.size} {root}\n"
    )
    assert json.loads(run("ledger", "verify", city, "--roots", file, "--json").stdout)["cities"][0]["published"] == [
        {"day": str(seal.day), "matches": True}
    ]
    file.write_text("\n")
    assert "holds no root of mini" in run("ledger", "verify", city, "--roots", file).stderr.replace("\n", " ")


def test_rows_are_rebuilt_from_events(run: Run, city: str) -> None:
    from yiwang.server.cases.models import Case

    number = first_number()
    Case.objects.filter(number=number).update(holder="nobody")
    assert run("ledger", "verify", city).exit_code == 1
    told = json.loads(run("cases", "rebuild", city, "--dry-run", "--json").stdout)
    assert told["cities"][0]["columns"] == {"holder": 1}
    assert run("ledger", "verify", city).exit_code == 1
    done = run("cases", "rebuild", city)
    assert done.exit_code == 0
    assert "1 of 3 rows differed" in done.stderr
    assert run("ledger", "verify", city).exit_code == 0
    assert "0 of 3 rows differed" in run("cases", "rebuild").stderr


def test_roots_and_proofs(run: Run, city: str) -> None:
    from yiwang.server.ledger import api as log

    log.seal_days(stream="cases", city=city)
    day = (datetime.now(UTC) - timedelta(days=1)).date()
    root = json.loads(run("ledger", "root", city, day.isoformat(), "--json").stdout)
    assert len(bytes.fromhex(root["root"])) == 32
    table = run("ledger", "root", city, day.isoformat())
    assert f"root\t{root['root']}" in table.stdout
    proof = json.loads(run("ledger", "prove", first_number(), "--json").stdout)
    assert proof["verified"] is True
    assert proof["newest"]["root"] == root["root"]
    assert run("ledger", "prove", first_number(), "--seq", 1).exit_code == 0
    assert run("ledger", "prove", first_number(), "--seq", 99).exit_code == 1


def test_a_proof_can_be_checked_with_published_roots_alone(run: Run, city: str) -> None:
    from yiwang.core.ledger import leaf_hash, verify_consistency, verify_inclusion
    from yiwang.server.ledger import api as log

    now = datetime.now(UTC)
    log.seal_days(stream="cases", city=city)
    log.seal_days(stream="cases", city=city, at=now + timedelta(days=2))
    proof = json.loads(run("ledger", "prove", first_number(), "--json").stdout)
    old, new = proof["sealed"], proof["newest"]
    assert old["size"] < new["size"]
    roots = bytes.fromhex(old["root"]), bytes.fromhex(new["root"])
    leaf = leaf_hash(bytes.fromhex(proof["event_hash"]))
    path = [bytes.fromhex(step) for step in proof["proof"]]
    assert verify_inclusion(leaf=leaf, index=proof["position"], size=old["size"], proof=path, root=roots[0])
    path = [bytes.fromhex(step) for step in proof["consistency"]]
    assert verify_consistency(
        old_size=old["size"], new_size=new["size"], old_root=roots[0], new_root=roots[1], proof=path
    )


def test_what_cannot_be_proven_fails_with_a_sentence(run: Run, city: str) -> None:
    result = run("ledger", "prove", "MN19990101")
    assert result.exit_code == 1
    assert "There is no case 'MN19990101'" in result.stderr
    assert run("ledger", "prove", first_number()).exit_code == 1


def test_an_unknown_city_is_a_wrong_call_that_names_the_installed_ones(run: Run, city: str) -> None:
    result = run("ledger", "verify", "minni")
    assert result.exit_code == 2
    assert "Installed: mini" in result.stderr


def test_tokens(run: Run, db: None) -> None:
    from yiwang.server.people.models import User
    from yiwang.server.people.queries import user_of_token

    User.objects.create_user("dispatcher")
    result = run("token", "create", "--user", "dispatcher", "--name", "bridge", "--days", 3)
    assert result.exit_code == 0
    text = result.stdout.strip()
    assert user_of_token(text) is not None
    assert "not shown again" in result.stderr
    assert json.loads(run("token", "revoke", "--user", "dispatcher", "--json").stdout)["revoked"] == 1
    assert user_of_token(text) is None


def test_a_token_for_nobody(run: Run, db: None) -> None:
    result = run("token", "create", "--user", "nobody", "--json")
    assert result.exit_code == 1
    assert "There is no account 'nobody'" in json.loads(result.stdout)["failed"]


def test_dry_run_tells_what_changed_rules_would_have_done(
    run: Run, city: str, pack_folder: Path, tmp_path: Path
) -> None:
    changed = Path(shutil.copytree(pack_folder, tmp_path / "draft"))
    limits = changed / "limits.csv"
    limits.write_text(limits.read_text(encoding="utf-8").replace("L006,02,,,,4,", "L006,02,,,,6,"), encoding="utf-8")
    since = (datetime.now(UTC) - timedelta(days=9)).date().isoformat()
    found: dict[str, Any] = json.loads(run("rules", "dry-run", city, changed, "--since", since, "--json").stdout)
    assert found["cases"] == 3
    assert found["tables"]["routing"]["changed"] == 0
    assert found["tables"]["limits"]["changed"] == 2
    assert found["tables"]["limits"]["changes"] == [
        {"count": 2, "old_row": "L006", "new_row": "L006", "old": "4 work_hours", "new": "6 work_hours"}
    ]
    table = run("rules", "dry-run", city, changed, "--since", since)
    assert "limits\t2\tL006\tL006\t4 work_hours\t6 work_hours" in table.stdout
    later = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    assert json.loads(run("rules", "dry-run", city, changed, "--since", later, "--json").stdout)["cases"] == 0
