"""A third language is a file: a catalogue of the interface and the pack's own names, no code."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings
from tests.third_language import CALLED, TAG, traditional, translate_pack, write_catalogue

from yiwang.core.kernel.text import Text
from yiwang.server.cases.storage import numbering
from yiwang.server.cases.writing.drafts import ReportDraft
from yiwang.server.centre import board
from yiwang.server.cities import queries
from yiwang.server.common import catalogues
from yiwang.server.provision.operations import install_pack

MINI = Path(__file__).resolve().parents[1] / "packs" / "fixtures" / "mini"
CODE = TAG.lower()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    write_catalogue(folder)
    return folder


@pytest.fixture
def reader(db: None, home: Path, tmp_path: Path) -> Iterator[Client]:
    """Somebody who reads traditional characters, in the toy city whose pack has them."""
    pack = Path(shutil.copytree(MINI, tmp_path / "mini"))
    translate_pack(pack)
    found = catalogues.languages(home)
    for module in (queries, numbering, board):
        module.forget()
    queries._installed.runtimes.clear()  # another pack of the same name and version may have been read
    with override_settings(YIWANG_LANGUAGES=found, LANGUAGES=[(name, called) for name, (_, called) in found.items()]):
        install_pack(pack)
        client = Client()
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = CODE
        yield client
    catalogues.languages(settings.YIWANG_HOME)
    for module in (queries, numbering, board):
        module.forget()
    queries._installed.runtimes.clear()


def test_a_page_speaks_it(reader: Client) -> None:
    page = reader.get("/mini/cases").content.decode()
    assert f'lang="{CODE}"' in page
    for word in ("案卷", "區域", "類別"):
        assert word in page
    assert "区域" not in page
    assert traditional("监督员") == "監督員"
    assert "监督员" not in page


def test_names_of_the_pack_are_its_own(reader: Client) -> None:
    page = reader.get("/mini/rules").content.decode()
    names = queries.runtime("mini").rules.workflow.verbs.values()
    said = {verb.name.into(TAG) for verb in names}
    assert said != {verb.name.zh for verb in names}
    assert any(name in page for name in said)


def test_forms_and_choices_of_staff_speak_it(reader: Client) -> None:
    from tests.outsiders import CITIZEN

    from yiwang.server.cases.writing import operations
    from yiwang.server.cases.writing.drafts import ReportDraft
    from yiwang.server.people.models import User
    from yiwang.server.people.operations import create_person

    draft = ReportDraft(text="x", category="02001", lon=120.003, lat=31.003, component="BIN-9")
    number = operations.report(city="mini", draft=draft, actor=CITIZEN)["case"]
    create_person(username="l", password=None, name="l", name_en="l", city="mini", roles={"leader": ("CTR-90", "")})
    reader.force_login(User.objects.get(username="l"))
    page = reader.get(f"/mini/cases/{number}").content.decode()
    assert "BIN-9" in page
    workflow = queries.runtime("mini").rules.workflow
    changed = [verb.name for verb in workflow.verbs.values() if verb.name.into(TAG) != verb.name.zh]
    shown = [name for name in changed if f">{name.into(TAG)}<" in page]
    assert shown
    assert not [name for name in changed if f">{name.zh}<" in page]


def test_it_can_be_chosen_and_is_called_what_it_calls_itself(reader: Client) -> None:
    other = Client(headers={"accept-language": "en"})
    page = other.get("/mini/cases").content.decode()
    assert CALLED in page
    answer = other.post("/switch/language", {"language": CODE, "next": "/mini/cases"})
    assert other.cookies[settings.LANGUAGE_COOKIE_NAME].value == CODE, answer.status_code
    assert "區域" in other.get("/mini/cases").content.decode()


def test_refusals_and_problems_speak_it(reader: Client, act: Callable[..., Any], actor: Callable[..., Any]) -> None:
    from tests.outsiders import CITIZEN

    from yiwang.server.cases.writing import operations
    from yiwang.server.people.models import User
    from yiwang.server.people.operations import create_person

    number = operations.report(
        city="mini", draft=ReportDraft(text="垃圾", category="02001", lon=120.003, lat=31.003), actor=CITIZEN
    )["case"]
    create_person(username="i", password=None, name="i", name_en="i", city="mini", roles={"inspector": ("CTR-90", "")})
    reader.force_login(User.objects.get(username="i"))
    refused = reader.post(f"/api/v1/cases/{number}/verbs/file", "{}", content_type="application/json")
    assert refused.status_code == 403
    leader = queries.runtime("mini").rules.workflow.roles["leader"].name
    assert "來做" in refused.json()["detail"]
    assert leader.into(TAG) in refused.json()["detail"]
    bad = reader.get("/api/v1/cities/mini/cases?limit=0").json()
    assert bad["errors"] == [{"field": "limit", "detail": "不能小於 1"}]
    missing = reader.get("/api/v1/cases/nothing").json()
    assert missing["detail"] == "沒有編號為「nothing」的案卷。"


def test_what_is_not_translated_is_said_in_the_nearest_language(reader: Client, home: Path) -> None:
    assert Text("没有这句", "Not in the catalogue").into(TAG, catalogues.lookup) == "没有这句"
    assert Text("没有这句", "Not in the catalogue").into("fr", catalogues.lookup) == "Not in the catalogue"


def test_a_translation_that_asks_for_other_values_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "languages" / "fr.po"
    path.parent.mkdir()
    entries = [
        ('"{n} 件"', '"{n} cases"', '"{m} dossiers"'),
        ('"{n} 天"', '"{n} days"', '"{n} jours"'),
        ('"案卷"', '"Cases"', '"Dossiers {"'),
    ]
    path.write_text(
        'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
        + "\n".join(f"msgctxt {zh}\nmsgid {en}\nmsgstr {fr}\n" for zh, en, fr in entries),
        encoding="utf-8",
    )
    wrong, done, texts = catalogues.problems(path)
    assert (done, texts) == (1, 3)
    assert ["{m} dossiers" in str(wrong[0]), "Dossiers {" in str(wrong[1])] == [True, True]
    try:
        assert catalogues.languages(tmp_path)["fr"] == ("fr", "English")
        assert Text("{n} 件", "{n} cases", n=2).into("fr", catalogues.lookup) == "2 cases"
        assert Text("{n} 天", "{n} days", n=2).into("fr", catalogues.lookup) == "2 jours"
    finally:
        catalogues.languages(settings.YIWANG_HOME)
