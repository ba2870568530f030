"""Projects for people: their steps, two people, who may what, money, photos, and votes that count once."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image
from tests.reading_pages import Page
from tests.server.test_inventory import client_of
from tests.server.test_languages_of_pages import faults_of
from tests.server.test_targets import in_force

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import Conflict, NotAllowed, NotPossible, Unknown
from yiwang.server.cities.queries import runtime
from yiwang.server.common.models import Attempts
from yiwang.server.people.models import User
from yiwang.server.portal.models import Idea
from yiwang.server.projects import acceptance_operations, operations, queries, work_operations
from yiwang.server.projects.models import Acceptance, Project, ProjectEvent, ProjectPhoto, Spending
from yiwang.server.projects.operations import ProjectSaid
from yiwang.server.projects.reading_forms import cents_of

PLACED: dict[str, Any] = {"lon": 120.003, "lat": 31.003}
TODAY = datetime.now(ZoneInfo("Asia/Shanghai")).date()  # where the toy city is
LATER = datetime.now(UTC) + timedelta(days=work_operations.VOTE_DAYS + 1)


@pytest.fixture
def people(mini: str, settings: Any, tmp_path: Path) -> dict[str, Client]:
    """Two who assess the city, one of the unit responsible, one of another unit, and a citizen with an account."""
    settings.YIWANG_HOME = tmp_path
    return {
        "ann": client_of("ann", administrator=("", "")),
        "bob": client_of("bob", administrator=("", "")),
        "works": client_of("works", handler=("CREW-WORKS-1", "")),
        "water": client_of("water", handler=("DEPT-WATER", "")),
        "citizen": client_of("citizen", citizen=("", "")),
        "nobody": Client(headers={"accept-language": "en"}),
    }


def of(name: str) -> User:
    return User.objects.get(username=name)


def said(**other: Any) -> ProjectSaid:
    given = {
        "name": "口袋公园",
        "name_en": "Pocket park",
        "description": "荒地变公园",
        "region": "9001",
        "unit": "DEPT-WORKS",
    }
    return ProjectSaid(**{**given, "year": TODAY.year, **other})


def proposed(by: str = "ann", **other: Any) -> Project:
    return operations.propose(runtime("mini"), said(**other), user=of(by))


def chosen(*, budget: int = 100_000_00, due_on: date = TODAY, **other: Any) -> Project:
    return operations.choose(
        proposed(**other), budget_cents=budget, milestones=[("设计", due_on), ("种树", TODAY)], user=of("bob")
    )


def picture(colour: str = "red") -> SimpleUploadedFile:
    content = io.BytesIO()
    made = Image.new("RGB", (64, 48), colour)
    exif = Image.Exif()
    exif[0x010F] = "Camera of a person"
    made.save(content, "JPEG", exif=exif)
    return SimpleUploadedFile(f"{colour}.jpg", content.getvalue())


def done(**other: Any) -> Project:
    """A project that the unit carried out and reported done."""
    project, works = operations.begin(chosen(**other), user=of("works")), of("works")
    for one in project.milestones.all():
        work_operations.finish_milestone(project, milestone=one.pk, done_on=TODAY, user=works)
    work_operations.add_photos(project, files=[picture("green")], moment="after", user=works)
    return work_operations.report_done(project, user=works)


def vote(project: Project, *votes: bool) -> None:
    for number, good in enumerate(votes):
        acceptance_operations.vote(project, person=f"visitor:{number}", good=good)


def test_a_project_goes_from_proposal_to_acceptance(people: dict[str, Client]) -> None:
    project = done()
    assert (project.key, project.step, project.round) == (f"{TODAY.year}-001", "done", 1)
    with pytest.raises(NotPossible, match="Citizens may vote until"):
        acceptance_operations.close(project, accepted=True, text="", user=of("bob"))
    vote(project, True, True, True, True, False)
    with pytest.raises(NotPossible, match="it is to be accepted"):
        acceptance_operations.close(project, accepted=False, text="no", user=of("bob"), now=LATER)
    ended = acceptance_operations.close(project, accepted=True, text="", user=of("bob"), now=LATER)
    assert ended.step == "accepted"
    with pytest.raises(NotPossible):
        acceptance_operations.close(project, accepted=True, text="", user=of("bob"), now=LATER)
    kinds = [kind for kind in ProjectEvent.objects.values_list("kind", flat=True) if kind != "voted"]
    assert kinds == [
        "proposed", "chosen", "begun", "milestone_done", "milestone_done", "photos_added", "reported_done", "accepted",
    ]  # fmt: skip
    assert ProjectEvent.objects.filter(kind="voted").count() == 5
    assert queries.broken("mini") is None
    ProjectEvent.objects.filter(kind="chosen").update(by="mallory")
    assert queries.broken("mini") == ProjectEvent.objects.get(kind="chosen").pk


def test_what_most_citizens_do_not_like_is_done_again_and_shown_anew(people: dict[str, Client]) -> None:
    project = done()
    vote(project, False, False, False, True, True)
    with pytest.raises(NotPossible, match="it is to be done again"):
        acceptance_operations.close(project, accepted=True, text="fine", user=of("bob"), now=LATER)
    with pytest.raises(BadInput):
        acceptance_operations.close(project, accepted=False, text=" ", user=of("bob"), now=LATER)
    again = acceptance_operations.close(project, accepted=False, text="no benches", user=of("bob"), now=LATER)
    assert (again.step, again.round) == ("reopened", 2)
    with pytest.raises(NotPossible, match="after the work"):
        work_operations.report_done(again, user=of("works"))
    work_operations.add_photos(again, files=[picture("blue")], moment="after", user=of("works"))
    second = work_operations.report_done(again, user=of("works"))
    assert acceptance_operations.votes_of(second).total == 0, "votes of the first round do not count for the second"
    vote(second, True)
    assert Acceptance.objects.filter(person="visitor:0").count() == 2


@pytest.mark.parametrize("votes", [(), (True, True, True, False)])
def test_too_few_votes_decide_nothing_and_somebody_says_why(people: dict[str, Client], votes: tuple[bool, ...]) -> None:
    project = done()
    vote(project, *votes)
    with pytest.raises(BadInput):
        acceptance_operations.close(project, accepted=True, text="", user=of("bob"), now=LATER)
    ended = acceptance_operations.close(project, accepted=True, text="seen on site", user=of("bob"), now=LATER)
    assert (ended.step, ended.decision) == ("accepted", "seen on site")


def test_who_proposed_does_not_decide_and_who_built_does_not_accept(people: dict[str, Client]) -> None:
    made = proposed()
    steps = [("设计", TODAY)]
    with pytest.raises(NotAllowed, match="Who proposed it does not decide"):
        operations.choose(made, budget_cents=1, milestones=steps, user=of("ann"))
    with pytest.raises(NotAllowed, match="Who proposed it does not decide"):
        operations.refuse(made, text="no", user=of("ann"))
    with pytest.raises(NotAllowed, match="those who assess"):
        operations.choose(made, budget_cents=1, milestones=steps, user=of("works"))
    with pytest.raises(NotAllowed):
        operations.propose(runtime("mini"), said(), user=of("citizen"))
    picked = operations.choose(made, budget_cents=1, milestones=steps, user=of("bob"))
    for name in ("water", "citizen"):
        with pytest.raises(NotAllowed):
            operations.begin(picked, user=of(name))
    with pytest.raises(NotAllowed):
        operations.drop(picked, text="no", user=of("ann"))
    ready = operations.begin(picked, user=of("ann"))
    work_operations.finish_milestone(ready, milestone=ready.milestones.get().pk, done_on=TODAY, user=of("ann"))
    work_operations.add_photos(ready, files=[picture()], moment="after", user=of("ann"))
    reported = work_operations.report_done(ready, user=of("ann"))
    with pytest.raises(NotAllowed, match="Who reported it done"):
        acceptance_operations.close(reported, accepted=True, text="ok", user=of("ann"), now=LATER)
    with pytest.raises(NotAllowed):
        acceptance_operations.close(reported, accepted=True, text="ok", user=of("works"), now=LATER)


def test_each_step_has_its_time(people: dict[str, Client]) -> None:
    made, works = proposed(), of("works")
    with pytest.raises(NotPossible):
        operations.begin(made, user=works)
    with pytest.raises(BadInput):
        operations.choose(made, budget_cents=0, milestones=[("x", TODAY)], user=of("bob"))
    with pytest.raises(BadInput):
        operations.choose(made, budget_cents=1, milestones=[], user=of("bob"))
    with pytest.raises(BadInput):
        operations.refuse(made, text="", user=of("bob"))
    assert operations.refuse(made, text="no money", user=of("bob")).step == "refused"
    with pytest.raises(NotPossible):
        operations.refuse(made, text="no", user=of("bob"))
    picked = chosen()
    step = picked.milestones.all()[0]
    with pytest.raises(NotPossible):
        work_operations.finish_milestone(picked, milestone=step.pk, done_on=TODAY, user=works)
    operations.begin(picked, user=works)
    with pytest.raises(BadInput, match="has not come yet"):
        work_operations.finish_milestone(picked, milestone=step.pk, done_on=TODAY + timedelta(days=9), user=works)
    with pytest.raises(Unknown):
        work_operations.finish_milestone(picked, milestone=0, done_on=TODAY, user=works)
    work_operations.finish_milestone(picked, milestone=step.pk, done_on=TODAY, user=works, files=[picture()])
    assert picked.photos.get().milestone_id == step.pk
    with pytest.raises(Conflict):
        work_operations.finish_milestone(picked, milestone=step.pk, done_on=TODAY, user=works)
    with pytest.raises(NotPossible, match="milestones that are not done"):
        work_operations.report_done(picked, user=works)
    with pytest.raises(NotPossible):
        acceptance_operations.vote(picked, person="visitor:1", good=True)
    assert operations.drop(picked, text="land was sold", user=of("bob")).step == "dropped"
    assert operations.drop(proposed("works"), text="wrong", user=works).step == "dropped", "one's own proposal"


def test_a_person_votes_once_and_who_built_it_does_not(people: dict[str, Client]) -> None:
    project = done()
    vote(project, True)
    with pytest.raises(Conflict):
        vote(project, False)
    for name in ("works", "ann"):
        with pytest.raises(NotAllowed):
            acceptance_operations.vote(project, person=f"user:{of(name).pk}", good=True, user=of(name))
    acceptance_operations.vote(project, person="user:1", good=True, user=of("water"))
    with pytest.raises(NotPossible):
        acceptance_operations.vote(project, person="visitor:9", good=True, now=LATER)
    assert acceptance_operations.votes_of(project) == acceptance_operations.Votes(2, 0)
    event = ProjectEvent.objects.filter(kind="voted").first()
    assert event is not None
    assert (event.by, event.said) == ("voter", {"round": 1, "good": True})


@pytest.mark.parametrize(("text", "cents"), [("1,280.50", 128050), ("0.01", 1), ("3", 300), (" 7.1 ", 710)])
def test_money_is_whole_cents(text: str, cents: int) -> None:
    assert cents_of(text, "amount") == cents


@pytest.mark.parametrize("text", ["", "0", "-1", "1.005", "ten", "nan", "inf", "1e30", "9" * 30])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        cents_of(text, "amount")


def test_spending_is_summed_and_cancelled_but_never_changed(people: dict[str, Client]) -> None:
    project, works = chosen(budget=1000_00), people["works"]
    address = f"/mini/projects/{project.key}"
    day = f"{TODAY - timedelta(days=1)}"
    for amount in ("600.5", "500"):
        assert works.post(f"{address}/spend", {"amount": amount, "day": day, "note": "trees"}).status_code == 302
    page = works.get(address).content.decode()
    assert "¥1,100.50" in page or "CN¥1,100.50" in page
    assert "110 %" in page
    assert "Over budget" in page
    spending = Spending.objects.get(cents=500_00)
    assert people["water"].post(f"{address}/cancel-spending", {"spending": spending.pk}).status_code == 403
    works.post(f"{address}/cancel-spending", {"spending": spending.pk})
    spending.refresh_from_db()
    assert (spending.cents, spending.cancelled_by) == (500_00, "works")
    page = people["nobody"].get(address).content.decode()
    assert "Over budget" not in page
    assert "600.50 (60 %)" in page
    assert works.post(f"{address}/cancel-spending", {"spending": spending.pk}).status_code == 409
    refused = works.post(f"{address}/spend", {"amount": "much", "day": day, "note": "trees"})
    assert refused.status_code == 422
    assert 'value="much"' in refused.content.decode(), "what was typed stays"


def test_photos_are_re_encoded_and_follow_the_project(people: dict[str, Client]) -> None:
    made, nobody = proposed(), people["nobody"]
    with pytest.raises(NotPossible):
        work_operations.add_photos(made, files=[picture()], moment="before", user=of("works"))
    operations.choose(made, budget_cents=100, milestones=[("设计", TODAY)], user=of("bob"))
    address = f"/mini/projects/{made.key}"
    works = people["works"]
    works.post(f"{address}/add-photos", {"moment": "before", "photos": [picture("red")]})
    works.post(f"{address}/add-photos", {"moment": "after", "photos": [picture("green"), picture("red")]})
    assert list(ProjectPhoto.objects.values_list("moment", flat=True)) == ["before", "after"], "one is kept once"
    first = ProjectPhoto.objects.all()[0]
    shown = nobody.get(f"{address}/photos/{first.pk}")
    content = b"".join(shown)
    assert b"Camera of a person" not in content
    assert dict(Image.open(io.BytesIO(content)).getexif()) == {}
    assert nobody.get(f"{address}/photos/{first.pk}/small").status_code == 200
    page = nobody.get(address).content.decode()
    assert page.index(f"photos/{first.pk}") < page.index(f"photos/{first.pk + 1}")
    text = SimpleUploadedFile("x.jpg", b"no picture")
    assert works.post(f"{address}/add-photos", {"moment": "after", "photos": [text]}).status_code == 422
    assert works.post(f"{address}/add-photos", {"moment": "later", "photos": [picture()]}).status_code == 422
    assert works.post(f"{address}/remove-photo", {"photo": first.pk, "text": ""}).status_code == 422
    works.post(f"{address}/remove-photo", {"photo": first.pk, "text": "a face"})
    assert nobody.get(f"{address}/photos/{first.pk}").status_code == 404
    assert ProjectEvent.objects.get(kind="photo_removed").said["text"] == "a face"


def test_the_public_sees_what_was_chosen(people: dict[str, Client]) -> None:
    made, nobody = proposed(), people["nobody"]
    address = f"/mini/projects/{made.key}"
    assert nobody.get(address).status_code == 404
    assert "Pocket park" not in nobody.get("/mini/projects").content.decode()
    assert "Pocket park" in people["water"].get("/mini/projects").content.decode()
    operations.choose(
        made, budget_cents=5_00, milestones=[("设计", TODAY - timedelta(days=3)), ("种树", TODAY)], user=of("bob")
    )
    page = nobody.get("/mini/projects").content.decode()
    assert "Pocket park" in page
    assert "1 late" in page
    shown = nobody.get(address).content.decode()
    assert "bob" not in shown, "who did what is for staff"
    assert "bob" in people["water"].get(address).content.decode()
    assert f'href="/mini/targets?year={TODAY.year}"' in page
    assert f'href="/mini/projects?year={TODAY.year}"' in nobody.get("/mini/targets").content.decode()
    assert "No projects in this state" in nobody.get("/mini/projects?step=accepted").content.decode()
    assert "No projects for people" in nobody.get("/mini/projects?year=2001").content.decode()


def test_the_pages_lead_through_it(people: dict[str, Client]) -> None:
    ann, bob, works, nobody = (people[name] for name in ("ann", "bob", "works", "nobody"))
    idea = Idea.objects.create(city="mini", text="多种树\n因为热", author="visitor:x", state="adopted")
    other = Idea.objects.create(city="mini", text="少种树\n因为叶", author="visitor:y", state="declined")
    form = {
        "name": "Trees",
        "description": "d",
        "year": f"{TODAY.year}",
        "region": "9001",
        "unit_words": "Public works",
    }
    form |= {"lon": "120.003", "lat": "31.003", "idea": f"{idea.pk}"}
    assert nobody.post("/mini/projects/new", form).status_code == 302
    assert people["citizen"].post("/mini/projects/new", form).status_code == 403
    page = ann.get("/mini/projects/new").content.decode()
    assert "多种树" in page
    assert "少种树" not in page
    for wrong in ({"idea": f"{other.pk}"}, {"unit_words": "nothing"}, {"lon": "1"}, {"lat": ""}, {"year": "20x6"}):
        assert ann.post("/mini/projects/new", {**form, **wrong}).status_code == 422, wrong
    address = ann.post("/mini/projects/new", form)["Location"]
    assert (Project.objects.get().unit, Project.objects.get().idea) == ("DEPT-WORKS", idea.pk)
    page = ann.get(address).content.decode()
    assert "Somebody else who assesses the city decides." in page
    assert f"/mini/portal/ideas/{idea.pk}" in page
    assert "city-map" in page
    assert ann.post(f"{address}/choose", {"budget": "5", "milestone": "a", "due_on": f"{TODAY}"}).status_code == 403
    refused = bob.post(f"{address}/choose", {"budget": "x", "milestone": ["plant"], "due_on": [f"{TODAY}"]})
    assert refused.status_code == 422
    assert 'value="plant"' in refused.content.decode()
    fields = {"budget": "5000", "milestone": ["plant", ""], "due_on": [f"{TODAY}", ""]}
    assert bob.post(f"{address}/choose", fields).status_code == 302
    assert works.post(f"{address}/begin").status_code == 302
    step = Project.objects.get().milestones.get()
    works.post(f"{address}/milestone", {"milestone": step.pk, "day": f"{TODAY}", "photos": [picture()]})
    works.post(f"{address}/add-photos", {"moment": "after", "photos": [picture("blue")]})
    assert works.post(f"{address}/report-done").status_code == 302
    assert 'name="good"' not in works.get(address).content.decode()
    assert 'name="good"' in nobody.get(address).content.decode()
    assert nobody.post(f"{address}/vote", {"good": "yes", "words": "nice trees, call 13812345678"}).status_code == 302
    page = nobody.get(address).content.decode()
    assert "You have voted" in page
    assert "nice trees" not in page, "words are for staff"
    assert "nice trees" in works.get(address).content.decode()
    assert "13812345678" not in Acceptance.objects.get().words, "nobody needs the number"
    assert nobody.post(f"{address}/vote", {"good": "no"}).status_code == 409
    Project.objects.update(votes_until=TODAY - timedelta(days=2))
    assert "Have it done again" in bob.get(address).content.decode()
    assert bob.post(f"{address}/close", {"accepted": "yes", "text": "well made"}).status_code == 302
    assert "well made" in nobody.get(address).content.decode()
    assert Project.objects.get().step == "accepted"


def test_one_address_does_not_vote_for_a_crowd(people: dict[str, Client]) -> None:
    address = f"/mini/projects/{done().key}/vote"
    codes = [Client().post(address, {"good": "yes"}).status_code for _ in range(6)]
    assert codes == [302] * 5 + [429]
    Attempts.objects.all().delete()
    assert Client().post(address, {"good": "yes"}).status_code == 302
    assert Client(enforce_csrf_checks=True).post(address, {"good": "yes"}).status_code == 403


def test_numbers_go_on_by_year(people: dict[str, Client]) -> None:
    keys = [proposed(year=year).key for year in (2026, 2026, 2027)]
    assert keys == ["2026-001", "2026-002", "2027-001"]
    assert queries.years_of("mini", staff=True) == [2027, 2026]


def test_the_pages_need_few_queries(people: dict[str, Client], django_assert_max_num_queries: Any) -> None:
    projects = [chosen() for _ in range(5)]
    work_operations.spend(projects[0], cents=5, day=TODAY, note="x", user=of("works"))
    nobody = people["nobody"]
    nobody.get("/mini/projects")
    with django_assert_max_num_queries(4):
        nobody.get("/mini/projects")
    for unit in ("90", "9001", "9002"):
        in_force(unit)
    page = nobody.get("/mini/projects?year=2026").content.decode()
    assert "/mini/targets/2026/9001" in page, "the letters of the year stand below its projects"
    with django_assert_max_num_queries(8):
        nobody.get("/mini/projects?year=2026")
    with django_assert_max_num_queries(10):
        nobody.get(f"/mini/projects/{projects[0].key}")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_says_everything_in_one_language(people: dict[str, Client], language: str) -> None:
    """Whatever a project has come to, and whoever reads it; what somebody wrote is marked as such."""
    idea = Idea.objects.create(city="mini", text="多种树\n因为热", author="visitor:x", state="adopted")
    first = proposed(idea=idea.pk, kind="公园", **PLACED)
    rest = [proposed("works"), chosen(budget=5), operations.begin(chosen(), user=of("works")), done()]
    work_operations.spend(rest[1], cents=10, day=TODAY, note="买树", user=of("works"))
    work_operations.add_photos(rest[2], files=[picture("pink")], moment="during", user=of("works"))
    closing = done()
    acceptance_operations.vote(closing, person="visitor:1", good=True, words="好")
    Project.objects.filter(pk=closing.pk).update(votes_until=TODAY - timedelta(days=2))
    addresses = ["", "/new", *(f"/{one.key}" for one in (first, *rest, closing))]
    read = 0
    for client in people.values():
        for address in addresses:
            answer = client.get(f"/mini/projects{address}", headers={"accept-language": language})
            if answer.status_code == 200:
                page, read = Page.read(answer.content.decode()), read + 1
                faults = [(one, text) for text in page.texts if (one := faults_of(text, language, str))]
                assert not faults, address
    assert read > 30
