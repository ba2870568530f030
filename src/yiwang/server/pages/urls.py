"""Addresses of the pages. The city is the first part of the path."""

from django.urls import path

from yiwang.server.casepage import list_bulk, view_pages
from yiwang.server.casepage import lists as cases
from yiwang.server.casepage import views as case_page
from yiwang.server.centre import views as centre
from yiwang.server.field import views as field
from yiwang.server.pages import choosing, near, places, sign_in, styleguide, views

urlpatterns = [
    path("", views.home, name="home"),
    path("sign-in", sign_in.sign_in, name="sign-in"),
    path("sign-out", sign_in.sign_out, name="sign-out"),
    path("switch/city", views.switch_city, name="switch-city"),
    path("switch/language", views.switch_language, name="switch-language"),
    path("<slug:city>/", views.overview, name="overview"),
    path("<slug:city>/jobs", views.jobs, name="jobs"),
    path("<slug:city>/centre", centre.centre, name="centre"),
    path("<slug:city>/map", views.city_map, name="map"),
    path("<slug:city>/map/regions.json", views.map_regions, name="map-regions"),
    path("<slug:city>/map/cases.json", views.map_cases, name="map-cases"),
    path("<slug:city>/map/near.json", near.near_cases, name="map-near"),
    path("<slug:city>/map/places.json", places.found_places, name="map-places"),
    path("<slug:city>/field", field.shell, name="field"),
    path("<slug:city>/field/sw.js", field.worker, name="field-worker"),
    path("<slug:city>/field/manifest.webmanifest", field.manifest, name="field-manifest"),
    path("<slug:city>/field/session.json", field.session, name="field-session"),
    path("<slug:city>/field/tasks.json", field.tasks, name="field-tasks"),
    path("<slug:city>/field/done.json", field.done, name="field-done"),
    path("<slug:city>/field/points.json", field.points, name="field-points"),
    path("<slug:city>/field/photos", field.photo, name="field-photo"),
    path("<slug:city>/field/reports", field.report, name="field-report"),
    path("<slug:city>/field/cases/<str:number>/<slug:verb>", field.act, name="field-act"),
    path("<slug:city>/choose/places", places.options, name="place-options"),
    path("<slug:city>/about-place", places.about, name="place-about"),
    path("<slug:city>/choose/<slug:kind>", choosing.options, name="choose"),
    path("<slug:city>/styleguide", styleguide.styleguide, name="styleguide"),
    path("<slug:city>/rules", views.rules, name="rules"),
    path("<slug:city>/report", cases.report, name="report"),
    path("<slug:city>/cases", cases.case_list, name="cases"),
    path("<slug:city>/cases/views/<int:pk>/count", view_pages.count, name="cases-view-count"),
    path("<slug:city>/views", view_pages.every, name="saved-views"),
    path("<slug:city>/views/keep", view_pages.keep, name="saved-view-keep"),
    path("<slug:city>/views/<int:pk>/change", view_pages.change, name="saved-view-change"),
    path("<slug:city>/views/<int:pk>/copy", view_pages.copy, name="saved-view-copy"),
    path("<slug:city>/views/<int:pk>/delete", view_pages.delete, name="saved-view-delete"),
    path("<slug:city>/cases/bulk", list_bulk.bulk, name="cases-bulk"),
    path("<slug:city>/cases/export/<slug:kind>", cases.export, name="cases-export"),
    path("<slug:city>/cases/<str:number>", case_page.case, name="case"),
    path("<slug:city>/cases/<str:number>/verbs/<slug:verb>", case_page.act, name="case-verb"),
    path("<slug:city>/cases/<str:number>/changed", case_page.news_since, name="case-changed"),
    path("<slug:city>/cases/<str:number>/contacts", case_page.contacts, name="case-contacts"),
    path("<slug:city>/cases/<str:number>/proof", case_page.proof, name="case-proof"),
    path("<slug:city>/cases/<str:number>/file.pdf", case_page.file_pdf, name="case-file"),
    path("<slug:city>/cases/<str:number>/photos/<int:photo>", cases.photo, name="case-photo"),
    path("<slug:city>/cases/<str:number>/photos/<int:photo>/small", cases.small_photo, name="case-photo-small"),
]
