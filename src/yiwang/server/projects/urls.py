"""Addresses of projects for people."""

from django.urls import path

from yiwang.server.projects import acting_views, views

urlpatterns = [
    path("<slug:city>/projects", views.project_list, name="projects"),
    path("<slug:city>/projects/new", acting_views.new, name="project-new"),
    path("<slug:city>/projects/<slug:key>", views.project, name="project"),
    path("<slug:city>/projects/<slug:key>/vote", views.vote, name="project-vote"),
    path("<slug:city>/projects/<slug:key>/photos/<int:photo>", views.photo, name="project-photo"),
    path("<slug:city>/projects/<slug:key>/photos/<int:photo>/small", views.small_photo, name="project-photo-small"),
    path("<slug:city>/projects/<slug:key>/choose", acting_views.choose_it, name="project-choose"),
    path("<slug:city>/projects/<slug:key>/refuse", acting_views.refuse_it, name="project-refuse"),
    path("<slug:city>/projects/<slug:key>/drop", acting_views.drop_it, name="project-drop"),
    path("<slug:city>/projects/<slug:key>/begin", acting_views.begin_it, name="project-begin"),
    path("<slug:city>/projects/<slug:key>/milestone", acting_views.finish_one, name="project-milestone"),
    path("<slug:city>/projects/<slug:key>/add-photos", acting_views.add_to_photos, name="project-add-photos"),
    path("<slug:city>/projects/<slug:key>/remove-photo", acting_views.drop_photo, name="project-remove-photo"),
    path("<slug:city>/projects/<slug:key>/spend", acting_views.spend_it, name="project-spend"),
    path("<slug:city>/projects/<slug:key>/cancel-spending", acting_views.cancel_one, name="project-cancel-spending"),
    path("<slug:city>/projects/<slug:key>/report-done", acting_views.report_it, name="project-report-done"),
    path("<slug:city>/projects/<slug:key>/close", acting_views.close_it, name="project-close"),
]
