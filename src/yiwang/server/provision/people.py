"""Demonstration people: one account for each role of a city's workflow, at the unit where the role has most to do."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime

from yiwang.core.cases.events import SYSTEM
from yiwang.core.kernel.text import Text
from yiwang.server.cities.queries import CityRuntime, runtime
from yiwang.server.people.operations import create_person
from yiwang.server.people.queries import DEMO_PASSWORD
from yiwang.server.people.roles import GOVERNING

_SAMPLED_REGIONS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """An account of a demonstration, as it is printed."""

    city: str
    role: str
    username: str
    password: str
    unit: str


def create_demo_people(city: str) -> list[SignIn]:
    """Create the accounts that are missing and give the sign-ins of all.

    Raises:
        NoSuchCity: When the city is not installed.
    """
    place = runtime(city)
    centre, handling = _busiest(place)
    # whoever must be at the holder for most of what they do is put where cases go
    reaches: dict[str, Counter[str]] = defaultdict(Counter)
    for verb in place.rules.workflow.verbs.values():
        for name in verb.roles:
            reaches[name][verb.who] += 1
    holding = {name for name, counts in reaches.items() if counts.most_common(1)[0][0] == "holder"}
    found = []
    for role in place.rules.workflow.roles.values():
        if role.id == SYSTEM:
            continue
        unit = "" if role.outside else handling if role.id in holding else centre
        username = f"{city}-{role.id}"
        create_person(
            username=username,
            password=DEMO_PASSWORD,
            name=f"{role.name.zh}（演示）",
            name_en=f"{role.name.en} (demo)",
            city=city,
            roles={role.id: (unit, "")},
            demo=True,
        )
        found.append(SignIn(city=city, role=role.id, username=username, password=DEMO_PASSWORD, unit=unit))
    missing = {post: names for post, names in GOVERNING.items() if post not in place.rules.workflow.roles}
    return found + [_governing(city, post, name) for post, name in missing.items()]


def _governing(city: str, post: str, name: Text) -> SignIn:
    """Whoever governs: the administrator writes rules, the approver lets them take force."""
    username = f"{city}-{post}"
    create_person(
        username=username,
        password=DEMO_PASSWORD,
        name=f"{name.zh}（演示）",
        name_en=f"{name.en} (demo)",
        city=city,
        roles={post: ("", "")},
        demo=True,
    )
    return SignIn(city=city, role=post, username=username, password=DEMO_PASSWORD, unit="")


def _busiest(place: CityRuntime) -> tuple[str, str]:
    """The centre that triage names most often, or the one above all others; and the unit that routing names most often."""
    today = datetime.now(UTC).astimezone(place.info.zone).date()
    regions = place.locator.tree.at_level(place.info.levels[-1].id)
    busy = _busy_region(place)
    regions = tuple(region for region in regions if region.code.startswith(busy))
    sample = regions[:: max(1, len(regions) // _SAMPLED_REGIONS)] or place.regions.roots
    centres: Counter[str] = Counter()
    units: Counter[str] = Counter()
    for region in sample:
        for category in place.categories:
            facts = {"category": category, "condition": "", "region": region.code, "channel": "public", "priority": ""}
            if triaged := place.rules.triage_for(facts, today):
                centres[triaged.centre] += 1
                facts["priority"] = triaged.priority
            if routed := place.rules.unit_for(facts, today):
                units[routed.value] += 1
    top = next((unit.code for unit in place.rules.units if not unit.parent and unit.kind == "centre"), "")
    centre = top or (centres.most_common(1)[0][0] if centres else "")
    return centre, units.most_common(1)[0][0] if units else centre


def _busy_region(place: CityRuntime) -> str:
    """Code of the region in which most of a simulated city happens; empty for the whole city."""
    weights = (place.pack.simulation or {}).get("places", {})
    return max(weights, key=lambda code: (float(weights[code]), code), default="")
