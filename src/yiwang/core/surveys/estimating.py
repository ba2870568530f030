"""What the answers of a drawn sample say of all closed cases: response rates, weights, and three rates with their intervals.

Response rate: RR1 of the American Association for Public Opinion Research (Standard Definitions: Final Dispositions of Case Codes
and Outcome Rates for Surveys, 10th ed. 2023): complete interviews over all that were drawn and may be eligible, be they refused,
not reached or not tried yet. It is the least of AAPOR's rates, and no drawn case leaves its denominator.

Weights: the design weight (cases of the stratum over those drawn) times the non-response adjustment of its weighting class, here
the stratum: those drawn over those who answered (G. Kalton and I. Flores-Cervantes, Weighting Methods, Journal of Official
Statistics 19, 2003). It is right where, within a stratum, answering has nothing to do with what would be answered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from yiwang.core.indicators.intervals import CONFIDENCE
from yiwang.core.indicators.survey import Estimate, estimate_share
from yiwang.core.surveys.questionnaires import Measure


class Disposition(StrEnum):
    """What became of a drawn case."""

    WAITING = ""
    ANSWERED = "answered"
    REFUSED = "refused"
    NOT_REACHED = "not_reached"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """A drawn case.

    Attributes:
        stratum: Where it was drawn.
        weight: Design weight: how many cases of the frame it stands for.
        disposition: What became of it.
        says: What its answers say of each rate; see `questionnaires.measured`. Empty unless it was answered.
    """

    stratum: str
    weight: float
    disposition: Disposition = Disposition.WAITING
    says: Mapping[Measure, bool] = field(default_factory=dict)

    @property
    def answered(self) -> bool:
        """Whether there is a complete interview."""
        return self.disposition is Disposition.ANSWERED


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """One of the three rates.

    Attributes:
        yes, asked: Numerator and denominator: answers that count as yes, and answers that count.
        weighted_yes, weighted_asked: The same as cases of the frame that they stand for; the rate is the one over the other.
        estimate: The rate with its interval, 0 to 1; None where nobody answered.
    """

    yes: int
    asked: int
    weighted_yes: float
    weighted_asked: float
    estimate: Estimate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a round says of a stratum, or of everything.

    Attributes:
        stratum: Code; empty for everything.
        frame, drawn: Closed cases, and those of them that were drawn.
        dispositions: How many drawn cases ended how.
        rates: By measure.
        silent: Strata without a single answer, of which the rates therefore say nothing.
        weak: Whether the response rate is below what the questionnaire asks for.
    """

    stratum: str
    frame: int
    drawn: int
    dispositions: Mapping[Disposition, int]
    rates: Mapping[Measure, Rate]
    silent: int = 0
    weak: bool = False

    @property
    def answered(self) -> int:
        """Numerator of the response rate; ``drawn`` is its denominator."""
        return self.dispositions.get(Disposition.ANSWERED, 0)

    @property
    def response(self) -> float | None:
        """AAPOR's RR1, 0 to 1; None where nothing was drawn."""
        return self.answered / self.drawn if self.drawn else None


def adjusted_weights(sample: Sequence[Sampled]) -> list[float]:
    """The weight of each drawn case in estimates: 0 without an answer, else design weight times non-response adjustment.

    The weights of a stratum with an answer sum to its design weights, which are its cases in the frame.
    """
    drawn: Counter[str] = Counter()
    answered: Counter[str] = Counter()
    for one in sample:
        drawn[one.stratum] += 1
        answered[one.stratum] += one.answered
    # design weights are the same within a stratum, so counts adjust as sums of weights would
    return [one.weight * drawn[one.stratum] / answered[one.stratum] if one.answered else 0.0 for one in sample]


def estimate(
    sample: Sequence[Sampled],
    *,
    sizes: Mapping[str, int],
    least_response: float = 0.0,
    confidence: float = CONFIDENCE,
) -> list[Result]:
    """Everything first, then each drawn stratum by its code.

    Args:
        sample: All drawn cases, whatever became of them.
        sizes: Cases of the frame by stratum.
        least_response: A share; strata that answered less are marked.
        confidence: Of the intervals.

    Raises:
        ValueError: When a stratum has more answers than cases; see `indicators.survey.estimate_mean`.
    """
    weights = adjusted_weights(sample)
    found = []
    for stratum in ("", *sorted({one.stratum for one in sample})):
        chosen = [(one, weight) for one, weight in zip(sample, weights, strict=True) if stratum in ("", one.stratum)]
        answered = sum(one.answered for one, _ in chosen)
        found.append(
            Result(
                stratum=stratum,
                frame=sum(size for one, size in sizes.items() if stratum in ("", one)),
                drawn=len(chosen),
                dispositions=dict(Counter(one.disposition for one, _ in chosen)),
                rates={measure: _rate(chosen, measure, sizes, confidence) for measure in Measure},
                silent=len({one.stratum for one, _ in chosen} - {one.stratum for one, _ in chosen if one.answered}),
                weak=bool(chosen) and answered < least_response * len(chosen),
            )
        )
    return found


def hidden_strata(answered: Mapping[str, int], *, least: int) -> frozenset[str]:
    """Strata whose rates are not shown, since so few answered that a single answer could be guessed.

    Where those that are hidden have fewer than ``least`` answers together, the next smallest is hidden too: else theirs would be
    the difference between everything and what is shown (complementary suppression; L. Willenborg and T. de Waal, Elements of
    Statistical Disclosure Control, Springer 2001).

    Args:
        answered: Answers by stratum.
        least: So many answers may be shown.
    """
    order = sorted((stratum for stratum, count in answered.items() if count), key=lambda one: (answered[one], one))
    hidden = [stratum for stratum in order if answered[stratum] < least]
    for stratum in order[len(hidden) :]:
        if not 0 < sum(answered[one] for one in hidden) < least:
            break
        hidden.append(stratum)
    return frozenset(hidden)


def _rate(
    chosen: Sequence[tuple[Sampled, float]], measure: Measure, sizes: Mapping[str, int], confidence: float
) -> Rate:
    counted = [(one, weight) for one, weight in chosen if one.answered and measure in one.says]
    yes = [one.says[measure] for one, _ in counted]
    return Rate(
        yes=sum(yes),
        asked=len(yes),
        weighted_yes=sum(weight for one, weight in counted if one.says[measure]),
        weighted_asked=sum(weight for _, weight in counted),
        estimate=estimate_share(
            met=yes,
            strata=[one.stratum for one, _ in counted],
            weights=[weight for _, weight in counted],
            sizes=sizes,
            confidence=confidence,
        ),
    )
