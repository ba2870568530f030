from __future__ import annotations

from django.urls import path

from yiwang.server.basemap import views

urlpatterns = [
    path("<slug:city>/basemap.json", views.description, name="basemap"),
    path("<slug:city>/basemap/style.json", views.style, name="basemap-style"),
    path("<slug:city>/basemap/<int:zoom>/<int:column>/<int:row>.mvt", views.tile, name="basemap-tile"),
]
