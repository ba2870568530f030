"""`yiwang inspect`: draw inspections that anybody can draw again (双随机), and score them. Needs no database."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from yiwang.cli.output import Failed, emit, emit_table, json_option, say, wants_json
from yiwang.cli.rating import list_checklists, rate
from yiwang.core.indicators.intervals import Interval
from yiwang.core.indicators.sampling import (
    Inspector,
    Place,
    Plan,
    Visit,
    allocate,
    commitment,
    draw,
    plan_as_json,
    plan_from_json,
    verify,
)
from yiwang.core.indicators.survey import estimate_mean
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.packs.files import decode

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_SEED = click.option("--seed", required=True, help="The secret seed, as 32 or more hexadecimal digits.")
_BEACON = click.option("--beacon", default="", help="Value of the public number that the plan names.")


@click.group()
def inspect() -> None:
    """Draw inspections by lot and score them.

    Publish what `commit` says before the draw, and plan and seed after it: then anybody can `verify`.

    \b
    Example: yiwang inspect plan wuxi --level street --strata district --total 20 --inspector a --inspector b > plan.json
    """


@inspect.command(name="plan")
@click.argument("city")
@click.option("--level", required=True, help="Level of the regions that are drawn.")
@click.option("--strata", required=True, help="Level of the regions that they are drawn within.")
@click.option("--total", required=True, type=click.IntRange(min=1), help="How many to draw; at least 2 a stratum.")
@click.option("--inspector", "people", multiple=True, required=True, help="Who can be drawn: CODE or CODE:AVOIDED,…")
@click.option("--team", default=2, show_default=True, help="Inspectors for each place.")
@click.option("--beacon", default="", help="Name of a public number, known later, that is mixed in.")
@click.option("--name", default="inspection", show_default=True, help="Name of the plan.")
@json_option
def make_plan(
    city: str, level: str, strata: str, total: int, people: tuple[str, ...], team: int, beacon: str, name: str
) -> None:
    """Write a plan over a city's regions, drawn in proportion to each stratum's size, as JSON.

    \b
    Example: yiwang inspect plan wuxi --level street --strata district --total 20 --inspector a --inspector b > plan.json
    """
    from yiwang.cli.city import city_folder
    from yiwang.packs import read_pack

    pack = read_pack(city_folder(city))
    tree = pack.regions.on(datetime.now(pack.info.zone).date())
    levels = [one.id for one in pack.info.levels]
    for option, given in (("--level", level), ("--strata", strata)):
        if given not in levels:
            raise click.BadParameter(f"There is no level {given!r}; one of {', '.join(levels)}.", param_hint=option)
    places = tuple(Place(id=one.code, stratum=tree.ancestor(one.code, strata) or "") for one in tree.at_level(level))
    inspectors = []
    for text in people:
        code, _, avoided = text.partition(":")
        inspectors.append(Inspector(id=code, avoids=frozenset(filter(None, avoided.split(",")))))
    sample = allocate(sizes=Counter(place.stratum for place in places), total=total)
    plan = Plan(id=name, places=places, sample=sample, inspectors=tuple(inspectors), team=team, beacon=beacon)
    emit(plan_as_json(plan))


@inspect.command(name="commit")
@click.argument("plan", type=_FILE)
@_SEED
@json_option
def commit_to(plan: Path, seed: str) -> None:
    """Say the hash to publish before the draw.

    \b
    Example: yiwang inspect commit plan.json --seed $(openssl rand -hex 32)
    """
    published = commitment(plan=_plan(plan), seed=_bytes(seed))
    if wants_json():
        emit({"commitment": published})
    else:
        click.echo(published)


@inspect.command(name="draw")
@click.argument("plan", type=_FILE)
@_SEED
@_BEACON
@json_option
def draw_plan(plan: Path, seed: str, beacon: str) -> None:
    """Draw places and inspectors.

    \b
    Example: yiwang inspect draw plan.json --seed 00112233445566778899aabbccddeeff --json > visits.json
    """
    visits = draw(plan=_plan(plan), seed=_bytes(seed), beacon=beacon)
    if wants_json():
        emit([asdict(visit) for visit in visits])
        return
    emit_table(
        ("place", "stratum", "inspectors", "weight"),
        [(visit.place, visit.stratum, " ".join(visit.inspectors), visit.weight) for visit in visits],
    )


@inspect.command(name="verify")
@click.argument("plan", type=_FILE)
@click.argument("visits", type=_FILE)
@_SEED
@_BEACON
@click.option("--published", required=True, help="The hash that was published before the draw.")
@json_option
def verify_draw(plan: Path, visits: Path, seed: str, beacon: str, published: str) -> None:
    """Draw again and compare; exit code 1 when anything differs.

    \b
    Example: yiwang inspect verify plan.json visits.json --seed 00112233445566778899aabbccddeeff --published 5f2a…
    """
    claimed = _visits(visits)
    found = verify(plan=_plan(plan), seed=_bytes(seed), beacon=beacon, published=published, visits=claimed)
    if found:
        raise Failed("The draw is not what was committed to.", found)
    if wants_json():
        emit({"verified": True, "visits": len(claimed)})
    else:
        say(f"{len(claimed)} visits are what was committed to.", style="green")


@inspect.command(name="score")
@click.argument("plan", type=_FILE)
@click.argument("visits", type=_FILE)
@click.argument("results", type=_FILE)
@json_option
def score_results(plan: Path, visits: Path, results: Path) -> None:
    """Mean score of the whole frame and of each stratum, with 95 % intervals that follow the draw.

    RESULTS is a CSV with the columns place and score (0 to 100). Every drawn place needs one.

    \b
    Example: yiwang inspect score plan.json visits.json results.csv
    """
    drawn = {visit.place: visit for visit in _visits(visits)}
    scores = _scores(results, drawn)
    sizes = Counter(place.stratum for place in _plan(plan).places)
    rows = []
    for stratum in ("", *sorted({visit.stratum for visit in drawn.values()})):
        chosen = [visit for visit in drawn.values() if stratum in ("", visit.stratum)]
        found = estimate_mean(
            values=[scores[visit.place] for visit in chosen],
            strata=[visit.stratum for visit in chosen],
            weights=[visit.weight for visit in chosen],
            sizes=sizes,
            bounds=Interval(0, 100),
        )
        if found is not None:
            low, high = (found.interval.low, found.interval.high) if found.interval else (None, None)
            rows.append((stratum or "all", found.sampled, found.value, low, high))
    header = ("stratum", "visits", "score", "low", "high")
    if wants_json():
        emit([dict(zip(header, row, strict=True)) for row in rows])
    else:
        emit_table(header, [[round(cell, 2) if isinstance(cell, float) else cell for cell in row] for row in rows])


inspect.add_command(list_checklists)
inspect.add_command(rate)


def _bytes(seed: str) -> bytes:
    try:
        return bytes.fromhex(seed)
    except ValueError as error:
        raise click.BadParameter(f"{seed!r} is not hexadecimal.", param_hint="--seed") from error


def _json(path: Path) -> Any:
    try:
        return json.loads(decode(path.read_bytes()))
    except json.JSONDecodeError as error:
        message = Text("不是有效的 JSON：{why}。", "Not valid JSON: {why}.", why=error.msg)
        raise BadInput(Problem(message, file=path.name, row=error.lineno)) from error


def _plan(path: Path) -> Plan:
    data = _json(path)
    try:
        return plan_from_json(data)
    except (AttributeError, KeyError, TypeError) as error:
        message = Text("不是抽查计划：{why}。", "Not a plan: {why}.", why=str(error))
        hint = Text("请用 `inspect plan` 生成。", "Write it with `inspect plan`.")
        raise BadInput(Problem(message, hint, path.name)) from error


def _visits(path: Path) -> tuple[Visit, ...]:
    try:
        return tuple(Visit(**(one | {"inspectors": tuple(one["inspectors"])})) for one in _json(path))
    except (KeyError, TypeError) as error:
        message = Text("不是抽取结果：{why}。", "Not a draw: {why}.", why=str(error))
        hint = Text("请用 `inspect draw --json` 生成。", "Write it with `inspect draw --json`.")
        raise BadInput(Problem(message, hint, path.name)) from error


def _scores(path: Path, drawn: dict[str, Visit]) -> dict[str, float]:
    scores: dict[str, float] = {}
    problems = []
    for number, row in enumerate(csv.DictReader(io.StringIO(decode(path.read_bytes()), newline="")), start=2):
        place, text = row.get("place") or "", row.get("score") or ""
        if place not in drawn or place in scores:
            message = Text("「{place}」没有被抽中。", "{place!r} was not drawn.", place=place)
            if place in scores:
                message = Text("「{place}」已有结果。", "{place!r} has a result already.", place=place)
            hint = Text("每个抽中的地点一行。", "One row for each drawn place.")
            problems.append(Problem(message, hint, path.name, number, "place"))
            continue
        try:
            scores[place] = float(text)
        except ValueError:
            scores[place] = -1.0
        if not 0 <= scores[place] <= 100:
            message = Text("「{text}」不是分数。", "{text!r} is no score.", text=text)
            hint = Text("请写 0 到 100 之间的数。", "A number, 0 to 100.")
            problems.append(Problem(message, hint, path.name, number, "score"))
    # a place left out is no accident to be passed over: who leaves out the dirty ones raises the score
    problems += [
        Problem(Text("{place} 没有结果。", "{place} has no result.", place=place), file=path.name)
        for place in sorted(drawn.keys() - scores.keys())
    ]
    if problems:
        raise BadInput(problems)
    return scores
