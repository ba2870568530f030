"""The number on a receipt stands for its case wherever a case's number is typed, in any letter case."""

from __future__ import annotations

from typing import Any

import pytest
from tests.narrowing import present
from tests.server.citizens import Citizen

from yiwang.server.cases.models import Case, Report
from yiwang.server.cases.reading import queries
from yiwang.server.cases.writing import joining
from yiwang.server.cases.writing.drafts import ReportDraft
from yiwang.server.portal.queries import by_secret

pytestmark = pytest.mark.django_db


def test_the_api_gives_the_case_of_a_receipt(report: Any, client: Any) -> None:
    said = report()
    assert said["number"] != said["case"]
    for typed in (said["case"], said["number"], said["number"].lower(), said["case"].lower()):
        answer = client.get(f"/api/v1/cases/{typed}")
        assert answer.status_code == 200, typed
        assert answer.json()["number"] == said["case"]
    assert client.get("/api/v1/cases/mnr1").status_code == 404
    assert client.get(f"/mini/cases/{said['number']}")["Location"] == f"/mini/cases/{said['case']}"


def test_a_case_is_merged_into_the_case_of_a_receipt(report: Any, act: Any, actor: Any) -> None:
    main, other = report(), report()
    act(other["case"], "merge", actor("leader"), into=main["number"].lower())
    assert Case.objects.get(number=other["case"]).merged_into == main["case"]
    assert present(queries.get_case(city="mini", number=main["case"])).state.duplicates == (other["case"],)


def test_a_report_joins_the_case_of_a_receipt(report: Any, actor: Any) -> None:
    main = report()
    said = joining.join(
        city="mini", number=f" {main['number'].lower()} ", draft=ReportDraft(text="也看到了"), actor=actor("intake")
    )
    assert said["case"] == main["case"]
    assert Report.objects.filter(case__number=main["case"]).count() == 2


def test_the_follow_page_takes_either_number_in_any_letter_case(citizen: Citizen) -> None:
    number, link = citizen.link(key="r")
    secret = link.rsplit("/", 1)[1]
    receipt = Report.objects.get(case__number=number).number
    for typed in (number, receipt, number.lower(), receipt.lower()):
        found = by_secret(city="mini", number=typed, secret=secret)
        assert found is not None, typed
        assert found.number == number
