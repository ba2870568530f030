"""A pack's folder: text, CSV, TOML and GeoJSON read with every fault named, and the traps of spreadsheets caught.

Reading never raises for what is in a file: problems gather in :attr:`PackFiles.problems`, so that one run shows them all.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import re
import tomllib
import zlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import NO_TEXT, Text, is_language_of
from yiwang.packs.hints import did_you_mean, header_has

UTF8_HINT = Text(
    "请另存为 UTF-8：在电子表格中选择「CSV UTF-8（逗号分隔）」。",
    'Save it as UTF-8: in a spreadsheet choose "CSV UTF-8 (comma delimited)".',
)
_NO_NEED = Text("城市包不需要这么多层。", "No pack needs that.")
# Left behind by editors and systems; no part of a pack.
_IGNORED = re.compile(r"^(\.|__pycache__|Thumbs\.db|desktop\.ini|~\$)|~$|\.(bak|tmp|swp)$")
# How a pack was made: the scripts that derived its tables. Beside the pack, no part of it, so that its version stays.
PROVENANCE = "provenance"
# A pack is edited by hand; a file beyond this is a mistake or an attack on memory.
MAX_FILE_BYTES = 200_000_000
MAX_DEPTH = 20  # tables and lists within one another


@dataclass(slots=True)
class PackFiles:
    """One pack folder while it is read.

    Attributes:
        root: The folder.
        problems: Faults that make the pack unusable.
        warnings: What is odd but harmless.
    """

    root: Path
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def fault(
        self, message: Text, hint: Text = NO_TEXT, *, file: str, row: int | None = None, column: str = ""
    ) -> None:
        self.problems.append(Problem(message, hint, file, row, column))

    def warn(self, message: Text, hint: Text = NO_TEXT, *, file: str, row: int | None = None, column: str = "") -> None:
        self.warnings.append(Problem(message, hint, file, row, column))

    def take(self, error: BadInput, *, file: str, row: int | None = None, column: str = "") -> None:
        """What somebody else found wrong, at a place of this pack."""
        self.problems.extend(Problem(p.message, p.hint, file, row, column) for p in error.problems)

    def names(self) -> list[str]:
        """Every file of the pack, relative, with forward slashes, sorted; editors' left-overs and `PROVENANCE` are left out."""
        found = []
        for path in self.root.rglob("*"):
            parts = path.relative_to(self.root).parts
            if not self._inside(path):
                continue
            if parts[0] != PROVENANCE and path.is_file() and not any(_IGNORED.search(part) for part in parts):
                found.append("/".join(parts))
        return sorted(found)

    def digest(self) -> str:
        """SHA-256 over every file's name, length and content, as hex: the pack's version."""
        total = hashlib.sha256(b"yiwang pack 1\n")
        for name in self.names():
            content = (self.root / name).read_bytes()
            total.update(f"{name}\n{len(content)}\n".encode())
            total.update(content)
        return total.hexdigest()

    def exists(self, name: str) -> bool:
        return (self.root / name).is_file()

    def text(self, name: str, *, required: bool = True) -> str | None:
        """A file's text, without a byte order mark, or None when it is missing or no text."""
        content = self._bytes(name, required=required)
        if content is None:
            return None
        try:
            return decode(content)
        except BadInput as error:
            self.problems.extend(Problem(p.message, p.hint, name, p.row) for p in error.problems)
            return None

    def toml(self, name: str, *, required: bool = True) -> dict[str, Any] | None:
        """A parsed TOML file, or None."""
        text = self.text(name, required=required)
        if text is None:
            return None
        try:
            data = tomllib.loads(text.replace("\r\n", "\n"))
            if not _is_bounded(data):
                raise OverflowError
            if _is_shallow(data):
                return data
            message = Text(
                "表和列表嵌套超过 {depth} 层。",
                "More than {depth} tables or lists lie within one another.",
                depth=MAX_DEPTH,
            )
            self.fault(message, _NO_NEED, file=name)
            return None
        except RecursionError:
            self.fault(
                Text("表和列表嵌套层数过多。", "Too many tables or lists lie within one another."), _NO_NEED, file=name
            )
            return None
        except tomllib.TOMLDecodeError as error:
            why = str(error)
            at = re.search(r"\(at line (\d+), column (\d+)\)", why)
            self.fault(
                Text("不是有效的 TOML：{why}。", "Not valid TOML: {why}.", why=why.split(" (at")[0]),
                Text(
                    "文本要加引号；同一节中每个键只能出现一次。",
                    "Text needs quotation marks; each key stands once in its section.",
                ),
                file=name,
                row=int(at[1]) if at else None,
            )
            return None
        except (ValueError, OverflowError):  # Python converts no integer of more than some thousand digits
            self.fault(
                Text("整数超过 64 位。", "An integer has more than 64 bits."),
                Text("代码和编号要加引号。", "Codes and numbers of things stand in quotation marks."),
                file=name,
            )
            return None

    def rows(
        self,
        name: str,
        *,
        columns: Sequence[str],
        optional: Sequence[str] = (),
        required: bool = True,
        strict: bool = False,
    ) -> list[dict[str, str]]:
        """The rows of a CSV file with their cells stripped; row ``i`` of the list is row ``i + 2`` of the spreadsheet.

        Args:
            name: File name.
            columns: Columns that must be there.
            optional: Columns that may be there; in the answer they always are. Others are left out with a warning.
            required: Whether a missing file is a fault.
            strict: Other columns are faults.
        """
        text = self.text(name, required=required)
        if text is None:
            return []
        records = self._records(name, text)
        if not records:
            hint = Text(
                "第一行应为列名：{columns}。", "Its first row names the columns: {columns}.", columns=",".join(columns)
            )
            self.fault(Text("文件为空。", "The file is empty."), hint, file=name)
            return []
        header = self._header(name, records[0], columns, optional, strict)
        if header is None:
            return []
        return self._body(name, header, records[1:], (*columns, *optional))

    def geojson(self, name: str) -> dict[str, Any] | None:
        """A parsed GeoJSON file, plain or gzip-packed by its name; None when it is missing or broken."""
        content = self._bytes(name, required=False)
        if content is None:
            return None
        try:
            if name.endswith(".gz"):
                content = _unpack(content)
            data = json.loads(decode(content))
        except (OSError, EOFError, zlib.error):
            self.fault(
                Text("不是 gzip 文件，或文件不完整。", "Not a gzip file, or cut short."),
                Text("请用 gzip 重新压缩。", "Make it again with gzip."),
                file=name,
            )
        except BadInput as error:
            self.problems.extend(Problem(p.message, p.hint, name, p.row) for p in error.problems)
        except (json.JSONDecodeError, RecursionError) as error:
            self.fault(
                Text("不是有效的 JSON：{why}。", "Not valid JSON: {why}.", why=str(error)),
                Text("此处应为 GeoJSON FeatureCollection。", "A GeoJSON FeatureCollection is expected."),
                file=name,
            )
        else:
            if isinstance(data, dict) and isinstance(data.get("features"), list):
                return data
            self.fault(
                Text("不是 GeoJSON FeatureCollection。", "Not a GeoJSON FeatureCollection."),
                Text('要有列表 "features"。', 'It needs a list "features".'),
                file=name,
            )
        return None

    def _bytes(self, name: str, *, required: bool) -> bytes | None:
        path = self.root / name
        if not path.is_file():
            if required:
                hint = did_you_mean(name, self.names()) or Text("每个城市包都要有。", "Every pack needs it.")
                self.fault(Text("缺少此文件。", "The file is missing."), hint, file=name)
            return None
        if not self._inside(path):
            return None
        try:
            if path.stat().st_size > MAX_FILE_BYTES:
                message = Text(
                    "文件超过 {most} MB。", "The file is larger than {most} MB.", most=MAX_FILE_BYTES // 1_000_000
                )
                self.fault(message, file=name)
                return None
            return path.read_bytes()
        except OSError as error:
            self.fault(
                Text("文件无法读取：{why}。", "The file cannot be read: {why}.", why=error.strerror),
                Text("请检查文件权限。", "Check its permissions."),
                file=name,
            )
            return None

    def _inside(self, path: Path) -> bool:
        """Whether a path leads to something of this folder; a link out of it is a fault, and nothing behind it is read."""
        if path.resolve().is_relative_to(self.root.resolve()):
            return True
        problem = Problem(
            Text("此文件是指向城市包文件夹之外的链接。", "The file is a link out of the pack's folder."),
            Text("请复制文件本身。", "Copy the file itself."),
            path.relative_to(self.root).as_posix(),
        )
        if problem not in self.problems:
            self.problems.append(problem)
        return False

    def _records(self, name: str, text: str) -> list[list[str]]:
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        records: list[list[str]] = []
        try:
            for record in reader:
                records.append([cell.strip() for cell in record])  # noqa: PERF401  (what came before a fault is kept)
        except csv.Error as error:
            self.fault(
                Text("此行无法拆分成单元格：{why}。", "The row cannot be split into cells: {why}.", why=str(error)),
                Text(
                    '含逗号或引号的单元格要用引号括起，其中的引号写两遍："a ""b"""。',
                    "A cell with a comma or a quotation mark stands in quotation marks, "
                    'and those inside are doubled: "a ""b""".',
                ),
                file=name,
                row=len(records) + 1,
            )
        while records and not any(records[-1]):
            records.pop()
        return records

    def _header(
        self, name: str, header: list[str], columns: Sequence[str], optional: Sequence[str], strict: bool
    ) -> list[str] | None:
        if len(header) == 1 and len(columns) > 1 and re.search(r"[;\t|]", header[0]):
            message = Text("单元格不是用逗号分隔的。", "The cells are not separated by commas.")
            self.fault(message, UTF8_HINT, file=name, row=1)
            return None
        while header and not header[-1]:
            header = header[:-1]
        seen: set[str] = set()
        before = len(self.problems)
        for position, column in enumerate(header, start=1):
            if not column:
                self.fault(
                    Text("第 {position} 列没有列名。", "Column number {position} has no name.", position=position),
                    Text("请写上列名，或删除该列。", "Name or remove it."),
                    file=name,
                    row=1,
                )
            elif column in seen:
                self.fault(
                    Text("表头中此列出现两次。", "The column stands twice in the header."),
                    Text("请删除其中一列。", "Remove one."),
                    file=name,
                    row=1,
                    column=column,
                )
            seen.add(column)
        missing = [column for column in columns if column not in seen]
        known = {*columns, *optional}
        unknown = [
            column for column in header if column and column not in known and not _is_language_column(column, known)
        ]
        for column in missing:
            hint = header_has(column, unknown) or Text(
                "请添加此列；没有内容的单元格留空。", "Add it; leave its cells empty where nothing applies."
            )
            self.fault(Text("缺少此列。", "The column is missing."), hint, file=name, row=1, column=column)
        message = Text("无法识别此列。", "The column is not known.")
        for column in unknown:
            near = did_you_mean(column, [*missing, *(c for c in optional if c not in seen)])
            if strict:
                every = Text("可用的列：{known}。", "Known: {known}.", known=", ".join((*columns, *optional)))
                self.fault(message, near or every, file=name, row=1, column=column)
            else:
                ignored = Text("此列将被忽略。", "It is ignored.")
                self.warn(message, near or ignored, file=name, row=1, column=column)
        return header if len(self.problems) == before else None

    def _body(
        self, name: str, header: list[str], records: Iterable[list[str]], known: Sequence[str]
    ) -> list[dict[str, str]]:
        rows: list[dict[str, str]] = []
        taken = {*known, *(column for column in header if _is_language_column(column, known))}
        for number, record in enumerate(records, start=2):
            cells = record
            hint = NO_TEXT
            if not any(cells):
                self.fault(
                    Text("此行为空。", "The row is empty."), Text("请删除。", "Remove it."), file=name, row=number
                )
            elif len(cells) < len(header):
                hint = Text(
                    "没有内容的地方请保留空单元格，或检查是否少了逗号。",
                    "Put empty cells where nothing applies, or look for a missing comma.",
                )
            elif any(cells[len(header) :]):
                hint = Text("含逗号的单元格要用引号括起。", "A cell that holds a comma stands in quotation marks.")
            if hint:
                self.fault(uneven_row(len(cells), len(header)), hint, file=name, row=number)
            if any("�" in cell for cell in cells):
                message = Text("此行含有转码时丢失的字符（�）。", "The row holds characters lost in a conversion (�).")
                self.fault(message, UTF8_HINT, file=name, row=number)
            row = dict.fromkeys(known, "")
            row.update((column, cell) for column, cell in zip(header, cells, strict=False) if column in taken)
            rows.append(row)
        return rows


