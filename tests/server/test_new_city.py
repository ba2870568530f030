"""A pack as `yiwang pack new` writes it: it checks, is installed, and a report goes through it to its end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.outsiders import CITIZEN

from yiwang.core.kernel.errors import BadInput
from yiwang.packs import check_pack
from yiwang.packs.beginning import write_pack
from yiwang.server.cases.models import Case
from yiwang.server.cases.storage import numbering
from yiwang.server.cases.writing import operations
from yiwang.server.cases.writing.drafts import ReportDraft
from yiwang.server.cities import queries
from yiwang.server.provision.operations import install_pack
from yiwang.server.verification import ledger


def test_a_new_pack_has_no_fault_and_its_examples_hold(tmp_path: Path) -> None:
    write_pack("new-town", tmp_path / "pack")
    found = check_pack(tmp_path / "pack")
    assert found.problems == ()
    assert found.examples == 2
    assert [problem.file for problem in found.warnings] == ["regions.geojson.gz"]
    assert found.pack is not None
    assert found.pack.id == "new-town"


@pytest.mark.parametrize(
    ("id", "words"), [("New Town", "is no id"), ("api", "address of the site"), ("../x", "is no id")]
)
def test_an_id_that_is_none_writes_nothing(tmp_path: Path, id: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        write_pack(id, tmp_path / "pack")
    assert not (tmp_path / "pack").exists()


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(BadInput, match="not an empty folder"):
        write_pack("newtown", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.django_db
def test_a_report_goes_all_the_way_in_a_new_city(tmp_path: Path, act: Any, actor: Any) -> None:
    queries.forget()
    numbering.forget()
    write_pack("newtown", tmp_path / "pack")
    assert install_pack(tmp_path / "pack").version == 1
    draft = ReportDraft(text="路边一堆垃圾", category="02001", region="100101")
    number = operations.report(city="newtown", draft=draft, actor=CITIZEN)["case"]
    assert number.startswith("NEWTOWN2")
    act(number, "file", actor("leader", unit="CTR-10"))
    act(number, "dispatch", actor("dispatcher", unit="CTR-10"))
    assert Case.objects.get(number=number).holder == "SWEEP-1001"
    crew = actor("handler", unit="SWEEP-1001", id="user:crew")
    act(number, "take", crew)
    act(number, "finish", crew, note="清走了")
    act(number, "ask_check", actor("intake", unit="CTR-10"))
    act(number, "check", actor("inspector", unit="CTR-10"), note="干净了")
    act(number, "close", actor("leader", unit="CTR-10"))
    assert Case.objects.get(number=number).step == "closed"
    assert ledger.verify(city="newtown").faults == []
    queries.forget()


@pytest.mark.django_db
def test_the_first_administrator_is_made_as_the_guide_says(mini: str, client: Any, monkeypatch: Any) -> None:
    from django.core.management import call_command

    from yiwang.server.people.models import User
    from yiwang.server.people.roles import ADMINISTRATOR, posts

    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "a long enough one")
    call_command("createsuperuser", interactive=False, username="admin", email="", verbosity=0)
    admin = User.objects.get(username="admin")
    assert ADMINISTRATOR in posts(admin, city=mini)
    client.force_login(admin)
    assert client.get(f"/{mini}/admin/people").status_code == 200
    assert client.get(f"/{mini}/admin/people/new").status_code == 200
