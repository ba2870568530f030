"""A whole year of a campaign in a simulated city: letters, cases, inspections, lists, honours, index and bulletin.

Everything goes through the operations that people use, at the times at which they would. What people type is invented; what is counted
is counted. The history of letters, inspections and lists is written when it runs, so its entries bear the moment of the run.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random

from PIL import Image

from yiwang.core.indicators.lists import ListRule, period_of
from yiwang.core.indicators.scorecard import label
from yiwang.core.inspections.checklists import Checklist, Counted, Measured, Photo, in_force
from yiwang.core.inspections.scoring import Outcome
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import Conflict
from yiwang.core.kernel.text import Text
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.honours import operations as honours
from yiwang.server.inspections import planning
from yiwang.server.inspections.models import Campaign, Finding, Visit
from yiwang.server.inspections.recording import ItemSaid, VisitSaid, record_visit
from yiwang.server.lists import operations as lists
from yiwang.server.lists.models import Edition, ListEntry
from yiwang.server.people.models import User
from yiwang.server.people.operations import create_person
from yiwang.server.provision.simulation import run_past
from yiwang.server.scores import exporting, queries
from yiwang.server.targets import drafting, signing
from yiwang.server.targets.bulletin import bulletin_of
from yiwang.server.targets.models import Letter, Signature

PREFIX = "campaign"
INSPECTORS = 6
WANTED = {"up": 85.0, "down": 15.0}  # percent; what the letters of the rehearsal ask for
MOST_ITEMS = 3
REFUSED = 0.03
Progress = Callable[[str], None]


@dataclass(kw_only=True)
class Outcomes:
    """What came of a year: how many of each, and the files that were written."""

    cases: int = 0
    letters: int = 0
    inspections: int = 0
    visits: int = 0
    editions: int = 0
    listed: int = 0
    objections_upheld: int = 0
    honours: int = 0
    files: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who plays: two who assess the city, inspectors, and who signs for a region."""

    first: User
    second: User
    inspectors: tuple[User, ...]
    heads: dict[str, User]


def run_year(place: CityRuntime, *, year: int, per_day: float, out: Path, progress: Progress) -> Outcomes:
    """Run a year that is over. Run again for a year that was run, it is refused.

    Args:
        place: A city whose pack has a simulation.
        year: Over in the city.
        per_day: Reports a day, by mean.
        out: Folder for the files.
        progress: Told what is being done.

    Raises:
        BadInput: When the year is not over, or the pack has no simulation.
        Conflict: When the year was run before.
    """
    zone = place.info.zone
    after = datetime(year + 1, 1, 1, tzinfo=zone)
    if after > datetime.now(UTC):
        raise BadInput(Text("{year} 年还没有结束。", "{year} is not over yet.", year=year))
    if Letter.objects.filter(city=place.info.id, year=year).exists():
        raise Conflict(
            Text(
                "{year} 年已有责任书，不再演练。",
                "There are letters of {year} already: it is not run again.",
                year=year,
            )
        )
    out.mkdir(parents=True, exist_ok=True)
    told, cast = Outcomes(), _cast(place)
    progress("cases")
    days = (after - datetime(year, 1, 1, tzinfo=zone)).days
    told.cases = run_past(city=place.info.id, days=days, per_day=per_day, now=after)["cases"]
    progress("letters")
    _letters(place, cast, told, year=year)
    for month in range(1, 13):
        progress(f"inspections {year}-{month:02}")
        _inspect(place, cast, told, first=date(year, month, 1))
    progress("facts")
    exporting.catch_up(city=place.info.id)
    progress("lists")
    _lists(place, cast, told, year=year)
    progress("honours")
    _honours(place, cast, told, at=after - timedelta(hours=12))
    progress("files")
    _files(place, told, year=year, out=out, now=after)
    return told


def _cast(place: CityRuntime) -> Cast:
    """Accounts without a password: nobody signs in with them."""
    workflow, city = place.rules.workflow, place.info.id
    inside = [role for role in workflow.roles.values() if role.id not in workflow.outside_roles()]
    assessing = next((role.id for role in inside if role.assessment), "")
    if not assessing:
        raise BadInput(
            Text("没有岗位负责考评（assessment = true）。", "No role assesses the city (assessment = true).")
        )
    watching = next((role.id for role in inside if role.axis == "supervision" and not role.assessment), assessing)
    commanding = next(role.id for role in inside if role.axis == "command")

    def person(name: str, zh: str, en: str, role: str, region: str = "") -> User:
        made, _ = create_person(
            username=f"{PREFIX}-{city}-{name}",
            password=None,
            name=zh,
            name_en=en,
            city=city,
            roles={role: ("", region)},
        )
        return made

    root = place.regions.roots[0].code
    heads = {root: person("head", "全市负责人（模拟）", "Head of the city (simulated)", commanding)}
    for region in place.regions.children(root):
        en = f"Head of {region.name.en} (simulated)"
        heads[region.code] = person(
            f"head-{region.code}", f"{region.name.zh}负责人（模拟）", en, commanding, region.code
        )
    return Cast(
        first=person("assessor-1", "考评员甲（模拟）", "Assessor A (simulated)", assessing),
        second=person("assessor-2", "考评员乙（模拟）", "Assessor B (simulated)", assessing),
        inspectors=tuple(
            person(f"inspector-{n}", f"检查员{n}（模拟）", f"Inspector {n} (simulated)", watching)
            for n in range(1, INSPECTORS + 1)
        ),
        heads=heads,
    )


