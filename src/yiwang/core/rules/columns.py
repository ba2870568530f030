"""Columns of facts for bulk decisions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text


@dataclass(frozen=True, slots=True)
class DictColumn:
    """A dictionary-encoded column, as Arrow and most column stores keep text.

    Attributes:
        codes: int32, one per record: place in ``values``, or -1 for a missing fact.
        values: The texts. They need not be sorted nor even distinct.

    Raises:
        BadInput: A code lies outside the values, or the codes are not one column of whole numbers.
    """

    codes: NDArray[np.int32]
    values: Sequence[str]

    def __post_init__(self) -> None:
        codes = np.asarray(self.codes)
        if codes.ndim != 1 or codes.dtype.kind not in "iu":
            raise BadInput(
                Text(
                    "代码应是一维的整数，而不是 {dimensions} 维的 {dtype}。",
                    "Codes are whole numbers in one dimension, not {dtype} in {dimensions}.",
                    dtype=str(codes.dtype),
                    dimensions=codes.ndim,
                )
            )
        if len(codes) and (int(codes.min()) < -1 or int(codes.max()) >= len(self.values)):
            raise BadInput(
                Text(
                    "列的代码应在 -1 和 {last}（最后一个值的位置）之间。",
                    "A column's codes lie between -1 and {last}, the place of its last value.",
                    last=len(self.values) - 1,
                )
            )
        object.__setattr__(self, "codes", codes.astype(np.int32, copy=False))

    def __len__(self) -> int:
        return len(self.codes)

    @classmethod
    def encode(cls, texts: Iterable[str | None]) -> DictColumn:
        """Encode texts, each distinct one once in order of appearance; None becomes a missing fact."""
        places: dict[str | None, int] = {None: -1}
        codes = [places.setdefault(text, len(places) - 1) for text in texts]
        return cls(np.array(codes, dtype=np.int32), [text for text in places if text is not None])


Column = DictColumn | NDArray[Any]


def texts_of(column: NDArray[Any], *, name: str) -> NDArray[Any]:
    """An array of text, checked.

    Raises:
        BadInput: It is no single row of text or objects.
    """
    array = np.asarray(column)
    if array.ndim != 1 or array.dtype.kind not in "OUT":
        raise BadInput(
            Text(
                "列「{name}」是 {dimensions} 维的 {dtype}；应为 DictColumn 或一维的文本数组。",
                "Column {name!r} is {dtype} in {dimensions} dimensions; "
                "a DictColumn or an array of text in one dimension is expected.",
                name=name,
                dtype=str(array.dtype),
                dimensions=array.ndim,
            )
        )
    return array
