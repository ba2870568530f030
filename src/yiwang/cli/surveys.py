"""`yiwang surveys`: rounds of surveys among citizens whose cases were closed."""

from __future__ import annotations

from typing import Any

import click

from yiwang.cli.output import emit, emit_table, json_option, wants_json
from yiwang.cli.site import installed_city, site


@click.group()
def surveys() -> None:
    """Surveys among citizens whose cases were closed: response and the three rates."""


@surveys.command()
@click.argument("city")
@json_option
def show(city: str) -> None:
    """Show the rounds of CITY, the latest first: response rate, and what share says that somebody responded, that the matter
    was resolved, and that they are satisfied.

    \b
    Example: yiwang surveys show wuxi --json
    """
    with site():
        from yiwang.server.surveys import queries

        installed_city(city)
        found = [_told(one, queries.results_of(one)) for one in queries.rounds_of(city)]
    if wants_json():
        emit(found)
        return
    emit_table(
        ("round", "state", "closed", "answered", "responded", "resolved", "satisfied"),
        [
            (
                one["round"],
                one["state"],
                f"{one['closed_from']} – {one['closed_to']}",
                f"{one['answered']} / {one['drawn']}",
                *(_rate_in_words(one["rates"].get(name)) for name in ("responded", "resolved", "satisfied")),
            )
            for one in found
        ],
    )


def _told(survey: Any, results: list[Any]) -> dict[str, Any]:
    from yiwang.server.surveys.queries import hidden_of

    hidden = hidden_of(results)
    whole = results[0]
    return {
        "round": survey.key,
        "state": survey.step,
        "closed_from": f"{survey.closed_from}",
        "closed_to": f"{survey.closed_to}",
        **_result(whole, hidden),
        "strata": [{"stratum": one.stratum, **_result(one, hidden)} for one in results[1:]],
    }


def _result(result: Any, hidden: frozenset[str]) -> dict[str, Any]:
    return {
        "frame": result.frame,
        "drawn": result.drawn,
        "answered": result.answered,
        "response": None if result.response is None else round(result.response, 4),
        "low_response": result.weak,
        "rates": {} if result.stratum in hidden else {str(name): _rate(rate) for name, rate in result.rates.items()},
    }


def _rate(rate: Any) -> dict[str, Any]:
    found = rate.estimate
    interval = found.interval if found else None
    return {
        "value": round(found.value, 4) if found else None,
        "low": round(interval.low, 4) if interval else None,
        "high": round(interval.high, 4) if interval else None,
        "yes": rate.yes,
        "counted": rate.asked,
    }


def _rate_in_words(rate: dict[str, Any] | None) -> str:
    if not rate or rate["value"] is None:
        return "–"
    interval = "" if rate["low"] is None else f" ({rate['low']:.1%} – {rate['high']:.1%})"
    return f"{rate['value']:.1%}{interval}, {rate['yes']} / {rate['counted']}"
