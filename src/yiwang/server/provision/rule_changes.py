"""Puts approved changes of rules into force: the worker installs each, when its time has come, as a new version of the pack."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from yiwang.core.kernel.errors import BadInput
from yiwang.server.cities.models import PackVersion
from yiwang.server.common.faults import is_full
from yiwang.server.common.models import Job
from yiwang.server.governance import checking, operations
from yiwang.server.governance.models import RuleChange
from yiwang.server.provision.operations import install_pack

log = logging.getLogger("yiwang.rules")


def take_force(*, now: datetime | None = None) -> int:
    """Install every change that is approved and due, in the order of approval; how many took force.

    A worker that is killed in the middle leaves the change claimed; it is begun again later, and installing is idempotent.
    """
    taken = 0
    while change := operations.claim(now=now or datetime.now(UTC)):
        taken += _install(change)
    return taken


def _install(change: RuleChange) -> bool:
    try:
        found = checking.check(change, with_examples=False)
        if not found["ok"]:
            operations.record_failure(change=change, found=found)
            return False
        note = f"#{change.pk} {change.title}"
        origin = PackVersion.Origin.RULES if change.kind == RuleChange.Kind.ROWS else PackVersion.Origin.PACK
        if change.kind == RuleChange.Kind.PACK and change.folder.startswith("packs/"):
            origin = PackVersion.Origin.RULES  # back to a version that was in force before
        with checking.as_pack(change) as folder:
            installed = install_pack(folder, origin=origin, note=note)
    except (BadInput, OSError) as error:
        if is_full(error):
            raise  # nothing is wrong with the change: it is begun again when there is room
        log.exception("Change %s could not take force", change.pk)
        problems = [checking.error_record(error)]
        operations.record_failure(change=change, found={"ok": False, "count": 1, "problems": problems})
        return False
    operations.record_in_force(change=change, version=installed.version)
    return True


def dry_run(job: Job, progress: checking.Progress) -> dict[str, Any]:
    """The job behind the button "dry run" where there are many past cases."""
    change = RuleChange.objects.get(pk=job.parameters["change"])
    since = datetime.fromisoformat(job.parameters["since"])
    found = checking.dry_run(change, since=since, progress=progress)
    operations.keep_dry_run(change=change, found=found)
    return {"cases": found["cases"]}


def install(job: Job, progress: checking.Progress) -> dict[str, Any]:
    """The job that installs a new city's pack from the server's own folder."""
    installed = install_pack(job.parameters["path"])
    progress(1, 1)
    return {"version": installed.version, "city": installed.city}
