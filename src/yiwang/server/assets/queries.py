"""Reading the inventory besides its lists: the history of a component, censuses and what they found."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db.models import Count

from yiwang.server.assets.models import Census, CensusFinding, Component, ComponentChange, State


def class_counts(*, city: str) -> list[tuple[str, int]]:
    """How many components of each class the inventory has, in whichever state, most first."""
    every = Component.objects.filter(city=city).values_list("kind")
    return list(every.annotate(n=Count("pk")).order_by("-n", "kind"))


def is_component(*, city: str, code: str) -> bool:
    """Whether the inventory has a component of this code."""
    return bool(code) and Component.objects.filter(city=city, code=code).exists()


def history_of(component: Component, *, most: int = 100) -> list[ComponentChange]:
    """What was changed of a component, the latest first."""
    return list(component.changes.select_related("census")[:most])


def censuses(*, city: str, most: int = 100) -> list[Census]:
    """The censuses of a city, the latest first."""
    return list(Census.objects.filter(city=city)[:most])


def census_of(*, city: str, key: int) -> Census | None:
    """One census."""
    return Census.objects.filter(city=city, pk=key).first()


def finding_counts(census: Census) -> dict[tuple[str, str], int]:
    """How many findings a census has, by outcome and decision."""
    rows = census.findings.order_by().values_list("outcome", "decision").annotate(number=Count("id"))
    return {(outcome, decision): number for outcome, decision, number in rows}


def list_findings(
    census: Census, *, outcome: str, decision: str, after: int = 0, limit: int = 50
) -> tuple[list[CensusFinding], int]:
    """Findings of one outcome and decision from a key on, and the key behind which the next page begins; 0 on the last."""
    asked = census.findings.filter(outcome=outcome, decision=decision, pk__gt=after).order_by("pk")
    found = list(asked.select_related("component")[: limit + 1])
    return found[:limit], found[limit - 1].pk if len(found) > limit else 0


def differences(finding: CensusFinding) -> dict[str, tuple[Any, Any]]:
    """What a finding would change: field → before, after. Of a decided one, what it says against the inventory as it is now."""
    if finding.outcome == "missing":
        return {"state": (finding.component.state if finding.component else "", State.LOST.value)}
    values: Mapping[str, Any] = finding.values
    component = finding.component
    said = {"source_id": values["source_id"], **values["said"]}
    found: dict[str, tuple[Any, Any]] = {}
    for name, after in said.items():
        before = getattr(component, name) if component else ""
        before = before.isoformat() if isinstance(before, date) else before
        if after and (before or "") != after:
            found[name] = (before or "", after)
        elif component and before and not after and name != "source_id":
            found[name] = (before, "")
    held = component.attributes if component else {}
    for name, after in values["attributes"].items():
        if held.get(name, "") != after:
            found[name] = (held.get(name, ""), after)
    return found
