from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

MINI = Path(__file__).resolve().parents[1] / "packs" / "fixtures" / "mini"
WEST = {"lon": 120.003, "lat": 31.003}


@pytest.fixture
def mini(db: None) -> Iterator[str]:
    """The toy city, installed."""
    from yiwang.server.cases.storage import numbering
    from yiwang.server.centre import board
    from yiwang.server.cities import queries
    from yiwang.server.provision.operations import install_pack

    queries.forget()
    numbering.forget()
    board.forget()
    install_pack(MINI)
    yield "mini"
    queries.forget()
    numbering.forget()
    board.forget()


class Caller:
    """A program that calls the API, with or without a token."""

    def __init__(self, token: str = "") -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(f"/api/v1{path}", headers={**self.headers, **_named(headers)})

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.client.post(
            f"/api/v1{path}",
            body if body is not None else {},
            "application/json",
            headers={**self.headers, **_named(headers)},
        )


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@pytest.fixture
def anybody(mini: str) -> Caller:
    return Caller()


@pytest.fixture
def caller(mini: str) -> Callable[..., Caller]:
    """A program that acts in a role: ``caller("leader", unit="CTR-90")``."""
    from yiwang.server.people.operations import create_person, create_token

    def make(*roles: str, unit: str = "CTR-90", region: str = "", name: str = "") -> Caller:
        username = name or "-".join(roles) + unit + region
        create_person(
            username=username,
            password=None,
            name=username,
            name_en=username,
            city=mini,
            roles=dict.fromkeys(roles, (unit, region)),
        )
        return Caller(create_token(user=username))

    return make


@pytest.fixture
def reported(anybody: Caller) -> Callable[..., dict[str, Any]]:
    """Reports a case and gives the answer."""

    def make(**data: Any) -> dict[str, Any]:
        answer = anybody.post("/cities/mini/reports", {"text": "垃圾", "category": "02001", **WEST, **data})
        assert answer.status_code == 201, answer.content
        return dict(answer.json())

    return make
