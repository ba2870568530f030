from __future__ import annotations

from django.apps import AppConfig


class ProvisionConfig(AppConfig):
    name = "yiwang.server.provision"
    label = "provision"
