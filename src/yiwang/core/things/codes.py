"""Codes of components 部件标识码: administrative division, class, running number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from yiwang.core.kernel.errors import Problem
from yiwang.core.kernel.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeScheme:
    """How a standard builds the code of a component: digits only, three parts one after another.

    Attributes:
        name: The standard.
        division: Digits of the administrative division at county level, with which a region's code begins.
        kind: Digits of the class: major and minor.
        serial: Digits of the number within division and class, which begins at 1.
    """

    name: str
    division: int
    kind: int
    serial: int

    @property
    def length(self) -> int:
        """Digits of a code."""
        return self.division + self.kind + self.serial

    @property
    def most(self) -> int:
        """The greatest number within a division and class."""
        return int(10**self.serial) - 1

    def prefix(self, *, region: str, kind: str) -> str:
        """What the codes of a class begin with in a region.

        Raises:
            ValueError: When the region's code has fewer digits than a division, or the class another number of digits.
        """
        division = region[: self.division]
        if len(division) != self.division or not division.isdigit():
            raise ValueError(f"{region!r} does not begin with a division of {self.division} digits")
        if len(kind) != self.kind or not kind.isdigit():
            raise ValueError(f"{kind!r} is not a class of {self.kind} digits")
        return division + kind

    def code(self, *, prefix: str, number: int) -> str:
        """The code of a component.

        Raises:
            ValueError: When the number has more digits than the scheme has places for it.
        """
        if not 1 <= number <= self.most:
            raise ValueError(f"{number} is not between 1 and {self.most}")
        return f"{prefix}{number:0{self.serial}d}"

    def fault(self, code: str, *, region: str, kind: str) -> Problem | None:
        """What is wrong with a code that somebody gave to a component of a class in a region; None when it fits."""
        if len(code) != self.length or not (code.isascii() and code.isdigit()):
            return Problem(
                Text("「{code}」不是部件标识码。", "{code!r} is no component code.", code=code),
                Text(
                    "{name} 的标识码是 {length} 位数字：{division} 位行政区划、{kind} 位类别、{serial} 位顺序号。",
                    "A code of {name} has {length} digits: {division} for the division, {kind} for the class, "
                    "{serial} for the number.",
                    **self._words(),
                ),
            )
        expected = self.prefix(region=region, kind=kind)
        if code[: self.division] != expected[: self.division]:
            return Problem(
                Text(
                    "标识码「{code}」的行政区划是 {given}，位置却在 {real}。",
                    "The code {code!r} names the division {given}, but the place lies in {real}.",
                    code=code,
                    given=code[: self.division],
                    real=expected[: self.division],
                ),
                Text("请改正标识码或坐标。", "Correct the code or the coordinates."),
            )
        if not code.startswith(expected):
            return Problem(
                Text(
                    "标识码「{code}」的类别是 {given}，导入的却是 {kind}。",
                    "The code {code!r} names the class {given}, but class {kind} is imported.",
                    code=code,
                    given=code[self.division : len(expected)],
                    kind=kind,
                ),
                Text("请改正标识码，或按该类别导入。", "Correct the code, or import it as that class."),
            )
        if int(code[len(expected) :]) == 0:
            return Problem(
                Text("标识码「{code}」的顺序号是零。", "The code {code!r} has the number zero.", code=code),
                Text("顺序号从 1 起。", "Numbers begin at 1."),
            )
        return None

    def _words(self) -> dict[str, object]:
        return {
            "name": self.name,
            "length": self.length,
            "division": self.division,
            "kind": self.kind,
            "serial": self.serial,
        }


CODE_SCHEMES: Mapping[str, CodeScheme] = {
    scheme.name: scheme
    for scheme in (
        CodeScheme(name="GB/T 30428.2", division=6, kind=4, serial=6),
        CodeScheme(name="GB/T 47678.5", division=6, kind=5, serial=6),
    )
}