def uneven_row(cells: int, header: int) -> Text:
    """That a row has more or fewer cells than the header."""
    return Text(
        "此行有 {cells} 个单元格，表头有 {header} 个。",
        "The row has {cells} cells, the header {header}.",
        cells=cells,
        header=header,
    )


def _is_language_column(column: str, known: Collection[str]) -> bool:
    """Whether a column holds in another language what the file has in Chinese and English."""
    return any(
        f"{name}_en" in known and is_language_of(column, (name,)) for name in known if column.startswith(f"{name}_")
    )


def _is_shallow(data: Any) -> bool:
    """Whether no more than `MAX_DEPTH` tables and lists lie within one another."""
    pending = [(data, 1)]
    while pending:
        item, depth = pending.pop()
        if isinstance(item, dict | list):
            if depth > MAX_DEPTH:
                return False
            pending += [(inner, depth + 1) for inner in (item.values() if isinstance(item, dict) else item)]
    return True


def _is_bounded(data: Any) -> bool:
    """Whether every integer has the 64 bits of TOML."""
    pending = [data]
    while pending:
        item = pending.pop()
        if isinstance(item, int) and not -(2**63) <= item < 2**63:
            return False
        if isinstance(item, dict | list):
            pending += item.values() if isinstance(item, dict) else item
    return True


