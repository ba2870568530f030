"""A file of records as rows of text: CSV in the encodings and with the separators that offices use, and workbooks.

Nothing is guessed in silence: what is neither UTF-8, UTF-16 nor GBK (GB 18030) is refused with the byte's place, an
archive is refused with words, and a quotation mark that is never closed costs its own row only.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import IO, Any, cast

from python_calamine import CalamineError, CalamineWorkbook

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import NO_TEXT, Text
from yiwang.packs.files import UTF8_HINT

SEPARATORS = ",;\t|"
_UNCLOSED = Text(
    "此行无法拆分成单元格：引号没有成对。",
    "The row cannot be split into cells: a quotation mark is not closed.",
)
_LONGEST_CELL = 200_000
_BLOCK = 1 << 20
_HINT = Text(
    "此处应为 CSV 文件（可用 gzip 压缩）或 Excel 工作簿。",
    "A CSV file is expected, plain or packed with gzip, or an Excel workbook.",
)
# A number from here on has lost its last digits in a spreadsheet, which keeps fifteen.
_ROUNDED = 1e15


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the file.

    Attributes:
        number: As a spreadsheet shows it; the header is row 1.
        cells: Its cells; empty when the row cannot be split into cells.
        fault: Why it cannot.
    """

    number: int
    cells: list[str]
    fault: Text = NO_TEXT


@contextmanager
def open_rows(path: Path, *, score: Callable[[list[str]], int]) -> Iterator[Iterator[Row]]:
    """The rows of a file, empty ones left out, the header first.

    Args:
        path: CSV, plain or gzip-packed, in UTF-8, UTF-16 with its mark, or GBK (GB 18030); or a workbook, whose first
            sheet is read.
        score: How many cells of a header are known; of the separators the one that makes most of them known is taken.

    Raises:
        BadInput: When the file cannot be opened, unpacked or read as text, or is empty.
    """
    try:
        with path.open("rb") as raw:
            head = raw.read(8)
        if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0")):
            yield _sheet_rows(path)
            return
        encoding = _encoding(path)
        with _binary(path) as binary, io.TextIOWrapper(binary, encoding=encoding, newline="") as stream:
            yield _text_rows(stream, path, score)
    except FileNotFoundError:
        message = Text("没有这个文件。", "There is no such file.")
        raise BadInput(
            Problem(message, Text("请写 CSV 文件的路径。", "Give the path of a CSV file."), str(path))
        ) from None
    except (OSError, EOFError, zlib.error) as error:
        why = getattr(error, "strerror", "") or str(error)
        message = Text("文件无法读取：{why}。", "The file cannot be read: {why}.", why=why)
        raise BadInput(Problem(message, _HINT, str(path))) from None


# --- text ---------------------------------------------------------------------------------------------------------


def _binary(path: Path) -> IO[bytes]:
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    return cast("IO[bytes]", gzip.open(path, "rb")) if packed else path.open("rb")


def _encoding(path: Path) -> str:
    """The encoding in which the whole file can be read.

    Raises:
        BadInput: None fits; the first byte that is not UTF-8 is named.
    """
    with _binary(path) as stream:
        mark = stream.read(2)
    if mark in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        fault = _misfit(path, "utf-16")
        if fault is None:
            return "utf-16"
        message = Text(
            "文件开头像 UTF-16，但不是：第 {at} 个字节（从 0 起）。",
            "The file begins like UTF-16 but is none: byte {at}.",
            at=fault[0],
        )
        raise BadInput(Problem(message, _HINT, str(path)))
    fault = _misfit(path, "utf-8")
    if fault is None:
        return "utf-8-sig"
    if _misfit(path, "gb18030") is None and _is_chinese(path):
        return "gb18030"
    at, value, line = fault
    message = Text(
        "文件既不是 UTF-8，也不是 GBK（GB 18030）：第 {at} 个字节（从 0 起）是 0x{value:02X}。",
        "The file is neither UTF-8 nor GBK (GB 18030): byte {at} is 0x{value:02X}.",
        at=at,
        value=value,
    )
    raise BadInput(Problem(message, UTF8_HINT, str(path), line))


