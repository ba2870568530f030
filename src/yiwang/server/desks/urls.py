"""Addresses of the desks, where staff work."""

from django.urls import path

from yiwang.server.desks import bulk_views, case_views, intake_views, views

urlpatterns = [
    path("<slug:city>/desk", views.home, name="desk-home"),
    path("<slug:city>/desk/<slug:role>", views.desk, name="desk"),
    path("<slug:city>/desk/<slug:role>/queue", views.queue_part, name="desk-queue"),
    path("<slug:city>/desk/<slug:role>/tabs", views.tabs, name="desk-tabs"),
    path("<slug:city>/desk/<slug:role>/layout", views.keep_layout, name="desk-layout"),
    path("<slug:city>/desk/<slug:role>/read", views.read_all, name="desk-read-all"),
    path("<slug:city>/desk/<slug:role>/views/<int:pk>/count", views.view_count, name="desk-view-count"),
    path("<slug:city>/desk/<slug:role>/bulk", bulk_views.bulk, name="desk-bulk"),
    path("<slug:city>/desk/<slug:role>/new", intake_views.new, name="desk-new"),
    path("<slug:city>/desk/<slug:role>/new/assist", intake_views.assist, name="desk-assist"),
    path("<slug:city>/desk/<slug:role>/new/places", intake_views.places, name="desk-places"),
    path("<slug:city>/desk/<slug:role>/cases/<str:number>", case_views.panel, name="desk-case"),
    path("<slug:city>/desk/<slug:role>/cases/<str:number>/pulse", case_views.pulse, name="desk-pulse"),
    path("<slug:city>/desk/<slug:role>/cases/<str:number>/verbs/<slug:verb>", case_views.act, name="desk-act"),
]
