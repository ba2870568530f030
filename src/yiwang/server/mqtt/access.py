"""Who may do what at the broker that comes along."""

from __future__ import annotations

from django.utils.crypto import salted_hmac

from yiwang.packs.adapters import ROOT
from yiwang.server.sensorthings.api import PREFIX

OURSELVES = "yiwang"  # the user that may do everything: the simulation, and whoever runs the site
ANYBODY = "anybody"  # who gives no name: reads what everybody may read over HTTP
TOKEN = "token"  # noqa: S105 - the name with which somebody signs in whose password is a token


def may_publish(user: str, topic: str) -> bool:
    """Whether a topic is one of those on which somebody may publish: a device below its city's, and we ourselves anywhere; and
    everybody who has a name on those of SensorThings, where each message is looked at."""
    if user == ANYBODY:
        return False
    return user == OURSELVES or topic.startswith((PREFIX, f"{ROOT}/{device_of(user)[0] or '/'}/"))


def may_hear(user: str, topic: str) -> bool:
    """Whether a topic or topic filter is one that somebody may listen to: a device what is meant for itself, everybody what
    SensorThings has."""
    city, key = device_of(user)
    return (
        user == OURSELVES or topic.startswith(PREFIX) or bool(key and topic.startswith(f"{ROOT}/{city}/devices/{key}/"))
    )


def device_of(user: str) -> tuple[str, str]:
    """City and key of a device; both empty for others."""
    city, _, key = user.partition("/")
    return (city, key) if city and key else ("", "")


def own_password() -> str:
    """The password of `OURSELVES`: whoever has the secret of the site can make it."""
    return salted_hmac("yiwang.mqtt", OURSELVES, algorithm="sha256").hexdigest()
