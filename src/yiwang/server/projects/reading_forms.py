"""What people write into the forms of projects: words, days, amounts of money."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text

MOST_CENTS = 99_999_999_999_999
LONGEST_WORDS = 2000


def wrong(column: str, message: Text) -> BadInput:
    """A fault of one field."""
    return BadInput(Problem(message, column=column))


def words_of(text: str, column: str, *, most: int = LONGEST_WORDS, needed: bool = True) -> str:
    """Words without blanks around them.

    Raises:
        BadInput: When they are missing, or too many.
    """
    words = "".join(letter for letter in text if letter in "\n\t" or letter.isprintable()).strip()
    if needed and not words:
        raise wrong(column, Text("请填写。", "It is empty."))
    if len(words) > most:
        raise wrong(column, Text("最多 {most} 字。", "At most {most} characters.", most=most))
    return words


def day_of(text: str, column: str, *, latest: date | None = None) -> date:
    """A day, ``2026-03-04``.

    Args:
        latest: The last day that can be given.

    Raises:
        BadInput: When it is none, or a later one.
    """
    try:
        day = date.fromisoformat(text.strip()) if len(text.strip()) == 10 else None
    except ValueError:
        day = None
    if day is None:
        raise wrong(column, Text("「{day}」不是日期。", "{day!r} is no day.", day=text[:20]))
    if latest is not None and day > latest:
        raise wrong(column, Text("{day} 还没有到。", "{day} has not come yet.", day=f"{day}"))
    return day


def cents_of(text: str, column: str) -> int:
    """An amount of money in hundredths of its unit, from words like ``1,280.50``.

    Raises:
        BadInput: When it is no amount above zero with at most two decimals.
    """
    said = text.replace(",", "").strip()
    try:
        cents = Decimal(said) * 100 if len(said) <= 24 else Decimal("NaN")
    except InvalidOperation:
        cents = Decimal("NaN")
    if not cents.is_finite() or not 0 < cents <= MOST_CENTS or cents != cents.to_integral_value():
        raise wrong(
            column,
            Text(
                "「{amount}」不是金额，请写大于零、最多两位小数的数，例如 1280.50。",
                "{amount!r} is no amount; write a number above zero with at most two decimals, e.g. 1280.50.",
                amount=text[:40],
            ),
        )
    return int(cents)
