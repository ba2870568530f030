"""Addresses of notices."""

from django.urls import path

from yiwang.server.notices import views

urlpatterns = [
    path("<slug:city>/notices", views.notices, name="notices"),
    path("<slug:city>/notices/bell", views.bell, name="notices-bell"),
    path("<slug:city>/notices/read", views.read, name="notices-read"),
    path("<slug:city>/notices/settings", views.settings, name="notices-settings"),
    path("<slug:city>/notices/settings/contact", views.contact, name="notices-contact"),
    path("<slug:city>/notices/settings/confirm", views.ask_to_confirm, name="notices-ask-to-confirm"),
    path("<slug:city>/notices/confirm/<str:ticket>", views.confirm, name="notices-confirm"),
    path("<slug:city>/notices/<int:pk>", views.lead, name="notices-lead"),
]
