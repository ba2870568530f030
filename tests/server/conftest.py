from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.server.citizens import Citizen

MINI = Path(__file__).resolve().parents[1] / "packs" / "fixtures" / "mini"
WEST = {"lon": 120.003, "lat": 31.003}  # community 900101


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


@pytest.fixture
def actor() -> Callable[..., Any]:
    """Makes actors: ``actor("leader", unit="CTR-90")``."""
    from yiwang.core.cases.events import Actor

    def make(*roles: str, unit: str = "CTR-90", region: str = "", id: str = "") -> Actor:
        return Actor(id=id or f"user:{'-'.join(roles)}", name="test", roles=frozenset(roles), unit=unit, region=region)

    return make


@pytest.fixture
def report(mini: str) -> Callable[..., dict[str, Any]]:
    """Reports a case and gives the answer."""
    from tests.outsiders import CITIZEN

    from yiwang.server.cases.writing import operations
    from yiwang.server.cases.writing.drafts import ReportDraft

    def make(*, actor: Any = CITIZEN, key: str = "", at: datetime | None = None, **data: Any) -> dict[str, Any]:
        said = {"text": "垃圾", "category": "02001", **WEST, **data}
        return operations.report(city=mini, draft=ReportDraft(**said), actor=actor, key=key, at=at)

    return make


@pytest.fixture
def act() -> Callable[..., dict[str, Any]]:
    """Does a verb: ``act(number, "file", actor("leader"), reason="…")``."""
    from yiwang.core.cases.events import Command
    from yiwang.server.cases.writing import operations

    def do(
        number: str,
        verb: str,
        who: Any,
        *,
        seq: int | None = None,
        key: str = "",
        at: datetime | None = None,
        **payload: Any,
    ) -> dict[str, Any]:
        return operations.act(
            number=number, command=Command(verb=verb, actor=who, payload=payload, expected_seq=seq), key=key, at=at
        )

    return do


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def citizen(mini: str) -> Citizen:
    return Citizen()


@pytest.fixture
def close(act: Any, actor: Any) -> Callable[[str], None]:
    """Take a case to its end."""
    from yiwang.server.cases.models import Case

    def do(number: str) -> None:
        for verb, role in (("file", "leader"), ("dispatch", "dispatcher")):
            if verb in _open_verbs(number):
                act(number, verb, actor(role))
        holder = Case.objects.get(number=number).holder
        act(number, "take", actor("handler", unit=holder, id="user:h"))
        act(number, "finish", actor("handler", unit=holder, id="user:h"), note="清走了")
        act(number, "ask_check", actor("intake"))
        act(number, "check", actor("inspector"), note="干净了")
        act(number, "close", actor("leader"))

    return do


def _open_verbs(number: str) -> set[str]:
    from yiwang.server.cases.models import Case
    from yiwang.server.cities.queries import runtime

    step = Case.objects.get(number=number).step
    return {verb.id for verb in runtime("mini").rules.workflow.verbs_from(step)}
