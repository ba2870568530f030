"""Staff of screening sites (核酸采样点) by hour: samplers and tables, checked by simulation, and tubes.

People are called by time slots; those who come are a Poisson stream thinned by the share that stays away. Each sampler serves one
person at a time, all from one queue. `staffing` looks for the fewest sampler-hours, so each site has a bound, and its waits come from
days that did not choose it. Beside the plan stand the norms by head of population, which know no hours and no queue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.core.planning.queues.checkpoints import Kept, kept
from yiwang.core.planning.queues.erlang import HOUR
from yiwang.core.planning.queues.load import servers_by_hour, thinned
from yiwang.core.planning.queues.simulation import HourFigures, Kind
from yiwang.core.planning.queues.staffing import Requirements, Schedule, find_schedule
from yiwang.core.planning.standing import Standing

LAST_HOUR = 72


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingSite:
    """A site.

    Attributes:
        id: Its name.
        people: Who is called there.
        opens, closes: Whole hours from midnight of the first day; it is open up to ``closes``, 72 at most.
        shares: How the people are spread over its hours, as weights; empty for evenly.
        walk: Minutes on foot from where the farthest of them lives; None where nobody measured.
    """

    id: str
    people: int
    opens: int
    closes: int
    shares: tuple[float, ...] = ()
    walk: float | None = None

    def check(self) -> None:
        """Raises:
        BadInput: With every figure that cannot be; the column names it.
        """
        problems = []

        def fault(column: str, message: Text, hint: Text) -> None:
            problems.append(Problem(message, hint, column=column))

        if not 0 <= self.opens < self.closes <= LAST_HOUR:
            fault(
                "closes",
                Text("开放时间 {a}–{b} 无效。", "It cannot be open from {a} to {b}.", a=self.opens, b=self.closes),
                Text("应为 0 到 72 的整点，先开后关。", "Give whole hours from 0 to 72, the opening first."),
            )
        elif self.shares and (
            len(self.shares) != self.closes - self.opens or min(self.shares) < 0 or not sum(self.shares)
        ):
            fault(
                "shares",
                Text("分时权重有 {n} 个，无效。", "{n} shares cannot be taken.", n=len(self.shares)),
                Text("每个开放小时一个，不小于 0，不全为 0。", "Give one for each open hour, 0 or more, not all 0."),
            )
        if self.people < 1:
            message = Text("人数 {n} 无效。", "{n} people cannot be.", n=self.people)
            fault("people", message, Text("应不小于 1。", "Give 1 or more."))
        if problems:
            raise BadInput(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreeningRules:
    """What sites are planned by. Each field has its planning value of the same name in a city's `planning.toml`.

    Attributes:
        people_per_point, people_per_table, people_per_sampler: Norms by head; of a round.
        samplers_per_table, registrars_per_table: Staff.
        people_per_sampler_hour: How many a sampler can take in an hour; 60 over it is the mean service in minutes.
        service_scv: Squared coefficient of variation of that time.
        no_show: The share that stays away.
        walk_minutes: The longest walk.
        queue_minutes, queue_probability: In each hour this share waits at most so long.
        pooling: People per tube.
    """

    people_per_point: float
    people_per_table: float
    people_per_sampler: float
    samplers_per_table: float
    registrars_per_table: float
    people_per_sampler_hour: float
    service_scv: float
    no_show: float
    walk_minutes: float
    queue_minutes: float
    queue_probability: float
    pooling: float

    def __post_init__(self) -> None:
        problems = []
        for name in self.__slots__:
            value = getattr(self, name)
            share = name in ("no_show", "queue_probability")
            positive = name not in ("registrars_per_table", "service_scv", "no_show", "queue_minutes", "walk_minutes")
            if not 0 <= value < (1 if share else np.inf) or (positive and not value):
                message = Text("{name} 为 {value:g}，无效。", "{name} cannot be {value:g}.", name=name, value=value)
                hint = Text(
                    "比例应在 0 与 1 之间，其余应大于 0。", "Shares lie between 0 and 1, other figures above 0."
                )
                problems.append(Problem(message, hint))
        if problems:
            raise BadInput(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteHour:
    """One hour of a site.

    Attributes:
        hour: From midnight of the first day.
        people: Expected to come.
        samplers, least: At work, and the bound.
        tables, staff: Tables open, and samplers with registrars.
        tubes: Filled, the last of each table perhaps in part.
        simulated, kept: Of those who come in this hour.
    """

    hour: int
    people: float
    samplers: int
    least: int
    tables: int
    staff: int
    tubes: int
    simulated: HourFigures
    kept: Kept


@dataclass(frozen=True, slots=True, kw_only=True)
class SitePlan:
    """The plan of a site.

    Attributes:
        site: Which.
        hours: Its hours.
        schedule: Samplers with their bound, in sampler-hours, and the outcome over all hours.
        points, tables_by_norm, samplers_by_norm: What the norms by head ask for.
        notes: What the plan cannot mend: a walk that is too long, more people than a point should have.
    """

    site: SamplingSite
    hours: tuple[SiteHour, ...]
    schedule: Schedule
    points: int
    tables_by_norm: int
    samplers_by_norm: int
    notes: tuple[Text, ...]

    @property
    def tubes(self) -> int:
        return sum(hour.tubes for hour in self.hours)

    @property
    def staff_hours(self) -> int:
        return sum(hour.staff for hour in self.hours)


def plan_site(
    site: SamplingSite, rules: ScreeningRules, *, most: int = 200, seed: int = 1, replications: int = 100
) -> SitePlan:
    """Samplers, tables and tubes of a site by hour.

    Args:
        site: The site.
        rules: By what.
        most: It can have at most so many samplers.
        seed: The same seed gives the same plan.
        replications: Days simulated.

    Raises:
        BadInput: Its hours or shares cannot be, or no number of samplers is enough.
    """
    site.check()
    service = HOUR / rules.people_per_sampler_hour
    weights = site.shares or (1.0,) * (site.closes - site.opens)
    called = [site.people * one / sum(weights) for one in weights]
    coming = thinned(called, rules.no_show)
    requirements = Requirements(wait=rules.queue_minutes, probability=rules.queue_probability)
    first = servers_by_hour(
        coming, service, within=requirements.wait, probability=requirements.probability, scv=rules.service_scv
    )
    schedule = find_schedule(
        [Kind(id=site.id, queue=0, mean=service, scv=rules.service_scv, arrivals=coming)],
        first=np.array([first], np.int64), requirements=requirements, most=most, seed=seed, replications=replications,
    )  # fmt: skip
    return SitePlan(
        site=site,
        hours=tuple(
            _hour(site, rules, schedule, requirements, number, coming[number]) for number in range(len(coming))
        ),
        schedule=schedule,
        points=ceil(site.people / rules.people_per_point),
        tables_by_norm=ceil(site.people / rules.people_per_table),
        samplers_by_norm=ceil(site.people / rules.people_per_sampler),
        notes=tuple(_notes(site, rules)),
    )


def total_standing(plans: Sequence[SitePlan]) -> Standing:
    """Of all sites together, in sampler-hours: they do not depend on each other, so their bounds add up."""
    standings = [plan.schedule.standing for plan in plans if plan.schedule.standing]
    return Standing(
        objective=sum(one.objective for one in standings),
        bound=sum(one.bound for one in standings),
        seconds=sum(one.seconds for one in standings),
    )


def tubes_by_hour(plans: Sequence[SitePlan]) -> list[int]:
    """Tubes of all sites in each hour from midnight of the first day."""
    found = [0] * LAST_HOUR
    for plan in plans:
        for hour in plan.hours:
            found[hour.hour] += hour.tubes
    return found


def _hour(
    site: SamplingSite,
    rules: ScreeningRules,
    schedule: Schedule,
    requirements: Requirements,
    number: int,
    people: float,
) -> SiteHour:
    samplers = schedule.servers[0][number]
    tables = ceil(samplers / rules.samplers_per_table)
    figures = schedule.outcome.by_hour[0][number]
    return SiteHour(
        hour=site.opens + number,
        people=people,
        samplers=samplers,
        least=schedule.least[0][number],
        tables=tables,
        staff=samplers + ceil(tables * rules.registrars_per_table),
        tubes=tables * ceil(people / tables / rules.pooling) if tables else ceil(people / rules.pooling),
        simulated=figures,
        kept=kept(figures, requirements),
    )


def _notes(site: SamplingSite, rules: ScreeningRules) -> list[Text]:
    far = Text(
        "步行 {walk} 分钟，超过 {most:g} 分钟，请增设采样点。",
        "The walk takes {walk} minutes, more than {most:g}: add a site.",
        walk=site.walk,
        most=rules.walk_minutes,
    )
    crowded = Text(
        "服务 {people} 人，按每点 {norm:g} 人应设 {points} 个采样点。",
        "{people} people are called; at {norm:g} a point there should be {points} points.",
        people=site.people,
        norm=rules.people_per_point,
        points=ceil(site.people / rules.people_per_point),
    )
    found = [far] if site.walk is not None and site.walk > rules.walk_minutes else []
    if site.people > rules.people_per_point:
        found.append(crowded)
    return found
