"""Addresses of red and black lists."""

from django.urls import path

from yiwang.server.lists import views

urlpatterns = [
    path("<slug:city>/lists", views.edition_list, name="lists"),
    path("<slug:city>/lists/notice", views.notice, name="lists-notice"),
    path("<slug:city>/lists/entries/<int:pk>/object", views.object_it, name="list-object"),
    path("<slug:city>/lists/entries/<int:pk>/decide", views.decide_it, name="list-decide"),
    path("<slug:city>/lists/<slug:rule>/<slug:period>", views.edition, name="list-edition"),
    path("<slug:city>/lists/<slug:rule>/<slug:period>/publish", views.publish_it, name="list-publish"),
    path("<slug:city>/lists/<slug:rule>/<slug:period>/withdraw", views.withdraw_it, name="list-withdraw"),
]
