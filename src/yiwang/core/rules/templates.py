"""Unit templates: outputs like ``SWEEP-{street}`` filled with the codes of the case's region at the named levels."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text
from yiwang.core.rules.table import Row

_PIECE = re.compile(r"\{([^{}]*)\}")
_LEVEL = re.compile(r"[A-Za-z][A-Za-z0-9_-]*", re.ASCII)


def placeholders(template: str) -> tuple[str, ...]:
    """Ids of the levels that a template names, in order.

    Raises:
        BadInput: A brace stands alone or holds something that is no level id.
    """
    names = tuple(_PIECE.findall(template))
    alone = re.search(r"[{}]", _PIECE.sub("", template))
    if alone or not all(_LEVEL.fullmatch(name) for name in names):
        raise BadInput(
            Text(
                "「{template}」不是模板；占位符是花括号中的层级 id，例如 SWEEP-{{street}}。",
                "{template!r} is no template; a placeholder is a level id in braces, e.g. SWEEP-{{street}}.",
                template=template,
            )
        )
    return names


def fill_template(template: str, *, codes: Mapping[str, str]) -> str | None:
    """Fill a template, or None when a placeholder's level is not known: the region lies above it.

    Args:
        template: Text with placeholders ``{level id}``; without any it is its own answer.
        codes: The code of the case's region at each level that is known, by level id.

    Raises:
        BadInput: see :func:`placeholders`.
    """
    if "{" not in template and "}" not in template:
        return template
    if not all(codes.get(name) for name in placeholders(template)):
        return None
    return _PIECE.sub(lambda found: codes[found[1]], template)


def first_fillable(rows: Iterable[Row], *, output: str, codes: Mapping[str, str]) -> tuple[Row, str] | None:
    """The best row whose template can be filled, with the filled text, or None.

    A row that leaves the output empty answers nothing, so it is passed over too.

    Args:
        rows: Matching rows best first, e.g. ``table.matching_rows(facts, on)`` or ``decision.rows``.
        output: The column that holds the template.
        codes: See :func:`fill_template`.
    """
    for row in rows:
        filled = fill_template(row.outputs[output], codes=codes)
        if filled:
            return row, filled
    return None
