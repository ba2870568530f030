"""Addresses of administration: who may do what, which rules are in force, who read personal data."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
