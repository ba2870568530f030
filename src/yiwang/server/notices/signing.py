"""The signature of what goes to the gateway: HMAC-SHA256 over the moment and the body. `docs/guide/notices.md` is its contract."""

from __future__ import annotations

import hashlib
import hmac

TIMESTAMP, SIGNATURE = "X-Yiwang-Timestamp", "X-Yiwang-Signature"
WINDOW_SECONDS = 300  # older or younger calls are refused: one that was listened to cannot be sent again later


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """The value of the header `SIGNATURE`."""
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"sha256={digest}"


def is_genuine(secret: str, timestamp: str, signed: str, body: bytes, *, now: float) -> bool:
    """Whether a call comes from who knows the secret, within `WINDOW_SECONDS`."""
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) < 12):
        return False
    fresh = abs(now - int(timestamp)) <= WINDOW_SECONDS
    return fresh and hmac.compare_digest(signature(secret, timestamp, body).encode(), signed.encode())
