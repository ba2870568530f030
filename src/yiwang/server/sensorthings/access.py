"""Who calls, and which cities' entities a caller may write."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from yiwang.core.kernel.refusals import Missing, NotAllowed
from yiwang.core.kernel.text import Text
from yiwang.server.cities.queries import cities, runtime
from yiwang.server.common import throttling
from yiwang.server.common.throttling import Limit, TooOften
from yiwang.server.people.callers import Token
from yiwang.server.people.models import User
from yiwang.server.people.operations import ACT, READ
from yiwang.server.people.queries import posts_of
from yiwang.server.people.roles import ADMINISTRATOR

_READING, _WRITING = Token(READ), Token(ACT)
_NO_POST = Text(
    "令牌的账号没有可写入监测数据的岗位：需要角色带 sensing = true、负责全市的岗位。",
    "The account of the token has no post that may write what sensors observe: its role needs sensing = true, its region "
    "must be the whole city.",
)


_TOO_OFTEN = Text(
    "无令牌的请求过于频繁，请一分钟后再试；带令牌（Authorization: Bearer）的请求不受此限。",
    "Too many requests without a token: try again in a minute, or send one (Authorization: Bearer), which has no such limit.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Who may write.

    Attributes:
        cities: Of which cities the entities.
        known: Whether the caller sent a token.
    """

    cities: tuple[str, ...]
    known: bool = True

    def check(self, city: str) -> None:
        """Refuse what is not of a city that they may write.

        Raises:
            NotAllowed: Says what would be needed.
        """
        if city not in self.cities:
            raise NotAllowed(
                Text(
                    "不能写入城市“{city}”的监测数据：需要该市一个带 sensing = true、负责全市的岗位的令牌。",
                    "What sensors observe in {city!r} may be written with a token of a post of that city whose role has "
                    "sensing = true and whose region is the whole city.",
                    city=city[:40],
                )
            )

    def only_city(self) -> str:
        """The one city of the caller.

        Raises:
            Missing: There are several; one must be named.
        """
        if len(self.cities) == 1:
            return self.cities[0]
        if not self.cities:
            raise NotAllowed(_NO_POST)
        raise Missing(
            Text(
                "令牌可写入多个城市（{cities}），请在 properties.city 中写明是哪一个。",
                "The token may write several cities ({cities}): say in properties.city which one this belongs to.",
                cities=", ".join(self.cities),
            ),
            field="properties.city",
        )


def slow_strangers(request: HttpRequest, calls: int = 1) -> None:
    """Hold back an address that reads too often without a token: so many requests a minute as the setting allows.

    Args:
        calls: How many requests this one stands for.

    Raises:
        TooOften: With the time to wait.
    """
    most, who = settings.YIWANG_SENSORTHINGS_PER_MINUTE, throttling.caller(request).network
    try:
        throttling.slow_down(Limit(kind="sensorthings", most=most, window=timedelta(minutes=1)), who, calls)
    except TooOften as error:
        raise TooOften(timedelta(seconds=error.seconds), _TOO_OFTEN) from None


def reader_of(request: HttpRequest) -> Any:
    """Who reads: the account of a token, or anybody; a token that is not valid is refused.

    Raises:
        HttpError: The token is unknown, or not for reading.
    """
    return _READING(request) or AnonymousUser()


def writer_of(request: HttpRequest) -> Writer:
    """Who writes.

    Raises:
        HttpError: The token is unknown, or not for acting.
    """
    user = _WRITING(request)
    return writer_for(user) if isinstance(user, User) else Writer(cities=(), known=False)


def writer_for(user: User) -> Writer:
    """What an account may write."""
    return Writer(cities=tuple(info.id for info in cities() if _may_write(user, info.id)))


def _may_write(user: User, city: str) -> bool:
    if user.is_superuser or user.is_staff:
        return True
    rules = runtime(city).rules
    roles = rules.workflow.roles
    for _, region, role in posts_of(user, city=city):
        if role == ADMINISTRATOR and not region:
            return True
        if role in roles and roles[role].sensing and rules.concerns(region, ""):
            return True
    return False
