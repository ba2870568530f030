"""Settings with the toy app, by which mypy's plugin for Django knows its tables."""

from __future__ import annotations

import os

os.environ.setdefault("YIWANG_APPS", "tests.apps.toy")

from yiwang.server.settings import *  # noqa: F403
