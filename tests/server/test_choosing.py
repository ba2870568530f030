"""Units, regions, categories and filing conditions are chosen by words; a form without scripts sends the words themselves."""

from __future__ import annotations

import pytest
from django.test import Client

from yiwang.core.kernel.errors import BadInput
from yiwang.server.cities.choosing import choices, chosen
from yiwang.server.cities.queries import runtime

ENGLISH = {"accept-language": "en"}


def _options(client: Client, kind: str, **asked: str) -> str:
    answer = client.get(f"/mini/choose/{kind}", asked)
    assert answer.status_code == 200
    return answer.content.decode()


def test_options_come_best_first_with_code_and_context(mini: str, client: Client) -> None:
    place = runtime(mini)
    region = next(region for region in place.regions if len(place.regions.chain(region.code)) == 3)
    html = _options(client, "regions", q=region.name.zh)
    assert html.index("data-code") == html.index(f'data-code="{region.code}"') or region.name.zh in html
    above = place.regions.chain(region.code)[1].name.zh
    assert f"<small>{above}" in html


def test_every_kind_answers_without_words(mini: str, client: Client) -> None:
    for kind in ("units", "regions", "categories"):
        assert 'role="option"' in _options(client, kind)
    assert client.get("/mini/choose/people").status_code == 404
    assert client.get("/nowhere/choose/units").status_code == 404


def test_what_matches_nothing_says_how_to_search(mini: str, client: Client) -> None:
    html = _options(client, "units", q="没有这样的单位")
    assert 'role="option"' not in html
    assert "拼音" in html


def test_conditions_name_their_limit_and_the_day(mini: str, client: Client) -> None:
    place = runtime(mini)
    category, condition = next(iter(place.pack.conditions))
    html = _options(client, "conditions", category=category, region="900101")
    assert f'data-code="{condition}"' in html
    assert "到期" in html
    assert 'role="option"' not in _options(client, "conditions", category="no-such")


@pytest.mark.parametrize("hostile", ["<script>", "%", "'" * 300, "９" * 100])
def test_hostile_words(mini: str, client: Client, hostile: str) -> None:
    assert "<script>" not in _options(client, "regions", q=hostile)


def test_a_form_without_scripts_sends_words(mini: str) -> None:
    place = runtime(mini)
    unit = next(iter(place.rules.units))
    assert chosen(place, {"unit_words": unit.name.zh}, "unit") == unit.code
    assert chosen(place, {"unit_words": f" {unit.code} "}, "unit") == unit.code
    assert chosen(place, {"unit": "X", "unit_words": unit.name.zh}, "unit") == "X", "what was chosen goes before words"
    assert chosen(place, {}, "unit") == ""


def test_words_that_mean_nothing_name_what_comes_near(mini: str) -> None:
    place = runtime(mini)
    unit = next(iter(place.rules.units))
    with pytest.raises(BadInput) as raised:
        chosen(place, {"unit_words": unit.name.zh[:2]}, "unit")
    (problem,) = raised.value.problems
    assert problem.column == "unit"
    assert unit.code in str(problem.hint)
    assert problem.message.zh != problem.message.en


def test_a_list_narrowed_by_words(mini: str, client: Client) -> None:
    """The list's address without a script: words instead of codes, and a word that means nothing is said on the page."""
    name = runtime(mini).categories["02001"].name.zh
    page = client.get("/mini/cases", {"category_words": name})
    assert page.status_code == 200
    assert 'name="category" value="02001"' in page.content.decode()
    wrong = client.get("/mini/cases", {"region_words": "火星"}).content.decode()
    assert "火星" in wrong
    assert 'role="alert"' in wrong


def test_names_of_another_version_are_not_kept(mini: str) -> None:
    place = runtime(mini)
    assert choices(place, "units") is choices(place, "units")


def test_the_style_guide(mini: str, client: Client) -> None:
    for language in ({}, ENGLISH):
        page = client.get("/mini/styleguide", headers=language)
        assert page.status_code == 200
        assert "combo-box" in page.content.decode()
