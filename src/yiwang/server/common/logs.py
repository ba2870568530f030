"""Keeps secrets out of logs: the part of an address that opens something for whoever has it is never written down."""

from __future__ import annotations

import logging
import re
from functools import lru_cache

from django.apps import apps

from yiwang.server.common.app import installed_apps


@lru_cache(maxsize=1)
def _secrets() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(rf"{pattern}[^\s/?\"'>]+") for app in installed_apps() for pattern in app.log_secrets)


class HideSecrets(logging.Filter):
    """Replaces secrets in a record's message: what follows the addresses that the apps name."""

    def filter(self, record: logging.LogRecord) -> bool:
        if not apps.ready:  # no address has been asked for yet
            return True
        text = record.getMessage()
        hidden = text
        for secret in _secrets():
            hidden = secret.sub(r"\1***", hidden)
        if hidden != text:
            record.msg, record.args = hidden, ()
        return True
