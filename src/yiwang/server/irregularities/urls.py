"""Addresses of leads of irregularities."""

from django.urls import path

from yiwang.server.irregularities import views

urlpatterns = [
    path("<slug:city>/irregularities", views.lead_list, name="irregularities"),
    path("<slug:city>/irregularities/look", views.look_it, name="irregularities-look"),
    path("<slug:city>/irregularities/<int:pk>", views.lead_page, name="irregularity"),
    path("<slug:city>/irregularities/<int:pk>/answer", views.answer_it, name="irregularity-answer"),
    path("<slug:city>/irregularities/<int:pk>/judge", views.judge_it, name="irregularity-judge"),
]
