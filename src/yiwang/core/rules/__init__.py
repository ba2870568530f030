"""Rules as data: decision tables that are read, checked, asked one at a time or in bulk, and explain themselves."""

from yiwang.core.rules.cells import Match
from yiwang.core.rules.check import analyse, check
from yiwang.core.rules.columns import Column, DictColumn
from yiwang.core.rules.compare import Change, Comparison, compare
from yiwang.core.rules.compiled import CompiledTable, compile_table
from yiwang.core.rules.coverage import Domain, Lifetimes
from yiwang.core.rules.decision import Contender, Decision
from yiwang.core.rules.findings import Finding, Kind
from yiwang.core.rules.reading import read_table
from yiwang.core.rules.spec import NOTE_COLUMN, InputSpec, TableSpec
from yiwang.core.rules.table import Facts, Row, Table
from yiwang.core.rules.templates import fill_template, first_fillable, placeholders

__all__ = [
    "NOTE_COLUMN",
    "Change",
    "Column",
    "Comparison",
    "CompiledTable",
    "Contender",
    "Decision",
    "DictColumn",
    "Domain",
    "Facts",
    "Finding",
    "InputSpec",
    "Kind",
    "Lifetimes",
    "Match",
    "Row",
    "Table",
    "TableSpec",
    "analyse",
    "check",
    "compare",
    "compile_table",
    "fill_template",
    "first_fillable",
    "placeholders",
    "read_table",
]
