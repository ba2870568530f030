"""Whatever is asked of whatever cases: DuckDB counts what the slow and obvious engine counts."""

from __future__ import annotations

import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.engines.tables import AS_OF, context, fact, parquet

from yiwang.core.facts.cases import BASES
from yiwang.core.indicators.expressions import Measure, read_condition, read_measure
from yiwang.core.indicators.scorecard import PERIODS, Question
from yiwang.engines.duckdb import DuckDBEngine
from yiwang.engines.memory import MemoryEngine

MOMENT = st.none() | st.integers(-90, 30).map(lambda days: AS_OF + timedelta(days=days, microseconds=days * 7))
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "opened_at": st.integers(-90, 0).map(lambda days: AS_OF + timedelta(days=days)),
            "filed_at": MOMENT, "deadline_at": MOMENT, "closed_at": MOMENT, "disposed_at": MOMENT,
            "lon": st.none() | st.floats(-180, 180, allow_nan=False),
            "region_street": st.sampled_from(["", "9001", "9002"]), "department": st.sampled_from(["", "O'Hara", "B"]),
            "end_kind": st.sampled_from(["", "closed", "void", "it's"]), "main_clock": st.sampled_from(["", "running", "stopped"]),
            "overdue": st.booleans(), "located": st.booleans(), "reworks": st.integers(0, 3), "wall_s": st.integers(0, 2**40),
        }
    ),
    max_size=25,
)  # fmt: skip
ATOMS = st.sampled_from(
    [
        "overdue", "located == False", "reworks > 1", "reworks + 1 <= 2", "reworks - 2 == -1",
        "end_kind == \"it's\"", "end_kind in ('closed', 'void')",
        "end_kind is None", "end_kind not in ('',)", "closed_at is None", "deadline_at < as_of", "closed_at <= deadline_at", "lon > 10.5",
        "disposed_day == closed_day", "lon is not None", "main_clock != 'running'", "True", "False", "wall_s >= 100000",
    ]
)  # fmt: skip
CONDITIONS = st.recursive(
    ATOMS,
    lambda part: st.one_of(
        part.map(lambda one: f"not ({one})"),
        st.tuples(part, st.sampled_from(["and", "or"]), part).map(
            lambda three: f"({three[0]}) {three[1]} ({three[2]})"
        ),
    ),
    max_leaves=6,
)
MEASURES = st.one_of(CONDITIONS, st.just("sum(wall_s)"), CONDITIONS.map(lambda text: f"sum(reworks + wall_s, {text})"))
GROUPINGS = st.sampled_from(
    [((),), (("region_street",),), (("region_street", "department"), ("department",), ()), (("region_city",), ("region_street",))]
)  # fmt: skip


def read(text: str) -> Measure:
    return read_measure(text, columns=context().columns, terms={})


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=ROWS,
    measures=st.lists(MEASURES, min_size=1, max_size=3, unique=True),
    groupings=GROUPINGS,
    basis=st.sampled_from(["opened", "filed", "due", "closed"]),
    period=st.sampled_from(["", *PERIODS]),
    only=CONDITIONS,
    since=st.none() | st.dates(date(2026, 1, 1), date(2026, 4, 30)),
)
def test_duckdb_counts_what_memory_counts(
    rows: list[dict[str, Any]],
    measures: list[str],
    groupings: Any,
    basis: str,
    period: str,
    only: str,
    since: date | None,
) -> None:
    cases = [fact(f"N{place}", **row) for place, row in enumerate(rows)]
    question = Question(
        measures=tuple(dict.fromkeys(read(text) for text in measures)), groupings=groupings, day=BASES[basis], period=period,
        since=since, until=None, only=read_condition(only, columns=context().columns, terms={}), as_of=AS_OF,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        files = [parquet(cases, Path(folder) / "facts.parquet")]
        quick = DuckDBEngine(base=files, key="number").answer(question)
    slow = MemoryEngine(cases).answer(question)
    assert sorted(quick, key=repr) == sorted(slow, key=repr)


def test_a_moment_is_compared_as_a_moment_whatever_its_notation() -> None:
    late = fact("N1", opened_at=AS_OF, deadline_at=datetime(2026, 3, 31, 23, 59, 59, 999999, tzinfo=UTC))
    question = Question(
        measures=(read("deadline_at < as_of"),), groupings=((),), day="opened_day", period="", since=None, until=None,
        only=read_condition("True", columns={}, terms={}), as_of=AS_OF.astimezone(tz=None),
    )  # fmt: skip
    assert [one.sums for one in MemoryEngine([late]).answer(question)] == [(1,)]
    with tempfile.TemporaryDirectory() as folder:
        engine = DuckDBEngine(base=[parquet([late], Path(folder) / "facts.parquet")], key="number")
        assert [one.sums for one in engine.answer(question)] == [(1,)]
