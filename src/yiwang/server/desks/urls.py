"""Addresses of the desks, where staff work."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
