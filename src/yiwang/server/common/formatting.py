"""How lengths of time, limits, numbers, shares, days and moments are written for people, in the reader's language.

Everything that a page, a printed file, a table file or an e-mail says of them comes from here; what a script writes itself comes
from `web/src/shared/format.ts`, which follows the same forms. Times stand on the clocks of the zone that is given.
"""

from __future__ import annotations

from datetime import datetime, tzinfo
from decimal import Decimal

from django.utils.translation import to_locale

from yiwang.core.kernel.text import Text
from yiwang.core.worktime import TimeUnit
from yiwang.server.common.language import language, say

NONE = "—"  # where there is nothing to write
_LENGTHS = (Text("{n} 天", "{n} d"), Text("{n} 小时", "{n} h"), Text("{n} 分钟", "{n} min"))
_UNITS = {
    TimeUnit.URGENT_HOURS: (
        Text("{n} 紧急工作时", "{n} urgent hour (day and night)"),
        Text("{n} 紧急工作时", "{n} urgent hours (day and night)"),
    ),
    TimeUnit.WORK_HOURS: (Text("{n} 工作时", "{n} working hour"), Text("{n} 工作时", "{n} working hours")),
    TimeUnit.WORK_DAYS: (Text("{n} 工作日", "{n} working day"), Text("{n} 工作日", "{n} working days")),
    TimeUnit.CALENDAR_DAYS: (Text("{n} 自然日", "{n} calendar day"), Text("{n} 自然日", "{n} calendar days")),
}


def moment_text(value: datetime | None, zone: tzinfo | None = None) -> str:
    """Day and minute, ``2026-03-04 09:05``; without a zone on the clocks that the value itself is on."""
    return NONE if value is None else f"{value.astimezone(zone) if zone else value:%Y-%m-%d %H:%M}"


def month_text(value: datetime, zone: tzinfo) -> str:
    """The month in which a moment falls, ``2026-03``."""
    return f"{value.astimezone(zone):%Y-%m}"


def number_text(value: float, places: int = 0) -> str:
    """A number with commas between thousands and so many decimals: ``12,345`` or ``12,345.6``."""
    return f"{value:,.{places}f}"


def currency_of(country: str) -> str:
    """The currency of a country, by ISO 4217, e.g. ``CNY``; empty where it has none of its own."""
    from babel.numbers import get_territory_currencies

    return next(iter(get_territory_currencies(country)), "")


def amount_text(amount: Decimal, country: str) -> str:
    """An amount of money in the currency of a country, as it is written in the reader's language: ``¥1,280.50``."""
    from babel.numbers import format_currency

    currency = currency_of(country)
    if not currency:
        return number_text(float(amount), 2)
    return format_currency(amount, currency, locale=to_locale(language()))


def percent_text(share: float | None, places: int = 1) -> str:
    """A share of one as a percentage, ``12.5 %``; no data is a dash, never 0 %."""
    return NONE if share is None else f"{number_text(100 * share, places)} %"


def limit_words(amount: float, unit: TimeUnit) -> Text:
    """An amount of a unit of time as a rule sets it, in all languages: ``7 working days``, ``1 working day``."""
    one, many = _UNITS[unit]
    return (one if amount == 1 else many).with_values(n=f"{amount:g}")


def limit_text(amount: float, unit: TimeUnit) -> str:
    """The same in the reader's language."""
    return say(limit_words(amount, unit))


def lasting_text(seconds: float | None) -> str:
    """A length of time in its two largest units, e.g. ``2 天 3 小时`` or ``2 d 3 h``; less than a minute says so."""
    if seconds is None:
        return NONE
    if 0 < abs(seconds) < 60:
        return say("不到 1 分钟", "< 1 min")
    days, hours, minutes = _split(seconds, 24 * 60)
    parts = [say(words, n=count) for count, words in zip((days, hours, minutes), _LENGTHS, strict=True) if count]
    text = " ".join(parts[:2]) or say(_LENGTHS[-1], n=0)
    return f"−{text}" if seconds < 0 and parts else text


def working_text(seconds: float, *, seconds_per_day: int) -> str:
    """Working time in working days of so many seconds and working hours, without sign: 56 hours of 8-hour days are ``7 工作日``.

    Less than a working hour is said as `lasting_text` says it.
    """
    days, hours, minutes = _split(seconds, seconds_per_day // 60)
    if not (days or hours):
        return lasting_text(abs(seconds))
    parts = [
        (days, limit_text(days, TimeUnit.WORK_DAYS)),
        (hours, say("{n} 工作时", "{n} working h", n=hours)),
        (minutes, say(_LENGTHS[-1], n=minutes)),
    ]
    return " ".join([words for count, words in parts if count][:2])


def _split(seconds: float, minutes_per_day: int) -> tuple[int, int, int]:
    """Days of so many minutes, hours and minutes."""
    days, rest = divmod(int(abs(seconds)) // 60, minutes_per_day)
    return days, *divmod(rest, 60)
