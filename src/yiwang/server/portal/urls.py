"""Addresses of the public portal, where citizens report, follow, rate and propose."""

from django.urls import URLPattern, path

from yiwang.server.portal import data_views, follow_views, idea_views, moderation_views, views

urlpatterns: list[URLPattern] = [
    path("<slug:city>/portal", views.home, name="portal"),
    path("<slug:city>/portal/report", views.report, name="portal-report"),
    path("<slug:city>/portal/near", views.near, name="portal-near"),
    path("<slug:city>/portal/suggest", views.suggestions, name="portal-suggest"),
    path("<slug:city>/portal/cases/<str:number>", views.case, name="portal-case"),
    path("<slug:city>/portal/cases/<str:number>/join", views.join, name="portal-join"),
    path("<slug:city>/portal/flag", moderation_views.flag, name="portal-flag"),
    path("<slug:city>/portal/follow", follow_views.find, name="portal-find"),
    path("<slug:city>/portal/follow/forget", follow_views.forget, name="portal-forget"),
    path("<slug:city>/portal/follow/<str:report>", follow_views.follow, name="portal-follow"),
    path("<slug:city>/portal/open/<str:report>/<str:secret>", follow_views.open_link, name="portal-open"),
    path("<slug:city>/portal/mail/<str:ticket>", follow_views.open_mail, name="portal-mail"),
    path("<slug:city>/portal/unsubscribe/<str:ticket>", follow_views.unsubscribe, name="portal-unsubscribe"),
    path("<slug:city>/portal/ideas", idea_views.ideas, name="portal-ideas"),
    path("<slug:city>/portal/ideas/new", idea_views.propose, name="portal-propose"),
    path("<slug:city>/portal/ideas/<int:idea>", idea_views.idea, name="portal-idea"),
    path("<slug:city>/portal/ideas/<int:idea>/support", idea_views.support, name="portal-support"),
    path("<slug:city>/portal/ideas/<int:idea>/comment", idea_views.comment, name="portal-comment"),
    path("<slug:city>/portal/ideas/<int:idea>/answer", idea_views.answer, name="portal-answer"),
    path("<slug:city>/portal/map", data_views.public_map, name="portal-map"),
    path("<slug:city>/portal/score", data_views.score, name="portal-score"),
    path("<slug:city>/portal/data", data_views.data, name="portal-data"),
    path("<slug:city>/portal/data/cases-<str:month>.<str:form>", data_views.download, name="portal-download"),
    path("<slug:city>/portal/moderation", moderation_views.moderation, name="portal-moderation"),
    path("<slug:city>/portal/moderation/decide", moderation_views.decide, name="portal-decide"),
]
