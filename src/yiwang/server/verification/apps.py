from __future__ import annotations

from django.apps import AppConfig


class VerificationConfig(AppConfig):
    name = "yiwang.server.verification"
    label = "verification"
