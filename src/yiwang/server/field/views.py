"""The field app's addresses: a shell without anything personal, its worker, and the JSON that the phone reads and sends.

The phone sends with the session and the CSRF token of who signed in, never with a token of its own: a lost phone is
locked out by ending the session. Every command carries an idempotency key, so that what is sent twice is done once.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache, wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_GET, require_POST

from yiwang.core.cases.events import Actor, Command
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.refusals import NotAllowed, Refusal
from yiwang.core.kernel.text import Text
from yiwang.server.casepage import dossier, forms
from yiwang.server.casepage.forms import sequence
from yiwang.server.cases.api import (
    YELLOW_FROM,
    act_on_case,
    actors_for,
    category_name,
    deeds_since,
    light,
    load_case,
    outsider,
    readers_as,
    report_case,
    story_of,
    unit_name,
)
from yiwang.server.cities.finding import city_or_404
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.faults import is_full
from yiwang.server.common.language import english, say
from yiwang.server.common.moments import read_moment
from yiwang.server.common.refusing import sentences, status_of
from yiwang.server.common.templatetags.yiwang import BUILD, named
from yiwang.server.common.throttling import TooOften
from yiwang.server.field import shell as field_shell
from yiwang.server.field import tasks as work
from yiwang.server.field import waiting_photos

log = logging.getLogger("yiwang.field")
P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


# --- the shell ----------------------------------------------------------------------------------------------------


@require_GET
@gzip_page  # nothing in it is secret, not even a token, so its length tells nobody anything
def shell(request: HttpRequest, city: str) -> HttpResponse:
    """The page that the phone keeps: words, categories and verbs, the same for everybody who reads this language."""
    place = city_or_404(city)
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    context = {"city": place.info, "shell": field_shell.data(place), "words": field_shell.words()}
    response = render(request, "field/field.html", context)
    response["Cache-Control"] = "no-cache, private"
    return response


@require_GET
@gzip_page
def worker(request: HttpRequest, city: str) -> HttpResponse:
    """The service worker, allowed for the field page and what is below it. Its bytes change when anything it keeps does."""
    place = city_or_404(city)
    kept, code = _shell_assets(field_shell.build_time())
    address = reverse("field", args=[place.info.id])
    known = {
        "city": place.info.id,
        "shell": address,
        "assets": kept,
        "yellow": YELLOW_FROM,
        "version": hashlib.sha256("".join([code, *kept]).encode()).hexdigest()[:12],
    }
    response = HttpResponse(f"self.YIWANG_FIELD = {json.dumps(known)};\n{code}", content_type="text/javascript")
    response["Service-Worker-Allowed"] = address
    response["Cache-Control"] = "no-cache"
    return response


@lru_cache(maxsize=1)
def _shell_assets(_changed: float) -> tuple[list[str], str]:
    """Addresses of what the shell needs, and the worker's own code, as the build named them."""
    entries = field_shell.manifest()
    names: dict[str, None] = {}

    def gather(key: str) -> None:
        chunk = entries.get(key, {})
        for name in (chunk.get("file", ""), *chunk.get("css", [])):
            names.setdefault(name)
        for imported in chunk.get("imports", []):
            gather(imported)

    for key in ("src/app.ts", "src/field.ts", "icons.svg"):
        gather(key)
    found = sorted(Path(BUILD, "assets").glob("field-worker-*.js"))
    code = found[0].read_text(encoding="utf-8") if found else ""
    return [static(f"build/{name}") for name in names if name], code


@require_GET
def manifest(request: HttpRequest, city: str) -> JsonResponse:
    """What makes it installable. Browsers fetch it without cookies, so the language is part of the address."""
    place = city_or_404(city)
    language = "en" if request.GET.get("language", "").startswith("en") else "zh-hans"
    address = reverse("field", args=[place.info.id])
    with translation.override(language):
        said = {
            "id": address,
            "name": say("一网 · {city} · 现场", "Yiwang · {city} · Field", city=named(place.info)),
            "short_name": say("一网现场", "Yiwang Field"),
            "lang": "en" if english() else "zh-CN",
            "start_url": address,
            "scope": address,
            "display": "standalone",
            "background_color": "#f6f7f5",
            "theme_color": "#0b6b5d",
            "icons": [
                {"src": static(f"build/icons/{name}.png"), "sizes": f"{size}x{size}", "type": "image/png", "purpose": use}
                for name, size, use in (("field-192", 192, "any"), ("field-512", 512, "any"), ("field-mask-512", 512, "maskable"))
            ],
            "shortcuts": [{"name": say("上报", "Report"), "url": f"{address}#report"}],
        }  # fmt: skip
    return JsonResponse(said, content_type="application/manifest+json")


