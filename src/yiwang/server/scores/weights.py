"""Whether the order of a scorecard would stand with other weights."""

from __future__ import annotations

from dataclasses import dataclass

from yiwang.core.indicators.definitions import Evaluation
from yiwang.core.indicators.sensitivity import Bounds, Sensitivity, sensitivity
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.scores.queries import Scorecard

SHARE = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightStudy:
    """What other weights would do to an order.

    Attributes:
        evaluation: Whose weights.
        bounds: What they may be.
        found: Of the units with a score of every part, by key.
        left_out: Keys of those that lack one: with other weights their score would be of other parts.
    """

    evaluation: Evaluation
    bounds: Bounds
    found: Sensitivity
    left_out: tuple[str, ...]


def study_weights(
    card: Scorecard, *, place: CityRuntime, by: str, share: float = SHARE, of: str = ""
) -> WeightStudy | None:
    """How far the order of the rows depends on the weights of the evaluation that scores them.

    Args:
        card: One row for each unit: of one period.
        by: The dimension of the units.
        share: Of each weight, by which it may be larger or smaller.
        of: Id of the evaluation; the first that scores the rows by default.

    Returns:
        None where nothing is scored.
    """
    name = next((name for row in card.rows for name in row.composites if of in ("", name)), "")
    evaluation = next((one for one in place.pack.indicators.evaluations if one.id == name), None)
    if evaluation is None:
        return None
    parts = [name for name, _ in evaluation.weighed]
    units: dict[str, list[float]] = {}
    left_out = []
    for row in card.rows:
        composite = row.composites.get(name)
        if composite is None or composite.score is None or not row.keys[by]:
            continue
        values = [composite.of(part) for part in parts]
        known = [value for value in values if value is not None]
        if len(known) == len(parts):
            units[row.keys[by]] = known
        else:
            left_out.append(row.keys[by])
    bounds = Bounds.around([weight for _, weight in evaluation.weighed], share=share)
    return WeightStudy(evaluation=evaluation, bounds=bounds, found=sensitivity(units, bounds), left_out=tuple(left_out))
