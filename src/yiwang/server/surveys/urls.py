"""Addresses of surveys."""

from django.urls import path

from yiwang.server.surveys import citizen_views, interview_views, planning_views, views

urlpatterns = [
    path("<slug:city>/portal/survey", citizen_views.form, name="survey-form"),
    path("<slug:city>/portal/survey/<str:secret>", citizen_views.open_link, name="survey-open"),
    path("<slug:city>/surveys", views.round_list, name="surveys"),
    path("<slug:city>/surveys/new", planning_views.new, name="survey-new"),
    path("<slug:city>/surveys/calls", interview_views.calls, name="survey-calls"),
    path("<slug:city>/surveys/calls/<int:pk>", interview_views.call, name="survey-call"),
    path("<slug:city>/surveys/calls/<int:pk>/contact", interview_views.contact, name="survey-contact"),
    path("<slug:city>/surveys/calls/<int:pk>/link", interview_views.link, name="survey-link"),
    path("<slug:city>/surveys/<slug:key>", views.survey_round, name="survey"),
    path("<slug:city>/surveys/<slug:key>/plan.json", views.plan_file, name="survey-plan"),
    path("<slug:city>/surveys/<slug:key>/cases.json", views.cases_file, name="survey-cases"),
    path("<slug:city>/surveys/<slug:key>/draw", planning_views.draw_it, name="survey-draw"),
    path("<slug:city>/surveys/<slug:key>/end", planning_views.end_it, name="survey-end"),
]
