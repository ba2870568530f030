"""What the pages' forms ask for and what they give: fields of a verb, filters of a list, the body of a report."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any

from django.http import QueryDict
from django.utils import timezone

from yiwang.core.cases.custody import facts_of
from yiwang.core.cases.definitions import WORDS
from yiwang.core.cases.fields import ASKED, CARRIED, REPORTED
from yiwang.core.cases.payloads import BY_PEOPLE, field_name
from yiwang.core.cases.state import CaseState
from yiwang.core.cases.workflow import Verb
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.server.cases.api import CaseFilters, ReportDraft, region_name
from yiwang.server.cities.choosing import KIND_OF_FIELD, chosen
from yiwang.server.cities.choosing import WORDS as WORDS_TYPED
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.cities.suggesting import suggest
from yiwang.server.common.language import english, say
from yiwang.server.common.moments import read_moment
from yiwang.server.common.templatetags.yiwang import named
from yiwang.server.people.queries import name_of, people_at

MOST_UNITS = 60
STARS = [(str(stars), "★" * stars) for stars in range(5, 0, -1)]


NARROWING = {
    "opened_after": Text("上报不早于", "reported from"),
    "opened_before": Text("上报早于", "reported before"),
    "as_of": Text("截至", "as of"),
    "filed_after": Text("立案不早于", "filed from"),
    "filed_before": Text("立案早于", "filed before"),
    "closed_after": Text("办结不早于", "closed from"),
    "closed_before": Text("办结早于", "closed before"),
    "bbox": Text("地图范围（西、南、东、北）", "part of the map (west, south, east, north)"),
}
"""Filters that other pages' figures lead to; the list shows them and lets them be taken away."""


def filters(values: Mapping[str, str], *, zone: tzinfo) -> CaseFilters:
    """The filters of the list page.

    Raises:
        BadInput: When a time is none or a box is none.
    """
    moments: dict[str, Any] = {name: _moment(name, values[name], zone) for name in NARROWING if name != "bbox"}
    return CaseFilters(
        state=values["state"],
        step=values["step"],
        holder=values["holder"],
        category=values["category"],
        region=values["region"],
        flag=values["flag"],
        q=values["q"],
        order=values["order"],
        bbox=box(values["bbox"]),
        **moments,
    )


def _moment(name: str, text: str, zone: tzinfo) -> datetime | None:
    """A day or a time; without an offset, the city's."""
    if not text:
        return None
    try:
        return read_moment(text, zone=zone)
    except ValueError:
        raise BadInput(
            Problem(
                Text("「{text}」不是有效的时间。", "{text!r} is no time.", text=text),
                Text("请写成 2026-03-01 或 2026-03-01T08:00+08:00。", "Write 2026-03-01 or 2026-03-01T08:00+08:00."),
                column=name,
            )
        ) from None


def box(text: str) -> tuple[float, float, float, float] | None:
    """West, south, east, north in degrees, as an address writes them.

    Raises:
        BadInput: When it is no box.
    """
    if not text:
        return None
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        west = south = east = north = float("nan")
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise BadInput(
            Problem(
                Text("「{text}」不是有效的范围。", "{text!r} is no box.", text=text),
                Text("请按「西,南,东,北」填写，单位为度。", "Write west,south,east,north in degrees."),
                column="bbox",
            )
        )
    return west, south, east, north


def sequence(post: QueryDict) -> int | None:
    """The last event that the person saw.

    Raises:
        BadInput: When it is no number.
    """
    text = post.get("seq", "")
    if not text:
        return None
    if not text.isascii() or not text.isdigit():
        raise BadInput(
            Problem(
                Text("seq「{text}」不是数字。", "seq {text!r} is no number.", text=text),
                Text("请重新打开案卷。", "Open the case again."),
                column="seq",
            )
        )
    return int(text)


