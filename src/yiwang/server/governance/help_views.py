"""Help: an index, the words of the platform, and a tour for the role that one has."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from yiwang.server.cities.finding import city_or_404
from yiwang.server.common.app import installed_apps
from yiwang.server.common.language import english, say
from yiwang.server.governance.help_texts import GLOSSARY, TOPICS, tour_of
from yiwang.server.people import operations
from yiwang.server.people.queries import posts_of


@require_GET
def index(request: HttpRequest, city: str) -> HttpResponse:
    """What there is to know, by what one wants to do."""
    place = city_or_404(city)
    topics = [
        {
            "title": say(topic["title"]),
            "text": say(topic["text"]),
            "url": reverse(topic["page"], args=[] if topic["page"] == "password" else [city]),
        }
        for topic in TOPICS
    ]
    topics += [
        {
            "title": say(topic.title),
            "text": say(topic.text),
            "url": reverse(topic.url, args=[] if topic.citiless else [city]),
        }
        for app in installed_apps()
        for topic in app.topics()
    ]
    return render(request, "help/index.html", {"city": place.info, "page": "help", "topics": topics})


@require_GET
def glossary(request: HttpRequest, city: str) -> HttpResponse:
    """The platform's words, in both languages side by side."""
    place = city_or_404(city)
    words = [
        {"id": word.en.split(",")[0].replace(" ", "-"), "en": word.en, "zh": word.zh, "text": say(meaning)}
        for word, meaning in (*GLOSSARY, *(entry for app in installed_apps() for entry in app.glossary()))
    ]
    return render(
        request, "help/glossary.html", {"city": place.info, "page": "help", "words": words, "english": english()}
    )


@require_GET
def tour(request: HttpRequest, city: str) -> JsonResponse:
    """The steps of the tour for whoever asks, in their language."""
    place = city_or_404(city)
    roles = (
        {role for _, _, role in posts_of(request.user, city=place.info.id)} if request.user.is_authenticated else set()
    )
    steps = [
        {
            "url": reverse(step["page"], args=[city]),
            "target": step["target"],
            "title": say(step["title"]),
            "text": say(step["text"]),
        }
        for step in tour_of(roles, outside=place.rules.workflow.outside_roles())
    ]
    words = {
        "offer": say("第一次用？跟着走一遍，一分钟。", "New here? Take the tour, one minute."),
        "start": say("开始", "Start"),
        "later": say("不用了", "No, thanks"),
        "next": say("下一步", "Next"),
        "back": say("上一步", "Back"),
        "done": say("完成", "Done"),
        "close": say("关闭导览", "Close the tour"),
        "step": say("第 {n} 步，共 {of} 步", "Step {n} of {of}", n="{n}", of="{of}"),
    }
    return JsonResponse({"steps": steps, "words": words, "language": "en" if english() else "zh"})


@require_POST
def finish_tour(request: HttpRequest, city: str) -> HttpResponse:
    """Remember that the tour was taken or declined."""
    if request.user.is_authenticated:
        operations.remember_tour(user=request.user, tour=city_or_404(city).info.id)
    return HttpResponse(status=204)
