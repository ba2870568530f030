"""Publishes each day's root where `YIWANG_PUBLISH_ROOTS` says: only a root that lies elsewhere binds who owns the database.

Which target still waits for which seal stands in the database, written with the seal, so a killed worker loses none; what
cannot be reached is tried again, each time after twice as long. A root may go out twice, never not at all.
"""

from __future__ import annotations

import json
import logging
import os
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.mail import EmailMessage

from yiwang.server.ledger.models import Publication, Seal
from yiwang.server.ledger.streams import stream_of

FILE = "file"
ROOTS_FILE = "roots.txt"  # in the data folder
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=6)
_SECONDS = 20
_CLAIMED = timedelta(minutes=5)  # after which another worker takes over what a killed one had in hand
log = logging.getLogger("yiwang.roots")


def announce(seal: Seal, *, at: datetime) -> None:
    """Note in the seal's own transaction that it is to be published. It binds all before it, so an older one that has not
    gone out is dropped: years that are replayed end in one message, not in thousands."""
    Publication.objects.filter(seal__stream=seal.stream, seal__city=seal.city, sent_at=None).delete()
    Publication.objects.bulk_create(
        Publication(seal=seal, target=target, next_at=at) for target in settings.YIWANG_PUBLISH_ROOTS
    )


def publish(*, at: datetime | None = None) -> int:
    """Publish what is due; how many roots went out. No transaction is open while others are spoken to."""
    at, sent = at or datetime.now(UTC), 0
    for row in Publication.objects.filter(sent_at=None, next_at__lte=at).order_by("id").select_related("seal")[:100]:
        mine = Publication.objects.filter(pk=row.pk, sent_at=None, next_at=row.next_at)
        if not mine.update(next_at=at + _CLAIMED):
            continue  # another worker has it in hand
        try:
            _send(row.target, row.seal)
        except (OSError, ValueError) as error:
            wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(row.attempts + 1, 16))
            changes = {"attempts": row.attempts + 1, "next_at": at + wait, "error": str(error)[:500]}
            log.warning("root of %s to %s: %s", row.seal.day, _redact(row.target), error)
        else:
            changes, sent = {"sent_at": at, "error": ""}, sent + 1
        Publication.objects.filter(pk=row.pk).update(**changes)
    return sent


def line(seal: Seal) -> str:
    """A root as it is published, and as `yiwang ledger verify --roots` reads it: city, stream, day, size, root."""
    return f"{seal.city} {seal.stream} {seal.day.isoformat()} {seal.size} {bytes(seal.root).hex()}"


def _send(target: str, seal: Seal) -> None:
    if target == FILE:
        _write(Path(settings.YIWANG_HOME, ROOTS_FILE), line(seal))
    elif target.startswith("mailto:"):
        _mail(unquote(target.removeprefix("mailto:")), seal)
    else:
        _post(target, seal)


def _write(path: Path, text: str) -> None:
    """Add a line, unless it is there already."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    if text in lines:
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "a", encoding="utf-8") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())


def _mail(address: str, seal: Seal) -> None:
    title = stream_of(seal.stream).title
    body = (
        f"{line(seal)}\n\n"
        f"请妥善保存此邮件：以上日根约束了截至当日的全部历史（{title.into('zh')}），可用 yiwang ledger verify --roots 核对。\n\n"
        f"Keep this message: the root above binds the whole history ({title.into('en')}) up to that day; "
        "yiwang ledger verify --roots compares with it.\n"
    )
    subject = f"{seal.city} {seal.day.isoformat()} {title.into('zh')}日根 / root of the day ({title.into('en')})"
    EmailMessage(subject, body, None, [address]).send()


def _post(url: str, seal: Seal) -> None:
    said = {
        "city": seal.city,
        "stream": seal.stream,
        "day": seal.day.isoformat(),
        "size": seal.size,
        "root": bytes(seal.root).hex(),
    }
    request = urllib.request.Request(  # noqa: S310 - the setting takes http and https only
        url, data=json.dumps(said).encode(), headers={"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
        answer.read(1000)


def _redact(target: str) -> str:
    """A target without what may be secret in it."""
    parts = urlsplit(target)
    return f"{parts.scheme}://{parts.hostname}" if parts.hostname else target
