"""A program that uses the SensorThings API of the toy city, and a thing as it would describe one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from django.test import Client

ROOT = "/sensorthings/v1.1"
PASSWORD = "eight letters"
POINT = {"type": "Point", "coordinates": [120.003, 31.003]}
LOCATION = {"name": "underpass", "description": "", "encodingType": "application/geo+json", "location": POINT}
SENSOR = {"name": "gauge", "description": "", "encodingType": "text/html", "metadata": "radar"}
QUANTITY = {"name": "water level", "definition": "http://example.org/level", "description": ""}


class Program:
    """Calls the API with or without a token."""

    def __init__(self, token: str = "") -> None:
        self.client = Client()
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def get(self, path: str, status: int = 200) -> Any:
        answer = self.client.get(ROOT + quote(path, safe="/?$&=(),;'*:@"), headers=self.headers)
        assert answer.status_code == status, (answer.status_code, answer.content)
        return answer.json() if answer.content and answer["Content-Type"] == "application/json" else answer.content

    def next(self, link: str) -> Any:
        return self.client.get(link.removeprefix("http://testserver"), headers=self.headers).json()

    def send(
        self, method: str, path: str, body: Any = None, status: int = 200, *, kind: str = "application/json"
    ) -> Any:
        data = json.dumps(body) if not isinstance(body, str) else body
        answer = self.client.generic(method, ROOT + path, data, content_type=kind, headers=self.headers)
        assert answer.status_code == status, (answer.status_code, answer.content)
        self.location = answer.headers.get("Location", "")
        return answer.json() if answer.content else None

    def post(self, path: str, body: Any, status: int = 201) -> Any:
        return self.send("POST", path, body, status)

    def names(self, path: str) -> list[str]:
        """Names of the entities of a page, in their order."""
        return [one["name"] for one in self.get(path)["value"]]

    def results(self, path: str) -> list[Any]:
        """Results of the observations of a page, in their order."""
        return [one["result"] for one in self.get(path)["value"]]


def stream(name: str = "level", **more: Any) -> dict[str, Any]:
    """A datastream with its sensor and property."""
    return {
        "name": name,
        "description": "",
        "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
        "unitOfMeasurement": {"name": "centimetre", "symbol": "cm", "definition": "ucum:cm"},
        "Sensor": SENSOR,
        "ObservedProperty": QUANTITY,
        **more,
    }


def thing(name: str = "underpass 1", **more: Any) -> dict[str, Any]:
    """A thing at a location with a datastream."""
    return {"name": name, "description": "road", "Locations": [LOCATION], "Datastreams": [stream()], **more}


def said(hour: int, result: Any, **more: Any) -> dict[str, Any]:
    """An observation of the second of March."""
    return {"phenomenonTime": f"2026-03-02T{hour:02}:00:00Z", "result": result, **more}


def writer(caller: Callable[..., Any]) -> Program:
    """A program that may write, in the toy city."""
    return Program(caller("leader", unit="CTR-90").headers["Authorization"].removeprefix("Bearer "))


def three_observations(program: Program) -> int:
    """Id of a new datastream with three observations, 5, 7 and "dry"."""
    made = program.post("/Things", thing(properties={"owner": "roads", "depth": 4, "allowed": True}))
    pk = int(program.get(f"/Things({made['@iot.id']})/Datastreams")["value"][0]["@iot.id"])
    for hour, result in ((4, 5), (5, 7), (6, "dry")):
        program.post(f"/Datastreams({pk})/Observations", said(hour, result))
    return pk