def payload(post: QueryDict, *, place: CityRuntime) -> dict[str, Any]:
    """What a verb's form carries. Empty fields are left out; ``units`` and ``parts`` are lists.

    Raises:
        BadInput: When words were sent for a code and mean nothing, or more than one thing.
    """
    values: dict[str, Any] = {name: text for name in SIMPLE if (text := _sent(post, name, place))}
    if units := [unit.strip() for unit in post.getlist("units") if unit.strip()]:
        values["units"] = units
    if lines := [line.strip() for line in post.get("parts", "").splitlines() if line.strip()]:
        values["parts"] = [{"text": line} for line in lines]
    if "lon" in values or "lat" in values:
        values["crs"] = PAGES_CRS
    return values


def _sent(post: QueryDict, name: str, place: CityRuntime) -> str:
    if name in KIND_OF_FIELD:
        return chosen(place, post, name)
    return str(post.get(name, "") or post.get(f"{name}{WORDS_TYPED}", "")).strip()


# what maps and phones give and pages ask for, whatever system the city's records are in
PAGES_CRS = "wgs84"
# what one input gives; units and parts are lists, pictures are files
SIMPLE = tuple(sorted(BY_PEOPLE.difference(CARRIED, {"units", "parts", "crs"})))
# what a case knows already: its form shows it, and need not be filled again
KNOWN = ASKED
# what the page of a report asks for, beside the point
WORDS_OF_REPORT = (*(name for name in REPORTED if name not in ("lon", "lat")), "contact")


def draft(post: QueryDict, *, place: CityRuntime, channel: str = "", photos: Sequence[Any] = ()) -> ReportDraft:
    """The report that a page's form carries.

    Raises:
        BadInput: When a coordinate is no number, or words that stand for a code mean nothing.
    """
    said: dict[str, Any] = {name: _sent(post, name, place) for name in WORDS_OF_REPORT}
    return ReportDraft(**said, **coordinates(post), crs=PAGES_CRS, channel=channel, photos=photos)


def coordinates(post: QueryDict) -> dict[str, Any]:
    """Longitude and latitude of a form, None where they are empty.

    Raises:
        BadInput: When one is no number.
    """
    found: dict[str, Any] = {}
    problems = []
    for name in ("lon", "lat"):
        text = post.get(name, "").strip()
        try:
            found[name] = float(text) if text else None
        except ValueError:
            problems.append(
                Problem(
                    Text("{name}「{text}」不是数字。", "{name} {text!r} is no number.", name=name, text=text[:40]),
                    Text("请填写度数，如 120.30。", "Write degrees, e.g. 120.30."),
                    column=name,
                )
            )
    if problems:
        raise BadInput(problems)
    return found


def fields(verb: Verb, *, state: CaseState, place: CityRuntime) -> list[dict[str, Any]]:
    """The fields that a verb's form shows, required ones first."""
    wanted = [(name, True) for name in verb.requires] + [
        (name, False) for name in verb.optional if name not in verb.requires
    ]
    if "note" not in dict(wanted) and "reason" not in dict(wanted) and verb.effect not in {"rate"}:
        wanted.append(("note", False))
    if verb.effect == "correct":
        before = next((n for n, (name, _) in enumerate(wanted) if name in {"reason", "note"}), len(wanted))
        wanted[before:before] = [("lon", False), ("lat", False)]
    return [_field(name, required, state=state, place=place, verb=verb) for name, required in wanted]


