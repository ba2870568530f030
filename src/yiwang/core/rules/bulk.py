"""Decisions over columns: facts to classes, classes to one number, that number to the answer.

A table of answers by combination of classes is filled in as combinations turn up, and kept. New combinations are
worked out together, on sets of rows packed into 64-bit words. Where the combinations are too many to keep a table of,
the classes are paired input by input instead, and each pair that occurs is worked out once per block.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text
from yiwang.core.rules.axes import Axis, Epochs
from yiwang.core.rules.columns import Column, DictColumn, texts_of
from yiwang.core.rules.table import Table

Indexes = NDArray[np.int32]
Numbers = NDArray[np.int64]
Words = NDArray[np.uint64]
# Classes of the records from one place to another: an array, or one number for all of them.
Reader = Callable[[int, int], Numbers | int]

# Distinct facts remembered per input; beyond it the memory of them is emptied.
_CACHE_ENTRIES = 100_000
# Largest table of answers kept, in combinations of classes (4 bytes each, and only those used take memory).
ANSWERS = 1 << 24
# Records handled at a time: their working arrays stay in the processor's cache.
_BLOCK = 1 << 15
# 64-bit words of row sets handled at a time while answers are worked out.
_WORDS = 1 << 19
_UNIX_EPOCH = date(1970, 1, 1).toordinal()


class _ClassByFact(dict[str | None, int]):
    """Class of a fact, remembered."""

    def __init__(self, axis: Axis) -> None:
        self._axis = axis

    def __missing__(self, fact: str | None) -> int:
        if len(self) >= _CACHE_ENTRIES:
            self.clear()
        found = self[fact] = self._axis.class_of(fact)
        return found


class BulkDecider:
    """The bulk side of a compiled table; see :meth:`yiwang.core.rules.CompiledTable.decide_many`.

    Args:
        table: The table.
        axes: Its axes in the order of the inputs.
        epochs: Its epochs.
        largest: Combinations of classes up to which a table of answers is kept.
    """

    def __init__(self, table: Table, axes: Sequence[Axis], epochs: Epochs, *, largest: int = ANSWERS) -> None:
        self._names = table.spec.input_names
        self._epochs = epochs
        self._bounds = np.array([day.toordinal() for day in epochs.bounds], dtype=np.int64)
        self._classes = tuple(_ClassByFact(axis) for axis in axes)
        place = {row.id: index for index, row in enumerate(table.rows)}
        # From places best-first to places in the file; the last entry stands for no row.
        self._file_order = np.array([*(place[row.id] for row in table.best_first), -1], dtype=np.int32)
        words = max(1, -(-len(table) // 64))
        self._masks = tuple(_pack(masks, words) for masks in (epochs.masks, *(axis.masks for axis in axes)))
        self._shape = tuple(len(masks) for masks in self._masks)
        size = math.prod(self._shape)
        # 0: not yet known, 1: no row, else the row's index + 2. Fresh zeros take no memory until they are written.
        self._answers = np.zeros(size, dtype=np.int32) if size <= largest else None
        keeps = self._answers is not None
        self._strides = tuple(math.prod(self._shape[place + 1 :]) if keeps else 1 for place in range(len(self._shape)))

    def decide(self, columns: Mapping[str, Column], on: date | NDArray[Any]) -> Indexes:
        """Index of the deciding row per record, -1 for none."""
        days = self._days(on)
        readers = [self._day_reader(days, self._strides[0])]
        count = None if isinstance(days, int) else len(days)
        for name, classes, stride in zip(self._names, self._classes, self._strides[1:], strict=True):
            column = columns.get(name)
            readers.append(_reader(column, classes, stride, name))
            if column is not None:
                count = _same_count(count, len(column), name)
        if count is None:
            count = max((len(column) for column in columns.values()), default=-1)
        if count < 0:
            raise BadInput(
                Text(
                    "没有任何列说明共有多少条记录；请至少给出一列。",
                    "No column says how many records there are; give at least one.",
                )
            )
        return self._in_blocks(readers, count)

    def _in_blocks(self, readers: Sequence[Reader], count: int) -> Indexes:
        found = np.empty(count, dtype=np.int32)
        look_up = self._pair_up if self._answers is None else self._look_up
        for start in range(0, count, _BLOCK):
            stop = min(start + _BLOCK, count)
            found[start:stop] = look_up([reader(start, stop) for reader in readers])
        return found

    def _look_up(self, classes: Sequence[Numbers | int]) -> Indexes | int:
        """Answers by the table of answers; the classes come multiplied by their strides."""
        assert self._answers is not None
        fixed = sum(part for part in classes if isinstance(part, int))
        keys: Numbers | int = fixed
        for part in classes:
            if not isinstance(part, int):
                keys = part + keys if isinstance(keys, int) else np.add(keys, part, out=keys)
        if isinstance(keys, int):
            keys = np.array([keys], dtype=np.int64)
        answers = self._answers.take(keys)
        if not answers.all():
            new = np.unique(keys[answers == 0])
            self._work_out(new)
            answers = self._answers.take(keys)
        answers -= 2
        return answers

    def _work_out(self, keys: Numbers) -> None:
        """Fill in the answers of these combinations."""
        assert self._answers is not None
        step = max(1, _WORDS // self._masks[0].shape[1])
        for start in range(0, len(keys), step):
            part = keys[start : start + step]
            places = np.unravel_index(part, self._shape)
            rows = self._masks[0][places[0]]
            for masks, place in zip(self._masks[1:], places[1:], strict=True):
                rows &= masks[place]
            self._answers[part] = self._file_order[_lowest(rows)] + 2

    def _pair_up(self, classes: Sequence[Numbers | int]) -> Indexes | int:
        """Answers without a table of answers: classes are paired input by input, each pair that occurs once."""
        count = max((len(part) for part in classes if not isinstance(part, int)), default=1)
        labels = np.zeros(count, dtype=np.int64)
        rows = np.full((1, self._masks[0].shape[1]), ~np.uint64(0))
        for masks, part in zip(self._masks, classes, strict=True):
            if isinstance(part, int):
                rows &= masks[part]
            else:
                pairs, labels = np.unique(labels * len(masks) + part, return_inverse=True)
                rows = rows[pairs // len(masks)] & masks[pairs % len(masks)]
        return self._file_order[_lowest(rows)][labels]

    def _days(self, on: date | NDArray[Any]) -> Numbers | int:
        """The epoch of one day, or day numbers per record."""
        if isinstance(on, datetime):
            raise TypeError("Rules are in force by day: pass the city's local date, not a time.")
        if isinstance(on, date):
            return self._epochs.epoch_of(on)
        days = np.asarray(on)
        if days.ndim == 1 and days.dtype.kind == "M":
            if np.isnat(days).any():
                raise BadInput(Text("有一条记录没有日期。", "A record has no day."))
            return days.astype("datetime64[D]").astype(np.int64) + _UNIX_EPOCH
        if days.ndim == 1 and days.dtype.kind in "iu":
            return days.astype(np.int64, copy=False)
        raise BadInput(
            Text(
                "日期应是一维的 datetime64 或日序号，而不是 {dimensions} 维的 {dtype}。",
                "Days are datetime64 or day numbers in one row, not {dtype} of {dimensions} dimensions.",
                dtype=str(days.dtype),
                dimensions=days.ndim,
            )
        )

    def _day_reader(self, days: Numbers | int, stride: int) -> Reader:
        if isinstance(days, int):
            epoch = days * stride
            return lambda start, stop: epoch
        if len(self._bounds) == 0:
            return lambda start, stop: 0
        bounds = self._bounds
        return lambda start, stop: np.searchsorted(bounds, days[start:stop], side="right") * stride


def _reader(column: Column | None, classes: _ClassByFact, stride: int, name: str) -> Reader:
    """Turns a column's facts into classes multiplied by a stride."""
    if column is None:
        missing = classes[""] * stride
        return lambda start, stop: missing
    if isinstance(column, DictColumn):
        # Code -1, a missing fact, finds the last entry.
        by_code = np.array([classes[text] for text in (*column.values, None)], dtype=np.int64) * stride
        codes = column.codes
        return lambda start, stop: by_code.take(codes[start:stop])
    texts = texts_of(column, name=name)
    look_up = classes.__getitem__

    def read(start: int, stop: int) -> Numbers:
        found = np.fromiter(map(look_up, texts[start:stop].tolist()), dtype=np.int64, count=stop - start)
        found *= stride
        return found

    return read


def _same_count(count: int | None, length: int, name: str) -> int:
    if count is not None and count != length:
        raise BadInput(
            Text(
                "列「{name}」有 {length} 条记录，其他列有 {count} 条。",
                "Column {name!r} has {length} records, others have {count}.",
                name=name,
                length=length,
                count=count,
            )
        )
    return length


def _pack(masks: Sequence[int], words: int) -> Words:
    """Sets of rows as 64-bit words, the best rows in the first word: shape (classes, words)."""
    content = b"".join(mask.to_bytes(words * 8, "little") for mask in masks)
    return np.frombuffer(content, dtype="<u8").astype(np.uint64).reshape(len(masks), words)


def _lowest(rows: Words) -> Numbers:
    """Place of the lowest bit of each set of rows, -1 for an empty set."""
    word = (rows != 0).argmax(axis=1)
    chosen = np.take_along_axis(rows, word[:, None], axis=1)[:, 0]
    # A single bit is a power of two, which float64 holds exactly; frexp gives its exponent plus one.
    low = np.frexp((chosen & (~chosen + np.uint64(1))).astype(np.float64))[1] - 1
    return np.where(chosen == 0, -1, word * 64 + low)
