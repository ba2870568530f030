"""What the field app's shell carries: the verbs that can be done on a phone with their fields, categories, words."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from django.urls import reverse

from yiwang.core.cases.definitions import WORDS
from yiwang.core.cases.workflow import Verb
from yiwang.core.kernel.text import Text
from yiwang.server.casepage.forms import readers_of
from yiwang.server.casepage.offering import ranked
from yiwang.server.cases.api import YELLOW_FROM, SidedPhoto, category_name, region_name, step_name, time_left, unit_name
from yiwang.server.cities.choices import category_choices
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import english, say
from yiwang.server.common.masking import mask
from yiwang.server.common.templatetags.yiwang import BUILD, named
from yiwang.server.field.tasks import MOST_TASKS, Task
from yiwang.server.field.words import SHELL_WORDS

TEXTS = (*WORDS, "until")
LABELS = {
    "note": Text("说明", "Note"),
    "reason": Text("理由", "Reason"),
    "opinion": Text("意见", "Opinion"),
    "result": Text("处置结果", "Result"),
    "reply": Text("答复市民", "Reply to the citizen"),
    "until": Text("到哪天", "Until"),
    "photo": Text("照片", "Photos"),
}


def build_time() -> float:
    """When the front end was built; 0 outside of development, where it is built once."""
    file = Path(BUILD, "manifest.json")
    return file.stat().st_mtime if file.is_file() else 0.0


def manifest() -> dict[str, Any]:
    """What the build made of each entry; nothing without a build."""
    file = Path(BUILD, "manifest.json")
    read: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return read


def fields(verb: Verb) -> list[dict[str, Any]] | None:
    """The fields that a verb's form shows on a phone; None where it requires what is better chosen at a desk."""
    if set(verb.requires) - set(LABELS):
        return None
    asked = dict.fromkeys(verb.requires, True)
    for name in verb.optional:
        if name in LABELS:
            asked.setdefault(name, False)
    if not {"note", "reason"} & set(asked):
        asked["note"] = False
    asked.setdefault("photo", False)
    return [
        {
            "name": name,
            "label": say(LABELS[name]),
            "required": needed,
            "help": readers_of(verb, name) if name in WORDS else "",
        }
        for name, needed in asked.items()
    ]


def data(place: CityRuntime) -> dict[str, Any]:
    """Everything of a city that the phone needs, the same for everybody."""
    city, workflow = place.info.id, place.rules.workflow
    return {
        "city": city,
        "name": named(place.info),
        "language": "en" if english() else "zh",
        "zone": place.info.timezone,
        "most": MOST_TASKS,
        "yellow": YELLOW_FROM,
        "urls": {
            "shell": reverse("field", args=[city]),
            "worker": reverse("field-worker", args=[city]),
            "session": reverse("field-session", args=[city]),
            "tasks": reverse("field-tasks", args=[city]),
            "report": reverse("field-report", args=[city]),
            "act": reverse("field-act", args=[city, "NUMBER", "VERB"]),
            "case": reverse("case", args=[city, "NUMBER"]),
            "done": reverse("field-done", args=[city]),
            "photo": reverse("case-photo", args=[city, "NUMBER", 0]).removesuffix("0"),
            "sign_in": f"{reverse('sign-in')}?next={reverse('field', args=[city])}",
            "regions": f"{reverse('map-regions', args=[city])}?region={place.regions.roots[0].code}",
        },
        "steps": {
            step.id: {"name": named(step), "end": step.end, "verbs": ranked(workflow, step.id)}
            for step in workflow.steps.values()
        },
        "verbs": {
            verb.id: {
                "name": named(verb),
                "from": verb.origins,
                "to": verb.to,
                "who": verb.who,
                "stays": verb.moves == "stay",
                "roles": verb.roles,
                "fields": fields(verb),
                "pictured": "photo" in (*verb.requires, *verb.optional),
            }
            for verb in workflow.verbs.values()
            if verb.origins
        },
        "categories": [
            {"name": named(major), "items": [[category.code, named(category)] for category in major["categories"]]}
            for major in category_choices(place)
        ],
        "words": words(),
    }


def item(task: Task, *, place: CityRuntime, at: datetime, photos: Iterable[SidedPhoto] = ()) -> dict[str, Any]:
    """A task as the phone keeps it, at a moment, with its photos. No reporter, no contact."""
    state = task.state
    left = time_left(task.values, runtime=place, at=at)
    return {
        "number": state.number,
        "seq": state.seq,
        "step": state.step,
        "step_name": step_name(place, state.step),
        "category": category_name(place, state.category),
        # crews need to know what is wrong and where, not who said so
        "text": mask(state.text),
        "address": mask(state.address),
        "region": region_name(place, state.region),
        "lon": state.lon,
        "lat": state.lat,
        "opened_at": state.opened_at.isoformat() if state.opened_at else None,
        "deadline": state.deadline.isoformat() if state.deadline else None,
        # working time cannot be told from the clock on the wall, so it comes in words, as of the moment of asking
        "left": {name: left[name] for name in ("left_text", "is_late")} if left["working"] else None,
        "holder": state.holder,
        "holder_name": unit_name(place, state.holder),
        "verbs": list(task.verbs),
        "mine": task.mine,
        "assisting": task.assisting,
        "asked": say(task.asked),
        "photos": [[photo.id, photo.after] for photo in photos],
    }


def deed(done: dict[str, Any], *, place: CityRuntime) -> dict[str, Any]:
    """Something that somebody has done, and how its case stands."""
    verb = place.rules.workflow.verbs.get(done["verb"])
    return {
        "number": done["number"],
        "at": done["at"].isoformat(),
        "verb": named(verb) if verb else done["verb"],
        "step_name": step_name(place, done["step"]),
        "category": category_name(place, done["category"]),
        "region": region_name(place, done["region"]),
    }


def words() -> dict[str, str]:
    """The app's words in the page's language."""
    return {name: say(pair) for name, pair in SHELL_WORDS.items()}
