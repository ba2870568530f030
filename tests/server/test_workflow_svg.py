"""The picture of a workflow: drawn from the data, whole, safe, in both languages."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from tests.case_driver import mini, rules_with

from yiwang.server.scrutiny.workflow_svg import workflow_svg

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_step_and_stage_is_drawn_by_name(language: str) -> None:
    workflow = mini()[1].workflow
    root = ElementTree.fromstring(workflow_svg(workflow, language=language))
    texts = {text.text for text in root.iter(f"{SVG}text")}
    names = [step.name for step in workflow.steps.values()] + [stage.name for stage in workflow.stages.values()]
    for name in names:
        assert name.into(language) in texts
    assert root.get("role") == "img"
    assert root.find(f"{SVG}title") is not None
    assert root.find(f"{SVG}desc") is not None


def test_the_step_of_a_case_is_marked_and_a_page_brings_its_own_style() -> None:
    workflow = mini()[1].workflow
    marked = workflow_svg(workflow, highlight_step="handling", standalone=False)
    assert marked.count("step here") == 1
    assert "<style>" not in marked
    assert "step here" not in workflow_svg(workflow)


def test_names_cannot_smuggle_markup_into_a_page() -> None:
    rules = rules_with(
        ('name = "处置中"', 'name = "<script>&</script>"'), ('name = "申请挂账"', 'name = "a&b&c&d&e&f&g&h&i"')
    )
    picture = workflow_svg(rules.workflow)
    assert "<script>" not in picture
    ElementTree.fromstring(picture)  # still well-formed, also where a long list is cut


def test_no_label_lies_outside_the_picture() -> None:
    root = ElementTree.fromstring(workflow_svg(mini()[1].workflow, language="en"))
    width, height = (float(root.attrib[name]) for name in ("width", "height"))
    for text in root.iter(f"{SVG}text"):
        assert 0 <= float(text.attrib["x"]) <= width
        assert 0 <= float(text.attrib["y"]) <= height
