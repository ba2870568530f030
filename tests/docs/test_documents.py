"""What the documents promise: links lead somewhere, commands exist, no committed file names a package registry."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("packs/*/README.md")])
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
HOSTS = re.compile(
    "|".join(["py" + "pi\\.org", "python" + "hosted\\.org", "registry\\." + "npmjs", "deb\\." + "debian\\.org"])
)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_local_link_leads_somewhere(document: Path) -> None:
    targets = [target for target in LINK.findall(document.read_text(encoding="utf-8")) if "://" not in target]
    missing = [target for target in targets if not (document.parent / target).exists()]
    assert not missing, f"{document.name} links to what is not there: {missing}"


def test_every_decision_says_what_was_rejected() -> None:
    silent = [
        path.name
        for path in (ROOT / "docs/decisions").glob("*.md")
        if path.name != "0001-record-decisions.md"
        and not re.search(r"reject|refus", path.read_text(encoding="utf-8"), re.I)
    ]
    assert not silent


def committed_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name]


def test_no_committed_file_names_a_registry_host() -> None:
    naming = []
    for path in committed_files():
        try:
            text = path.read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):
            continue
        if HOSTS.search(text):
            naming.append(str(path.relative_to(ROOT)))
    assert not naming


def test_both_readmes_show_the_two_commands_and_a_picture() -> None:
    for name in ("README.md", "README.zh-CN.md"):
        first_screen = "\n".join((ROOT / name).read_text(encoding="utf-8").splitlines()[:20])
        assert "make run" in first_screen
        assert "make test" in first_screen
        assert "![" in first_screen


def test_no_module_grew_too_long_to_read() -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for path in (ROOT / "src").rglob("*.py")
        if "migrations" not in path.parts and (count := len(path.read_text(encoding="utf-8").splitlines())) > 500
    }
    assert not long


def test_source_knows_no_city() -> None:
    """A new city that needs a change in the source is a design bug; so is a city's name in it."""
    names = re.compile(r"wuxi|无锡|boston|taipei|3202\d\d", re.I)
    knowing = {
        f"{path.relative_to(ROOT)}:{number}"
        for path in (ROOT / "src").rglob("*")
        if path.suffix in {".py", ".html"} and path.is_file()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if names.search(line) and "example" not in line.lower() and "e.g." not in line
    }
    assert not knowing


def test_no_build_is_committed() -> None:
    """What `make` builds is built again on each machine: a copy in git would be an old one."""
    static = ROOT / "src" / "yiwang" / "server" / "static"
    assert not [path for path in committed_files() if path.is_relative_to(static) or path.suffix == ".whl"]


def test_migrations_import_nothing_that_changes() -> None:
    """What a migration imports of ours must do for ever what it did then: one operation does, see its module."""
    wrong = []
    for path in sorted((ROOT / "src" / "yiwang" / "server").glob("*/migrations/[0-9]*.py")):
        imported = set(re.findall(r"^\s*(?:from|import) (yiwang\S*)", path.read_text(encoding="utf-8"), re.MULTILINE))
        if imported - {"yiwang.server.common.append_only"}:
            wrong.append((path.name, imported))
    assert not wrong


def test_a_field_of_a_case_is_named_once() -> None:
    """`core/cases/fields.py` declares the fields; whoever lists them by hand forgets the next. The one pair is the key of a file."""
    listed = [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "src").rglob("*.py"))
        if '"category", "condition"' in path.read_text(encoding="utf-8")
    ]
    assert listed == ["src/yiwang/packs/catalogue.py"]


def test_the_index_of_the_decisions_is_made_from_them() -> None:
    import runpy

    made = runpy.run_path(str(ROOT / "scripts" / "list_decisions.py"))
    assert made["INDEX"].read_text(encoding="utf-8") == made["index"](), "Run scripts/list_decisions.py."


def test_the_picture_of_the_house_is_drawn_from_the_contracts() -> None:
    import runpy

    made = runpy.run_path(str(ROOT / "scripts" / "draw_house.py"))
    assert made["PICTURE"].read_text(encoding="utf-8") == made["drawn"](), "Run scripts/draw_house.py."


def test_no_room_is_too_large() -> None:
    """A folder that a newcomer cannot read in a day is to be divided: 3,500 lines in a folder, 15 % of the server in an app."""
    server = ROOT / "src" / "yiwang" / "server"
    folders: dict[Path, int] = {}
    rooms: dict[str, int] = {}
    for path in server.rglob("*.py"):
        if "migrations" in path.parts:
            continue
        lines = len(path.read_text(encoding="utf-8").splitlines())
        folders[path.parent] = folders.get(path.parent, 0) + lines
        room = path.relative_to(server).parts[0]
        rooms[room] = rooms.get(room, 0) + lines
    assert {str(folder): lines for folder, lines in folders.items() if lines > 3500} == {}
    whole = sum(rooms.values())
    assert {room: lines for room, lines in rooms.items() if lines > 0.15 * whole} == {}


def test_the_pictures_of_the_documents_are_small() -> None:
    kinds = {".png", ".webp", ".jpg", ".svg"}
    pictures = [path for path in (ROOT / "docs").rglob("*") if path.suffix in kinds and "shots" not in path.parts]
    assert sum(path.stat().st_size for path in pictures) <= 3_000_000, "make_docs.py saves them as WebP"
