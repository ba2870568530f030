from __future__ import annotations

from django.urls import path

from yiwang.server.sensors import map_views, views

urlpatterns = [
    path("<slug:city>/sensors", views.streams, name="sensors"),
    path("<slug:city>/sensors/map", map_views.sensor_map, name="sensor-map"),
    path("<slug:city>/sensors/map.json", map_views.map_data, name="sensor-map-data"),
    path("<slug:city>/sensors/things/<int:key>.json", map_views.thing, name="sensor-thing"),
    path("<slug:city>/sensors/standing", map_views.standing, name="sensors-standing"),
    path("<slug:city>/sensors/alarms", views.alarms, name="sensor-alarms"),
    path("<slug:city>/sensors/devices", views.devices, name="sensor-devices"),
    path("<slug:city>/sensors/cases/<slug:number>", views.of_case, name="sensors-of-case"),
    path("<slug:city>/sensors/<int:key>", views.stream, name="sensor-stream"),
]
