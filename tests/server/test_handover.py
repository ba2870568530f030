"""The hand-over between shifts: what is open, notes that nobody loses, and a record that stays as it was made."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pypdfium2
import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from yiwang.core.kernel.refusals import Conflict, NotAllowed, NotPossible
from yiwang.server.bulletins import operations
from yiwang.server.bulletins.models import Handover, HandoverDraft, HandoverSignature
from yiwang.server.bulletins.operations import Notes, Writer
from yiwang.server.bulletins.standing import KINDS, standing
from yiwang.server.cases.models import Case
from yiwang.server.cities.queries import runtime

ANNA, BO = Writer(id="user:1", name="Anna"), Writer(id="user:2", name="Bo")
UNIT = "SWEEP-9001"
HOUR = timedelta(hours=1)


@pytest.fixture
def person(mini: str, django_user_model: Any) -> Callable[..., Client]:
    """Somebody at a unit, signed in."""
    from yiwang.server.people.models import RoleAssignment

    def make(name: str, *, role: str = "handler", unit: str = UNIT) -> Client:
        user = django_user_model.objects.create_user(name, password="x" * 12, display_name=name)
        if role:
            RoleAssignment.objects.create(user=user, city=mini, role=role, unit=unit)
        client = Client(headers={"accept-language": "en"})
        client.force_login(user)
        return client

    return make


@pytest.fixture
def cases(report: Any) -> dict[str, str]:
    """A case of each kind at the unit, an ordinary one there, and one elsewhere."""
    now = datetime.now(UTC)
    names = ("overdue", "soon", "pressing", "waiting", "returned", "unclassified", "ordinary", "elsewhere", "closed")
    numbers = {name: str(report(text=f"case {name}")["case"]) for name in names}
    Case.objects.update(holder=UNIT, deadline=now + 50 * HOUR, waits=None, category="02001", priority="")
    changes: dict[str, dict[str, Any]] = {
        "overdue": {"deadline": now - HOUR},
        "soon": {"deadline": now + 6 * HOUR},
        "pressing": {"priority": "urgent"},
        "waiting": {"waits": " extension "},
        "returned": {"rest": '{"returned_from":"handling"}'},
        "unclassified": {"category": ""},
        "elsewhere": {"holder": "SWEEP-9002", "deadline": now - HOUR},
        "closed": {"deadline": now - HOUR, "closed_at": now},
    }
    for name, values in changes.items():
        Case.objects.filter(number=numbers[name]).update(**values)
    return numbers


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def version_of(answer: Any) -> str:
    found = re.search(r'name="version" value="(\d+)"', answer.content.decode())
    assert found
    return found[1]


def test_each_kind_is_found_once_and_nothing_of_others(cases: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    place = runtime("mini")
    priorities = place.rules.workflow.priorities
    found = standing(place=place, unit=UNIT, hours=8, at=datetime.now(UTC))
    listed = {row["number"]: row["kinds"] for row in found.cases}
    expected = {cases[kind]: [kind] for kind in KINDS if kind != "pressing" or "urgent" in list(priorities)[1:]}
    assert listed == expected
    assert found.counts["open"] == 7
    assert all(found.counts[kinds[0]] == 1 for kinds in expected.values())
    assert found.cases[0]["number"] == cases["overdue"]
    later = standing(place=place, unit=UNIT, hours=24, at=datetime.now(UTC) - 20 * HOUR)
    assert later.counts["overdue"] == 0
    # whoever was asked to assist hands that over too, though another unit holds the case
    Case.objects.filter(number=cases["ordinary"]).update(holder="SWEEP-9002", waits=f" @{UNIT} ")
    again = standing(place=place, unit=UNIT, hours=8, at=datetime.now(UTC))
    assert cases["ordinary"] in {row["number"] for row in again.cases}
    assert again.counts["open"] == 6


def test_what_stands_in_words_is_no_return(cases: dict[str, str]) -> None:
    import orjson

    rest = orjson.dumps({"pending": {"reason": 'it said "returned_from":"x"'}}).decode()
    Case.objects.filter(number=cases["ordinary"]).update(rest=rest)
    found = standing(place=runtime("mini"), unit=UNIT, hours=8, at=datetime.now(UTC))
    assert cases["ordinary"] not in {row["number"] for row in found.cases}


# --- two at once ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_of_two_who_save_at_once_neither_loses_a_note() -> None:
    first = operations.save_draft(city="x", unit="u", version=0, typed=Notes(note="a", notes={}), by=ANNA)
    assert (first.version, first.note) == (1, "a")
    with pytest.raises(Conflict):
        operations.save_draft(city="x", unit="u", version=0, typed=Notes(note="b", notes={}), by=BO)
    assert HandoverDraft.objects.get().note == "a"
    both = operations.save_draft(city="x", unit="u", version=1, typed=Notes(note="a b", notes={"N": "c"}), by=BO)
    assert (both.version, both.note, both.notes) == (2, "a b", {"N": "c"})


def test_the_page_shows_both_and_keeps_what_was_typed(cases: dict[str, str], person: Callable[..., Client]) -> None:
    anna, bo, number = person("anna"), person("bo"), cases["overdue"]
    version = version_of(anna.get("/mini/handover"))
    form = {"unit": UNIT, "hours": "8", "version": version, "action": "save"}
    assert anna.post("/mini/handover", form | {"note": "from anna", f"note-{number}": "anna on it"}).status_code == 302
    answer = bo.post("/mini/handover", form | {"note": "from bo", f"note-{number}": "bo on it"})
    assert answer.status_code == 409
    page = answer.content.decode()
    for words in ("from anna", "anna on it", "from bo", 'value="bo on it"', "Somebody else has saved"):
        assert words in page, words
    assert HandoverDraft.objects.get().note == "from anna"
    again = form | {"version": version_of(answer), "note": "from anna, from bo", f"note-{number}": "both"}
    assert bo.post("/mini/handover", again).status_code == 302
    draft = HandoverDraft.objects.get()
    assert (draft.note, draft.notes) == ("from anna, from bo", {number: "both"})


def test_a_second_click_hands_nothing_over_twice(cases: dict[str, str], person: Callable[..., Client]) -> None:
    anna = person("anna")
    form = {"unit": UNIT, "hours": "8", "version": "0", "action": "hand_over", "note": "quiet night"}
    assert anna.post("/mini/handover", form).status_code == 302
    assert anna.post("/mini/handover", form).status_code == 409
    assert Handover.objects.count() == 1


# --- the record -------------------------------------------------------------------------------------------------------


def test_a_shift_hands_over_and_the_next_signs(cases: dict[str, str], person: Callable[..., Client]) -> None:
    anna, bo, number = person("anna"), person("bo"), cases["overdue"]
    closed = cases["closed"]
    form = {
        "unit": UNIT, "hours": "12", "version": "0", "action": "hand_over", "note": "Truck 3 is broken",
        f"note-{number}": "crew is on the way", f"note-{closed}": "closed, but look again", "note-nonsense/..": "x",
    }  # fmt: skip
    anna.post("/mini/handover", form)
    made = Handover.objects.get()
    assert (made.by_name, made.hours, made.unit) == ("anna", 12, UNIT)
    path = f"/mini/handover/{made.pk}"
    Case.objects.filter(number=number).update(deadline=None, category="03001", closed_at=datetime.now(UTC))
    page = text_of(anna.get(path))
    for words in ("Truck 3 is broken", "crew is on the way", "closed, but look again", "Not signed yet", number):
        assert words in page, words
    assert "I have read it" not in page
    assert "Overdue 1" in page
    assert anna.post(f"{path}/sign").status_code == 403
    assert bo.post(f"{path}/sign", {"note": "x" * 5000}).status_code == 422
    assert bo.post(f"{path}/sign", {"note": "seen"}).status_code == 302
    assert "bo" in text_of(anna.get(path))
    third = person("third")
    assert third.post(f"{path}/sign").status_code == 409
    assert HandoverSignature.objects.get().by_name == "bo"
    # the next shift begins with an empty draft, and sees the earlier ones
    after = bo.get("/mini/handover")
    assert "Truck 3" not in after.content.decode()
    assert path in after.content.decode()
    assert version_of(after) == "1"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_record_has_a_paper_that_says_the_same(
    cases: dict[str, str], person: Callable[..., Client], language: str
) -> None:
    anna, bo, number, closed = person("anna"), person("bo"), cases["overdue"], cases["closed"]
    form = {
        "unit": UNIT, "hours": "12", "version": "0", "action": "hand_over", "note": "Truck 3 is broken",
        f"note-{number}": "crew is on the way", f"note-{closed}": "look again",
    }  # fmt: skip
    anna.post("/mini/handover", form)
    path = f"/mini/handover/{Handover.objects.get().pk}"
    assert f"{path}/file.pdf?lang={language}" in anna.get(path).content.decode()
    unsigned, signed = {"zh": ("待签收", "接班人意见"), "en": ("Not signed yet", "Remark of the next shift")}[language]
    paper = words_of_paper(anna.get(f"{path}/file.pdf?lang={language}"))
    listed = [row["number"] for row in Handover.objects.get().snapshot["cases"]]
    assert len(listed) >= 5
    for words in (*listed, closed, "Truck 3 is broken", "crew is on the way", "look again", "anna", unsigned):
        assert squeezed(words) in paper, words
    assert cases["ordinary"] not in paper
    bo.post(f"{path}/sign", {"note": "seen, thanks"})
    paper = words_of_paper(anna.get(f"{path}/file.pdf?lang={language}"))
    for words in ("bo ·", "seen, thanks", signed):
        assert squeezed(words) in paper, words
    assert squeezed(unsigned) not in paper


def words_of_paper(answer: Any) -> str:
    """All the text of a PDF, without spaces: a cell breaks its words anywhere."""
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    return squeezed("".join(page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(answer.content)))


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


@pytest.mark.django_db
def test_nobody_signs_for_themselves_or_twice() -> None:
    made = Handover.objects.create(city="x", unit="u", by="user:1", by_name="Anna", hours=8, snapshot={})
    with pytest.raises(NotAllowed):
        operations.sign(handover=made, by=ANNA, note="")
    operations.sign(handover=made, by=BO, note="")
    with pytest.raises(NotPossible):
        operations.sign(handover=made, by=Writer(id="user:3", name="C"), note="")


@pytest.mark.django_db
def test_the_database_refuses_to_alter_a_record() -> None:
    made = Handover.objects.create(city="x", unit="u", by="user:1", by_name="Anna", hours=8, snapshot={"a": 1})
    operations.sign(handover=made, by=BO, note="")
    for model in (Handover, HandoverSignature):
        with pytest.raises(DatabaseError), transaction.atomic():
            model._default_manager.update(by_name="Mallory")


# --- who, and wrong input ---------------------------------------------------------------------------------------------


def test_it_is_of_the_unit_and_of_those_above(cases: dict[str, str], person: Callable[..., Client]) -> None:
    own, above = person("own"), person("above", role="leader", unit="CTR-90")
    beside, citizen = person("beside", unit="SWEEP-9002"), person("citizen", role="")
    own.post("/mini/handover", {"unit": UNIT, "version": "0", "action": "hand_over", "note": "mine"})
    path = f"/mini/handover/{Handover.objects.get().pk}"
    assert above.get(f"/mini/handover?unit={UNIT}").status_code == 200
    assert "mine" in text_of(above.get(path))
    assert 'name="action"' not in above.get(f"/mini/handover?unit={UNIT}").content.decode()
    assert (
        above.post("/mini/handover", {"unit": UNIT, "version": "1", "action": "save", "note": "x"}).status_code == 404
    )
    assert above.post(f"{path}/sign").status_code == 404
    assert own.get("/mini/handover?unit=CTR-90").status_code == 404
    assert above.get(f"{path}/file.pdf").status_code == 200
    for other in (f"/mini/handover?unit={UNIT}", path, f"{path}/file.pdf"):
        assert beside.get(other).status_code == 404
        assert citizen.get(other).status_code == 403
        assert Client().get(other).status_code == 302
    assert beside.post(f"{path}/sign").status_code == 404
    assert not HandoverSignature.objects.exists()


def test_wrong_input_is_said_and_nothing_is_lost(cases: dict[str, str], person: Callable[..., Client]) -> None:
    anna = person("anna")
    form = {"unit": UNIT, "version": "0", "action": "save"}
    answer = anna.post("/mini/handover", form | {"note": "long " * 1000})
    assert answer.status_code == 422
    assert "long long" in answer.content.decode()
    assert anna.post("/mini/handover", form | {"version": "²", "note": "kept"}).status_code == 409
    assert anna.post("/mini/handover", form | {"note": "a\0b", "note-a\0b": "c"}).status_code == 400
    assert HandoverDraft.objects.filter(version__gt=0).count() == 0
    for path in ("/mini/handover/99999999999999999999999", "/mini/handover/7", "/mini/handover?unit=nowhere"):
        assert anna.get(path).status_code == 404


def test_the_page_takes_few_queries(
    cases: dict[str, str], person: Callable[..., Client], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    anna = person("anna")
    anna.get("/mini/handover")
    with django_assert_max_num_queries(9):
        assert anna.get("/mini/handover").status_code == 200
