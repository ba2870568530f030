"""Photos that a phone sends one by one, before the verb or report that names them.

Over a slow line a form with six photos is lost when the line breaks in the sixth. So each photo is a request of its own; what
has arrived waits here, re-encoded like every upload, for the account that sent it, and is named by its digest.
"""

from __future__ import annotations

import contextlib
import re
import stat
import time
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from django.conf import settings

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.refusals import Refusal
from yiwang.core.kernel.text import Text
from yiwang.server.common import photos as pictures
from yiwang.server.common.moments import read_moment
from yiwang.server.common.throttling import TooOften

FOLDER = "field-photos"
KEPT_FOR = timedelta(days=1)
# room comes when a command takes its photos or a day has passed, and each try uploads one again
NO_ROOM_FOR = timedelta(minutes=5)
MOST_WAITING = 60  # in a day, for one account: ten full commands
_USED = 0o400  # the mode of a file says whether a command has taken it: no second file, no row that could disagree
_DIGEST = re.compile(r"[0-9a-f]{64}")


class MissingPhoto(Refusal):
    """A photo that a command names is not here (any more); the phone sends it again."""

    code = "photo-gone"


def keep(file: Any, *, account: str, taken_at: str, zone: tzinfo) -> str:
    """Keep a photo for an account; its digest.

    Args:
        file: The upload.
        account: Key of the account.
        taken_at: When the camera took it, as the phone read it (RFC 3339); empty when the camera did not say.
        zone: The city's, in which the picture says it again.

    Raises:
        BadInput: When it is no picture, or the time is none.
        TooOften: When `MOST_WAITING` wait already that arrived within a day.
    """
    _check_number(Path(settings.YIWANG_HOME, FOLDER, account))
    put = pictures.store_picture(file, folder=f"{FOLDER}/{account}", taken_at=_local(taken_at, zone))
    path = Path(settings.YIWANG_HOME, put)
    path.touch()  # sent again, it is kept for another day
    return path.stem


def _check_number(folder: Path) -> None:
    """Refuse one more when the folder is full. Requests at the same moment may pass together; a few more do no harm."""
    since = time.time() - KEPT_FOR.total_seconds()
    found = [file.stat() for file in folder.glob("*.jpg")] if folder.is_dir() else []
    waiting = sum(each.st_mtime >= since and stat.S_IMODE(each.st_mode) != _USED for each in found)
    if waiting >= MOST_WAITING:
        raise TooOften(
            NO_ROOM_FOR,
            Text(
                "服务器一天最多为您暂存 {most} 张照片，所属的处置或上报送到才算用上。其余的都在手机里，会自动再发。",
                "The server holds at most {most} photos a day for you until their report or action arrives. "
                "The others stay on your phone and are sent again by themselves.",
                most=MOST_WAITING,
            ),
            field="photo",
        )


def _local(text: str, zone: tzinfo) -> datetime | None:
    if not text:
        return None
    try:
        return read_moment(text).astimezone(zone).replace(tzinfo=None)
    except ValueError as error:
        problem = Problem(
            Text("「{text}」不是有效的时间。", "{text!r} is no time.", text=text[:40]),
            Text("如 2026-03-02T08:59:00Z", "2026-03-02T08:59:00Z"),
            column="original",
        )
        raise BadInput(problem) from error


def photos_by_digest(digests: Sequence[str], *, account: str) -> list[bytes]:
    """The photos of an account with these digests.

    Raises:
        Gone: When one is not here.
    """
    found = []
    for digest in digests:
        try:
            if not _DIGEST.fullmatch(digest):
                raise FileNotFoundError
            found.append(Path(settings.YIWANG_HOME, FOLDER, account, f"{digest}.jpg").read_bytes())
        except FileNotFoundError as error:
            raise MissingPhoto(
                Text("有照片没有送到，请再发一次。", "A photo has not arrived; please send it again."),
                field="photo_digest",
            ) from error
    return found


def mark_used(digests: Sequence[str], *, account: str) -> None:
    """A command has taken these: they do not wait any more, and stay for a day only for the same command sent again."""
    for digest in filter(_DIGEST.fullmatch, digests):
        with contextlib.suppress(FileNotFoundError):
            Path(settings.YIWANG_HOME, FOLDER, account, f"{digest}.jpg").chmod(_USED)


def forget(*, older_than: timedelta = KEPT_FOR) -> int:
    """Throw away photos that arrived so long ago; those that were used have been copied into their case. How many."""
    folder, before, gone = Path(settings.YIWANG_HOME, FOLDER), time.time() - older_than.total_seconds(), 0
    for file in folder.glob("*/*.jpg") if folder.is_dir() else ():
        if file.stat().st_mtime < before:
            file.unlink(missing_ok=True)
            gone += 1
    return gone
