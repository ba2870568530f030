"""What the service says of itself at its root: its sets, and which requirements of the standards it meets."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from yiwang.server.sensorthings.entities import SETS

_STANDARD = "http://www.opengis.net/spec/iot_sensing/1.1/req"
MET = (
    "datamodel/entity-control-information/common-control-information",
    "datamodel/thing/properties",
    "datamodel/thing/relations",
    "datamodel/location/properties",
    "datamodel/location/relations",
    "datamodel/historical-location/properties",
    "datamodel/historical-location/relations",
    "datamodel/datastream/properties",
    "datamodel/datastream/relations",
    "datamodel/sensor/properties",
    "datamodel/sensor/relations",
    "datamodel/observed-property/properties",
    "datamodel/observed-property/relations",
    "datamodel/observation/properties",
    "datamodel/observation/relations",
    "datamodel/feature-of-interest/properties",
    "datamodel/feature-of-interest/relations",
    "resource-path/resource-path-to-entities",
    "request-data/status-code",
    "request-data/query-status-code",
    "request-data/order",
    "request-data/expand",
    "request-data/select",
    "request-data/orderby",
    "request-data/top",
    "request-data/skip",
    "request-data/count",
    "request-data/filter",
    "request-data/built-in-filter-operations",
    "request-data/built-in-query-functions",
    "request-data/pagination",
    "create-update-delete/create-entity",
    "create-update-delete/link-to-existing-entities",
    "create-update-delete/deep-insert",
    "create-update-delete/deep-insert-status-code",
    "create-update-delete/update-entity",
    "create-update-delete/update-entity-jsonpatch",
    "create-update-delete/update-entity-put",
    "create-update-delete/delete-entity",
    "create-update-delete/historical-location-auto-creation",
    "create-update-delete/historical-location-manual-creation",
    "batch-request/batch-request",
    "data-array/data-array",
)
MET_OVER_MQTT = (
    "create-observations-via-mqtt/observations-creation",
    "receive-updates-via-mqtt/receive-updates",
)


def root(base: str) -> dict[str, Any]:
    """The document at the root; what goes over MQTT is said where it is known at which address subscribers find the broker."""
    broker = str(settings.YIWANG_MQTT_PUBLIC_URL)
    over_mqtt = [f"{_STANDARD}/{one}" for one in MET_OVER_MQTT] if broker else []
    return {
        "value": [{"name": name, "url": f"{base}/{name}"} for name in SETS],
        "serverSettings": {
            "conformance": [*(f"{_STANDARD}/{one}" for one in MET), *over_mqtt],
            **{one: {"endpoints": [broker]} for one in over_mqtt},
        },
    }