# --- reading ------------------------------------------------------------------------------------------------------


def signed_in(view: View[P]) -> View[P]:
    """Answers 401 as JSON to whoever has not signed in, and every refusal as JSON; nothing of it is kept in a cache."""

    @wraps(view)
    def guard(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.is_authenticated:
            return _problem(401, "signed-out", say("请重新登录。", "Please sign in again."))
        try:
            return view(request, *args, **kwargs)
        except OperationalError as error:
            if is_full(error):
                raise  # said in the same words everywhere, see api/problems.py
            log.exception("The database could not answer.")
            return _problem(503, "busy", say("系统忙，稍后自动再发。", "Busy; it will be sent again by itself."))

    return never_cache(guard)


def _problem(status: int, code: str, detail: str, **members: Any) -> JsonResponse:
    return JsonResponse({"code": code, "detail": detail, "status": status, **members}, status=status)


@require_GET
@signed_in
def session(request: HttpRequest, city: str) -> HttpResponse:
    """Whose phone it is now, and the token that a command must carry."""
    city_or_404(city)
    return JsonResponse({"user": _owner(request), "name": _name(request.user), "csrf": get_token(request)})


def _owner(request: HttpRequest) -> str:
    return f"user:{request.user.pk}"


def _name(user: Any) -> str:
    return say(user.display_name, user.display_name_en or user.display_name) or str(user.username)


@require_GET
@gzip_page  # a token is in session.json only
@signed_in
def tasks(request: HttpRequest, city: str) -> HttpResponse:
    """My tasks, with what is needed on the spot and nothing about who reported. Where I am stays on the phone."""
    place, now = city_or_404(city), timezone.now()
    actors = actors_for(request.user, city=city)
    found, more = work.tasks_for(place=place, actors=actors, at=now)
    photos = work.photos_for(found, readers=readers_as(actors, user=request.user, place=place))
    units = dict.fromkeys(actor.unit for actor in actors if actor.unit)
    return JsonResponse(
        {
            "user": _owner(request),
            "name": _name(request.user),
            "at": now.isoformat(),
            "units": {unit: unit_name(place, unit) for unit in units},
            "roles": sorted({role for actor in actors for role in actor.roles}),
            "items": [
                field_shell.item(task, place=place, at=now, photos=photos.get(task.values["id"], ())) for task in found
            ],
            "more": more,
        }
    )


@require_GET
@signed_in
def done(request: HttpRequest, city: str) -> HttpResponse:
    """What I did today, by the city's day, newest first. Asked for when something was sent and when the list is opened."""
    place, now = city_or_404(city), timezone.now()
    day = now.astimezone(place.info.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    actor = actors_for(request.user, city=city)[0]
    found = deeds_since(city=place.info.id, actor=actor, since=day, most=work.MOST_TASKS)
    items = [field_shell.deed(each, place=place) for each in found]
    return JsonResponse({"user": _owner(request), "day": day.date().isoformat(), "items": items})


@require_GET
@signed_in
def points(request: HttpRequest, city: str) -> HttpResponse:
    """My tasks as points (GeoJSON) for the map."""
    place, now = city_or_404(city), timezone.now()
    found, _ = work.tasks_for(place=place, actors=actors_for(request.user, city=city), at=now)
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [task.state.lon, task.state.lat]},
            "properties": {
                "number": task.state.number,
                "category_name": category_name(place, task.state.category),
                "light": light(opened_at=task.values["opened_at"], deadline=task.state.deadline, closed_at=None, at=now)
                or "green",
            },
        }
        for task in found
        if task.state.lon is not None and task.state.lat is not None
    ]
    return JsonResponse({"type": "FeatureCollection", "features": features})


