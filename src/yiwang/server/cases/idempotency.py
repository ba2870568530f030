"""The same key and the same body get the same answer; the same key with another body is refused."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from yiwang.core.cases.events import Refusal
from yiwang.server.cases import storage
from yiwang.server.cases.models import IdempotencyKey
from yiwang.server.common.selecting import select

LONGEST_KEY = 200
BATCH = 5_000
COLUMNS = ("scope", "key", "fingerprint", "answer", "created_at")


class KeyReused(Refusal):
    """An idempotency key was given before, with something else."""

    code = "idempotency-key-reused"
    status = 422


def fingerprint(body: Mapping[str, Any]) -> bytes:
    """A digest of what is asked."""
    return hashlib.sha256(
        orjson.dumps(body, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS, default=str)
    ).digest()


def stored_answer(*, scope: str, key: str, body: bytes) -> dict[str, Any] | None:
    """What the key was answered before; None for a new key.

    Raises:
        KeyReused: When it came with another body.
    """
    check(key)
    found = select(IdempotencyKey, ("fingerprint", "answer"), "WHERE scope = %s AND key = %s", [scope, key])
    if not found:
        return None
    row = found[0]
    if bytes(row[0]) != body:
        raise KeyReused(
            "这个幂等键已用于另一个请求。",
            "This idempotency key was used for another request.",
            field="Idempotency-Key",
        )
    answer: dict[str, Any] = orjson.loads(row[1])
    return answer


def check(key: str) -> None:
    """Refuse a key that no row could hold."""
    if len(key) > LONGEST_KEY or not key.isprintable():
        raise KeyReused(
            f"幂等键最长 {LONGEST_KEY} 个可见字符。",
            f"An idempotency key has at most {LONGEST_KEY} printable characters.",
            field="Idempotency-Key",
        )


def remembering(*, scope: str, key: str, body: bytes, answer: Mapping[str, Any]) -> storage.Statement:
    """What keeps the answer, in the transaction that does the work; whoever did the same at the same time fails here and is rolled back."""
    row = (scope, key, body, orjson.dumps(answer).decode(), datetime.now(UTC))
    return storage.insertion(IdempotencyKey, COLUMNS, [row])


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
