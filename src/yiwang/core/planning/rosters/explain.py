"""Why a shift is not covered: who could have come, which rule holds each of them off, and what lifting a rule would change."""

from __future__ import annotations

from collections import Counter

from yiwang.core.kernel.text import Text
from yiwang.core.planning.rosters.check import RULES, broken_by
from yiwang.core.planning.rosters.plan import RELAXABLE, Roster, gaps_without
from yiwang.core.planning.rosters.problem import Duty, Gap, RosterProblem
from yiwang.core.planning.standing import Standing


def held_off(problem: RosterProblem, roster: Roster, gap: Gap) -> dict[str, int]:
    """How many people with the skill each rule keeps from filling a gap in this roster; one person may stand under several."""
    found: Counter[str] = Counter()
    there = {duty.person for duty in roster.duties if (duty.day, duty.shift) == (gap.day, gap.shift)}
    for person in problem.people:
        if gap.skill not in person.skills:
            continue
        own = [duty for duty in roster.duties if duty.person == person.id]
        broken = {
            rule for rule, _ in broken_by(problem, person, [*own, Duty(gap.day, gap.shift, gap.skill, person.id)])
        }
        if "one a day" in broken:
            broken = {"one a day"}  # two shifts on a day break the rest too, which says nothing more
        if any(person.id in pair and (set(pair) - {person.id}) & there for pair in problem.rules.apart):
            broken.add("apart")
        found.update(broken)
    return dict(sorted(found.items()))


def describe(problem: RosterProblem, roster: Roster, gap: Gap) -> Text:
    """One gap in words."""
    able = sum(gap.skill in person.skills for person in problem.people)
    if not able:
        why = Text("无人具备该技能", "nobody has the skill")
    else:
        parts = [
            Text("{rule} {count} 人", "{rule} {count}", rule=RULES[rule], count=count)
            for rule, count in held_off(problem, roster, gap).items()
        ]
        reasons = Text.join({"zh": "、", "en": ", "}, parts)
        why = Text(
            "具备技能 {able} 人，受限于：{reasons}",
            "{able} have the skill, held off by: {reasons}",
            able=able,
            reasons=reasons,
        )
    return Text(
        "{day} {shift} 缺{skill} {missing} 人（{why}）。",
        "{shift} on {day} lacks {missing} {skill} ({why}).",
        day=gap.day,
        shift=gap.shift,
        skill=gap.skill,
        missing=gap.missing,
        why=why,
    )


def relaxations(problem: RosterProblem, roster: Roster, *, seconds: float, seed: int = 1) -> dict[str, Standing]:
    """For each rule, how many people would be lacking without it; nothing where all is covered.

    Only rules that bind: those without which fewer are lacking. Where none does, two rules or more bind together, or there are too few
    people.
    """
    if not roster.gaps:
        return {}
    found = {}
    for rule in RELAXABLE:
        standing = gaps_without(problem, rule=rule, seconds=seconds / len(RELAXABLE), seed=seed)
        if standing.objective < roster.uncovered.objective:
            found[rule] = standing
    return found
