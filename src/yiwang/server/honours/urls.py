"""Addresses of demonstration areas and banners."""

from django.urls import path

from yiwang.server.honours import views

urlpatterns = [
    path("<slug:city>/honours", views.honour_list, name="honours"),
    path("<slug:city>/honours/propose", views.propose_it, name="honours-propose"),
    path("<slug:city>/honours/<int:pk>", views.honour, name="honour"),
    path("<slug:city>/honours/<int:pk>/decide", views.decide_it, name="honour-decide"),
    path("<slug:city>/honours/<int:pk>/doubt", views.doubt_it, name="honour-doubt"),
    path("<slug:city>/honours/<int:pk>/answer", views.answer_it, name="honour-answer"),
]
