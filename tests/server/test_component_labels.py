"""A label is scanned, and the report knows what it is about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2
import pytest
import zxingcpp
from django.test import Client
from django.utils import translation

from yiwang.server.assets.api import Component
from yiwang.server.assets.labels import label_sheet, report_address
from yiwang.server.assets.rows import cell_of
from yiwang.server.cases.models import Case
from yiwang.server.cities.queries import runtime

pytestmark = pytest.mark.django_db


@pytest.fixture
def lamp(mini: str) -> Component:
    return Component.objects.create(
        city=mini, code="01002-000007", kind="01002", name="东门路灯 7", lon=120.003, lat=31.003,
        cell=int(cell_of(120.003, 31.003)), region="900101",
    )  # fmt: skip


def read_codes(picture: Any) -> list[str]:
    return [found.text for found in zxingcpp.read_barcodes(np.array(picture))]


@pytest.mark.parametrize(("language", "words"), [("zh-hans", "扫码上报问题"), ("en", "Scan to report a problem")])
def test_a_sheet_has_a_label_for_each(lamp: Component, language: str, words: str) -> None:
    with translation.override(language):
        content = label_sheet([lamp] * 25, place=runtime("mini"), address="https://city.example/")
    pages = pypdfium2.PdfDocument(content)
    texts = [page.get_textpage().get_text_range() for page in pages]
    assert [text.count(lamp.code) for text in texts] == [24, 1]
    assert words in texts[1]
    assert "东门路灯 7" in texts[1]


def test_the_code_is_the_address_of_a_report(lamp: Component) -> None:
    content = label_sheet([lamp], place=runtime("mini"), address="https://city.example")
    picture = pypdfium2.PdfDocument(content)[0].render(scale=4).to_pil().convert("L")
    assert read_codes(picture) == ["https://city.example/mini/portal/report?component=01002-000007"]


def test_a_report_begun_at_a_component_is_located_and_classed(lamp: Component, client: Client) -> None:
    address = report_address(lamp, address="")
    page = client.get(address)
    assert page.status_code == 200
    assert "东门路灯 7" in page.content.decode()
    said = page.context["said"]
    assert (said.lon, said.lat, said.category) == (120.003, 31.003, "01002")
    sent = client.post(
        "/mini/portal/report",
        {
            "key": page.context["key"], "text": "灯不亮", "lon": "120.003", "lat": "31.003", "category": said.category,
            "component": said.component, "seen": "1",
        },
    )  # fmt: skip
    assert sent.status_code == 201
    case = Case.objects.get()
    assert (case.component, case.category, case.region) == (lamp.code, "01002", "900101")


def test_a_component_that_is_not_there_is_said(lamp: Component, client: Client) -> None:
    page = client.get("/mini/portal/report?component=01002-000009", headers={"accept-language": "en"})
    assert page.status_code == 404
    assert "no component &#x27;01002-000009&#x27;" in page.content.decode()
    sent = client.post(
        "/mini/portal/report", {"key": "k", "text": "灯不亮", "lon": "120.003", "lat": "31.003", "component": "x"}
    )
    assert sent.status_code == 404
    assert not Case.objects.exists()


def test_labels_from_the_command_line(lamp: Component, tmp_path: Path, run: Any) -> None:
    out = tmp_path / "labels.pdf"
    assert run("assets", "labels", "mini", out, "--address", "https://city.example").exit_code == 0
    assert len(pypdfium2.PdfDocument(out)) == 1
    empty = run("assets", "labels", "mini", out, "--address", "https://city.example", "--class", "01001")
    assert empty.exit_code == 1
    assert "no such components" in empty.stderr
