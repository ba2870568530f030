"""Is it alive, is it ready, how much is there to do."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterable

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from yiwang.server.cases.api import case_figures, cases_by_step, lateness_moment, outbox_backlog
from yiwang.server.cities.queries import cities, runtime
from yiwang.server.common.queries import seconds_since_beat

WORKER = "worker"
SILENT_SECONDS = 60.0
LEAST_FREE_BYTES = 100_000_000
_migrated = False


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Database, migrations, background worker, room on the disk; 503 with what is missing."""
    checks = {"database": "ok", "migrations": "ok", "worker": "ok", "disk": _room()}
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        if not _is_migrated():
            checks["migrations"] = "not all applied; run `yiwang serve` or `python -m django migrate`"
        else:
            silent = seconds_since_beat(WORKER)
            if silent is None or silent > SILENT_SECONDS:
                checks["worker"] = (
                    "no sign of life; run `yiwang worker`" if silent is None else f"silent for {silent:.0f} seconds"
                )
    except DatabaseError as error:
        checks["database"] = f"{type(error).__name__}"
    fine = all(value == "ok" for value in checks.values())
    return JsonResponse({"status": "ready" if fine else "not ready", "checks": checks}, status=200 if fine else 503)


def _room() -> str:
    """Whether the data folder takes a file: there is room, and it may be written."""
    try:
        free = shutil.disk_usage(settings.YIWANG_HOME).free
        with tempfile.TemporaryFile(dir=settings.YIWANG_HOME) as file:
            file.write(b"x" * 4096)
            file.flush()
    except OSError as error:
        return f"the data folder cannot be written: {error.strerror}"
    return "ok" if free >= LEAST_FREE_BYTES else f"only {free // 1_000_000} MB are free in the data folder"


def _is_migrated() -> bool:
    """Whether every migration has been applied; looked at until it is so."""
    global _migrated
    if not _migrated:
        executor = MigrationExecutor(connection)
        _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _migrated


class Figures:
    """What the database says at the moment of asking, so that every worker process says the same."""

    def collect(self) -> Iterable[Metric]:
        started = time.perf_counter()
        by_step = GaugeMetricFamily("yiwang_cases", "Cases by city and step.", labels=["city", "step"])
        overdue = GaugeMetricFamily("yiwang_cases_overdue", "Open cases whose deadline has passed.", labels=["city"])
        for info in cities():
            root = runtime(info.id).regions.roots[0].code
            for step, count in cases_by_step(city=info.id, region=root).items():
                by_step.add_metric([info.id, step], count)
            overdue.add_metric(
                [info.id], case_figures(city=info.id, region=root, at=lateness_moment(city=info.id))["overdue"]
            )
        yield by_step
        yield overdue
        waiting, oldest = outbox_backlog()
        yield GaugeMetricFamily("yiwang_outbox_waiting", "Messages that others are still to be told.", value=waiting)
        yield GaugeMetricFamily("yiwang_outbox_oldest_seconds", "Age of the oldest of them.", value=oldest)
        silent = seconds_since_beat(WORKER)
        yield GaugeMetricFamily(
            "yiwang_worker_silent_seconds",
            "Since the worker's last sign of life; -1 for none ever.",
            value=-1 if silent is None else silent,
        )
        yield GaugeMetricFamily(
            "yiwang_collect_seconds", "What these figures took.", value=time.perf_counter() - started
        )


REGISTRY = CollectorRegistry(auto_describe=False)
ProcessCollector(registry=REGISTRY)
REGISTRY.register(Figures())


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """For Prometheus."""
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)
