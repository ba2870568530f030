"""What the portal's forms carry, checked: the report in three steps, an e-mail address, stars."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import QueryDict

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.server.casepage.forms import PAGES_CRS
from yiwang.server.cases.api import ReportDraft
from yiwang.server.common import photos as pictures
from yiwang.server.common.language import say

KEPT = "yiwang.portal.kept"
KEPT_FOR = timedelta(hours=6)
DRAFTS = "drafts"  # photos of forms that have not been sent yet; thrown away when nobody sends them
LONGEST_EMAIL = 200


@dataclass(slots=True)
class ReportForm:
    """A report's form as it was filled in."""

    text: str = ""
    category: str = ""
    address: str = ""
    region: str = ""
    email: str = ""
    lon: float | None = None
    lat: float | None = None
    component: str = ""
    join: str = ""
    seen: bool = False
    problems: list[str] = field(default_factory=list)

    def draft(self, photos: Sequence[Any]) -> ReportDraft:
        """For `portal.operations.report`."""
        return ReportDraft(
            text=self.text, category=self.category, lon=self.lon, lat=self.lat, address=self.address, region=self.region,
            crs=PAGES_CRS, component=self.component, photos=photos,
        )  # fmt: skip


def read_form(post: QueryDict) -> ReportForm:
    """Read the form; what is wrong is in ``problems``, one sentence each."""
    found = ReportForm(
        text=post.get("text", "").strip(),
        category=post.get("category", "").strip(),
        address=post.get("address", "").strip(),
        region=post.get("region", "").strip(),
        component=post.get("component", "").strip()[:40],
        join=post.get("join", "").strip(),
        seen=post.get("seen") == "1",
    )
    for name, most in (("lon", 180), ("lat", 90)):
        text = post.get(name, "").strip()
        try:
            value = float(text) if text else None
            if value is not None and not -most <= value <= most:
                raise ValueError
        except ValueError:
            found.problems.append(say("坐标 {text} 不对。", "The coordinate {text} is wrong.", text=text[:20]))
            value = None
        setattr(found, name, value)
    if (found.lon is None) != (found.lat is None):
        found.problems.append(say("经度和纬度要么都填，要么都不填。", "Give both longitude and latitude, or neither."))
        found.lon = found.lat = None
    if not found.join and not found.text:
        found.problems.append(say("请说说发生了什么。", "Please say what is wrong."))
    if not found.join and found.lon is None and not found.address:
        found.problems.append(
            say("请给出地点：点地图、用定位，或写地址。", "Say where: by map, by location, or in words.")
        )
    try:
        found.email = email(post.get("email", ""))
    except BadInput as error:
        found.problems += [say(problem.message) for problem in error.problems]
    return found


def email(text: str) -> str:
    """An e-mail address, or nothing.

    Raises:
        BadInput: When it is none.
    """
    text = text.strip()
    if not text:
        return ""
    try:
        validate_email(text)
        if len(text) > LONGEST_EMAIL:
            raise ValidationError("too long")
    except ValidationError:
        raise BadInput(Problem(Text("这不是邮箱地址。", "That is no e-mail address."), column="email")) from None
    return text


def keep(files: Sequence[Any], signed: str) -> tuple[str, list[bytes], list[Problem]]:
    """Pictures of this form, those sent now and those sent with the page before.

    Returns:
        A signed note of them for the next page, the pictures, and what is wrong with those that are none: one bad picture
        does not throw away the good ones.

    Raises:
        BadInput: When there are too many.
    """
    before = _photo_paths(signed)
    fresh, bad = pictures.store_pictures(list(files), folder=DRAFTS) if files else ([], [])
    paths = list(dict.fromkeys([*before, *fresh]))
    if len(paths) > pictures.MOST_PHOTOS:
        problem = Text("最多 {n} 张照片。", "At most {n} photos.", n=pictures.MOST_PHOTOS)
        raise BadInput(Problem(problem, column="photos"))
    note = signing.dumps(paths, salt=KEPT) if paths else ""
    return note, [Path(settings.YIWANG_HOME, path).read_bytes() for path in paths], bad


def _photo_paths(signed: str) -> list[str]:
    if not signed:
        return []
    try:
        paths = signing.loads(signed, salt=KEPT, max_age=KEPT_FOR)
    except signing.BadSignature:
        return []
    return [path for path in paths if Path(settings.YIWANG_HOME, path).is_file()]


def forget_drafts(*, older_than: timedelta = 2 * KEPT_FOR) -> int:
    """Throw away photos of forms that were never sent; how many."""
    folder, before, gone = Path(settings.YIWANG_HOME, DRAFTS), time.time() - older_than.total_seconds(), 0
    for file in folder.glob("*.jpg") if folder.is_dir() else ():
        if file.stat().st_mtime < before:
            file.unlink(missing_ok=True)
            gone += 1
    return gone
