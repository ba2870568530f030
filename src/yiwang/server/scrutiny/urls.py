"""Addresses of what is looked at from above: where time goes."""

from django.urls import path

from yiwang.server.scrutiny import views

urlpatterns = [
    path("<slug:city>/flow", views.flow_page, name="flow"),
    path("<slug:city>/flow/cases", views.flow_cases, name="flow-cases"),
    path("<slug:city>/flow/<slug:table>.csv", views.flow_csv, name="flow-csv"),
]
