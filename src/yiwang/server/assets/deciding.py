"""What a person decides about the findings of a census is taken up: components come, move, change, are lost."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text
from yiwang.server.assets.censuses import COLUMNS, codes_for, component_row
from yiwang.server.assets.models import GONE, Census, CensusFinding, Component, ComponentChange, State
from yiwang.server.assets.rows import Counted, Rows, cell_of
from yiwang.server.assets.versions import write_begins
from yiwang.server.cities.queries import runtime
from yiwang.server.common.sql import insert_many

BLOCK = 2000
CHANGE_COLUMNS = ("component_id", "at", "by", "census_id", "fields")
_PLACE = ("lon", "lat", "cell", "region", "grid")


def decide(
    *,
    census: Census,
    accept: bool,
    by: str,
    findings: Collection[int] | None = None,
    outcomes: Collection[str] | None = None,
) -> int:
    """Take up findings of a census, or refuse them; the census ends with its last one.

    Args:
        census: The census.
        accept: True to change the inventory as the census says.
        by: Who decides.
        findings: Only these, by id.
        outcomes: Only these outcomes.

    Returns:
        How many were decided. Findings that somebody else has decided meanwhile are left as they are.
    """
    if census.step == Census.Step.WRITING:
        raise BadInput(Text("此次普查还在写入。", "The census is still being taken up."))
    decided = 0
    while True:
        with transaction.atomic():
            held = Census.objects.select_for_update().get(pk=census.pk)  # one decides at a time
            some = held.findings.filter(decision=CensusFinding.Decision.OPEN).order_by("id")
            if findings is not None:
                some = some.filter(pk__in=list(findings))
            if outcomes is not None:
                some = some.filter(outcome__in=list(outcomes))
            block = list(some[:BLOCK])
            if accept and block:
                write_begins(held.city)
                _take_up(held, block, by)
            CensusFinding.objects.filter(pk__in=[one.pk for one in block]).update(
                decision=CensusFinding.Decision.ACCEPTED if accept else CensusFinding.Decision.REFUSED,
                decided_by=by,
                decided_at=datetime.now(UTC),
            )
            decided += len(block)
            if len(block) < BLOCK:
                if held.step == Census.Step.WAITING and not held.findings.filter(decision="open").exists():
                    Census.objects.filter(pk=held.pk).update(step=Census.Step.DONE, ended_at=datetime.now(UTC))
                return decided


def _take_up(census: Census, findings: Sequence[CensusFinding], by: str) -> None:
    rows = Rows(runtime(census.city), census.kind, census.file)
    today = datetime.now(UTC).astimezone(rows.place.info.zone).date()
    new = [_counted(one) for one in findings if one.component_id is None]
    if new:
        codes = codes_for(new, rows, census.city)
        insert_many(
            Component,
            COLUMNS,
            [
                component_row(
                    one, city=census.city, kind=census.kind, code=code, cell=int(cell_of(one.lon, one.lat)),
                    census=census.pk, today=today,
                )
                for one, code in zip(new, codes, strict=True)
            ],
        )  # fmt: skip
    ids = [one.component_id for one in findings if one.component_id is not None]
    known = {one.pk: one for one in Component.objects.select_for_update().filter(pk__in=ids)}
    changes: list[tuple[Any, ...]] = []
    changed: list[Component] = []
    for finding in findings:
        if finding.component_id is None:
            continue
        component = known[finding.component_id]
        fields = _apply(component, finding)
        if fields:
            component.version += 1
            component.changed_on = today
            changed.append(component)
            changes.append(
                (component.pk, datetime.now(UTC), by, census.pk, json.dumps(fields, ensure_ascii=False, default=str))
            )
    Component.objects.bulk_update(
        changed,
        ["name", "state", *_PLACE, "source_id", "code", "authority", "owner", "maintainer", "attributes", "note", "source",
         "first_on", "changed_on", "version"],
        batch_size=200,
    )  # fmt: skip
    insert_many(ComponentChange, CHANGE_COLUMNS, changes)


def _apply(component: Component, finding: CensusFinding) -> dict[str, list[Any]]:
    """Change a component as the census says; what was changed, as [before, after] by field."""
    if finding.outcome == "missing":
        after: dict[str, Any] = {"state": State.LOST.value}
    else:
        one = _counted(finding)
        again = {"state": State.INTACT.value} if component.state in GONE else {}
        after = {
            "lon": one.lon, "lat": one.lat, "cell": int(cell_of(one.lon, one.lat)), "region": one.region, "grid": one.grid,
            **again, **one.said, "attributes": {**component.attributes, **one.attributes},
        }  # fmt: skip
        if one.source_id:
            after["source_id"] = one.source_id
    fields = {}
    for name, value in after.items():
        before = getattr(component, name)
        if name == "first_on":
            before = before.isoformat() if before else None
        if before != value:
            setattr(component, name, value)
            if name != "cell":
                fields[name] = [before, value]
    return fields


def _counted(finding: CensusFinding) -> Counted:
    values: Mapping[str, Any] = finding.values
    return Counted(
        finding.row or 0, values["code"], values["source_id"], values["lon"], values["lat"], values["region"],
        values["grid"], dict(values["said"]), dict(values["attributes"]),
    )  # fmt: skip
