# ruff: noqa: E501 - a sentence stands whole
"""What help says: the words of the platform, topics, and the tours as data. Both languages side by side."""

from __future__ import annotations

from typing import Any

from yiwang.core.kernel.text import Text

# word, 中文, meaning in Chinese, meaning in English
GLOSSARY = (
    (Text("城市", "city"), Text("一个租户：一个城市包，一棵区域树。一套系统可以有多个城市。", "A tenant: one pack, one region tree. One deployment may hold many.")),
    (Text("区域", "region"), Text("区域树上的一个节点；层级由城市包命名（市、区、街道、社区）。", "A node of the tree; the pack names its levels (city, district, street, community).")),
    (Text("单元网格", "grid"), Text("最小的格子，正好在一个社区里。", "The smallest cell, inside exactly one community.")),
    (Text("部件", "component"), Text("立在城里的东西：有类别、位置、权属和状态。", "A thing that stands in the city and has a class, a place, an owner and a state.")),
    (Text("类别", "category"), Text("一类部件问题或事件，出自一个有版本的分类方案。", "A class of component trouble or event, from a versioned scheme.")),
    (Text("上报", "report"), Text("某人或某物说的一件事；多条上报可以关于同一个案卷。", "What someone or something says; many reports may concern one case.")),
    (Text("案卷", "case"), Text("一个问题走完闭环的全过程。", "One problem on its way through the loop.")),
    (Text("单位", "unit"), Text("能承办案卷的机构或其部分：某一级的中心、部门、班组。", "An organisation or its part that can hold a case: a centre, a department, a crew.")),
    (Text("承办、承办链", "holder, custody"), Text("现在手里有案卷的单位；承办链是先后经手的单位。", "The unit that has the case now; custody is the chain of holders.")),
    (Text("环节、动作", "step, verb"), Text("流程的一个状态，和两个状态之间的一步。", "A state of the workflow, and a transition between two.")),
    (Text("时钟、时限、截止", "clock, limit, deadline"), Text("对着时限走的时间；有紧急工作时、工作时、工作日三种。", "Running time against a limit; there are three kinds: urgent hours, working hours, working days.")),
    (Text("监督、指挥", "supervision, command"), Text("监督一轴受理、核查、结案、评价；指挥一轴派遣、协调、对时限负责。谁处置的，谁不能结案。", "Supervision takes reports, verifies, closes, evaluates; command dispatches, coordinates and answers for the deadline. Nobody closes what they handled.")),
    (Text("延期、挂账", "extend, suspend"), Text("延期：截止之前申请，最多两次。挂账：暂时办不了，停钟，一次，最长一年。", "Extend: asked before the deadline, at most twice. Suspend: it cannot be done for now, the clock stands, once, at most a year.")),
    (Text("城市包", "pack"), Text("造就一座城市或一个场景的文件夹：区域、分类、规则、流程、日历、指标、样例。", "The folder that makes a city or a scenario: regions, schemes, rules, workflow, calendar, indicators, examples.")),
    (Text("规则表", "decision table"), Text("一行一条规则；最具体的一行作数，并说明为什么。", "A row is a rule; the most specific row decides, and says why.")),
    (Text("试算", "dry run"), Text("让改过的规则重新回答过去的案卷，看有多少会不一样。", "Changed rules answer past cases again, to see how many would go otherwise.")),
    (Text("存证链", "ledger"), Text("每个事件带上前一个事件的哈希；改动任何一个都看得出来。", "Each event carries the hash of the one before; altering any of them shows.")),
    (Text("指标、目标、评分", "indicator, target, score"), Text("在城市包里定义，由引擎计算。", "Defined in the pack, computed by an engine.")),
    (Text("监测流、观测", "datastream, observation"), Text("传感器的一路数据，和其中一次读数（OGC SensorThings 的用词）。", "A sensor's series and one reading of it (OGC SensorThings' words).")),
    (Text("研判", "study"), Text("一次规划计算，连同输入、参数、种子和结果一起保存。", "A planning run, stored with its inputs, parameters, seed and result.")),
)  # fmt: skip

