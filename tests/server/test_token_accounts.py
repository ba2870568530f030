"""The account of a token is that of its owner, column by column."""

from __future__ import annotations

import pytest

from yiwang.server.people.models import User
from yiwang.server.people.operations import create_person, create_token
from yiwang.server.people.queries import ACCOUNT, user_of_token


@pytest.mark.django_db
def test_a_token_gives_its_account_and_no_more(mini: str) -> None:
    create_person(
        username="ann", password=None, name="安", name_en="Ann", city=mini, roles={"inspector": ("CTR-90", "")}
    )
    found = user_of_token(create_token(user="ann"))
    assert found is not None
    kept = User.objects.get(username="ann")
    assert {name: getattr(found, name) for name in ACCOUNT} == {name: getattr(kept, name) for name in ACCOUNT}
    assert not found.is_superuser
    assert not found.is_staff
