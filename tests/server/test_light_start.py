"""A start does not wait for libraries that few requests need."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.first_run_only(reason="asks no database")
HEAVY = ("fpdf", "osmium", "pyogrio", "pyspark", "scipy", "segno")
STARTED = f"""
import sys
import django
django.setup()
import yiwang.server.urls, yiwang.server.wsgi
print(*(name for name in {HEAVY!r} if name in sys.modules))
"""


def test_what_few_requests_need_is_imported_when_they_come() -> None:
    found = subprocess.run([sys.executable, "-c", STARTED], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []
