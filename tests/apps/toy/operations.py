"""What the app does: it keeps a reading, and opens a case for a bin that is full."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from tests.apps.toy.models import Reading

from yiwang.core.cases.events import SYSTEM_ACTOR
from yiwang.core.ledger import entry_hash, genesis
from yiwang.server.cases.api import ReportDraft, report_case
from yiwang.server.common.app import Progress
from yiwang.server.common.models import Job

NAME = "bins"
FULL = 0.9
CATEGORY = "02001"


@transaction.atomic
def keep(*, city: str, bin: str, full: float, region: str, lon: float, lat: float, at: datetime | None = None) -> int:
    """Keep a reading; its id."""
    at = at or datetime.now(UTC)
    last = Reading.objects.select_for_update().filter(city=city).order_by("-id").first()
    before = bytes(last.digest) if last else genesis(stream=NAME, chain=city)
    digest = entry_hash(stream=NAME, entry={"bin": bin, "at": at, "full": full}, previous=before)
    made = Reading.objects.create(
        city=city, bin=bin, at=at, full=full, region=region, lon=lon, lat=lat, digest=digest
    )  # fmt: skip
    return int(made.pk)


def look() -> int:
    """Open a case for every full bin that nobody has looked at; how many."""
    opened = 0
    for reading in Reading.objects.filter(case=None).order_by("id"):
        reading.case = _case_for(reading) if reading.full >= FULL else ""
        opened += bool(reading.case)
        reading.save(update_fields=["case"])
    return opened


def _case_for(reading: Reading) -> str:
    observed = {
        "datastream": f"{NAME}:{reading.bin}", "value": reading.full, "unit": "1", "at": reading.at.isoformat(),
    }  # fmt: skip
    draft = ReportDraft(
        text=f"垃圾桶 {reading.bin} 满了",
        category=CATEGORY,
        lon=reading.lon,
        lat=reading.lat,
        crs="wgs84",
        channel="sensor",
        component=reading.bin,
        evidence={"observation": observed},
        origin=NAME,
        external=str(reading.pk),
    )
    # the key makes it one case, however often a worker is killed between the report and the note of its number
    answer: dict[str, Any] = report_case(
        city=reading.city, draft=draft, actor=SYSTEM_ACTOR, key=f"{NAME}-reading-{reading.pk:012}"
    )
    return str(answer["case"])


def count(job: Job, progress: Progress) -> dict[str, Any]:
    """How many bins have ever been full, as a job."""
    full = Reading.objects.filter(city=job.city, full__gte=FULL).values("bin").distinct().count()
    progress(full, full)
    return {"cases": full}
