"""Addresses of inspections."""

from django.urls import path

from yiwang.server.inspections import planning_views, views, visit_views

urlpatterns = [
    path("<slug:city>/inspections", views.campaign_list, name="inspections"),
    path("<slug:city>/inspections/new", planning_views.new, name="inspection-new"),
    path("<slug:city>/inspections/mine", visit_views.mine, name="inspections-mine"),
    path("<slug:city>/inspections/worker.js", visit_views.worker, name="inspections-worker"),
    path("<slug:city>/inspections/visits/<int:pk>", visit_views.visit, name="inspection-visit"),
    path("<slug:city>/inspections/photos/<int:pk>", visit_views.photo, name="inspection-photo"),
    path("<slug:city>/inspections/photos/<int:pk>/small", visit_views.small_photo, name="inspection-photo-small"),
    path("<slug:city>/inspections/<slug:key>", views.campaign, name="inspection"),
    path("<slug:city>/inspections/<slug:key>/plan.json", views.plan_file, name="inspection-plan"),
    path("<slug:city>/inspections/<slug:key>/visits.json", views.visits_file, name="inspection-visits"),
    path("<slug:city>/inspections/<slug:key>/draw", planning_views.draw_it, name="inspection-draw"),
    path("<slug:city>/inspections/<slug:key>/end", planning_views.end_it, name="inspection-end"),
]
