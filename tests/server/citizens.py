"""A citizen before the portal, for the tests of the portal; `citizen` and `close` are fixtures of conftest.py."""

from __future__ import annotations

import hashlib
import io
import re
from typing import Any

from django.test import Client
from PIL import Image

from yiwang.server.portal.models import Follow

WEST = {"lon": "120.003", "lat": "31.003"}
LINK = re.compile(r'value="http://testserver(/mini/portal/open/[^"]+)"')
PASSWORD = "a-password-for-tests"


def picture() -> io.BytesIO:
    file = io.BytesIO()
    Image.new("RGB", (60, 40), "red").save(file, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0")
    file.seek(0)
    file.name = "photo.jpg"
    return file


class Citizen:
    """A browser, and what is shown in it."""

    def __init__(self) -> None:
        self.client = Client(HTTP_ACCEPT_LANGUAGE="zh-hans")

    def report(self, **fields: Any) -> Any:
        # a form's key is random; tests that send one form twice name it
        key = hashlib.sha256(str(fields.pop("key", fields)).encode()).hexdigest()[:32]
        said = {"text": "路口垃圾成堆", "key": key, "seen": "1", **WEST, **fields}
        return self.client.post("/mini/portal/report", said)

    def link(self, **fields: Any) -> tuple[str, str]:
        """Report, and give the case's number and the secret link."""
        answer = self.report(**fields)
        assert answer.status_code == 201, answer.content.decode()
        found = LINK.search(answer.content.decode())
        assert found
        follow = Follow.objects.order_by("-id")[0]
        return follow.number, found[1]
