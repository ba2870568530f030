"""Whatever is sent to the API, signed in or not: never a 5xx. Schemathesis makes the calls from the API's own description."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error

EXAMPLES = 25


@pytest.fixture
def described(mini: str, db: None) -> Iterator[Any]:
    """The API as it describes itself, answering from the test's database.

    A request would close the connection, as it is inside the test's transaction. Django's test client prevents that for its own
    calls and then lets it happen again, so it is prevented with each call.
    """
    from yiwang.server.wsgi import application

    signals = (request_started, request_finished)

    def on_the_tests_connection(environ: dict[str, Any], start_response: Any) -> Any:
        for signal in signals:
            signal.disconnect(close_old_connections)
        return application(environ, start_response)

    yield schemathesis.openapi.from_wsgi("/api/v1/openapi.json", on_the_tests_connection)
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.mark.slow
@pytest.mark.parametrize("signed_in", [False, True])
def test_no_call_is_a_server_error(described: Any, signed_in: bool, caller: Any, reported: Any) -> None:
    headers = {"Host": "127.0.0.1"}
    if signed_in:
        headers |= caller("intake", "leader", "dispatcher", "handler", "inspector").headers
    existing = {"city": "mini", "number": reported()["case"], "verb": "note"}
    calls = 0
    for result in described.get_all_operations():
        operation = result.ok()

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @schemathesis_given(operation)
        def call(case: Any) -> None:
            nonlocal calls
            calls += 1
            # every other call is about what exists, so that it gets past the first 404
            if calls % 2 and case.path_parameters:
                case.path_parameters.update(
                    {name: value for name, value in existing.items() if name in case.path_parameters}
                )
            response = case.call(headers=headers)
            case.validate_response(response, checks=[not_a_server_error])

        call()
    assert calls > 100


def schemathesis_given(operation: Any) -> Callable[[Callable[[Any], None]], Callable[[], None]]:
    """Hypothesis' ``given`` over the calls of one operation."""
    from hypothesis import given

    decorator: Callable[[Callable[[Any], None]], Callable[[], None]] = given(case=operation.as_strategy())
    return decorator
