"""What people call the columns of the case facts. `docs/reference/facts.md` says what they mean."""

from __future__ import annotations

from collections.abc import Mapping

from yiwang.core.kernel.text import Text

LABELS: Mapping[str, Text] = {
    "number": Text("编号", "Number"), "city": Text("城市", "City"), "seq": Text("末次事件序号", "Last event"),
    "external": Text("来源系统编号", "Number in the source"), "region": Text("区域", "Region"), "grid": Text("单元网格", "Unit grid"),
    "lon": Text("经度", "Longitude"), "lat": Text("纬度", "Latitude"), "flag": Text("坐标疑点", "Doubt about the point"),
    "located": Text("坐标可信", "Point can be believed"), "category": Text("小类", "Category"), "major": Text("大类", "Major class"),
    "kind": Text("部件或事件", "Component or event"), "condition": Text("立案条件", "Filing condition"), "source": Text("来源", "Source"),
    "opener": Text("上报角色", "Role that reported"), "opened_by": Text("上报人员", "Staff who reported"),
    "priority": Text("紧急程度", "Priority"), "step": Text("环节", "Step"), "stage": Text("阶段", "Stage"),
    "opened_at": Text("上报时间", "Reported at"), "verified_at": Text("核实时间", "Verified at"),
    "filed_at": Text("立案时间", "Filed at"),
    "dispatched_at": Text("派遣时间", "Dispatched at"), "responded_at": Text("响应时间", "Responded at"),
    "disposed_at": Text("处置时间", "Disposed of at"), "checked_at": Text("核查时间", "Checked at"),
    "closed_at": Text("结束时间", "Ended at"),
    "updated_at": Text("更新时间", "Last event at"), "deadline_at": Text("截止时间", "Deadline"),
    "stage_since": Text("进入阶段时间", "In the stage since"), "held_since": Text("接手时间", "With the holder since"),
    "opened_day": Text("上报日", "day of reporting"), "filed_day": Text("立案日", "day of filing"),
    "dispatched_day": Text("派遣日", "day of dispatch"), "due_day": Text("截止日", "day of the deadline"),
    "disposed_day": Text("处置日", "day of disposal"), "closed_day": Text("结案日", "day of closing"),
    "end_kind": Text("结束方式", "Kind of end"), "merged_into": Text("并入案卷", "Merged into"), "part_of": Text("拆自案卷", "Part of"),
    "main_clock": Text("主计时状态", "Main clock"), "limit_s": Text("时限（秒）", "Limit (s)"), "used_s": Text("已用时（秒）", "Used (s)"),
    "overdue": Text("超时", "Overdue"), "penalty_lifted": Text("免责", "Penalty lifted"),
    "wall_s": Text("总时长（秒）", "Time in all (s)"), "work_s": Text("工作时长（秒）", "Working time (s)"),
    "response_s": Text("响应时长（秒）", "Time to response (s)"), "paused_wall_s": Text("挂账时长（秒）", "Paused (s)"),
    "paused_work_s": Text("挂账工作时长（秒）", "Paused, working time (s)"), "events": Text("事件数", "Events"),
    "returns": Text("回退次数", "Returns"), "reworks": Text("返工次数", "Reworks"),
    "extensions_asked": Text("延期申请次数", "Extensions asked for"), "extensions": Text("延期次数", "Extensions"),
    "suspensions_asked": Text("挂账申请次数", "Suspensions asked for"), "suspensions": Text("挂账次数", "Suspensions"),
    "supervisions": Text("督办次数", "Supervisions"), "escalations": Text("升级次数", "Escalations"),
    "appeals": Text("申诉次数", "Appeals"),
    "appeals_granted": Text("申诉成立次数", "Appeals granted"), "reopens": Text("重开次数", "Reopenings"),
    "corrections": Text("更正次数", "Corrections"), "assists": Text("会办次数", "Assists"),
    "duplicates": Text("并入的案卷数", "Duplicates"),
    "parts": Text("拆出的案卷数", "Parts"), "dispatches": Text("派遣次数", "Dispatches"), "handovers": Text("移交次数", "Handovers"),
    "departments": Text("经手部门数", "Departments"), "handlers": Text("经手人数", "Handlers"), "rating": Text("评价", "Rating"),
    "ratings": Text("评价次数", "Ratings"), "recurrences": Text("复发次数", "Recurrences"), "reports": Text("上报次数", "Reports"),
    "holder": Text("当前单位", "Holder"), "holder_level": Text("当前单位层级", "Level of the holder"), "centre": Text("受理中心", "Centre"),
    "unit": Text("处置单位", "Handling unit"), "unit_kind": Text("处置单位性质", "Kind of the unit"),
    "unit_level": Text("处置单位层级", "Level of the unit"), "department": Text("处置部门", "Department"),
    "unit_chain": Text("单位路径", "Units from the top"), "custody": Text("流转记录", "Custody"),
}  # fmt: skip
_TIMES = {"wall": Text("时长（秒）", "time (s)"), "work": Text("工作时长（秒）", "working time (s)")}
_FIGURES = {
    "runs": Text("启动次数", "starts"), "done": Text("停止次数", "stops"), "late": Text("超时次数", "stops beyond the limit"),
    "used_s": Text("末次用时（秒）", "used by the last run (s)"),
}  # fmt: skip


def stage_label(stage: str, time: str) -> Text:
    """Of the time in a stage; ``time`` is ``wall`` or ``work``."""
    return Text("阶段 {stage} {time}", "Stage {stage}, {time}", stage=stage, time=_TIMES[time])


def level_label(level: str, time: str) -> Text:
    """Of the time in the custody of a level."""
    return Text("{level} 级单位{time}", "Units of level {level}, {time}", level=level, time=_TIMES[time])


def clock_label(clock: str, figure: str) -> Text:
    """Of a figure of a clock: ``runs``, ``done``, ``late``, ``used_s``."""
    return Text("计时 {clock} {figure}", "Clock {clock}, {figure}", clock=clock, figure=_FIGURES[figure])


def post_label(post: str) -> Text:
    """Of the last person of a post."""
    return Text("岗位 {post} 人员", "Person in the post {post}", post=post)
