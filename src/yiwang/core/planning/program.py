"""Linear and mixed-integer programs on HiGHS (Q. Huangfu and J. A. J. Hall, *Mathematical Programming Computation* 10, 2018).

One thread and a fixed seed, so that the same program has the same answer. A time limit can change the answer: it is the best found by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What HiGHS says of a program.

    Attributes:
        feasible: Whether there is a point that obeys every row; ``values`` is empty without one.
        values: One for each column.
        duals: One for each row, the change of the objective with its right-hand side; empty for mixed-integer programs.
        objective: Of ``values``.
        bound: No point has a smaller objective.
        impossible: Whether it is proven that there is no point.
    """

    feasible: bool
    values: tuple[float, ...] = ()
    duals: tuple[float, ...] = ()
    objective: float = inf
    bound: float = -inf
    impossible: bool = False


@dataclass(slots=True)
class Program:
    """Minimise the cost of columns subject to rows; both are added one by one and then known by their number."""

    costs: list[float] = field(default_factory=list)
    lows: list[float] = field(default_factory=list)
    highs: list[float] = field(default_factory=list)
    whole: list[bool] = field(default_factory=list)
    row_lows: list[float] = field(default_factory=list)
    row_highs: list[float] = field(default_factory=list)
    _starts: list[int] = field(default_factory=lambda: [0])
    _columns: list[int] = field(default_factory=list)
    _factors: list[float] = field(default_factory=list)

    def column(self, *, cost: float = 0.0, low: float = 0.0, high: float = inf, whole: bool = False) -> int:
        """A new variable between ``low`` and ``high``."""
        self.costs.append(cost)
        self.lows.append(low)
        self.highs.append(high)
        self.whole.append(whole)
        return len(self.costs) - 1

    def row(self, terms: Iterable[tuple[int, float]], *, low: float = -inf, high: float = inf) -> int:
        """A new constraint: the sum of (column, factor) lies between ``low`` and ``high``. A column may occur once only."""
        for column, factor in terms:
            self._columns.append(column)
            self._factors.append(factor)
        self._starts.append(len(self._columns))
        self.row_lows.append(low)
        self.row_highs.append(high)
        return len(self.row_lows) - 1

    def solve(self, *, seconds: float = inf, seed: int = 1, start: Sequence[float] = (), first: bool = False) -> Answer:
        """The best point.

        Args:
            seconds: The time limit. With a ``start`` there is an answer whatever the limit.
            seed: Of the solver's random choices.
            start: A point to begin with, one value for each column.
            first: Any point will do: stop at the first.
        """
        import highspy  # here, so that a start does not wait for it
        import numpy as np

        solver = quiet_solver()
        options: dict[str, Any] = {"threads": 1, "random_seed": seed, "mip_rel_gap": 0.0}
        if first:
            options["mip_max_improving_sols"] = 1
        if seconds < inf:
            options["time_limit"] = max(0.0, seconds)
        for name, value in options.items():
            solver.setOptionValue(name, value)
        program = highspy.HighsLp()
        program.num_col_, program.num_row_ = len(self.costs), len(self.row_lows)
        program.col_cost_ = np.array(self.costs, dtype=float)
        program.col_lower_, program.col_upper_ = np.array(self.lows, dtype=float), np.array(self.highs, dtype=float)
        program.row_lower_ = np.array(self.row_lows, dtype=float)
        program.row_upper_ = np.array(self.row_highs, dtype=float)
        program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        program.a_matrix_.start_ = np.array(self._starts, dtype=np.int32)
        program.a_matrix_.index_ = np.array(self._columns, dtype=np.int32)
        program.a_matrix_.value_ = np.array(self._factors, dtype=float)
        mixed = any(self.whole)
        if mixed:
            kinds = highspy.HighsVarType
            program.integrality_ = [kinds.kInteger if whole else kinds.kContinuous for whole in self.whole]
        solver.passModel(program)
        if len(start):
            given = highspy.HighsSolution()
            given.col_value = list(start)
            solver.setSolution(given)
        solver.run()
        return _answer(solver, mixed=mixed)


def quiet_solver() -> Any:
    """HiGHS without a word: version 1.16 writes its name to stdout while it is made, as it enables callbacks, before one can silence it."""
    import highspy

    highs: Any = highspy.Highs  # its Python side has no types

    class Quiet(highs):  # type: ignore[misc]
        def enableCallbacks(self) -> None:  # noqa: N802 - the name is HiGHS's
            self.setOptionValue("output_flag", False)
            super().enableCallbacks()

    quiet: Any = Quiet
    return quiet()


def _answer(solver: Any, *, mixed: bool) -> Answer:
    import highspy

    info, status = solver.getInfo(), solver.getModelStatus()
    optimal = status == highspy.HighsModelStatus.kOptimal
    if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        impossible = status == highspy.HighsModelStatus.kInfeasible
        return Answer(feasible=False, bound=info.mip_dual_bound if mixed else -inf, impossible=impossible)
    solution = solver.getSolution()
    objective = info.objective_function_value
    bound = info.mip_dual_bound if mixed else objective if optimal else -inf
    return Answer(
        feasible=True,
        values=tuple(solution.col_value),
        duals=() if mixed else tuple(solution.row_dual),
        objective=objective,
        bound=min(bound, objective),
    )
