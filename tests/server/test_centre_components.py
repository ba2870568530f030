"""What the command centre's page says of components: the commonest classes, or that there are none."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from django.test import Client

from yiwang.server.assets.models import Component
from yiwang.server.centre.views import CLASSES_COLOURED, component_classes
from yiwang.server.cities.queries import runtime

LAMP = "01002"


def put(city: str, **kinds: int) -> None:
    rows = [(f"{kind}-{n}", kind.removeprefix("k")) for kind, many in kinds.items() for n in range(many)]
    Component.objects.bulk_create(
        Component(city=city, code=code, kind=kind, lon=120.001, lat=31.001, cell=0, region="900101")
        for code, kind in rows
    )


def test_a_city_without_components_has_the_layer_greyed_with_the_reason(mini: str) -> None:
    page = Client().get(f"/{mini}/centre", headers={"Accept-Language": "en"}).content.decode()
    assert 'data-layer="components"' not in page
    assert "No components have been surveyed yet" in page
    assert "components=" not in page


def test_the_commonest_classes_are_named_and_the_others_are_one(mini: str) -> None:
    kinds: dict[str, Any] = {f"k9{n:02}": n + 1 for n in range(CLASSES_COLOURED + 2)}
    put(mini, **kinds, k01002=20)
    found = component_classes(runtime(mini))
    whole = Counter({kind.removeprefix("k"): n for kind, n in kinds.items()} | {LAMP: 20})
    assert [(one["code"], one["n"]) for one in found[:-1]] == whole.most_common(CLASSES_COLOURED)
    name = runtime(mini).pack.components[LAMP].name
    assert found[0]["name"] in {name.zh, name.en}
    assert found[-1]["code"] == ""
    assert sum(one["n"] for one in found) == whole.total()
    page = Client().get(f"/{mini}/centre").content.decode()
    assert 'data-layer="components"' in page
    assert "/tiles/components/{z}/{x}/{y}.mvt" in page


def test_components_of_another_city_are_not_counted(mini: str) -> None:
    put("elsewhere", k01002=3)
    assert component_classes(runtime(mini)) == []


@pytest.mark.parametrize("path", ["report", "portal/report"])
def test_a_report_that_names_no_component_has_an_empty_field(mini: str, path: str) -> None:
    page = Client().get(f"/{mini}/{path}").content.decode()
    assert page.count('name="component"') == 1
    assert '<input type="hidden" name="component" value="">' in page
    assert "<component-choice" in page
    assert " names " not in page.split("<component-choice", 1)[1].split(">", 1)[0], "a stranger is not told names"