TOPICS: tuple[dict[str, Any], ...] = (
    {"page": "glossary", "title": Text("这里的词是什么意思", "What the words mean"), "text": Text("案卷、承办、环节、时限……中英对照。", "Case, holder, step, limit and the others, in both languages.")},
    {"page": "report", "title": Text("上报一个问题", "Report a problem"), "text": Text("写下情况、点选位置、附上照片；系统当场告诉您谁来办、何时到期。", "Words, a place, photos; you are told at once who has it and until when.")},
    {"page": "cases", "title": Text("找一个案卷", "Find a case"), "text": Text("按编号、词语、环节、区域、类别筛选。按 / 跳到搜索框。", "By number, words, step, region or category. Press / to reach the search field.")},
    {"page": "rules", "title": Text("规则和流程怎么定的", "How rules and workflow decide"), "text": Text("流程图就是引擎执行的那一份；选类别和区域，看哪一行作数。", "The picture is drawn from the file that runs; choose a category and a region to see which row decides.")},
    {"page": "password", "title": Text("改密码", "Change your password"), "text": Text("别处登录的会话会同时结束。", "Sessions elsewhere end with it.")},
)  # fmt: skip

_OVERVIEW = {"page": "overview", "target": ".figures", "title": Text("一屏看全", "All at a glance"), "text": Text("在办、超时、按期结案。每个数字点进去就是它背后的案卷。", "Open, overdue, closed on time. Every figure leads to the cases behind it.")}  # fmt: skip
_CASES = {"page": "cases", "target": "form[role=search]", "title": Text("找案卷", "Finding cases"), "text": Text("选好条件就会刷新；三角形是超时，方块是快到期。", "Choosing a filter refreshes the list. A triangle is overdue, a square is due soon.")}  # fmt: skip
_REPORT = {"page": "report", "target": "main form", "title": Text("上报", "Reporting"), "text": Text("写一句话，点一下地图，就成案卷。", "A sentence and a click on the map make a case.")}  # fmt: skip
_RULES = {"page": "rules", "target": ".picture", "title": Text("流程图", "The workflow"), "text": Text("引擎照着这一份执行；您的动作都在上面。", "The engine runs this very file; your verbs are on it.")}  # fmt: skip
_HELP = {"page": "help", "target": "#topics", "title": Text("帮助随时在这里", "Help is always here"), "text": Text("页脚有链接；词汇表中英对照。", "Linked in the footer; the glossary has both languages.")}  # fmt: skip
_WORK = {"page": "cases", "target": "table, .card", "title": Text("开始干活", "Getting to work"), "text": Text("打开一件，右边写着时钟和派遣理由，左边是您现在可以做的动作；不能做的会说明为什么。", "Open one: its clocks and why it came to you, and what you may do now; what you may not do says why.")}  # fmt: skip
_ADMIN = (
    {"page": "admin", "target": "main .tabs", "title": Text("管理", "Administration"), "text": Text("人员、单位、权限、规则、城市包、审计都在这里。", "People, units, permissions, rules, packs and audit.")},
    {"page": "admin-permissions", "target": ".matrix", "title": Text("谁能做什么", "Who may do what"), "text": Text("按流程算出来的，不是另填的表；下面可以查某人对某案为什么不行。", "Worked out of the workflow, not kept beside it; below, ask why somebody may not act on a case.")},
    {"page": "admin-rules", "target": "#changes", "title": Text("改规则要两个人", "Rules need two people"), "text": Text("一人起草、检查、试算、提交，另一人批准，到时间自动生效。", "One writes, checks, tries on the past and submits; another approves; it takes force at its time.")},
)  # fmt: skip


def tour_of(roles: set[str], *, outside: frozenset[str]) -> list[dict[str, Any]]:
    """The steps for somebody with some roles. Roles of a workflow are the pack's, so what counts is what kind they are."""
    if "administrator" in roles or "approver" in roles:
        return [*_ADMIN, _RULES, _HELP]
    if roles - outside:
        return [_OVERVIEW, _CASES, _WORK, _RULES, _HELP]
    return [_OVERVIEW, _REPORT, _CASES, _HELP]
