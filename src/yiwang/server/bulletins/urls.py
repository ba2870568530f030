"""Addresses of bulletins and of the hand-over between shifts."""

from django.urls import path

from yiwang.server.bulletins import handover_views, views

urlpatterns = [
    path("<slug:city>/bulletin", views.page, name="bulletin"),
    path("<slug:city>/bulletin/file.pdf", views.file_pdf, name="bulletin-file"),
    path("<slug:city>/handover", handover_views.page, name="handover"),
    path("<slug:city>/handover/<int:pk>", handover_views.record, name="handover-record"),
    path("<slug:city>/handover/<int:pk>/file.pdf", handover_views.file_pdf, name="handover-file"),
    path("<slug:city>/handover/<int:pk>/sign", handover_views.sign, name="handover-sign"),
]
