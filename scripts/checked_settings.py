"""Settings with the toy app, by which mypy's plugin for Django knows its tables."""

from __future__ import annotations

import os
import sys
from pathlib import Path

# ciw installs a package of the name `tests` that would be found before ours.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("YIWANG_APPS", "tests.apps.toy")

from yiwang.server.settings import *  # noqa: F403