# --- letters ------------------------------------------------------------------------------------------------------


def _letters(place: CityRuntime, cast: Cast, told: Outcomes, *, year: int) -> None:
    """A letter for the city, handed down to the regions below, all signed by two in January."""
    at = datetime(year, 1, 15, 9, tzinfo=place.info.zone)
    known = drafting.wanted_indicators(place, now=at)
    shown = [*place.pack.indicators.shown, *known]
    rates = [name for name in dict.fromkeys(shown) if name in known and known[name].unit == "percent"][:MOST_ITEMS]
    items = [
        drafting.Typed(
            indicator=name, target=WANTED[known[name].direction], milestones={6: WANTED[known[name].direction]}
        )
        for name in rates
    ]
    root = place.regions.roots[0].code
    city = drafting.draft(
        place, unit=root, year=year, owner=cast.heads[root].display_name, items=items, by=cast.first.username, now=at
    )
    _sign(place, drafting.issue(place, city, by=cast.first.username, now=at), cast, told, at=at)
    city.refresh_from_db()
    owners = {code: head.display_name for code, head in cast.heads.items() if code != root}
    for letter in drafting.hand_down(place, city, owners=owners, by=cast.first.username, now=at):
        _sign(place, drafting.issue(place, letter, by=cast.first.username, now=at), cast, told, at=at)


def _sign(place: CityRuntime, letter: Letter, cast: Cast, told: Outcomes, *, at: datetime) -> None:
    signing.sign_letter(place, letter, side=Signature.Side.ASSESSOR, user=cast.first, now=at)
    signing.sign_letter(place, letter, side=Signature.Side.UNIT, user=cast.heads[letter.unit], now=at)
    told.letters += 1


# --- inspections --------------------------------------------------------------------------------------------------


def _inspect(place: CityRuntime, cast: Cast, told: Outcomes, *, first: date) -> None:
    """One inspection a month by each checklist of regions, drawn at its beginning and ended after its last day."""
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    month = label(first, "month")
    depths = [level.id for level in place.info.levels]
    for checklist in in_force(place.pack.checklists, on=first).values():
        if not checklist.level or depths.index(checklist.level) == 0:
            continue
        strata = depths[min(1, depths.index(checklist.level))] if depths.index(checklist.level) > 1 else depths[0]
        regions = len(place.regions.at_level(strata))
        said = planning.CampaignSaid(
            key=f"{month}-{checklist.id.replace('_', '-')}",
            name=f"{month} {checklist.name.zh}",
            name_en=f"{checklist.name.en}, {month}",
            checklist=checklist.id,
            strata=strata,
            total=max(4, 3 * regions),
            inspectors=tuple(one.username for one in cast.inspectors),
            avoids={},
            team=1,
            second_share=0.1,
            begins=first,
            ends=last,
        )
        at = datetime.combine(first, time(8), tzinfo=place.info.zone)
        campaign = planning.commit_to(place, said, by=cast.first.username, now=at)
        campaign = planning.draw_campaign(campaign, by=cast.first.username, now=at + timedelta(hours=1))
        for visit in campaign.visits.select_related("campaign"):
            _visit(visit, campaign, checklist, first=at, days=(last - first).days)
            told.visits += 1
        planning.end_campaign(campaign, by=cast.first.username, now=at.replace(day=last.day, hour=20))
        told.inspections += 1


def _visit(visit: Visit, campaign: Campaign, checklist: Checklist, *, first: datetime, days: int) -> None:
    rng = Random(f"{campaign.city}/{campaign.key}/{visit.place}/{visit.turn}")  # noqa: S311 - a rehearsal
    at = first + timedelta(days=rng.randrange(days + 1), hours=rng.randrange(8))
    # each region is as clean as it is, the whole year; a second look nearly always sees the same
    quality = 0.55 + 0.43 * Random(f"{campaign.city}/{visit.place}").random()  # noqa: S311
    if rng.random() < REFUSED:
        said = VisitSaid(outcome=Outcome.REFUSED)
    else:
        said = VisitSaid(outcome=Outcome.DONE, answers=dict(_answers(checklist, quality, rng)))
    record_visit(visit, said, username=str(campaign.people[visit.inspectors[0]]), now=at)
    # a case of today would not belong to that year
    Finding.objects.filter(visit=visit, case=None).update(case="")


