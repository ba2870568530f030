"""What the rules would have given on the stored past, by the command line, and with other thresholds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.server.sensing_city import at, underpass

from yiwang.cli import main
from yiwang.core.kernel.instants import to_micros
from yiwang.server.sensing.api import Alarm, Maintenance, Observation, Reading, write_observations

pytestmark = pytest.mark.django_db
VALUES = [1, 6, 16, 10, 2, 1, 1, 9, 2]


@pytest.fixture
def past(mini: str) -> str:
    """Two hours of an underpass, taken up as a file of the past would be."""
    stream = underpass()
    readings = [Reading(stream.pk, to_micros(at(minute * 10)), float(value)) for minute, value in enumerate(VALUES)]
    write_observations(readings, received=to_micros(at(200)), judge=False)
    return mini


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["sensing", *arguments])


def tried(*arguments: str) -> dict[str, dict[str, Any]]:
    result = run("dry-run", "mini", *arguments, "--json")
    assert result.exit_code == 0, result.output
    return {one["alarm"]: one for one in json.loads(result.output)}


def test_the_rules_on_the_past(past: str) -> None:
    found = tried()["underpass_water"]
    assert (found["readings"], found["open_a_case"]) == (9, 1)
    assert [(one["severity"], one["peak"]) for one in found["alarms"]] == [("moderate", 16), ("minor", 9)]
    assert Alarm.objects.count() == 0
    assert Observation.objects.count() == len(VALUES)


def test_with_other_thresholds(past: str) -> None:
    found = tried("--set", "underpass_water.at=10")
    assert list(found) == ["underpass_water"]
    trial = found["underpass_water"]
    assert (len(trial["then"]), len(trial["added"]), len(trial["lost"])) == (1, 0, 1)
    assert trial["then_open_a_case"] == 1
    assert tried("--set", "underpass_water.moderate.at=17")["underpass_water"]["then_open_a_case"] == 0


def test_since_a_day_and_of_one_stream(past: str) -> None:
    assert tried("--since", "2026-03-02T13:00")["underpass_water"]["readings"] == 3
    assert list(tried("--stream", "underpass-1")) == ["underpass_water", "underpass_silent"]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--set", "underpass_watr.at=10"], "underpass_water"),
        (["--set", "underpass_water=10"], "water.at=10"),
        (["--set", "underpass_water.extreme.at=10"], "minor, moderate, severe"),
        (["--set", "underpass_water.at=50"], "worse"),
        (["--since", "yesterday"], "2026-03-01"),
        (["--stream", "nowhere"], "nowhere"),
    ],
)
def test_what_cannot_be_tried_is_said(past: str, arguments: list[str], word: str) -> None:
    result = run("dry-run", "mini", *arguments)
    assert result.exit_code != 0
    assert word in result.output + str(result.exception)


def test_maintenance_by_the_command_line(past: str) -> None:
    times = ["--from", "2026-03-02T08:00", "--until", "2026-03-02T17:00"]
    assert run("maintain", "mini", "tunnel-1", *times, "--reason", "清淤").exit_code == 0
    made = Maintenance.objects.get()
    assert (made.start.isoformat(), made.reason) == ("2026-03-02T00:00:00+00:00", "清淤")
    assert run("maintain", "mini", "tunnel-1", *reversed(times)).exit_code != 0
    assert run("maintain", "mini", "tunnel-9", *times).exit_code != 0
