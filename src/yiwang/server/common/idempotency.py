"""The same key and the same body get the same answer; the same key with another body is refused."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from yiwang.core.cases.events import Actor
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.refusals import Refusal
from yiwang.core.kernel.text import Text
from yiwang.server.common import sql
from yiwang.server.common.models import IdempotencyKey
from yiwang.server.common.selecting import select

LONGEST_KEY = 200
SHORTEST_RANDOM_KEY = 16
ACCOUNT = "user:"  # how the id of an account's actor begins
FEWEST_KINDS = 6  # different characters: one repeated is none
BATCH = 5_000
COLUMNS = ("scope", "key", "fingerprint", "answer", "created_at")


class KeyReuse(Refusal):
    """An idempotency key was given before, with something else."""

    code = "idempotency-key-reused"


def fingerprint(body: Mapping[str, Any]) -> bytes:
    """A digest of what is asked."""
    return hashlib.sha256(
        orjson.dumps(body, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS, default=str)
    ).digest()


def stored_answer(*, scope: str, key: str, body: bytes) -> dict[str, Any] | None:
    """What the key was answered before; None for a new key.

    Raises:
        KeyReuse: When it came with another body.
    """
    found = select(IdempotencyKey, ("fingerprint", "answer"), "WHERE scope = %s AND key = %s", [scope, key])
    if not found:
        return None
    row = found[0]
    if bytes(row[0]) != body:
        raise KeyReuse(
            Text("这个幂等键已用于另一个请求。", "This idempotency key was used for another request."),
            field="Idempotency-Key",
        )
    answer: dict[str, Any] = orjson.loads(row[1])
    return answer


def check(key: str, *, stranger: bool = False) -> None:
    """Refuse a key that cannot be kept, or that somebody else could guess.

    Args:
        key: As it was given; blank is no key but was meant as one.
        stranger: The caller has no account, so the key alone tells calls apart: it must be long and random.

    Raises:
        BadInput: With what a key must be.
    """
    if not key.strip() or not key.isascii() or not key.isprintable() or len(key) > LONGEST_KEY:
        raise _bad_key(
            Text("这个幂等键不能用。", "The idempotency key cannot be used."),
            Text(
                "应为 1 到 {longest_key} 个可见 ASCII 字符，如 UUID。",
                "1 to {longest_key} visible ASCII characters, e.g. a UUID.",
                longest_key=LONGEST_KEY,
            ),
        )
    if stranger and (len(key) < SHORTEST_RANDOM_KEY or len(set(key)) < FEWEST_KINDS):
        raise _bad_key(
            Text("这个幂等键太容易猜到。", "The idempotency key is too easy to guess."),
            Text(
                "没有账号时至少 {shortest_random_key} 个随机字符，如每次上报新生成的 UUID。",
                "Without an account at least {shortest_random_key} random characters, e.g. a UUID made anew for each report.",
                shortest_random_key=SHORTEST_RANDOM_KEY,
            ),
        )


def _bad_key(message: Text, hint: Text) -> BadInput:
    return BadInput(Problem(message, hint, column="Idempotency-Key"))


def scope_of(*, city: str, actor: Actor, client: str) -> str:
    """Whose keys may meet: those of one account, or of one caller without an account (``client``, a pseudonym).

    What strangers send under the same key are different reports; neither is refused for the other's sake, nor answered with it.
    """
    return f"{city}:{actor.id}:{client}" if is_stranger(actor) else f"{city}:{actor.id}"


def is_stranger(actor: Actor) -> bool:
    """Whether an actor's id stands for anybody without an account."""
    return ":" not in actor.id


def own_key(actor: Actor) -> str:
    """A key for what an account does without one: `cases_since` finds an account's commands by their keys.

    Empty for whoever has no account: nobody lists what strangers or our own machinery did.
    """
    return secrets.token_urlsafe(16) if actor.id.startswith(ACCOUNT) else ""


def insert_statement(*, scope: str, key: str, body: bytes, answer: Mapping[str, Any]) -> sql.Statement:
    """What keeps the answer, in the transaction that does the work; whoever did the same at the same time fails here and is rolled back."""
    row = (scope, key, body, orjson.dumps(answer).decode(), datetime.now(UTC))
    return sql.insertion(IdempotencyKey, COLUMNS, [row])


def cases_since(*, actor: Actor, since: datetime, most: int = 500) -> set[str]:
    """Numbers of the cases that the commands of an account were answered with, in any city.

    It reads all keys since then by the index on their time: for a day, not for a year.

    Args:
        actor: The account, in any capacity.
        since: Only keys that came since then.
        most: Look at so many of the newest keys.
    """
    if is_stranger(actor):
        return set()
    # every scope of an account ends with its id, whatever stands before (`scope_of`, and a case's number for its verbs)
    keys = IdempotencyKey.objects.filter(created_at__gte=since, scope__endswith=f":{actor.id}").order_by("-created_at")
    answers = (orjson.loads(answer) for answer in keys.values_list("answer", flat=True)[:most])
    said = (answer.get("case") or answer.get("number") for answer in answers if isinstance(answer, dict))
    return {number for number in said if isinstance(number, str)}


def forget(*, older_than: timedelta, at: datetime | None = None, most: int = 200_000) -> int:
    """Throw away keys of long ago with their answers, a few thousand at a time so that nobody waits; how many.

    A client that repeats a call after that gets it done once more: the time must be longer than any client tries again.
    """
    before, gone = (at or datetime.now(UTC)) - older_than, 0
    while gone < most:
        ids = list(
            IdempotencyKey.objects.filter(created_at__lt=before)
            .order_by("created_at")
            .values_list("id", flat=True)[:BATCH]
        )
        if not ids:
            break
        gone += IdempotencyKey.objects.filter(id__in=ids).delete()[0]
    return gone
