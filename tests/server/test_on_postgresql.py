"""The same tests again, with PostgreSQL under them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.server.test_hands import SERVER, postgresql

ROOT = Path(__file__).resolve().parents[2]
AGAIN = (
    "tests/server/test_lists.py",
    "tests/server/test_tampering.py",
    "tests/server/test_time.py",
    "tests/api/test_calls.py",
    "tests/server/test_governance.py",
    "tests/server/test_centre.py",
    "tests/server/test_scores.py",
    "tests/server/test_hostile.py",
)


@pytest.mark.postgresql
@pytest.mark.slow
def test_lists_time_and_calls() -> None:
    if missing := postgresql():
        pytest.skip(missing)
    environment = {**os.environ, "YIWANG_DATABASE_URL": f"{SERVER}/yiwang_again_{os.getpid()}"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--create-db", *AGAIN]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
