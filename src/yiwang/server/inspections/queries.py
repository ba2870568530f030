"""What one may ask of campaigns: lists, visits, results with their intervals, the proof of a draw, and facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Count, Max, Q

from yiwang.core.facts.table import Row, region_codes
from yiwang.core.indicators.intervals import Interval
from yiwang.core.indicators.sampling import Visit as DrawnVisit
from yiwang.core.indicators.sampling import draw, verify
from yiwang.core.indicators.survey import Estimate, estimate_mean
from yiwang.core.inspections.agreement import Agreement, agreement
from yiwang.core.inspections.facts import INSPECTIONS, inspections_table
from yiwang.core.inspections.reviewing import second_visits
from yiwang.core.inspections.scoring import Outcome
from yiwang.core.kernel.errors import Problem
from yiwang.core.kernel.text import Text
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.facts.sources import FactSource
from yiwang.server.inspections.models import Campaign, Finding, InspectionEvent, Visit
from yiwang.server.inspections.planning import plan_of

BLOCK = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a campaign says of a stratum, or of everything.

    Attributes:
        stratum: Code; empty for everything.
        places, drawn: In the frame, and drawn.
        outcomes: How many visits ended how; what is not recorded yet stands under an empty outcome.
        estimate: The mean score; None where nothing was inspected.
        silent: Strata of which nothing was inspected, and which the mean therefore says nothing of.
    """

    stratum: str
    places: int
    drawn: int
    outcomes: dict[str, int]
    estimate: Estimate | None
    silent: int = 0

    @property
    def response(self) -> float:
        """Share of the drawn places that were inspected and have a score."""
        return self.outcomes.get(Outcome.DONE.value, 0) / self.drawn if self.drawn else 0.0


def campaigns_of(city: str) -> list[Campaign]:
    """The campaigns of a city, the latest first, with ``drawn`` and ``recorded`` visits."""
    counted = Campaign.objects.filter(city=city).annotate(
        drawn=Count("visits"), recorded=Count("visits", filter=~Q(visits__outcome=""))
    )
    return list(counted.order_by("-begins", "-id"))  # a query that groups is not ordered by the model


def campaign_of(*, city: str, key: str) -> Campaign | None:
    """One campaign."""
    return Campaign.objects.filter(city=city, key=key).first()


def visits_of(campaign: Campaign) -> list[Visit]:
    """The visits of a campaign in the order in which they were drawn."""
    return list(campaign.visits.all())


def visits_for(*, city: str, username: str) -> list[Visit]:
    """The visits that somebody is drawn for, of campaigns that are under way: those to do first."""
    running = Visit.objects.filter(campaign__city=city, campaign__step=Campaign.Step.DRAWN).select_related("campaign")
    mine = [one for one in running if username in {one.campaign.people.get(code) for code in one.inspectors}]
    return sorted(mine, key=lambda one: (bool(one.outcome), one.campaign.ends, one.pk))


def results_of(campaign: Campaign) -> list[Result]:
    """Everything first, then each stratum. Only first visits count; a place without a score is missing, never zero."""
    sizes = Counter(place["stratum"] for place in campaign.plan["places"])
    visits = [visit for visit in campaign.visits.all() if visit.turn == 1]
    found = []
    for stratum in ("", *sorted({visit.stratum for visit in visits})):
        chosen = [visit for visit in visits if stratum in ("", visit.stratum)]
        scored = [visit for visit in chosen if visit.score is not None]
        # who refused or was not found is left to those of the stratum who were inspected
        answered = Counter(visit.stratum for visit in scored)
        estimate = estimate_mean(
            values=[visit.score for visit in scored if visit.score is not None],
            strata=[visit.stratum for visit in scored],
            weights=[sizes[visit.stratum] / answered[visit.stratum] for visit in scored],
            sizes=sizes,
            bounds=Interval(0, 100),
        )
        found.append(
            Result(
                stratum=stratum,
                places=sum(size for one, size in sizes.items() if stratum in ("", one)),
                drawn=len(chosen),
                outcomes=dict(Counter(visit.outcome for visit in chosen)),
                estimate=estimate,
                silent=len({visit.stratum for visit in chosen} - answered.keys()),
            )
        )
    return found