def _misfit(path: Path, encoding: str) -> tuple[int, int, int] | None:
    """The first byte that does not fit: its place from 0, its value, its line from 1; None when all fit."""
    decoder = codecs.getincrementaldecoder(encoding)()
    at = lines = 0
    kept = b""  # what the decoder holds back: the beginning of a character cut by the block's end
    with _binary(path) as stream:
        while True:
            block = stream.read(_BLOCK)
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                whole = kept + block
                place = min(error.start, len(whole) - 1)
                return at - len(kept) + place, whole[place], lines + whole.count(b"\n", 0, place) + 1
            if not block:
                return None
            at += len(block)
            lines += block.count(b"\n")
            kept = decoder.getstate()[0]


def _is_chinese(path: Path) -> bool:
    """Whether text that GB 18030 can read is Chinese indeed: a Western letter and the one behind it make a rare character."""
    common = other = 0
    with _binary(path) as stream, io.TextIOWrapper(stream, encoding="gb18030", newline="") as text:
        while block := text.read(_BLOCK):
            for character in re.findall(r"[^\x00-\x7f]", block):
                try:
                    character.encode("gb2312")
                    common += 1
                except UnicodeEncodeError:
                    other += 1
    return common > 9 * other


class _Lines:
    """Lines of a file that can be put back; those of the row that is being read are remembered."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._back: deque[str] = deque()
        self.taken: list[str] = []

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._back.popleft() if self._back else next(self._stream)
        self.taken.append(line)
        return line.replace("\x00", "") if "\x00" in line else line

    def put_back(self, lines: list[str]) -> None:
        self._back.extendleft(reversed(lines))


def _text_rows(stream: IO[str], path: Path, score: Callable[[list[str]], int]) -> Iterator[Row]:
    lines = _Lines(stream)
    separator, begin = _separator(lines, score)
    csv.field_size_limit(_LONGEST_CELL)
    rows = csv.reader(lines, delimiter=separator, strict=True)
    number, width = begin - 1, 0
    while True:
        lines.taken = []
        number += 1
        fault: Text = NO_TEXT
        cells: list[str] = []
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            fault = Text("此行无法拆分成单元格：{why}。", "The row cannot be split into cells: {why}.", why=str(error))
        if len(lines.taken) > 1 and (fault or (width and len(cells) != width)):
            # a quotation mark was not closed: what it swallowed are rows of their own
            lines.put_back(lines.taken[1:])
            fault, cells = _UNCLOSED, []
        if fault and not width:
            hint = Text("第一行应为列名。", "The first row names the columns.")
            raise BadInput(Problem(fault, hint, str(path), number))
        if not fault and not any(cell.strip() for cell in cells):
            continue
        width = width or len(cells)
        yield Row(number, cells, fault)


def _separator(lines: _Lines, score: Callable[[list[str]], int]) -> tuple[str, int]:
    """What stands between the cells, and the row at which the file begins: the second after Excel's line ``sep=;``."""
    first = next(lines, "")
    said = re.fullmatch(r"\ufeff?sep=(.)\s*", first)
    if said:
        return said[1], 2
    skipped = [first]
    while first and not first.strip():
        first = next(lines, "")
        skipped.append(first)
    lines.put_back([line for line in skipped if line])
    best = max(SEPARATORS, key=lambda mark: score(next(csv.reader([first], delimiter=mark), [])))
    return best, 1


# --- workbooks ----------------------------------------------------------------------------------------------------


def _sheet_rows(path: Path) -> Iterator[Row]:
    """The first sheet of a workbook."""
    try:
        book = CalamineWorkbook.from_path(str(path))
        sheet = book.get_sheet_by_index(0)
        content = sheet.to_python(skip_empty_area=False)
    except (CalamineError, ValueError, IndexError):
        message = Text(
            "此文件是 ZIP 压缩包或文档，不是工作簿。", "The file is a ZIP archive or a document, but no workbook."
        )
        hint = Text("请解压后使用其中的 CSV 文件。", "Unpack it and give the CSV file that is in it.")
        raise BadInput(Problem(message, hint, str(path))) from None
    for number, cells in enumerate(content, start=1):
        texts = [_cell_text(cell) for cell in cells]
        if any(text.strip() for text in texts):
            yield Row(number, texts)


def _cell_text(value: Any) -> str:
    """A cell of a workbook as a CSV file would have it; whole numbers without a point."""
    match value:
        case bool():
            return str(value).lower()
        case float() if abs(value) >= _ROUNDED:
            return f"{value:.2E}"
        case float() if value.is_integer():
            return str(int(value))
        case datetime():
            return value.isoformat(" ")
        case date() | time():
            return value.isoformat()
        case _:
            return str(value)
