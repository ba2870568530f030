"""Keeps secrets out of logs: the part of an address that opens somebody's report is never written down."""

from __future__ import annotations

import logging
import re

SECRET = re.compile(r"(/portal/(?:open/[^/\s]+|mail|unsubscribe)/)[^\s/?\"'>]+")


class HideSecrets(logging.Filter):
    """Replaces secrets in a record's message."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        hidden = SECRET.sub(r"\1***", text)
        if hidden != text:
            record.msg, record.args = hidden, ()
        return True
