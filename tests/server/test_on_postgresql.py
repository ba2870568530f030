"""The same tests again, with PostgreSQL under them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.server.test_concurrent_writers import SERVER, postgresql

ROOT = Path(__file__).resolve().parents[2]
# each group is one process with a database of its own, so that two run side by side
AGAIN = (
    ("tests/server/test_lists.py", "tests/server/test_time.py", "tests/server/test_tampering.py", "tests/server/test_replaced_regions.py"),
    ("tests/api/test_calls.py", "tests/api/test_strangers.py", "tests/server/test_access.py", "tests/server/test_calendar_changes.py"),
    ("tests/server/test_governance.py", "tests/server/test_corrected_place.py"),
    ("tests/server/test_centre.py", "tests/server/test_scores.py"),
    ("tests/server/test_hostile.py", "tests/server/test_ledger_streams.py", "tests/server/test_ledger_sealing.py"),
)  # fmt: skip


@pytest.mark.postgresql
@pytest.mark.slow
@pytest.mark.parametrize("files", AGAIN, ids=[Path(group[0]).stem for group in AGAIN])
def test_again(files: tuple[str, ...]) -> None:
    if missing := postgresql():
        pytest.skip(missing)
    environment = {**os.environ, "YIWANG_DATABASE_URL": f"{SERVER}/yiwang_again_{os.getpid()}"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--create-db", *files]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
