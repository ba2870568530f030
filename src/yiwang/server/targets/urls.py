"""Addresses of target letters."""

from django.urls import path

from yiwang.server.targets import bulletin_views, drafting_views, views

urlpatterns = [
    path("<slug:city>/targets", views.letter_list, name="targets"),
    path("<slug:city>/targets/new", drafting_views.new, name="target-new"),
    path("<slug:city>/targets/letters/<int:pk>/file", views.file_pdf, name="target-file"),
    path("<slug:city>/targets/letters/<int:pk>/change", drafting_views.change_it, name="target-change"),
    path("<slug:city>/targets/letters/<int:pk>/issue", drafting_views.issue_it, name="target-issue"),
    path("<slug:city>/targets/letters/<int:pk>/drop", drafting_views.drop_it, name="target-drop"),
    path("<slug:city>/targets/letters/<int:pk>/hand-down", drafting_views.hand_it_down, name="target-hand-down"),
    path("<slug:city>/targets/letters/<int:pk>/sign", views.sign_it, name="target-sign"),
    path("<slug:city>/targets/<int:year>/bulletin", bulletin_views.page, name="target-bulletin"),
    path("<slug:city>/targets/<int:year>/bulletin/file", bulletin_views.file_pdf, name="target-bulletin-file"),
    path("<slug:city>/targets/<int:year>/<slug:unit>", views.letter, name="target-letter"),
]
