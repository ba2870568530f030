"""Addresses of the SensorThings API."""

from django.urls import path

from yiwang.server.sensorthings import views

urlpatterns = [
    path("sensorthings/v1.1", views.resource, name="sensorthings"),
    path("sensorthings/v1.1/", views.resource),
    path("sensorthings/v1.1/<path:path>", views.resource),
]
