"""The workflow as a picture, drawn from the very data that the engine runs.

Stages are columns from left to right, steps boxes in them, verbs arrows: onward ones between the boxes, past a box at its
side, backward ones as arcs below, each on a lane of its own so that labels do not cover one another. A stripe shows the
axis on which those who act at a step work. Operations that leave a case in its step, and those that can be done nearly
everywhere, would bury the picture; they are listed in the boxes and below.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape

from yiwang.core.cases.workflow import NOWHERE, Step, Verb, Workflow
from yiwang.core.kernel.text import Text

BOX_WIDTH, BOX_HEIGHT, LINE = 150, 46, 15
COLUMN, ROW, TOP, LEFT, LANE = 262, 96, 62, 76, 28
MOST_NAMES = 3  # on one arrow
EVERYWHERE = 3  # a verb from at least so many steps is listed, not drawn; so is one of two that ends a case

# colour (legible on light and dark ground), Chinese, English
AXES = {
    "handling": ("#4a9a57", "处置", "Handling"),
    "command": ("#c2801a", "指挥", "Command"),
    "supervision": ("#3f7fbf", "监督", "Supervision"),
}

# for a picture that stands alone; on a page the style sheet says the same, since its policy forbids inline styles
STYLE = """
.wf { font: 13px system-ui, "Noto Sans SC", "Noto Sans CJK SC", sans-serif; color-scheme: light dark;
  --wf-stage: light-dark(#eef2f0, #151c20);
  --wf-ink: light-dark(#1c2529, #e6ecea); --wf-soft: light-dark(#566168, #9fabb0);
  --wf-box: light-dark(#fff, #1a2126); --wf-line: light-dark(#9aa6ab, #5d6a71);
  --wf-on: light-dark(#0b6b5d, #4fc3ae); --wf-back: light-dark(#a3541a, #e2a06c); }
.wf text { fill: var(--wf-ink); }
.wf .small { font-size: 11px; fill: var(--wf-soft); }
.wf .head { font-weight: 600; }
.wf .label { font-size: 11.5px; paint-order: stroke; stroke: var(--wf-stage); stroke-width: 4px; }
.wf rect.stage { fill: var(--wf-stage); }
.wf rect.step { fill: var(--wf-box); stroke: var(--wf-line); stroke-width: 1.3; }
.wf rect.end { stroke-width: 2.6; }
.wf rect.here { stroke: var(--wf-on); stroke-width: 3.4; }
.wf path { fill: none; stroke: var(--wf-on); stroke-width: 1.5; }
.wf path.back { stroke: var(--wf-back); stroke-dasharray: 5 3; }
.wf .tip { fill: var(--wf-on); }
.wf .tip.back { fill: var(--wf-back); }
.wf path.w2 { stroke-width: 2.5; }
.wf path.w3 { stroke-width: 4; }
.wf path.w4 { stroke-width: 6; }
.wf path.w5 { stroke-width: 8; }
.wf rect.pale { opacity: .45; }
.wf rect.heat1 { fill: light-dark(#fdf3dc, #2c2718); }
.wf rect.heat2 { fill: light-dark(#fbe3b4, #40341a); }
.wf rect.heat3 { fill: light-dark(#f6c98a, #5a3f1a); }
.wf rect.heat4 { fill: light-dark(#f0aa72, #78451c); }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What went on, to be drawn instead of what may: moves between steps and a remark at each step.

    Attributes:
        moves: Label of each move to draw, by the steps it leads from and to.
        widths: How thick each is drawn, 1 to 5.
        remarks: Second line of a step's box; steps without one are drawn pale.
        heat: How strongly a box is coloured, 0 to 4.
        links: Address that a box leads to.
    """

    moves: Mapping[tuple[str, str], str]
    widths: Mapping[tuple[str, str], int]
    remarks: Mapping[str, str]
    heat: Mapping[str, int] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Board:
    """Where everything stands."""

    workflow: Workflow
    english: bool
    traffic: Traffic | None = None
    places: dict[str, tuple[float, float]] = field(default_factory=dict)
    rows: int = 1

    def plain(self, thing: object) -> str:
        found = getattr(thing, "name", None)
        return found.into("en" if self.english else "zh") if isinstance(found, Text) else ""

    def name(self, thing: object) -> str:
        return escape(self.plain(thing))


def workflow_svg(
    workflow: Workflow,
    *,
    language: str = "zh",
    highlight_step: str | None = None,
    standalone: bool = True,
    traffic: Traffic | None = None,
) -> str:
    """Draw a workflow.

    Args:
        workflow: What to draw.
        language: ``zh`` or ``en``.
        highlight_step: A step to mark, e.g. where a case stands.
        standalone: Whether the picture carries its own style, for a file; a page's style sheet has it already.
        traffic: What went on, to be drawn instead of the verbs.

    Returns:
        An ``<svg>`` element with title and description. All text from the data is escaped; colours follow the page's
        light or dark scheme.
    """
    board = _Board(workflow, language.startswith("en"), traffic)
    _place(board)
    edges, listed = _edges(board)
    arcs, depth = _arcs(board, [edge for edge in edges if _backward(board, edge)])
    bottom = TOP + board.rows * ROW + depth * LANE + 12
    legend = list(_legend(board, bottom + 12))
    notes = list(_notes(board, listed, bottom + (30 if legend else 10)))
    width = LEFT * 2 + len(workflow.stages) * COLUMN - (COLUMN - BOX_WIDTH) + 60
    height = bottom + (40 if legend else 20) + len(notes) * 18
    title = "Workflow" if board.english else "流程图"
    about = "Steps by stage and the verbs between them" if board.english else "按阶段排列的环节和它们之间的动作"
    parts = [
        # an image hides what is in it from assistive technology, so one with links in it is a group
        f'<svg class="wf" xmlns="http://www.w3.org/2000/svg" role="{"group" if traffic and traffic.links else "img"}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}">',
        f"<title>{title}</title><desc>{about}</desc>",
        f"<style>{STYLE}</style>" if standalone else "",
        *_stages(board, bottom),
        *(_onward(board, edge) for edge in edges if not _backward(board, edge)),
        *arcs,
        *(_box(board, step, highlight_step) for step in workflow.steps.values()),
        *legend,
        *notes,
        "</svg>",
    ]
    return "".join(parts)


def _place(board: _Board) -> None:
    """Each stage a column; its steps one below the other, ends last."""
    columns: dict[str, list[Step]] = {stage: [] for stage in board.workflow.stages}
    for step in sorted(board.workflow.steps.values(), key=lambda step: step.end):
        columns[step.stage].append(step)
    for column, steps in enumerate(columns.values()):
        for row, step in enumerate(steps):
            board.places[step.id] = (LEFT + column * COLUMN, TOP + row * ROW)
    board.rows = max(len(steps) for steps in columns.values())


Edge = tuple[str, str, str]


def _edges(board: _Board) -> tuple[list[Edge], list[Verb]]:
    """(from, to, label) of what is drawn, and the verbs that are listed instead."""
    if board.traffic is not None:
        return [(*ends, escape(label)) for ends, label in board.traffic.moves.items()], []
    labels: dict[tuple[str, str], list[str]] = {}
    listed = []
    for verb in board.workflow.verbs.values():
        if verb.to == NOWHERE or not verb.origins:
            continue
        if len(verb.origins) + board.workflow.steps[verb.to].end >= EVERYWHERE:
            listed.append(verb)
            continue
        for origin in verb.origins:
            if origin != verb.to:
                labels.setdefault((origin, verb.to), []).append(board.name(verb))
    return [
        (*ends, " / ".join(names[:MOST_NAMES]) + (" …" if len(names) > MOST_NAMES else ""))
        for ends, names in labels.items()
    ], listed


def _backward(board: _Board, edge: Edge) -> bool:
    """Whether an arrow runs below the boxes: to an earlier stage, or so far ahead that it would cross the others."""
    x1, x2 = board.places[edge[0]][0], board.places[edge[1]][0]
    return x2 < x1 or x2 - x1 > 2 * COLUMN


def _text(x: float, y: float, label: str, kind: str = "label", anchor: str = "middle") -> str:
    return f'<text class="{kind}" x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{label}</text>'


def _tip(x: float, y: float, direction: str, kind: str) -> str:
    shape = {
        "right": f"{x},{y} {x - 8},{y - 4} {x - 8},{y + 4}",
        "left": f"{x},{y} {x + 8},{y - 4} {x + 8},{y + 4}",
        "up": f"{x},{y} {x - 4},{y + 8} {x + 4},{y + 8}",
        "down": f"{x},{y} {x - 4},{y - 8} {x + 4},{y - 8}",
    }
    return f'<polygon class="tip {kind}" points="{shape[direction]}"/>'


def _width(board: _Board, edge: Edge) -> str:
    return f"w{board.traffic.widths.get(edge[:2], 1)}" if board.traffic else ""


def _onward(board: _Board, edge: Edge) -> str:
    """An arrow to the right, or within a column."""
    (x1, y1), (x2, y2) = board.places[edge[0]], board.places[edge[1]]
    width = _width(board, edge)
    if x1 == x2 and y2 - y1 != ROW:
        return _aside(x1, y1, y2, edge[2], width)
    if x1 == x2:
        x, top, low = x1 + BOX_WIDTH / 2, y1 + BOX_HEIGHT, y2
        return f'<path class="{width}" d="M{x} {top}V{low - 6}"/>{_tip(x, low, "down", "")}{_text(x, (top + low) / 2 + 4, edge[2])}'
    start, end, from_y, to_y = x1 + BOX_WIDTH, x2, y1 + BOX_HEIGHT / 2, y2 + BOX_HEIGHT / 2
    middle = (start + end) / 2
    label_y = (from_y + to_y) / 2 - 6
    path = f"M{start} {from_y}C{middle} {from_y} {middle} {to_y} {end - 6} {to_y}"
    return f'<path class="{width}" d="{path}"/>{_tip(end, to_y, "right", "")}{_text(middle, label_y, edge[2])}'


def _aside(x: float, y1: float, y2: float, label: str, width: str) -> str:
    """An arrow within a column that would cross other boxes: down at the right side of them, up at the left."""
    down = y2 > y1
    bend = 30 + 8 * (abs(y2 - y1) / ROW - 1)
    edge, out = (x + BOX_WIDTH, x + BOX_WIDTH + bend) if down else (x, x - bend)
    start, end = (y1 + 34, y2 + 14) if down else (y1 + 14, y2 + 34)
    tip = edge + (6 if down else -6)
    kind = "" if down else "back"
    path = f'<path class="{kind} {width}" d="M{edge} {start}C{out} {start} {out} {end} {tip} {end}"/>'
    # off the middle, where labels of arrows to the next column stand
    place, level = (x + BOX_WIDTH + bend * 0.5, start + (end - start) * 0.25) if down else (x - bend * 0.5, y1 - 20)
    text = _text(place, level + 4, label, anchor="start" if down else "end")
    return path + _tip(edge, end, "left" if down else "right", kind) + text


def _arcs(board: _Board, edges: list[Edge]) -> tuple[list[str], int]:
    """Backward arrows below the boxes, the shortest highest, each on the first lane where it meets no other."""
    lanes: list[list[tuple[float, float]]] = []
    drawn = []
    ports: dict[str, int] = {}
    for origin, to, label in sorted(edges, key=lambda edge: abs(board.places[edge[0]][0] - board.places[edge[1]][0])):
        (x1, y1), (x2, y2) = board.places[origin], board.places[to]
        from_x, to_x = x1 + _port(ports, origin), x2 + _port(ports, to)
        reach = len(label) * (6.5 if board.english else 12) / 2
        middle = (from_x + to_x) / 2
        low, high = min(from_x, to_x, middle - reach) - 8, max(from_x, to_x, middle + reach) + 8
        lane = next(
            (index for index, taken in enumerate(lanes) if all(high < a or low > b for a, b in taken)), len(lanes)
        )
        if lane == len(lanes):
            lanes.append([])
        lanes[lane].append((low, high))
        y = TOP + board.rows * ROW - ROW + BOX_HEIGHT + 26 + lane * LANE
        turn = 6 if to_x > from_x else -6
        path = (
            f"M{from_x:.0f} {y1 + BOX_HEIGHT}V{y - 6}Q{from_x:.0f} {y} {from_x + turn:.0f} {y}"
            f"H{to_x - turn:.0f}Q{to_x:.0f} {y} {to_x:.0f} {y - 6}V{y2 + BOX_HEIGHT + 7}"
        )
        width = _width(board, (origin, to, label))
        tip, text = _tip(to_x, y2 + BOX_HEIGHT, "up", "back"), _text(middle, y + 4, label)
        drawn.append(f'<path class="back {width}" d="{path}"/>{tip}{text}')
    return drawn, len(lanes)


def _port(ports: dict[str, int], step: str) -> float:
    """Arrows that meet a box from below stand side by side."""
    ports[step] = ports.get(step, -1) + 1
    return 14 + (ports[step] * 22) % (BOX_WIDTH - 28)


def _stages(board: _Board, bottom: float) -> Iterator[str]:
    for column, stage in enumerate(board.workflow.stages.values()):
        x = LEFT + column * COLUMN - 12
        yield f'<rect class="stage" x="{x}" y="12" width="{BOX_WIDTH + 24}" height="{bottom - 12:.0f}" rx="8"/>'
        yield _text(x + BOX_WIDTH / 2 + 12, 38, board.name(stage), "head")


def _axis(board: _Board, step: Step) -> str:
    """The axis of most of those who can take a case on from a step; empty where only the system does."""
    workflow = board.workflow
    acting = []
    for verb in workflow.verbs_from(step.id):
        plan = workflow.plans[verb.id]
        on = plan.closes or not plan.ends
        if on and not verb.effect and plan.order > workflow.order[step.id] and len(verb.origins) < EVERYWHERE:
            acting += [axis for role in verb.roles if (axis := workflow.roles[role].axis)][:1]
    return max(AXES, key=acting.count) if acting else ""


def _legend(board: _Board, y: float) -> Iterator[str]:
    """What the stripes mean, as far as the workflow has them."""
    shown = set() if board.traffic else {_axis(board, step) for step in board.workflow.steps.values()}
    x = LEFT
    for axis, (colour, chinese, english) in AXES.items():
        if axis in shown:
            label = english if board.english else chinese
            yield f'<rect x="{x}" y="{y:.0f}" width="6" height="12" rx="2" fill="{colour}"/>'
            yield _text(x + 12, y + 10, label, "small", "start")
            x += 36 + len(label) * (7 if board.english else 12)


def _box(board: _Board, step: Step, here: str | None) -> str:
    x, y = board.places[step.id]
    if board.traffic is not None:
        return _busy_box(board, board.traffic, step)
    kind = "step" + (" end" if step.end else "") + (" here" if step.id == here else "")
    within = [
        board.plain(verb)
        for verb in board.workflow.verbs_from(step.id)
        if verb.to in {NOWHERE, step.id} and len(verb.origins) < EVERYWHERE
    ]
    shown = " · ".join(within[:3]) + ("…" if len(within) > 3 else "")
    limit = 20 if board.english else 13
    shown = shown if len(shown) <= limit else shown[: limit - 1] + "…"
    label = _text(x + BOX_WIDTH / 2, y + (20 if shown else 28), board.name(step), "head")
    note = _text(x + BOX_WIDTH / 2, y + 37, shown, "small") if shown else ""
    axis = _axis(board, step)
    stripe = (
        f'<rect x="{x + 5}" y="{y + 9}" width="5" height="{BOX_HEIGHT - 18}" rx="2" fill="{AXES[axis][0]}"/>'
        if axis
        else ""
    )
    return (
        f'<rect class="{kind}" x="{x}" y="{y}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="7"/>{stripe}{label}{note}'
    )


def _busy_box(board: _Board, traffic: Traffic, step: Step) -> str:
    x, y = board.places[step.id]
    remark = traffic.remarks.get(step.id, "")
    kind = f"step heat{traffic.heat.get(step.id, 0)}" + (" end" if step.end else "") + ("" if remark else " pale")
    inner = (
        f'<rect class="{kind}" x="{x}" y="{y}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="7"/>'
        + _text(x + BOX_WIDTH / 2, y + (20 if remark else 28), board.name(step), "head")
        + (_text(x + BOX_WIDTH / 2, y + 37, escape(remark), "small") if remark else "")
    )
    link = traffic.links.get(step.id)
    return f'<a href="{escape(link)}">{inner}</a>' if link else inner


def _notes(board: _Board, listed: list[Verb], y: float) -> Iterator[str]:
    """One line for each verb that can be done nearly everywhere."""
    steps = board.workflow.steps
    for index, verb in enumerate(listed):
        origins = (", " if board.english else "、").join(board.name(steps[origin]) for origin in verb.origins)
        yield _text(
            LEFT,
            y + 14 + index * 18,
            f"{board.name(verb)} → {board.name(steps[verb.to])}  ({origins})",
            "small",
            "start",
        )
