"""`portal.toml`: defaults without it, faults named with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from yiwang.core.kernel.errors import BadInput
from yiwang.packs import read_pack
from yiwang.packs.portal import PortalPolicy

MINI = Path(__file__).parent / "fixtures" / "mini"


def test_without_the_file_the_defaults_hold(pack_copy: Path) -> None:
    (pack_copy / "portal.toml").unlink()
    assert read_pack(pack_copy).portal == PortalPolicy()


def test_the_moderator_s_assignment_always_may() -> None:
    assert read_pack(MINI).portal.moderators == ("leader", "moderator")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('moderation = "never"', "no way to moderate"),
        ('moderators = ["leder"]', "no role 'leder'"),
        ('answerers = "leader"', "A list of texts"),
        ('license_url = "http://example.org"', "no address"),
        ('emergency = "110"', "missing or empty"),
        ('moderator = ["leader"]', "not known"),
    ],
)
def test_faults_are_named(pack_copy: Path, text: str, fault: str) -> None:
    (pack_copy / "portal.toml").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=fault) as caught:
        read_pack(pack_copy)
    assert {problem.file for problem in caught.value.problems} == {"portal.toml"}