def _field(name: str, required: bool, *, verb: Verb, state: CaseState, place: CityRuntime) -> dict[str, Any]:
    known = str(getattr(state, name)) if name in KNOWN else ""
    made: dict[str, Any] = {
        "name": name,
        "label": _label(name),
        "kind": "text" if name in {*WORDS, "parts"} else "input",
        "required": required and not known,
        "value": known,
    }
    if name in WORDS:
        made["help"] = readers_of(verb, name)
        made["phrases"] = [
            say(phrase.name)
            for phrase in place.rules.workflow.phrases.values()
            if phrase.field == name and (not phrase.verbs or verb.id in phrase.verbs)
        ]
    match name:
        case "photo":
            return made | {"kind": "file"}
        case "unit" | "units":
            suggested, options = _units(verb, state=state, place=place)
            help_text = say("规则建议：{unit}", "The rules suggest: {unit}", unit=suggested[1]) if suggested else ""
            unset = required and not (verb.moves == "down" and suggested)
            return made | {
                "kind": "combobox" if name == "unit" else "select",
                "of": "units",
                "options": options,
                "value": suggested[0] if suggested else "",
                "help": help_text,
                "required": unset,
            }
        case "person":
            people = people_at(city=place.info.id, unit=state.holder)
            options = [(f"user:{user.pk}", name_of(user)) for user in people]
            return made | {"kind": "select", "options": options, "value": state.assignee}
        case "category":
            return made | {"kind": "combobox", "of": "categories"} | ({} if known else _category_by_words(state, place))
        case "region":
            return made | {"kind": "combobox", "of": "regions", "help": region_name(place, state.region, levels=3)}
        case "condition":
            found = place.pack.conditions.get((state.category, known))
            return made | {
                "kind": "combobox",
                "of": "conditions",
                "words": say(found.text) if found else "",
                "within": {"category": state.category, "region": state.region},
            }
        case "lon" | "lat":
            degrees = getattr(state, name)
            shown = "" if degrees is None else f"{degrees:.6f}"
            return made | {"value": shown, "help": say("度，WGS84", "Degrees, WGS84")}
        case "stars":
            return made | {"kind": "select", "options": STARS}
        case "until":
            until = timezone.now().astimezone(place.info.zone).date() + timedelta(days=7)
            return made | {"kind": "date", "value": until.isoformat()}
        case "parts":
            return made | {"help": say("每行一个部分，2 至 20 行", "One part a line, 2 to 20 lines")}
        case _:
            return made


def _category_by_words(state: CaseState, place: CityRuntime) -> dict[str, Any]:
    """The category that the case's words suggest, chosen already, with the words that say so; the next best are offered."""
    found = suggest(state.text, place=place)
    if not found:
        return {}
    words = (", " if english() else "、").join(found[0].words)
    return {
        "value": found[0].category.code,
        "options": [(one.category.code, named(one.category)) for one in found],
        "help": say("按内容建议，因为写了：{words}", "Suggested by the words: {words}", words=words),
    }


def readers_of(verb: Verb, field: str) -> str:
    """Who will read what is written into a field of a verb's form, said beside the field."""
    if verb.reads_publicly(field):
        return say("公开：任何人都能看到，个人信息自动隐去", "Public: anybody can read it; personal data is masked")
    return say("内部：只有办理人员能看到，不公开", "Internal: read by staff, not published")


def _label(name: str) -> str:
    """The field's name as the label of a form; in sentences English names it with its article."""
    label = field_name("photos" if name == "photo" else name)
    return say(label.zh, re.sub("^(a|an|the) ", "", label.en).capitalize())


def _units(verb: Verb, *, state: CaseState, place: CityRuntime) -> tuple[tuple[str, str] | None, list[tuple[str, str]]]:
    """The unit that the routing table suggests, and those that the move makes sense for, nearest first."""
    units, suggested = place.rules.units, None
    if verb.moves == "down":
        ruled = place.rules.unit_for(facts_of(state), timezone.now().astimezone(place.info.zone).date())
        found = units.get(ruled.value) if ruled else None
        suggested = (found.code, named(found)) if found else None
    holder = units.get(state.holder)
    below = [
        unit
        for unit in units
        if unit.code != state.holder and _sensible(verb, unit.level, holder.level if holder else "", unit.region, state)
    ]
    below.sort(key=lambda unit: (unit.parent != state.holder, -len(unit.region), unit.code))
    options = [(unit.code, named(unit)) for unit in below[:MOST_UNITS]]
    if suggested and suggested not in options:
        options.insert(0, suggested)
    return suggested, options


def _sensible(verb: Verb, level: str, holder_level: str, region: str, state: CaseState) -> bool:
    if verb.moves == "across":
        return level == holder_level
    return not state.region or not region or state.region.startswith(region)


def done_text(verb: str, step: str, *, place: CityRuntime) -> str:
    """The word of success after a verb, the same on every page: what was done, and where the case now stands."""
    workflow = place.rules.workflow
    names = (
        workflow.verbs[verb].name if verb in workflow.verbs else Text(verb, verb),
        workflow.steps[step].name if step in workflow.steps else Text(step, step),
    )
    return say("已办：{verb} → {step}", "Done: {verb} → {step}", verb=names[0], step=names[1])
