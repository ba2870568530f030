"""Addresses of the public portal, where citizens report, follow, rate and propose."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