def failures_of(campaign: Campaign) -> list[tuple[str, int, int]]:
    """Of each item how often it was not met, and how often it applied, in first visits; the most frequent failure first."""
    rows = (
        Finding.objects.filter(visit__campaign=campaign, visit__turn=1, met__isnull=False)
        .order_by()
        .values("item")
        .annotate(failed=Count("id", filter=Q(met=False)), applied=Count("id"))
    )
    return sorted(
        ((row["item"], row["failed"], row["applied"]) for row in rows), key=lambda row: (-row[1] / row[2], row[0])
    )


def agreement_of(campaign: Campaign) -> Agreement | None:
    """How far first and second visits agree on which items are met; None where no place has both."""
    first, second = (
        {
            (place, item): met
            for place, item, met in Finding.objects.filter(
                visit__campaign=campaign, visit__turn=turn, met__isnull=False
            ).values_list("visit__place", "item", "met")
        }
        for turn in (1, 2)
    )
    both = sorted(first.keys() & second.keys())
    return agreement([first[one] for one in both], [second[one] for one in both])


def drawn_visits(campaign: Campaign) -> list[DrawnVisit]:
    """The first visits as `yiwang inspect draw` writes them."""
    return [
        DrawnVisit(place=one.place, stratum=one.stratum, inspectors=tuple(one.inspectors), weight=one.weight)
        for one in campaign.visits.all()
        if one.turn == 1
    ]


def check_draw(campaign: Campaign) -> tuple[Problem, ...]:
    """What speaks against the draw of a campaign: empty when the commitment fits and drawing again gives the same visits."""
    plan, seed, beacon = plan_of(campaign), bytes.fromhex(campaign.seed), campaign.beacon_value
    problems = verify(plan=plan, seed=seed, beacon=beacon, published=campaign.commitment, visits=drawn_visits(campaign))
    again = second_visits(
        plan=plan,
        seed=seed,
        beacon=beacon,
        visits=draw(plan=plan, seed=seed, beacon=beacon),
        share=campaign.second_share,
    )
    held = {one.place: tuple(one.inspectors) for one in campaign.visits.all() if one.turn == 2}
    if held != {place: (person,) for place, person in again.items()}:
        problems += (
            Problem(Text("复查的地点或人员与抽取的不同。", "The second visits are not those that were drawn.")),
        )
    return problems


def public_plan(campaign: Campaign) -> dict[str, Any]:
    """The plan, as `yiwang inspect` reads it."""
    return dict(campaign.plan)


def public_visits(campaign: Campaign) -> list[dict[str, Any]]:
    """The first visits, as `yiwang inspect verify` reads them."""
    return [asdict(one) for one in drawn_visits(campaign)]


# --- facts ------------------------------------------------------------------------------------------------------------


def rows(place: CityRuntime) -> Iterator[Sequence[Row]]:
    """Every recorded first visit of a city as a row of facts."""
    levels, root = place.pack.fact_context().levels, place.regions.roots[0].code
    found = (
        Visit.objects.filter(campaign__city=place.info.id, turn=1)
        .exclude(outcome="")
        .select_related("campaign")
        .order_by("id")
    )
    block: list[Row] = []
    for visit in found.iterator(chunk_size=BLOCK):
        block.append(_fact(visit, place, levels, root))
        if len(block) == BLOCK:
            yield block
            block = []
    if block:
        yield block


def _fact(visit: Visit, place: CityRuntime, levels: Any, root: str) -> Row:
    region = visit.place if visit.place in place.regions else visit.stratum
    assert visit.recorded_at is not None
    return {
        "visit": str(visit.pk),
        "campaign": visit.campaign.key,
        "checklist": visit.campaign.checklist,
        "outcome": visit.outcome,
        "visit_day": visit.recorded_at.astimezone(place.info.zone).date(),
        "score": visit.score,
        "weight": visit.weight,
        "earned": round((visit.score or 0) * visit.weight),
        "could_earn": 0 if visit.score is None else round(100 * visit.weight),
        **region_codes(region, levels=levels, root=root),
    }


def size(city: str) -> int:
    """About how many rows there are."""
    return Visit.objects.filter(campaign__city=city, turn=1).exclude(outcome="").count()


def marks(city: str) -> tuple[int, ...]:
    """The last event: another one means that there may be something new to count."""
    return (InspectionEvent.objects.filter(city=city).aggregate(last=Max("id"))["last"] or 0,)


FACTS = FactSource(name=INSPECTIONS, table=inspections_table, rows=rows, size=size, newest=marks)
