"""The picture of what went on: moves and remarks in the place of verbs."""

from __future__ import annotations

from xml.etree import ElementTree

from tests.case_driver import mini

from yiwang.server.scrutiny.workflow_svg import Traffic, workflow_svg

SVG = "{http://www.w3.org/2000/svg}"


def test_moves_remarks_and_links_are_drawn_and_verbs_are_not() -> None:
    workflow = mini()[1].workflow
    traffic = Traffic(
        moves={("filed", "dispatched"): "12", ("dispatched", "filed"): "<3>"},
        widths={("filed", "dispatched"): 5},
        remarks={"filed": "12 · 1 h"},
        heat={"filed": 4},
        links={"filed": "/flow?a=1&b=2"},
    )
    root = ElementTree.fromstring(workflow_svg(workflow, language="en", traffic=traffic))
    texts = {text.text for text in root.iter(f"{SVG}text")}
    assert {"12", "<3>", "12 · 1 h"} <= texts
    assert workflow.verbs["finish"].name.en not in texts
    assert [link.get("href") for link in root.iter(f"{SVG}a")] == ["/flow?a=1&b=2"]
    assert root.get("role") == "group"  # an image with links in it would hide them
    kinds = [str(box.get("class")).split() for box in root.iter(f"{SVG}rect")]
    assert sum("heat4" in kind for kind in kinds) == 1
    assert sum("pale" in kind for kind in kinds) == len(workflow.steps) - 1
    assert sum("w5" in str(path.get("class")).split() for path in root.iter(f"{SVG}path")) == 1
