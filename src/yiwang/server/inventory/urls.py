"""Addresses of the component inventory."""

from django.urls import path

from yiwang.server.inventory import census_views, survey_views, views

urlpatterns = [
    path("<slug:city>/components", views.component_list, name="components"),
    path("<slug:city>/components/export/<slug:ending>", views.export, name="components-export"),
    path("<slug:city>/components/labels", views.labels, name="components-labels"),
    path("<slug:city>/components/change/<path:code>", views.change, name="component-change"),
    path("<slug:city>/components/<path:code>", views.component, name="component"),
    path("<slug:city>/censuses", census_views.census_list, name="censuses"),
    path("<slug:city>/censuses/bring", survey_views.bring, name="census-bring"),
    path("<slug:city>/censuses/files/<slug:token>", survey_views.survey, name="census-file"),
    path("<slug:city>/censuses/files/<slug:token>/drop", survey_views.give_up, name="census-file-drop"),
    path("<slug:city>/censuses/<int:key>", census_views.census, name="census"),
    path("<slug:city>/censuses/<int:key>/decide", census_views.decide_findings, name="census-decide"),
    path("<slug:city>/censuses/<int:key>/drop", census_views.drop_census, name="census-drop"),
]
