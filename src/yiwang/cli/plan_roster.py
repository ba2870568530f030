"""`yiwang plan roster`: who works which shift."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from yiwang.cli.output import Failed, emit, emit_table, json_option, say, wants_json
from yiwang.packs.files import decode

if TYPE_CHECKING:
    from yiwang.core.planning.standing import Standing


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--seconds", default=60.0, show_default=True, type=click.FloatRange(min=0), help="How long to look.")
@click.option("--seed", default=1, show_default=True, help="Of the solver.")
@json_option
def roster(file: Path, seconds: float, seed: int) -> None:
    """Make a roster: as few gaps as possible, then an even load, then wishes.

    FILE is a TOML file with first, days, [[person]], [[shift]] and [rules]. Where a shift lacks people, stderr says which rules hold off
    those who could come, and which rule, if lifted, would help; that takes up to as long again.

    \b
    Example: yiwang plan roster clinic.toml --seconds 30 --seed 1 --json
    """
    from yiwang.core.planning.rosters.check import RULES, roster_faults
    from yiwang.core.planning.rosters.explain import describe, relaxations
    from yiwang.core.planning.rosters.plan import plan_roster
    from yiwang.core.planning.rosters.reading import read_roster

    problem = read_roster(decode(file.read_bytes()), file=str(file))
    made = plan_roster(problem, seconds=seconds, seed=seed)
    if faults := roster_faults(problem, made.duties):
        raise Failed("The roster did not pass its check: " + " ".join(str(fault) for fault in faults))
    why = [describe(problem, made, gap) for gap in made.gaps]
    lifted = relaxations(problem, made, seconds=seconds, seed=seed)
    if wants_json():
        emit(
            {
                "uncovered": _standing(made.uncovered),
                "load": _standing(made.load),
                "wishes": _standing(made.wishes),
                "duties": [duty._asdict() for duty in made.duties],
                "gaps": [
                    {**gap._asdict(), "why": {"zh": one.zh, "en": one.en}}
                    for gap, one in zip(made.gaps, why, strict=True)
                ],
                "without": {rule: _standing(standing) for rule, standing in lifted.items()},
            }
        )
        return
    emit_table(("day", "shift", "skill", "person"), [tuple(duty) for duty in made.duties])
    for sentence in why:
        say(str(sentence), style="yellow")
    for rule, standing in lifted.items():
        say(f"Without the rule '{RULES[rule].en}' {standing.objective:g} would be lacking.", style="yellow")
    if made.gaps and not lifted:
        say("Lifting any one rule does not help: there are too few people, or two rules bind together.", style="yellow")
    for name, standing in (
        ("People lacking", made.uncovered),
        ("Highest load", made.load),
        ("Wishes refused", made.wishes),
    ):
        say(f"{name}: {standing.objective:.3g}; no roster that is as good so far has less than {standing.bound:.3g}.")


def _standing(standing: Standing) -> dict[str, Any]:
    return {
        "objective": standing.objective,
        "bound": standing.bound,
        "gap": None if standing.gap == float("inf") else standing.gap,
        "proven": standing.proven,
        "seconds": round(standing.seconds, 3),
    }
