"""Driving a case through the toy city's loop: what the tests of the loop share."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from yiwang.core.cases.decide import decide
from yiwang.core.cases.events import SYSTEM_ACTOR, Actor, Command, Event
from yiwang.core.cases.evolve import evolve, fold
from yiwang.core.cases.rulebook import Rulebook
from yiwang.core.cases.state import CaseState
from yiwang.core.cases.workflow import read_workflow
from yiwang.core.worktime import WorkCalendar
from yiwang.packs import Pack, read_pack

MINI = Path(__file__).parent / "packs" / "fixtures" / "mini"
MONDAY = datetime.fromisoformat("2026-03-02T09:00:00+08:00")


@lru_cache(maxsize=1)
def mini() -> tuple[Pack, Rulebook, WorkCalendar]:
    pack = read_pack(MINI)
    return pack, pack.rulebook(), pack.calendar


def rules_with(*changes: tuple[str, str], **tables: list[dict[str, str]]) -> Rulebook:
    """The toy city's rules with pieces of its workflow replaced, and tables that answer with the given rows."""
    _, rules, _ = mini()
    text = (MINI / "workflow.toml").read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
        text = text.replace(old, new)
    made = {
        name: Answers([Answer(f"X{place}", row) for place, row in enumerate(rows)]) for name, rows in tables.items()
    }
    kept = {name: getattr(rules, name) for name in ("triage", "routing", "limits", "units", "regions")}
    return Rulebook(workflow=read_workflow(tomllib.loads(text)), **(kept | made))


@dataclass(frozen=True)
class Answer:
    id: str
    outputs: Mapping[str, str]


@dataclass(frozen=True)
class Answers:
    """A decision table that always says the same."""

    rows: list[Answer]

    def matching_rows(self, facts: Mapping[str, str], on: date) -> list[Answer]:
        return self.rows


def actor(role: str, *, unit: str = "", who: str = "", region: str = "") -> Actor:
    """Somebody in one role; ``who`` tells two people of one role apart."""
    if role == "system":
        return SYSTEM_ACTOR
    return Actor(id=f"user:{role}{who}", name=role, roles=frozenset({role}), unit=unit, region=region)


@dataclass
class Drive:
    """A case being driven: events, state, the story's clock. ``desk`` is the actor's unit, by default the holder.
    ``rules`` are the toy city's, unless others are given."""

    at: datetime = MONDAY
    events: list[Event] = field(default_factory=list)
    state: CaseState | None = None
    rules: Rulebook | None = None
    number: str = "MN1"

    @property
    def now(self) -> CaseState:
        assert self.state is not None
        return self.state

    def report(self, role: str = "citizen", **payload: Any) -> Drive:
        payload = {
            "number": self.number,
            "city": "mini",
            "text": "垃圾",
            "category": "02001",
            "region": "900101",
            "source": "public",
            **payload,
        }
        return self.take(Command(verb="report", actor=actor(role), payload=payload))

    def do(
        self,
        verb: str,
        role: str,
        *,
        who: str = "",
        desk: str | None = None,
        after: timedelta = timedelta(minutes=5),
        seq: int | None = None,
        **payload: Any,
    ) -> Drive:
        self.at += after
        desk = self.now.holder if desk is None else desk
        return self.take(
            Command(
                verb=verb, actor=actor(role, unit=desk, who=who), payload={"note": "n", **payload}, expected_seq=seq
            )
        )

    def take(self, command: Command) -> Drive:
        _, rules, calendar = mini()
        rules = self.rules or rules
        for event in decide(self.state, command, rules=rules, calendar=calendar, at=self.at):
            self.events.append(event)
            self.state = evolve(self.state, event)
        assert self.state == fold(self.events)
        return self

    # the stations that most stories start from
    def to_dispatch(self, **payload: Any) -> Drive:
        self.report("inspector", source="inspector", **payload)
        return self.do("dispatch", "dispatcher")

    def to_handling(self, **payload: Any) -> Drive:
        return self.to_dispatch(**payload).do("take", "handler")

    def to_feedback(self, **payload: Any) -> Drive:
        return self.to_handling(**payload).do("finish", "handler")

    def to_close(self, **payload: Any) -> Drive:
        return self.to_feedback(**payload).do("ask_check", "intake").do("check", "inspector").do("close", "leader")


def holders(state: CaseState) -> list[str]:
    return [link.unit for link in state.custody]


def deciding_row(payload: Mapping[str, Any], table: str) -> str:
    """Row of a table that decided, as the event tells it."""
    return str(payload["why"][table]["row"])
