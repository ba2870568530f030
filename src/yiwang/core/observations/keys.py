"""Keys of a declaration, read with every fault named: which key, what is wrong, what would be right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import NO_TEXT, Text


class Keys:
    """One table of a TOML file.

    Args:
        table: As the TOML reader gives it.
        where: Its place in the file, which begins the place of each fault: ``adapter noise: reading 2``.
        problems: Collects the faults; tables inside this one share it.
    """

    def __init__(self, table: object, where: str = "", problems: list[Problem] | None = None) -> None:
        self.where = where
        self.problems: list[Problem] = [] if problems is None else problems
        self._asked: set[str] = set()
        self._table: Mapping[str, Any] = table if isinstance(table, Mapping) else {}
        if not isinstance(table, Mapping):
            self.fault("", Text("这里应为表。", "A table belongs here."))

    def fault(self, key: str, message: Text, hint: Text = NO_TEXT) -> None:
        """Note a fault of a key."""
        self.problems.append(Problem(message, hint, column=": ".join(part for part in (self.where, key) if part)))

    def text(self, key: str, default: str | None = None) -> str:
        """A text; without a default the key is needed."""
        return str(self._of(key, str, "" if default is None else default, default is None, Text("文本", "a text")))

    def one_of(self, key: str, known: Iterable[str], default: str | None = None) -> str:
        """A text out of a list."""
        given, among = self.text(key, default), list(known)
        if given not in among and (given or default is None) and given != default:
            if key in self._table:
                self.fault(key, *_unknown(given, among))
            return among[0]
        return given

    def whole(self, key: str, default: int | None = None, least: int = 0, most: int = 1 << 32) -> int:
        """A whole number within limits."""
        given = self._of(
            key, int, least if default is None else default, default is None, Text("整数", "a whole number")
        )
        if key in self._table and not least <= given <= most:
            self.fault(
                key,
                Text("{given} 超出范围。", "{given} is out of range.", given=given),
                Text("应在 {least} 到 {most} 之间。", "It should be from {least} to {most}.", least=least, most=most),
            )
            return least
        return int(given)

    def number(self, key: str, default: float) -> float:
        """A finite number."""
        given = self._of(key, (int, float), default, False, Text("数", "a number"))
        if given != given or given in (float("inf"), float("-inf")):
            self.fault(key, Text("应为有限的数。", "It should be a finite number."))
            return default
        return given if isinstance(given, int) else float(given)

    def truth(self, key: str) -> bool:
        """True or false; false where the key is missing."""
        return bool(self._of(key, bool, False, False, Text("真假值", "true or false")))

    def listed(self, key: str) -> list[Any]:
        """A list; empty where the key is missing."""
        return list(self._of(key, list, [], False, Text("列表", "a list")))

    def table(self, key: str) -> Mapping[str, Any]:
        """A table as it stands; empty where the key is missing."""
        return dict(self._of(key, Mapping, {}, False, Text("表", "a table")))

    def is_text(self, key: str) -> bool:
        """Whether a text stands at a key that may hold something else too."""
        return isinstance(self._table.get(key), str)

    def texts(self, key: str) -> dict[str, str]:
        """A table of texts; empty where the key is missing."""
        found = {}
        for name, value in self.table(key).items():
            if isinstance(value, str):
                found[name] = value
            else:
                self.fault(f"{key}.{name}", Text("这里应为文本。", "This should be a text."))
        return found

    def inner(self, key: str) -> Keys | None:
        """A table inside this one; None where the key is missing."""
        self._asked.add(key)
        return Keys(self._table[key], self._path(key), self.problems) if key in self._table else None

    def tables(self, key: str) -> list[Keys]:
        """A list of tables; faults count them from 1."""
        return [Keys(one, f"{self._path(key)} {n}", self.problems) for n, one in enumerate(self.listed(key), start=1)]

    def __contains__(self, key: str) -> bool:
        return key in self._table

    def done(self) -> None:
        """Note the keys that nobody asked for."""
        for key in self._table:
            if key not in self._asked:
                self.fault(str(key), *_unknown(str(key), sorted(self._asked), key=True))

    def check(self) -> None:
        """End the reading of a declaration.

        Raises:
            BadInput: With every fault of the table and of those inside it.
        """
        if self.problems:
            raise BadInput(self.problems)

    def _path(self, key: str) -> str:
        return f"{self.where}: {key}" if self.where else key

    def _of(self, key: str, kind: Any, default: Any, needed: bool, named: Text) -> Any:
        self._asked.add(key)
        if key not in self._table:
            if needed:
                self.fault(key, Text("缺少「{key}」。", "The key {key!r} is missing.", key=key))
            return default
        given = self._table[key]
        if not isinstance(given, kind) or (isinstance(given, bool) and kind is not bool):
            self.fault(key, Text("这里应为{kind}。", "This should be {kind}.", kind=named))
            return default
        return given


def _unknown(given: str, known: list[str], key: bool = False) -> tuple[Text, Text]:
    """That a word is not known, and which one is."""
    near = get_close_matches(given, known, n=1)
    message = (
        Text("没有「{given}」这个键。", "Unknown key {given!r}.", given=given)
        if key
        else Text("没有「{given}」。", "{given!r} is not known.", given=given)
    )
    if near:
        return message, Text("是否为「{near}」？", "Did you mean {near!r}?", near=near[0])
    return message, Text("可用：{known}。", "Known are {known}.", known=", ".join(known))
