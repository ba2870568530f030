"""Two restores into one data folder, and what an interrupted one left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from yiwang.server.provision import restoring
from yiwang.server.provision.backup import BackupError


def test_a_second_restore_is_refused_and_leaves_the_first_ones_files(tmp_path: Path, settings: Any) -> None:
    settings.YIWANG_HOME = tmp_path
    left = tmp_path / ".restore-interrupted"
    (left / "home").mkdir(parents=True)
    with restoring._alone():
        assert not left.exists()
        laid_out = tmp_path / ".restore-first"
        laid_out.mkdir()
        with pytest.raises(BackupError, match="under way"), restoring._alone():
            pytest.fail("two at once")
        assert laid_out.is_dir()
    with restoring._alone():
        assert not laid_out.exists()
