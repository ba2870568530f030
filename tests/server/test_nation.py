"""Several cities in one table: what each publishes, and whether it can be compared."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from django.test import Client
from tests.server.test_scores import MONDAY, lived, scored

from yiwang.server.cities.queries import runtime
from yiwang.server.provision.operations import install_pack
from yiwang.server.scores import queries

__all__ = ["lived", "scored"]
MINI = Path(__file__).resolve().parents[1] / "packs" / "fixtures" / "mini"
MONTH = f"{MONDAY:%Y-%m}"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def another(scored: str, tmp_path: Path) -> Callable[..., str]:
    """A second city, of the same pack but for some words."""

    def installed(city: str, *changes: tuple[str, str]) -> str:
        folder = Path(copytree(MINI, tmp_path / city))
        info = folder / "pack.toml"
        words = info.read_text(encoding="utf-8").replace('id = "mini"', f'id = "{city}"', 1).replace('"MN', '"OT')
        info.write_text(words, encoding="utf-8")
        file = folder / "indicators.toml"
        text = file.read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        file.write_text(text, encoding="utf-8")
        install_pack(folder)
        return city

    return installed


def shown(client: Client, **query: str) -> Any:
    answer = client.get("/nation", query, headers={"accept-language": "en"})
    assert answer.status_code == 200
    return answer


def test_each_city_stands_there_with_what_it_publishes(scored: str, client: Client, another: Any) -> None:
    another("quiet", ("public = true", "public = false"))
    answer = shown(client, month=MONTH)
    heads = [head["id"] for head in answer.context["heads"]]
    assert heads == [one.id for one in runtime("mini").pack.indicators.indicators if one.public]
    mini, other = answer.context["rows"]
    card = queries.scorecard(place=runtime("mini"), by=("city", "month"), indicators=("closing_on_time",))
    value = next(row.cells["closing_on_time"].value for row in card.rows if row.keys["month"] == MONTH)
    assert mini["cells"][heads.index("closing_on_time")]["figure"] == f"{value:.1f}%"
    assert {cell["figure"] for cell in other["cells"]} == {""}
    assert other["cells"][0]["why"] == "not published"
    assert other["cells"][heads.index("closing_on_time")]["why"] == "no data"
    assert client.get(mini["cells"][heads.index("closing_on_time")]["url"]).status_code == 200


def test_what_is_counted_in_different_ways_is_marked(scored: str, client: Client, another: Any) -> None:
    another(
        "other",
        ("numerator = \"end_kind == 'closed' and not late and should_close\"", "numerator = \"end_kind == 'closed'\""),
    )
    marks = {head["id"]: head["differs"] for head in shown(client).context["heads"]}
    assert marks["closing_on_time"]
    assert not marks["intake"]


def test_without_a_month_each_city_has_its_latest(scored: str, client: Client) -> None:
    row = shown(client).context["rows"][0]
    store = queries.complete_store(runtime("mini"))
    assert store is not None
    assert row["month"] == max(store.months)
    assert shown(client, month="1999-01").context["rows"][0]["cells"][0]["why"] == "no data"
    assert client.get("/nation?month=soon").status_code == 404
    assert 'href="/nation"' in client.get("/").content.decode()
