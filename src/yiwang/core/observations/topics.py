"""Topics of MQTT as adapters write them: ``air/{device}/{name}``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import NO_TEXT, Text

_KEPT = ("device", "name")
_PIECES = {"+": "[^/]+", "#": ".*"} | {f"{{{name}}}": f"(?P<{name}>[^/]+)" for name in _KEPT}
# MQTT allows 65,535 bytes; nobody writes such a topic by hand.
LONGEST = 400


@dataclass(frozen=True, slots=True)
class Topic:
    """Topics of one form.

    Attributes:
        template: Levels with ``+`` for any, ``#`` at the end for all others, ``{device}`` and ``{name}`` for levels that are kept.
        filter: The same as a broker takes it in a subscription.
        pattern: Matches these topics, with the groups ``device`` and ``name`` where the template has them.
    """

    template: str
    filter: str
    pattern: re.Pattern[str]

    def has(self, name: str) -> bool:
        """Whether ``device`` or ``name`` is a level of it."""
        return name in self.pattern.groupindex


def read_topic(template: str, prefix: str = "") -> Topic:
    """A topic from how it is written.

    Args:
        template: See `Topic`.
        prefix: What stands before it, taken as it is; ends with a slash.

    Raises:
        BadInput: It is no topic of MQTT.
    """
    levels = template.split("/")
    if not template or len(template) > LONGEST or any(ord(letter) < 32 for letter in template):
        raise _bad(Text("主题应有 1 到 {most} 个字符。", "A topic has 1 to {most} characters.", most=LONGEST))
    if "#" in levels[:-1]:
        raise _bad(Text("# 只能在主题末尾。", "# stands at the end of a topic only."))
    for level in levels:
        if level not in _PIECES and re.search(r"[+#{}]", level):
            raise _bad(
                Text("主题的一级「{level}」无效。", "The level {level!r} of the topic cannot be taken.", level=level),
                Text("+、#、{device}、{name} 各占一整级。", "+, #, {device} and {name} are whole levels."),
            )
    if any(levels.count(f"{{{name}}}") > 1 for name in _KEPT):
        raise _bad(Text("{device} 和 {name} 各只能出现一次。", "{device} and {name} may stand there once each."))
    filters = [level if level == "#" else "+" if level in _PIECES else level for level in levels]
    matched = "/".join(_PIECES.get(level, re.escape(level)) for level in levels)
    return Topic(template, prefix + "/".join(filters), re.compile(re.escape(prefix) + matched, re.DOTALL))


def _bad(message: Text, hint: Text = NO_TEXT) -> BadInput:
    return BadInput(Problem(message, hint))
