"""Addresses: health, the API, and those that the apps bring."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from yiwang.server.api import health
from yiwang.server.api.application import api
from yiwang.server.common.app import installed_apps

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("api/v1/", api.urls),
    *(path("", include(app.urls)) for app in installed_apps() if app.urls),
]
handler400 = "yiwang.server.api.problems.bad_request"
handler403 = "yiwang.server.api.problems.forbidden"
handler404 = "yiwang.server.api.problems.not_found"
handler500 = "yiwang.server.api.problems.server_error"
