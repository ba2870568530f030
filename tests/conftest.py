"""Common to all tests: a data folder of their own, the fixtures in `tests/fixtures/`, and what the second run leaves out.

`YIWANG_DATABASE_URL` moves the tests to another database, see `tests/postgresql.py`; those marked ``postgresql`` bring their own.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from pytest_django import DjangoAssertNumQueries

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yiwang.server.settings")
_HOME = tempfile.TemporaryDirectory(prefix="yiwang-tests-")
os.environ["YIWANG_HOME"] = _HOME.name  # for the processes that tests start


pytest_plugins = ["tests.fixtures.server", "tests.fixtures.api", "tests.fixtures.packs", "tests.fixtures.browser"]


def pytest_configure() -> None:
    """The settings have been read by now (pytest-django does so first), so they are changed where they are."""
    from django.conf import settings

    settings.YIWANG_HOME = Path(_HOME.name)
    settings.YIWANG_REPORTS_PER_MINUTE = 0
    settings.YIWANG_SENSORTHINGS_PER_MINUTE = 0
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def django_assert_max_num_queries(
    django_assert_max_num_queries: DjangoAssertNumQueries, monkeypatch: pytest.MonkeyPatch
) -> DjangoAssertNumQueries:
    """A budget of queries, without the look at the cities' versions that comes once a second: a slow machine has one more."""
    monkeypatch.setattr("yiwang.server.cities.queries.CHECK_EVERY_SECONDS", 3600.0)
    return django_assert_max_num_queries


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A mark that keeps a test out of the second run has a reason; in the second run only what uses the tests' database is left."""
    for item in items:
        mark = item.get_closest_marker("first_run_only")
        if mark and not mark.kwargs.get("reason"):
            raise pytest.UsageError(f"{item.nodeid}: first_run_only needs a reason")
    if not os.environ.get("YIWANG_DATABASE_URL"):
        return
    left_out = [item for item in items if not _is_repeated(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if _is_repeated(item)]


def _is_repeated(item: pytest.Item) -> bool:
    if item.get_closest_marker("postgresql") or item.get_closest_marker("first_run_only"):
        return False
    return item.get_closest_marker("django_db") is not None or "django_db_setup" in getattr(item, "fixturenames", ())


_services_missed: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember the tests that were skipped for want of a service or a browser."""
    if report.skipped and isinstance(report.longrepr, tuple):
        reason = str(report.longrepr[2])
        if any(name in reason for name in ("PostgreSQL", "Chromium", "Mosquitto", "axe-core")):
            _services_missed.append(f"{report.nodeid}: {reason}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """CI installs and starts the services, so there a skipped service test is a failure (YIWANG_CI is set by .ci/run)."""
    if os.environ.get("YIWANG_CI") and _services_missed and session.exitstatus == 0:
        print("\nskipped in CI, where nothing may be:", *_services_missed, sep="\n  ")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