# --- doing --------------------------------------------------------------------------------------------------------


@require_POST
@signed_in
def photo(request: HttpRequest, city: str) -> HttpResponse:
    """Keep one photo for a day, for the command that will name it by the digest of the answer."""
    place = city_or_404(city)
    files = request.FILES.getlist("photo")
    try:
        if len(files) != 1:
            raise BadInput(
                Problem(
                    Text("收到 {files} 个文件。", "{files} files came.", files=len(files)),
                    Text("应为一个名为 photo 的文件。", "One file, named photo."),
                    column="photo",
                )
            )
        digest = waiting_photos.keep(
            files[0],
            account=str(request.user.pk),
            taken_at=request.POST.get("original", "").strip(),
            zone=place.info.zone,
        )
    except (Refusal, BadInput) as error:
        answer = _refusal_json(error, now=None)
        if isinstance(error, TooOften):
            answer["Retry-After"] = str(error.seconds)
        return answer
    return JsonResponse({"photo": digest}, status=201)


def _photos(request: HttpRequest) -> list[Any]:
    """The photos of a command: those that it names, then those that it carries itself."""
    waiting = waiting_photos.photos_by_digest(request.POST.getlist("photo_digest"), account=str(request.user.pk))
    carried = request.FILES.getlist("photo")
    for file in carried:
        file.seek(0)
    return [*waiting, *carried]


@require_POST
@signed_in
def act(request: HttpRequest, city: str, number: str, verb: str) -> HttpResponse:
    """Do a verb that was decided on the spot, perhaps hours ago. Whatever refuses it says how the case stands now."""
    place = city_or_404(city)
    actors = actors_for(request.user, city=city)
    seen: int | None = None
    try:
        key = _key(request)
        seen = sequence(request.POST)
        payload: dict[str, Any] = {
            name: text for name in field_shell.TEXTS if (text := request.POST.get(name, "").strip())
        }
        payload["evidence"] = _evidence(request.POST, place, where=True)

        def attempt(actor: Actor) -> dict[str, Any]:
            command = Command(verb=verb, actor=actor, payload=payload, expected_seq=seen)
            return act_on_case(
                city=city, number=number, command=command, photos=_photos(request), key=key, good_photos_only=True
            )

        answer = _in_some_capacity(actors, attempt)
    except (Refusal, BadInput) as error:
        return _refusal_json(error, now=_standing(request, place, actors, number, since=seen))
    return JsonResponse(_phone_answer(request, answer, number=answer["number"]))


@require_POST
@signed_in
def report(request: HttpRequest, city: str) -> HttpResponse:
    """Report something seen on the way."""
    place = city_or_404(city)
    actors = actors_for(request.user, city=city)
    # crews may not have the role of reporters; everybody may report as somebody from outside does
    actors.append(outsider(city, id=actors[0].id, name=actors[0].name))
    try:
        key = _key(request)
        said = replace(forms.draft(request.POST, place=place), evidence=_evidence(request.POST, place, where=False))

        def attempt(actor: Actor) -> dict[str, Any]:
            draft = replace(said, photos=_photos(request))
            return report_case(city=city, draft=draft, actor=actor, key=key, good_photos_only=True)

        answer = _in_some_capacity(actors, attempt)
    except (Refusal, BadInput) as error:
        return _refusal_json(error, now=None)
    return JsonResponse(_phone_answer(request, answer, number=answer["case"]), status=201)


def _phone_answer(request: HttpRequest, answer: dict[str, Any], *, number: str) -> dict[str, Any]:
    """What the phone is told: how the case stands, and which photos were not taken."""
    waiting_photos.mark_used(request.POST.getlist("photo_digest"), account=str(request.user.pk))
    refused = {name: answer[name] for name in ("photos_refused",) if name in answer}
    return {"number": number, "seq": answer["seq"], "step": answer["step"], **refused}


