"""Colours, sizes and icons have one place: `web/src/design/*tokens.css` and `web/icons.ts`; everything else uses their names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from yiwang.server.common.templatetags.yiwang import icon_names
from yiwang.server.pages.styleguide import COLOURS, SIZES

ROOT = Path(__file__).resolve().parents[2]
DESIGN = ROOT / "web" / "src" / "design"
TOKENS = (DESIGN / "tokens.css", DESIGN / "map-tokens.css")
SHEETS = sorted(path for path in (ROOT / "web" / "src").rglob("*.css") if path not in TOKENS)
TEMPLATES = sorted((ROOT / "src" / "yiwang" / "server").rglob("templates/**/*.html"))
COLOUR = re.compile(
    r"#[0-9a-fA-F]{3,8}\b|\b(?:rgba?|hsla?|oklch|light-dark)\(|:\s*(?:white|black|red|green|blue|gray|grey)\b"
)
SIZE = re.compile(r"font(?:-size)?:[^;}]*?[\d.]+(?:px|rem|pt)")
PAPER = "@media print"  # points and pixels of paper are not a screen's


def _tokens() -> str:
    return "".join(path.read_text(encoding="utf-8") for path in TOKENS)


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_sheets_use_the_names(sheet: Path) -> None:
    lines = [line for line in sheet.read_text(encoding="utf-8").splitlines() if PAPER not in line]
    found = [
        f"{number}: {hit[0]}"
        for number, line in enumerate(lines, 1)
        for hit in (*COLOUR.finditer(line), *SIZE.finditer(line))
    ]
    assert found == []


def test_every_name_that_is_used_exists() -> None:
    defined = set(re.findall(r"(--[a-z0-9-]+):", _tokens()))
    used = {name for sheet in SHEETS for name in re.findall(r"var\((--[a-z0-9-]+)", sheet.read_text(encoding="utf-8"))}
    own = {name for sheet in SHEETS for name in re.findall(r"(--[a-z0-9-]+):", sheet.read_text(encoding="utf-8"))}
    by_script = {"--cut", "--chart-height"}  # a script sets them for one element
    assert used - defined - own - by_script == set()


def test_templates_have_no_styles() -> None:
    assert [path.name for path in TEMPLATES if re.search(r'\sstyle="', path.read_text(encoding="utf-8"))] == []


def test_icons_are_listed_once_and_all_of_them_exist() -> None:
    listed = set(
        re.findall(r'"([a-z0-9-]+)"', (ROOT / "web" / "icons.ts").read_text(encoding="utf-8").split("ICONS =")[1])
    )
    named = {name for path in TEMPLATES for name in re.findall(r'{% icon "([^"]+)"', path.read_text(encoding="utf-8"))}
    apps = [*(ROOT / "src" / "yiwang" / "server").glob("*/apps.py"), *(ROOT / "tests" / "apps").glob("*/apps.py")]
    named |= {name for path in apps for name in re.findall(r'icon="([^"]+)"', path.read_text(encoding="utf-8"))}
    assert named - listed == set(), "a template names a picture that is not in web/icons.ts"
    assert set(icon_names()) == listed, "the build, and so the style guide, has every picture"


def test_the_style_guide_shows_colours_and_sizes_that_exist() -> None:
    tokens = _tokens()
    assert [name for row in COLOURS for name in row if f"--{name}:" not in tokens] == []
    assert [name for name in SIZES if f"--text-{name}:" not in tokens] == []
