"""What the field app's shell carries: the verbs that can be done on a phone with their fields, categories, words."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.urls import reverse

from yiwang.core.cases.definitions import WORDS
from yiwang.core.cases.workflow import Verb
from yiwang.core.kernel.text import Text
from yiwang.server.casepage.forms import readers_of
from yiwang.server.cases.api import YELLOW_FROM, category_name, region_name, step_name, time_left, unit_name
from yiwang.server.cities.choices import category_choices
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import english, say
from yiwang.server.common.masking import mask
from yiwang.server.common.templatetags.yiwang import BUILD, named
from yiwang.server.field.tasks import MOST_TASKS, Task

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
            "sign_in": f"{reverse('sign-in')}?next={reverse('field', args=[city])}",
            "regions": f"{reverse('map-regions', args=[city])}?region={place.regions.roots[0].code}",
        },
        "tiles": settings.YIWANG_TILES_URL,
        "steps": {step.id: {"name": named(step), "end": step.end} for step in workflow.steps.values()},
        "verbs": {
            verb.id: {
                "name": named(verb),
                "from": verb.origins,
                "to": verb.to,
                "who": verb.who,
                "stays": verb.moves == "stay",
                "roles": verb.roles,
                "fields": fields(verb),
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


def item(task: Task, *, place: CityRuntime, at: datetime) -> dict[str, Any]:
    """A task as the phone keeps it, at a moment. No reporter, no contact."""
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
    }


SHELL_WORDS: dict[str, Text] = {
    "tasks": Text("任务", "Tasks"),
    "map": Text("地图", "Map"),
    "report": Text("上报", "Report"),
    "queue": Text("待发", "To send"),
    "online": Text("在线", "Online"),
    "offline": Text("离线", "Offline"),
    "waiting": Text("{n} 条待发", "{n} to send"),
    "conflicts": Text("{n} 条要您决定", "{n} need you"),
    "all_sent": Text("都已送达", "All sent"),
    "photos_missing": Text("{n} 张照片没有收", "Photos not taken: {n}"),
    "data_age": Text("任务更新于 {age}", "Tasks as of {age}"),
    "just_now": Text("刚刚", "just now"),
    "ago": Text("{time}前", "{time} ago"),
    "never": Text("还没有任务数据，联网后自动取。", "No tasks yet; they come when you are online."),
    "refresh": Text("刷新", "Refresh"),
    "sort": Text("排序", "Order"),
    "by_time": Text("剩余时间", "Time left"),
    "by_distance": Text("离我近", "Nearest"),
    "by_route": Text("走一圈", "Route"),
    "route_help": Text(
        "从您所在处起的顺路走法，共约 {km} 公里（直线距离，最近邻加两两交换，不一定最短）。",
        "A way past all from where you are, about {km} km as the crow flies (nearest neighbour, 2-opt: not surely the shortest).",
    ),
    "route_some": Text("只排最近的 {n} 件。", "Only the {n} nearest are in it."),
    "no_position": Text(
        "不知道您在哪里：请允许定位，或按剩余时间排序。",
        "Where you are is not known: allow location, or order by time left.",
    ),
    "locate": Text("定位", "Locate me"),
    "located": Text("已定位，精度 {m} 米", "Located within {m} m"),
    "no_tasks": Text("现在没有任务。", "No tasks now."),
    "no_tasks_help": Text(
        "派给您班组、或该您到现场的案卷会出现在这里。路上看到问题，点「上报」。",
        "Cases for your crew, or for you to look at, appear here. See a problem on the way? Tap Report.",
    ),
    "more": Text("还有更多，先列出最急的 {n} 件。", "There are more; these are the {n} most urgent."),
    "left": Text("剩 {time}", "{time} left"),
    "late": Text("超时 {time}", "{time} late"),
    "no_deadline": Text("无时限", "No deadline"),
    "holder": Text("承办", "Holder"),
    "where": Text("地点", "Place"),
    "due": Text("截止", "Due"),
    "reported_at": Text("上报", "Reported"),
    "others": Text("等其他人办理，您的单位承办中。", "Waiting for others; your unit holds it."),
    "desk_only": Text("这些动作要在完整案卷页做：", "Done on the full case page: "),
    "full_case": Text("完整案卷", "Full case"),
    "navigate": Text("导航", "Directions"),
    "back": Text("返回", "Back"),
    "do": Text("现在可以做", "You may now"),
    "expected": Text(
        "按待发动作推算，案卷会在「{step}」。",
        "After what waits to be sent, the case would be at “{step}”.",
    ),
    "photo": Text("照片", "Photos"),
    "photo_n": Text("照片 {n}", "Photo {n}"),
    "photo_needed": Text("这个动作要有照片。", "This needs a photo."),
    "take_photo": Text("拍照", "Take photo"),
    "pick_photo": Text("选照片", "Pick photo"),
    "assisting": Text("请您会办", "you are asked to assist"),
    "photo_bad": Text("这个文件不是能读的图片。", "This file cannot be read as a picture."),
    "photo_sending": Text("正在发送照片 {n}/{of}", "Sending photo {n} of {of}"),
    "photo_arrived": Text("照片已送达 {n}/{of}", "{n} of {of} photos have arrived"),
    "photo_not_taken": Text("照片 {n} 没有收：", "Photo {n} was not taken: "),
    "photo_most": Text("最多 6 张。", "At most 6."),
    "remove": Text("去掉", "Remove"),
    "required": Text("必填", "required"),
    "send": Text("提交", "Send"),
    "saved": Text("已存入本机，正在发送。", "Saved on this phone; being sent."),
    "saved_offline": Text(
        "离线：已存入本机，联网后自动发送。",
        "Offline: saved on this phone, sent when you are online.",
    ),
    "category": Text("类别", "Category"),
    "choose": Text("请选择", "Choose"),
    "words": Text("情况描述", "What is wrong"),
    "address": Text("地点描述", "Where, in words"),
    "position": Text("位置", "Position"),
    "position_none": Text("未定位", "not located"),
    "say_something": Text("请写几个字或选类别。", "Write a few words or choose a category."),
    "state_waiting": Text("待发", "To send"),
    "state_sending": Text("发送中", "Being sent"),
    "state_conflict": Text("要您决定", "Needs you"),
    "state_kept": Text("仅存本机", "Kept here only"),
    "state_done": Text("已送达", "Sent"),
    "state_partly": Text("已送达，但缺照片", "Sent, but not all photos"),
    "blocked": Text("等前一条", "after the one before"),
    "why_network": Text("网络不通", "No connection"),
    "why_timeout": Text("网络太慢，没传完", "The connection is too slow; it did not get through"),
    "why_too_many": Text(
        "服务器暂时不收更多，都还在本机，会自动再发",
        "The server takes no more for now; everything stays on this phone and is sent again by itself",
    ),
    "retry_in": Text("{time}后再试", "again in {time}"),
    "my_action": Text("我的操作", "What I did"),
    "server_now": Text("案卷现状", "The case now"),
    "since": Text("这期间", "Meanwhile"),
    "why_not": Text("没有采纳：", "Not taken: "),
    "redo": Text("按现状重做", "Redo on the new state"),
    "redo_not": Text("按现状您不能再做「{verb}」。", "On the new state you may no longer do “{verb}”."),
    "keep": Text("放弃动作，文字照片只留在本机", "Discard the action, keep the note on this phone only"),
    "kept_here": Text(
        "没有发出去，别人看不到；只存在这部手机里。要进案卷，请在案卷里写备注。",
        "Not sent: nobody else sees it, it is on this phone only. To have it in the case, add a note there.",
    ),
    "delete": Text("删除", "Delete"),
    "retry": Text("再发一次", "Send again"),
    "confirm_delete": Text("从本机删除，不能恢复？", "Delete from this phone for good?"),
    "nothing_queued": Text(
        "没有待发的。您在离线时做的都会先存在这里，关掉浏览器也不丢。",
        "Nothing here. What you do offline is kept here first, and survives closing the browser.",
    ),
    "signed_out": Text(
        "登录已过期。待发的都还在本机，请重新登录后继续。",
        "Your session has ended. What waits is still on this phone: sign in to go on.",
    ),
    "sign_in": Text("登录", "Sign in"),
    "other_person": Text(
        "本机还有 {n} 条是另一位同事的，须由其本人登录后发送。",
        "{n} on this phone belong to a colleague, who must sign in to send them.",
    ),
    "sent_as": Text("案卷", "Case"),
    "photos": Text("{n} 张照片", "{n} photos"),
    "map_offline": Text("离线时不取底图，点位来自本机。", "Offline: points come from this phone."),
    "days": Text("天", "d"),
    "hours": Text("小时", "h"),
    "minutes": Text("分钟", "min"),
    "later": Text("稍后", "later"),
    "pages": Text("完整网站", "Full site"),
    "sign_out": Text("退出", "Sign out"),
    "fine": Text("期内", "in time"),
    "soon": Text("将到期", "due soon"),
    "overdue": Text("超时", "overdue"),
    "failed": Text("地图数据没有取到。", "The map data did not arrive."),
    "no_storage": Text(
        "这个浏览器不能在本机保存，离线功能不可用。",
        "This browser cannot keep data, so nothing works offline.",
    ),
}  # fmt: skip


def words() -> dict[str, str]:
    """The app's words in the page's language."""
    return {name: say(pair) for name, pair in SHELL_WORDS.items()}