def _in_some_capacity(actors: list[Actor], attempt: Callable[[Actor], dict[str, Any]]) -> dict[str, Any]:
    """The answer to the first capacity that is allowed; the first refusal where none is."""
    refused: NotAllowed | None = None
    for actor in actors:
        try:
            return attempt(actor)
        except NotAllowed as error:
            refused = refused or error
    assert refused is not None, "everybody has at least one capacity"
    raise refused


def _key(request: HttpRequest) -> str:
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) < 16:
        hint = Text(
            "每个请求须带一个新的，至少 16 个字符。",
            "Send a fresh one of 16 characters or more with every command.",
        )
        raise BadInput(
            Problem(Text("缺少 Idempotency-Key。", "There is no Idempotency-Key."), hint, column="Idempotency-Key")
        )
    return key


def _refusal_json(error: Refusal | BadInput, *, now: dict[str, Any] | None) -> JsonResponse:
    status, code = (status_of(error), error.code) if isinstance(error, Refusal) else (422, "bad-input")
    return _problem(status, code, " ".join(sentences(error)), now=now)


def _standing(
    request: HttpRequest, place: CityRuntime, actors: list[Actor], number: str, *, since: int | None
) -> dict[str, Any] | None:
    """How a case stands, and for staff whom it concerns what happened to it since they saw it: what a conflict is shown with.
    Personal data is masked."""
    detail = load_case(city=place.info.id, number=number)
    if detail is None:
        return None
    reader = readers_as(actors, user=request.user, place=place).of_state(detail.state)
    words = dossier.words_of(detail, reader=replace(reader, personal=False, own=False), place=place)
    task = work.task_of(detail.values, place=place, actors=actors, at=timezone.now())
    task = task or work.Task(values=detail.values, state=detail.state, verbs=(), mine=False)
    happened = [event for event in detail.events if reader.staff and since is not None and event.seq > since]
    story = story_of(happened, runtime=place, persons=True)
    return {
        **field_shell.item(task, place=place, at=timezone.now()),
        "text": words.text,
        "address": words.address,
        "closed": detail.state.closed_at is not None,
        "since": [
            {
                "at": event["at"].isoformat(),
                "what": event["verb_name"],
                "who": " · ".join(filter(None, (event["actor_name"], event["actor_unit_name"]))),
                "reason": words.reasons[happening.seq],
            }
            for happening, event in zip(happened, story, strict=True)
        ],
    }


# --- time and place of what was done ------------------------------------------------------------------------------


def _number(post: Mapping[str, str], name: str, most: float) -> float | None:
    text = post.get(name, "").strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not -most <= value <= most:
        raise BadInput(
            Problem(
                Text(
                    "{name}「{text}」不是可能的数值。",
                    "{name} {text!r} is no number that can be.",
                    name=name,
                    text=text,
                ),
                Text("单位为度，或米。", "Degrees, or metres."),
                column=name,
            )
        )
    return value


def _evidence(post: Any, place: CityRuntime, *, where: bool) -> dict[str, Any] | None:
    """What the phone says of time and place. It is the phone's word: no clock is reckoned by it.

    Without a position nobody has shown to be there; the place of a report is where the problem is, not where the phone was.
    """
    made = _moment(post.get("made_at", ""), place)
    lon, lat, accuracy = _number(post, "lon", 180), _number(post, "lat", 90), _number(post, "accuracy", 1e7)
    if made is None:
        return None
    if not where or lon is None or lat is None or accuracy is None:
        return {"by_phone": {"at": made.isoformat()}}
    return {"on_site": {"lon": lon, "lat": lat, "accuracy_m": accuracy, "at": made.isoformat()}}


def _moment(text: str, place: CityRuntime) -> datetime | None:
    if not text:
        return None
    try:
        return read_moment(text, zone=UTC).astimezone(place.info.zone)
    except ValueError:
        problem = Problem(
            Text("时间「{text}」无法识别。", "The time {text!r} cannot be read.", text=text),
            Text("请用 ISO 8601，如 2026-03-02T09:00:00Z。", "ISO 8601, e.g. 2026-03-02T09:00:00Z."),
            column="made_at",
        )
        raise BadInput(problem) from None
