"""Addresses of the app."""

from django.urls import path
from tests.apps.toy import views

urlpatterns = [path("<slug:city>/bins", views.bins, name="bins")]
