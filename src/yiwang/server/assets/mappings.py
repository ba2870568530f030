"""What the columns of a surveyor's files mean, saved for the next file."""

from __future__ import annotations

from collections.abc import Mapping

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text
from yiwang.packs.hints import did_you_mean
from yiwang.server.assets.models import ColumnMapping


def saved_columns(*, city: str, name: str) -> dict[str, str]:
    """Field → heading as saved under a name.

    Raises:
        BadInput: When there is none of this name.
    """
    found = ColumnMapping.objects.filter(city=city, name=name).first()
    if found is None:
        known = list(ColumnMapping.objects.filter(city=city).values_list("name", flat=True))
        message = Text("没有保存过「{name}」这个列对应。", "No columns are saved under {name!r}.", name=name)
        near = did_you_mean(name, known)
        raise BadInput(message if not near else Text.join({"zh": "", "en": " "}, [message, near]))
    return dict(found.columns)


def save_columns(*, city: str, name: str, columns: Mapping[str, str], by: str) -> None:
    """Keep field → heading under a name; one that is there is replaced."""
    ColumnMapping.objects.update_or_create(
        city=city, name=name[:80], defaults={"columns": dict(columns), "saved_by": by[:150]}
    )


def column_names(*, city: str) -> list[str]:
    """The names under which columns are saved in a city."""
    return list(ColumnMapping.objects.filter(city=city).order_by("name").values_list("name", flat=True))