def decode(content: bytes) -> str:
    """Text of a UTF-8 file with or without a byte order mark.

    Raises:
        BadInput: it is in another encoding; GBK and UTF-16, which spreadsheets write, are named.
    """
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        message = Text("此文件是工作簿或压缩包，不是文本。", "The file is a workbook or an archive, no text.")
        raise BadInput(Problem(message, UTF8_HINT))
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        message = Text("文件编码是 UTF-16，不是 UTF-8。", "The file is encoded in UTF-16, not UTF-8.")
        raise BadInput(Problem(message, UTF8_HINT))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        message = Text(
            "{what}第 {at} 个字节（从 0 起）是 0x{value:02X}。",
            "{what} Byte {at} is 0x{value:02X}.",
            what=_wrong_encoding(content),
            at=error.start,
            value=content[error.start],
        )
        raise BadInput(Problem(message, UTF8_HINT, row=row)) from None
    if "\x00" in text:
        message = Text("文件含有 NUL 字符，不是文本文件。", "The file holds NUL characters: it is no text file.")
        raise BadInput(Problem(message, UTF8_HINT))
    return text


def _wrong_encoding(content: bytes) -> Text:
    try:
        guess = content.decode("gb18030")
    except UnicodeDecodeError:
        guess = ""
    if any("一" <= character <= "鿿" for character in guess):
        return Text("文件编码是 GBK（GB 18030），不是 UTF-8。", "The file is encoded in GBK (GB 18030), not UTF-8.")
    return Text("文件不是 UTF-8 编码。", "The file is not UTF-8.")


def _unpack(content: bytes) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
        data = packed.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        message = Text(
            "解压后超过 {most} MB。", "Unpacked it is larger than {most} MB.", most=MAX_FILE_BYTES // 1_000_000
        )
        raise BadInput(Problem(message))
    return data
