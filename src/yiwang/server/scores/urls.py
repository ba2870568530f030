"""Addresses of the score."""

from django.urls import URLPattern, path

from yiwang.server.scores import index_views, map_views, nation_views, own_page, views, weight_views

urlpatterns: list[URLPattern] = [
    path("nation", nation_views.nation, name="nation"),
    path("<slug:city>/score", views.league, name="score"),
    path("<slug:city>/score.csv", views.league_csv, name="score-csv"),
    path("<slug:city>/score.xlsx", views.league_xlsx, name="score-xlsx"),
    path("<slug:city>/score.pdf", views.league_pdf, name="score-pdf"),
    path("<slug:city>/score/index", index_views.index, name="score-index"),
    path("<slug:city>/score/map", map_views.score_map, name="score-map"),
    path("<slug:city>/score/of/<slug:level>", own_page.own_page, name="score-own"),
    path("<slug:city>/score/of/<slug:level>/weights", weight_views.weights, name="score-weights"),
    path("<slug:city>/score/<slug:indicator>", views.explain_figure, name="score-explained"),
]
