"""Hides personal data in what people wrote, before anybody else reads it: phone numbers, identity numbers, e-mail, plates.

It is pure and errs on the side of hiding: a number that could be a phone number is hidden. Codes that the platform
itself gives out (case and report numbers) are left alone, since letters stand before their digits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MARK = "***"
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_FORMAT = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))
_EDGE = r"(?<![0-9A-Za-z])"
_END = r"(?![0-9A-Za-z])"
_GAP = r"[\s.·•_-]{0,2}"
_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_HAN_DIGIT = "[零〇一二三四五六七八九幺壹贰叁肆伍陆柒捌玖]"

# in the order in which they are looked for: what is longer and surer comes first
PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("email", re.compile(r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]+\s?@\s?[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}")),
    # 18-digit identity number of a Chinese citizen: region, birthday, serial, check character
    (
        "identity",
        re.compile(
            rf"{_EDGE}[1-9]\d{{5}}[\s-]?(?:18|19|20)\d{{2}}[\s-]?(?:0[1-9]|1[0-2])[\s-]?(?:0[1-9]|[12]\d|3[01])[\s-]?\d{{3}}[\dXx]{_END}"
        ),
    ),
    ("identity", re.compile(rf"{_EDGE}[1-9]\d{{5}}\d{{2}}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{{3}}{_END}")),
    ("identity", re.compile(rf"{_EDGE}\d{{3}}-\d{{2}}-\d{{4}}{_END}")),  # United States social security number
    ("identity", re.compile(rf"(?:护照|passport)[\s号:：no.]{{0,6}}[A-Za-z]{{1,2}}\d{{7,8}}{_END}", re.IGNORECASE)),
    ("card", re.compile(rf"{_EDGE}[3-6]\d{{3}}(?:[\s-]?\d{{4}}){{3}}(?:[\s-]?\d{{1,3}})?{_END}")),
    # mobile numbers, also with spaces, dots or dashes between the digits; country code in front or not
    ("phone", re.compile(rf"(?<![0-9A-Za-z+])(?:\+?86{_GAP}|0086{_GAP})?1{_GAP}[3-9](?:{_GAP}\d){{9}}(?!\d)")),
    ("phone", re.compile(rf"幺{_GAP}(?:{_HAN_DIGIT}{_GAP}){{10}}|一{_GAP}[三四五六七八九](?:{_GAP}{_HAN_DIGIT}){{9}}")),
    ("phone", re.compile(rf"{_EDGE}\(?0\d{{2,3}}\)?[\s-]{{0,2}}[2-9]\d{{2,3}}[\s-]?\d{{4}}(?!\d)")),
    ("phone", re.compile(rf"{_EDGE}(?:\+?1[\s.-]?)?\(?[2-9]\d{{2}}\)?[\s.-]?[2-9]\d{{2}}[\s.-]\d{{4}}(?!\d)")),
    ("phone", re.compile(r"(?<![0-9A-Za-z])\+\d{1,3}(?:[\s.-]?\d){7,12}(?!\d)")),
    (
        "phone",
        re.compile(r"(?:电话|手机|座机|联系方式|tel|phone|call me at|call)[\s号码是为:：.]{0,6}\d[\d\s-]{5,14}\d", re.IGNORECASE),
    ),
    (
        "plate",
        re.compile(
            rf"[{_PROVINCES}][\s]?[A-HJ-NP-Z][\s·.•-]?(?:[A-HJ-NP-Z0-9]\s?){{4,5}}[A-HJ-NP-Z0-9挂学警港澳使领]",
            re.IGNORECASE,
        ),
    ),
    (
        "plate",
        re.compile(
            r"(?:plate|车牌)[\s号码是为#:：no.]{0,8}(?=[A-Za-z0-9 -]{0,9}\d)[A-Za-z0-9][A-Za-z0-9 -]{3,7}[A-Za-z0-9]",
            re.IGNORECASE,
        ),
    ),
    (
        "account",
        re.compile(r"(?:微信|wechat|weixin|vx|qq|whatsapp)[\s号id是为:：]{0,6}[A-Za-z0-9][A-Za-z0-9_-]{4,19}", re.IGNORECASE),
    ),
)  # fmt: skip
KINDS = ("email", "identity", "card", "phone", "plate", "account")


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """A text as it may be shown, and which kinds of personal data were hidden in it."""

    text: str
    kinds: tuple[str, ...] = ()


def redact(text: str) -> Redaction:
    """Hide what looks like personal data. What is written in wide or invisible characters is found too."""
    if not text:
        return Redaction(text=text)
    text = text.translate(_FORMAT)
    plain = text.translate(_WIDE)  # as long as the text, character by character
    spans: list[tuple[int, int]] = []
    kinds: set[str] = set()
    for kind, pattern in PATTERNS:
        for found in pattern.finditer(plain):
            if any(start < found.end() and found.start() < end for start, end in spans):
                continue
            spans.append(found.span())
            kinds.add(kind)
    parts, done = [], 0
    for start, end in sorted(spans):
        parts += [text[done:start], MARK]
        done = end
    return Redaction(text="".join([*parts, text[done:]]), kinds=tuple(kind for kind in KINDS if kind in kinds))


def mask(text: str) -> str:
    """The text with personal data hidden."""
    return redact(text).text