def _answers(checklist: Checklist, quality: float, rng: Random) -> Iterator[tuple[str, ItemSaid]]:
    for item in checklist.items:
        good = rng.random() < quality
        match item.measure:
            case Counted(allowed=allowed):
                value = float(allowed if good else allowed + rng.randint(1, 3))
            case Measured(limit=limit, none=none, least=least, most=most):
                share = rng.uniform(-0.5, 0.0) if good else rng.random()  # of the way from the limit to no points
                value = round(min(most, max(least, limit + (none - limit) * share)), 2)
            case _:
                value = 1.0 if good else 0.0
        needs = item.photo == Photo.ALWAYS or (item.photo == Photo.FAILED and item.measure.fails(value))
        yield item.id, ItemSaid(value=value, photos=(_picture(rng),) if needs else ())


def _picture(rng: Random) -> io.BytesIO:
    content = io.BytesIO()
    Image.effect_noise((160, 120), rng.uniform(20, 90)).convert("RGB").save(content, "JPEG")
    content.seek(0)
    return content


# --- lists and honours --------------------------------------------------------------------------------------------


def _lists(place: CityRuntime, cast: Cast, told: Outcomes, *, year: int) -> None:
    """Notice of each period, one objection of the year upheld, the rest published when the days are over."""
    for rule in place.pack.indicators.lists:
        for name in _periods(rule, year):
            period = period_of(name, rule.period)
            if not rule.validity.contains(period.first):
                continue
            noticed = datetime.combine(period.after, time(9), tzinfo=place.info.zone) + timedelta(days=1)
            edition = lists.give_notice(place, rule=rule.id, period=name, by=cast.first.username, now=noticed)
            told.editions += 1
            told.listed += edition.entries.count()
            if not told.objections_upheld:
                _object(place, cast, told, edition, at=noticed + timedelta(days=1))
            over = datetime.combine(edition.objections_until, time(9), tzinfo=place.info.zone) + timedelta(days=1)
            lists.publish(edition, by=cast.first.username, now=over)


def _periods(rule: ListRule, year: int) -> list[str]:
    match rule.period:
        case "month":
            return [f"{year}-{month:02}" for month in range(1, 13)]
        case "quarter":
            return [f"{year}-Q{quarter}" for quarter in range(1, 5)]
        case _:
            return [f"{year}"]


def _object(place: CityRuntime, cast: Cast, told: Outcomes, edition: Edition, *, at: datetime) -> None:
    """The first unit on a black list objects, and somebody else than who gave the notice upholds it."""
    entry: ListEntry | None = edition.entries.filter(colour="black").first()
    head = next((user for user in cast.heads.values() if entry and lists.belongs(user, entry, place=place)), None)
    if entry is None or head is None:
        return
    lists.object_to(entry, user=head, text="三件案卷的责任单位不是我们（模拟）。", now=at)
    entry.refresh_from_db()
    lists.decide_objection(
        entry, upheld=True, text="核实属实，移出榜单（模拟）。", by=cast.second.username, now=at + timedelta(days=1)
    )
    told.objections_upheld += 1


def _honours(place: CityRuntime, cast: Cast, told: Outcomes, *, at: datetime) -> None:
    """Areas that meet the rule at the year's end are listed, and banners go to the last red list, as many as there are."""
    today = at.astimezone(place.info.zone).date()
    for rule in honours.rules_on(place, today):
        for holder in honours.meeting(place, rule, today=today):
            made = honours.propose(place, rule=rule.id, holder=holder, by=cast.first.username, now=at)
            honours.decide(made, granted=True, text="", by=cast.second.username, now=at)
            told.honours += 1


# --- files --------------------------------------------------------------------------------------------------------


def _files(place: CityRuntime, told: Outcomes, *, year: int, out: Path, now: datetime) -> None:
    from yiwang.server.targets.bulletin_pdf import bulletin_pdf  # so that a start does not wait for fpdf and its fonts

    level = place.info.levels[min(1, len(place.info.levels) - 1)].id
    card = queries.scorecard(
        place=place, by=(level, "month"), since=date(year, 1, 1), until=date(year + 1, 1, 1), as_of=now
    )
    header, rows = queries.as_table(card, place=place)
    with (out / "scores.csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerows([header, *rows])
    (out / "bulletin.pdf").write_bytes(bulletin_pdf(bulletin_of(place, year), place=place, now=now))
    told.files = ["scores.csv", "bulletin.pdf"]
    for letter in Letter.objects.filter(city=place.info.id, year=year, step=Letter.Step.IN_FORCE).order_by("unit"):
        assert letter.file is not None  # a letter in force was issued
        name = f"letter-{letter.unit}.pdf"
        (out / name).write_bytes(bytes(letter.file))
        told.files.append(name)
