"""`yiwang language`: a catalogue to translate, renewed without losing what is translated, and checked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from babel.messages.pofile import read_po, write_po
from click.testing import Result

Run = Callable[..., Result]


def test_a_catalogue_is_written_and_renewed(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "fr.po"
    assert run("language", "extract", "fr", "--out", path).exit_code == 0
    with path.open("rb") as file:
        catalog = read_po(file)
    message = catalog.get("Cases", "案卷")
    assert message is not None
    message.string = "Dossiers"
    refusal = catalog.get(
        "The case is at “{step}”; “{verb}” cannot be done there.", "案卷在「{step}」环节，不能「{verb}」。"
    )
    assert refusal is not None
    refusal.string = "Le dossier est à « {étape} »."
    with path.open("wb") as file:
        write_po(file, catalog)
    again = run("language", "extract", "fr", "--out", path)
    assert again.exit_code == 0
    with path.open("rb") as file:
        kept = read_po(file).get("Cases", "案卷")
    assert kept is not None
    assert kept.string == "Dossiers"
    checked = run("language", "check", path)
    assert checked.exit_code == 1
    assert "étape" in checked.output
    assert "1 of" in checked.output


def test_what_is_no_catalogue_is_said(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "fr.po"
    path.write_text("hello world", encoding="utf-8")
    answer = run("language", "check", path)
    assert answer.exit_code != 0
    assert "cannot be read" in answer.output
    assert run("language", "extract", "not a tag").exit_code != 0
