"""Addresses of the component inventory."""

from django.urls import path

from yiwang.server.inventory import census_views, component_page, keeping_views, survey_views, views

urlpatterns = [
    path("<slug:city>/components", views.component_list, name="components"),
    path("<slug:city>/components/export/<slug:ending>", views.export, name="components-export"),
    path("<slug:city>/components/labels", views.labels, name="components-labels"),
    path("<slug:city>/components/photos/<int:photo>", keeping_views.photo, name="component-photo"),
    path("<slug:city>/components/photos/<int:photo>/small", keeping_views.small_photo, name="component-photo-small"),
    path("<slug:city>/components/add-photos/<path:code>", keeping_views.add_to_photos, name="component-add-photos"),
    path("<slug:city>/components/remove-photo/<path:code>", keeping_views.drop_photo, name="component-remove-photo"),
    path("<slug:city>/components/add-cost/<path:code>", keeping_views.enter_cost, name="component-add-cost"),
    path("<slug:city>/components/cancel-cost/<path:code>", keeping_views.drop_cost, name="component-cancel-cost"),
    path("<slug:city>/components/change/<path:code>", component_page.change, name="component-change"),
    path("<slug:city>/components/<path:code>", component_page.component, name="component"),
    path("<slug:city>/censuses", census_views.census_list, name="censuses"),
    path("<slug:city>/censuses/bring", survey_views.bring, name="census-bring"),
    path("<slug:city>/censuses/files/<slug:token>", survey_views.survey, name="census-file"),
    path("<slug:city>/censuses/files/<slug:token>/drop", survey_views.give_up, name="census-file-drop"),
    path("<slug:city>/censuses/<int:key>", census_views.census, name="census"),
    path("<slug:city>/censuses/<int:key>/decide", census_views.decide_findings, name="census-decide"),
    path("<slug:city>/censuses/<int:key>/drop", census_views.drop_census, name="census-drop"),
]
