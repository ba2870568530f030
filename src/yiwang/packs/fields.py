"""Typed access to the keys of a parsed TOML table, with a problem for each key that is missing, of the wrong kind or unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import NO_TEXT, Text, language_keys
from yiwang.packs.files import PackFiles
from yiwang.packs.hints import ISO_HINT, did_you_mean

_QUOTE = Text("请加上引号。", "Put it in quotation marks.")
_MISSING = Text("缺少此键。", "The key is missing.")


@dataclass(slots=True)
class Fields:
    """One table of a TOML file while it is read. Call :meth:`check_keys` at the end: it reports keys that nobody asked for."""

    files: PackFiles
    file: str
    table: Mapping[str, Any]
    where: str = ""
    asked: set[str] = field(default_factory=set)

    def fault(self, key: str, message: Text, hint: Text = NO_TEXT) -> None:
        self.files.fault(message, hint, file=self.file, column=f"{self.where}{key}")

    def take(self, key: str, error: BadInput) -> None:
        """What somebody else found wrong with a key."""
        self.files.take(error, file=self.file, column=f"{self.where}{key}")

    def text(self, key: str, *, default: str | None = None, hint: Text = NO_TEXT) -> str:
        """A string; without a default the key is required and must not be empty."""
        value = self._take(key)
        if value is None or (value == "" and default is None):
            if default is None:
                self.fault(key, Text("此键缺失或为空。", "The key is missing or empty."), hint)
            return default or ""
        if not isinstance(value, str):
            self.fault(key, Text("「{value}」不是文本。", "{value!r} is no text.", value=value), hint or _QUOTE)
            return default or ""
        return value.strip()

    def words(self, key: str, *, required: bool = True) -> Text:
        """What people read, by language: ``key`` is Chinese, ``key_en`` English, ``key_<tag>`` any other language.

        Chinese and English are required, or none of the two when the text itself is not.
        """
        written = language_keys(self.table, key)
        needed = (key, f"{key}_en")
        required = required or any(name in self.table for name in needed)
        found = {tag: self.text(name, default="") for tag, name in written.items()}
        for name in needed if required else ():
            self.text(name, hint=Text("中文和英文都要填写。", "Give both languages."))
        self.asked.update(needed)
        return Text.of(found)

    def number(self, key: str, *, default: float | None = None, above: float | None = None) -> float:
        value = self._take(key)
        if value is None:
            if default is None:
                self.fault(key, _MISSING, Text("此处应填数字。", "A number is expected."))
            return default or 0.0
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.fault(
                key,
                Text("「{value}」不是数字。", "{value!r} is no number.", value=value),
                Text("请不要加引号。", "Write it without quotation marks."),
            )
            return default or 0.0
        if above is not None and not value > above:
            self.fault(
                key,
                Text("「{value}」太小。", "{value!r} is too small.", value=value),
                Text("必须大于 {above:g}。", "It must be above {above:g}.", above=above),
            )
        return float(value)

    def flag(self, key: str, *, default: bool = False) -> bool:
        value = self._take(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.fault(
                key,
                Text("「{value}」既不是 true 也不是 false。", "{value!r} is neither true nor false.", value=value),
                Text("请写 true 或 false，不加引号。", "Write true or false without quotation marks."),
            )
            return default
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings, empty when the key is missing."""
        value = self._take(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.fault(
                key,
                Text("此处应为文本列表。", "A list of texts is expected."),
                Text('例如 ["one", "two"]。', 'For example ["one", "two"].'),
            )
            return ()
        return tuple(value)

    def tables(self, key: str) -> list[Mapping[str, Any]]:
        """A list of tables (``[[key]]``), empty when the key is missing."""
        value = self._take(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.fault(
                key,
                Text("此处应为一组表。", "A list of tables is expected."),
                Text("请在每个表前写 [[{key}]]。", "Head each one with [[{key}]].", key=f"{self.where}{key}"),
            )
            return []
        return value

    def mapping(self, key: str) -> Mapping[str, Any]:
        value = self._take(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.fault(
                key,
                Text("此处应为一个表。", "A table is expected."),
                Text("请在表前写 [{key}]。", "Head it with [{key}].", key=f"{self.where}{key}"),
            )
            return {}
        return value

    def days(self, key: str) -> frozenset[date]:
        """A list of dates, as TOML dates or ISO texts."""
        value = self._take(key)
        if value is None:
            return frozenset()
        found = set()
        for item in value if isinstance(value, list) else [value]:
            try:
                found.add(item if type(item) is date else date.fromisoformat(item))
            except (TypeError, ValueError):
                self.fault(key, Text("「{item}」不是日期。", "{item!r} is no date.", item=item), ISO_HINT)
        return frozenset(found)

    def raw(self, key: str) -> Any:
        return self._take(key)

    def check_keys(self) -> None:
        for key in self.table:
            if key not in self.asked:
                known = Text("此处可用的键：{known}。", "Known here: {known}.", known=", ".join(sorted(self.asked)))
                message = Text("无法识别此键。", "The key is not known.")
                self.fault(key, message, did_you_mean(key, self.asked) or known)

    def _take(self, key: str) -> Any:
        self.asked.add(key)
        return self.table.get(key)
