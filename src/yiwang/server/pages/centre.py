"""The command centre (一屏统览): the page that holds the map, the figures and the slider over the day.

The page itself knows only words and addresses; what it shows it asks of the API, and asks again.
"""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from yiwang.server.cases.recorded import stands_at
from yiwang.server.common.templatetags.yiwang import english, named, say
from yiwang.server.pages.views import chosen_region
from yiwang.server.places.choices import category_choices
from yiwang.server.places.finding import known_city

WORDS = {
    "region_tip": ("在办 {open} · 超时 {overdue}", "{open} open · {overdue} overdue"),
    "region_counts": ("{open} 件 · 超时 {overdue}", "{open} · {overdue} late"),
    "bunch_tip": (
        "{n} 件：超时 {red}，将到期 {yellow}。点击放大。",
        "{n} cases: {red} overdue, {yellow} due soon. Click to zoom in.",
    ),
    "light_red": ("超时", "Overdue"),
    "light_yellow": ("将到期", "Due soon"),
    "light_green": ("期内", "In time"),
    "light_": ("无时限", "No limit"),
    "basis": ("占近 30 天办结、有时限的 {n} 件", "of {n} that ended in 30 days and had a deadline"),
    "undrawn": ("另有 {n} 件在办位置不明，没有画", "{n} more open cases have no place and are not drawn"),
    "hours": ("今日上报（按小时）", "Reports today, by hour"),
    "hour": ("时", "Hour"),
    "today": ("当日", "This day"),
    "usual": ("平常", "Usual"),
    "no_intake": (
        "这一天和前四周的同一天都没有上报。",
        "No reports on this day, nor on the same weekday of the four weeks before.",
    ),
    "days": ("近 30 天", "The last 30 days"),
    "day": ("日", "Day"),
    "opened": ("上报", "Reported"),
    "ended": ("办结", "Ended"),
    "on_time": ("办结按期", "Ended on time"),
    "no_days": ("近 30 天没有案卷。", "No cases in these 30 days."),
    "steps": ("在办按环节", "Open cases by step"),
    "step": ("环节", "Step"),
    "nothing_open": ("没有在办案卷。", "Nothing is open."),
    "only_now": (
        "环节和承办单位只知道现在的；回到现在再看。",
        "Steps and holders are known as of now only; go back to now.",
    ),
    "none_late": ("没有单位有超时案卷。", "No unit has an overdue case."),
    "no_spots": (
        "近 30 天没有同类问题在同一处出现三次以上。",
        "In 30 days nothing of one kind was reported three times at one place.",
    ),
    "hours_open": ("{n} {unit}", "{n} {unit}"),
    "h": ("小时", "h"),
    "d": ("天", "d"),
    "table": ("数字表", "As a table"),
    "now": ("现在（实时）", "Now (live)"),
    "play": ("播放", "Play"),
    "stop": ("停止", "Stop"),
    "live": ("实时 · {time}", "Live · {time}"),
    "past": ("回看", "Looking back"),
    "starting": (
        "系统刚启动，正在读入案卷，几秒后显示。",
        "Just started: the cases are being read, a few seconds more.",
    ),
    "lost": ("连接中断，数字可能已旧；正在重试。", "No connection: figures may be old. Trying again."),
}


@require_GET
def centre(request: HttpRequest, city: str) -> HttpResponse:
    """One screen of a region: map, figures, time."""
    place = known_city(city)
    region = chosen_region(request, place)
    root = place.regions.roots[0]
    begins = stands_at(city=city)
    page: dict[str, Any] = {
        "city": city,
        "zone": place.info.timezone,
        "english": english(),
        "region": region.code,
        "root": root.code,
        "begins": begins.date().isoformat() if begins else None,
        "urls": {
            "centre": reverse("api:centre", args=[city]),
            "tiles": reverse("api:case_tile", args=[city, 0, 0, 0]).removesuffix("0/0/0.mvt") + "{z}/{x}/{y}.mvt",
            "regions": reverse("map-regions", args=[city]),
            "cases": reverse("cases", args=[city]),
            "case": reverse("case", args=[city, "NUMBER"]),
            "page": reverse("centre", args=[city]),
        },
        "baseMap": settings.YIWANG_TILES_URL,
        "words": {key: say(*pair) for key, pair in WORDS.items()},
    }
    return render(
        request,
        "pages/centre.html",
        {
            "city": place.info,
            "page": "centre",
            "region": region,
            "chain_json": json.dumps(
                [{"code": one.code, "name": named(one)} for one in place.regions.chain(region.code)], ensure_ascii=False
            ),
            "script": page,
            "categories": category_choices(place),
            "steps": place.rules.workflow.steps.values(),
        },
    )
