"""Citizens say whether a project that was reported done is good; then somebody who assesses the city accepts or reopens it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count

from yiwang.core.kernel.refusals import Conflict, NotAllowed, NotPossible
from yiwang.core.kernel.text import Text
from yiwang.server.cities.queries import runtime
from yiwang.server.common.masking import mask
from yiwang.server.people.models import User
from yiwang.server.projects.access import check_assesses, may_vote, of_its_unit
from yiwang.server.projects.models import Acceptance, Project
from yiwang.server.projects.operations import Step, locked, tell, today_in
from yiwang.server.projects.reading_forms import words_of

ENOUGH_VOTES = 5  # fewer decide nothing
VOTER = "voter"  # as the history says of whoever voted


@dataclass(frozen=True, slots=True)
class Votes:
    """How citizens voted on a project in a round."""

    good: int
    bad: int

    @property
    def total(self) -> int:
        return self.good + self.bad

    @property
    def enough(self) -> bool:
        """Whether the votes decide."""
        return self.total >= ENOUGH_VOTES

    @property
    def accepts(self) -> bool:
        """Whether more than half of enough votes are good."""
        return self.enough and self.good > self.bad


def votes_of(project: Project) -> Votes:
    """The votes of the present round."""
    given = project.votes.filter(round=project.round).order_by().values_list("good").annotate(count=Count("pk"))
    found: dict[bool, int] = dict(given)
    return Votes(found.get(True, 0), found.get(False, 0))


def is_open(project: Project, *, now: datetime | None = None) -> bool:
    """Whether citizens may vote now."""
    if project.step != Step.DONE or project.votes_until is None:
        return False
    return today_in(runtime(project.city), now) <= project.votes_until


def vote(
    project: Project, *, person: str, good: bool, words: str = "", user: Any = None, now: datetime | None = None
) -> Acceptance:
    """A citizen's vote, one a person and round.

    Args:
        person: ``user:7`` or ``visitor:…``.
        user: The account, if it is one.

    Raises:
        BadInput: With too many words.
        Conflict: When this person has voted.
        NotAllowed: For those who built it or decide on it.
        NotPossible: When it is not reported done, or the days for votes are over.
    """
    if not may_vote(user, project, place=runtime(project.city)):
        raise NotAllowed(
            Text("承办和考评人员不参加群众评议。", "Those who carry it out or decide on it do not vote as citizens.")
        )
    said = mask(words_of(words, "words", most=500, needed=False))[:500]
    try:
        with transaction.atomic():
            held = locked(project)
            if not is_open(held, now=now):
                raise NotPossible(Text("现在不是评议期。", "There is no vote on it now."))
            made = Acceptance.objects.create(project=held, round=held.round, person=person, good=good, words=said)
            tell(held, "voted", {"round": held.round, "good": good}, by=VOTER)
    except IntegrityError:
        raise Conflict(Text("您已经评议过了。", "You have voted already.")) from None
    return made


def close(project: Project, *, accepted: bool, text: str, user: User, now: datetime | None = None) -> Project:
    """Accept a project, or have it done again, once the days for votes are over.

    Enough votes decide, and who closes only records it. With fewer, who closes decides and says why.

    Raises:
        BadInput: Without reasons where they are needed: too few votes, or work that is to be done again.
        NotAllowed: When the person does not assess the city, reported it done, or belongs to the unit responsible.
        NotPossible: When it is not reported done, votes may still come, or enough votes say otherwise.
    """
    place = runtime(project.city)
    moment = now or datetime.now(UTC)
    check_assesses(user, place=place)
    with transaction.atomic():
        held = locked(project)
        if held.step != Step.DONE:
            raise NotPossible(Text("没有待验收的内容。", "There is nothing to accept."))
        if user.username == held.reported_by or of_its_unit(user, held, place=place):
            raise NotAllowed(
                Text(
                    "报完工的人和责任单位的人员不能验收。",
                    "Who reported it done, and people of the unit responsible, do not accept it.",
                )
            )
        if is_open(held, now=moment):
            raise NotPossible(Text("群众评议到 {day}。", "Citizens may vote until {day}.", day=f"{held.votes_until}"))
        votes = votes_of(held)
        if votes.enough and accepted != votes.accepts:
            raise NotPossible(
                Text("群众评议多数满意，应予验收。", "Most citizens find it good: it is to be accepted.")
                if votes.accepts
                else Text("群众评议满意未过半，应予整改。", "Not more than half find it good: it is to be done again.")
            )
        words = words_of(text, "text", needed=not (accepted and votes.enough))
        kind = "accepted" if accepted else "reopened"
        held.step = Step.ACCEPTED if accepted else Step.REOPENED
        held.decision, held.decided_by, held.decided_at = words, user.username[:150], moment
        told = {"round": held.round, "good": votes.good, "bad": votes.bad, "text": words}
        if not accepted:
            held.round += 1
        held.save()
        tell(held, kind, told, by=user.username)
    return held
