"""The command centre (一屏统览): the page that holds the map, the figures and the slider over the day.

The page itself knows only words and addresses; what it shows it asks of the API, and asks again.
"""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from yiwang.core.kernel.text import Text
from yiwang.server.assets.api import class_counts
from yiwang.server.cases.api import FIGURE_NAMES, map_labels, stands_at
from yiwang.server.cities.choices import category_choices
from yiwang.server.cities.finding import city_or_404, region_of_request
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import english, say
from yiwang.server.common.templatetags.yiwang import named
from yiwang.server.scrutiny.access import is_staff

CLASSES_COLOURED = 7  # as many colours as web/src/shared/component-layer.ts has for classes
WORDS = {
    "region_tip": Text("在办 {open} · 超时 {overdue}", "{open} open · {overdue} overdue"),
    "region_counts": Text("{open} 件 · 超时 {overdue}", "{open} · {overdue} late"),
    "bunch_tip": Text(
        "{n} 件：超时 {red}，将到期 {yellow}。点击放大。",
        "{n} cases: {red} overdue, {yellow} due soon. Click to zoom in.",
    ),
    "bunch": Text("此处 {n} 件案卷", "{n} cases here"),
    "light_red": Text("超时", "Overdue"),
    "light_yellow": Text("将到期", "Due soon"),
    "light_green": Text("期内", "In time"),
    "light_": Text("无时限", "No limit"),
    "basis": Text("占近 30 天办结、有时限的 {n} 件", "of {n} that were closed in 30 days and had a deadline"),
    "undrawn": Text("另有 {n} 件在办位置不明，没有画", "{n} more open cases have no place and are not drawn"),
    "hours": Text("今日上报（按小时）", "Reports today, by hour"),
    "hour": Text("时", "Hour"),
    "today": Text("当日", "This day"),
    "usual": Text("平常", "Usual"),
    "no_intake": Text(
        "这一天和前四周的同一天都没有上报。",
        "No reports on this day, nor on the same weekday of the four weeks before.",
    ),
    "days": Text("近 30 天", "The last 30 days"),
    "day": Text("日", "Day"),
    **{figure: FIGURE_NAMES[figure] for figure in ("opened", "closed", "closed_on_time")},
    "no_days": Text("近 30 天没有案卷。", "No cases in these 30 days."),
    "steps": Text("在办按环节", "Open cases by step"),
    "step": Text("环节", "Step"),
    "nothing_open": Text("没有在办案卷。", "Nothing is open."),
    "only_now": Text(
        "环节和承办单位只知道现在的；回到现在再看。",
        "Steps and holders are known as of now only; go back to now.",
    ),
    "only_now_alerts": Text(
        "报警只知道现在的；回到现在再看。",
        "Alarms are known as of now only; go back to now.",
    ),
    "none_late": Text("没有单位有超时案卷。", "No unit has an overdue case."),
    "no_spots": Text(
        "近 30 天没有同类问题在同一处出现三次以上。",
        "In 30 days nothing of one kind was reported three times at one place.",
    ),
    "hours_open": Text("{n} {unit}", "{n} {unit}"),
    "h": Text("小时", "h"),
    "d": Text("天", "d"),
    "table": Text("数字表", "As a table"),
    "now": Text("现在（实时）", "Now (live)"),
    "play": Text("播放", "Play"),
    "stop": Text("停止", "Stop"),
    "live": Text("实时 · {time}", "Live · {time}"),
    "past": Text("回看", "Looking back"),
    "starting": Text(
        "系统刚启动，正在读入案卷，几秒后显示。",
        "Just started: the cases are being read, a few seconds more.",
    ),
    "lost": Text("连接中断，数字可能已旧；正在重试。", "No connection: figures may be old. Trying again."),
}


def component_classes(place: CityRuntime) -> list[dict[str, Any]]:
    """The classes with most components, most first, which the map colours; the others together, without a code, are last."""
    counts = class_counts(city=place.info.id)
    known = place.pack.components
    found = [
        {"code": code, "name": say(known[code].name) if code in known else code, "n": n}
        for code, n in counts[:CLASSES_COLOURED]
    ]
    if rest := sum(n for _, n in counts[CLASSES_COLOURED:]):
        found.append({"code": "", "name": say("其他类别", "Other classes"), "n": rest})
    return found


@require_GET
def centre(request: HttpRequest, city: str) -> HttpResponse:
    """One screen of a region: map, figures, time."""
    place = city_or_404(city)
    region = region_of_request(request, place)
    root = place.regions.roots[0]
    begins = stands_at(city=city)
    classes = component_classes(place)
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
        "classes": classes,
        "words": {key: say(pair) for key, pair in WORDS.items()},
    }
    return render(
        request,
        "centre/centre.html",
        {
            "city": place.info,
            "page": "centre",
            "region": region,
            "chain_json": json.dumps(
                [{"code": one.code, "name": named(one)} for one in place.regions.chain(region.code)], ensure_ascii=False
            ),
            "script": page,
            "classes": classes,
            "sees_sensors": is_staff(request.user, place=place),
            "tiles": reverse("api:component_tile", args=[city, 0, 0, 0]).removesuffix("0/0/0.mvt") + "{z}/{x}/{y}.mvt",
            "map_labels": map_labels(),
            "case_link": reverse("case", args=[city, "NUMBER"]).replace("NUMBER", "{number}"),
            "categories": category_choices(place),
            "steps": place.rules.workflow.steps.values(),
        },
    )
