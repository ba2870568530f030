"""Writes of 献计献策: ideas, support, comments, official answers."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from yiwang.core.cases.events import Actor
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.refusals import NotAllowed
from yiwang.core.kernel.text import Text
from yiwang.server.cases.api import no_region
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common import publishing
from yiwang.server.portal.models import Idea, IdeaAnswer, IdeaComment, IdeaSupport
from yiwang.server.portal.operations import offer

LONGEST_TITLE, LONGEST_TEXT, LONGEST_COMMENT = 80, 4000, 1000
MOST_COMMENTS = 500


def _words(name: str, text: str, longest: int) -> str:
    clean = "".join(letter for letter in text if letter in "\n\t" or letter.isprintable()).strip()
    if not clean:
        raise BadInput(Problem(Text("请填写。", "It is empty."), column=name))
    if len(clean) > longest:
        raise BadInput(
            Problem(Text("最多 {longest} 字。", "At most {longest} characters.", longest=longest), column=name)
        )
    return clean


def propose(*, place: CityRuntime, title: str, text: str, region: str, author: str) -> Idea:
    """Propose an idea.

    Raises:
        BadInput: When words are missing or too many, or the region is none.
    """
    title = _words("title", " ".join(title.split()), LONGEST_TITLE)
    text = _words("text", text, LONGEST_TEXT)
    if region and region not in place.regions:
        raise no_region(region)
    with transaction.atomic():
        idea = Idea.objects.create(city=place.info.id, text=f"{title}\n{text}", region=region, author=author)
        offer(place=place, kind=publishing.IDEA, texts={str(idea.pk): idea.text}, always=True)
    return idea


def support(*, idea: Idea, person: str) -> bool:
    """Support an idea, once; whether it counted."""
    try:
        with transaction.atomic():
            IdeaSupport.objects.create(idea=idea, person=person)
            Idea.objects.filter(pk=idea.pk).update(supporters=F("supporters") + 1)
    except IntegrityError:
        return False
    return True


def withdraw(*, idea: Idea, person: str) -> bool:
    """Take one's support back; whether there was any."""
    with transaction.atomic():
        gone, _ = IdeaSupport.objects.filter(idea=idea, person=person).delete()
        if gone:
            Idea.objects.filter(pk=idea.pk).update(supporters=F("supporters") - 1)
    return bool(gone)


def comment(*, place: CityRuntime, idea: Idea, text: str, author: str) -> IdeaComment:
    """Say something about an idea.

    Raises:
        BadInput: When there are no words, or too many, or too many comments.
    """
    text = _words("text", text, LONGEST_COMMENT)
    if idea.comments >= MOST_COMMENTS:
        raise BadInput(
            Problem(
                Text("已有 {most} 条评论，不能再加。", "There are {most} comments already.", most=MOST_COMMENTS),
                column="text",
            )
        )
    with transaction.atomic():
        said = IdeaComment.objects.create(idea=idea, text=text, author=author)
        Idea.objects.filter(pk=idea.pk).update(comments=F("comments") + 1)
        offer(place=place, kind=publishing.COMMENT, texts={str(said.pk): text}, always=True)
    return said


def answering_actor(place: CityRuntime, actors: Sequence[Actor]) -> tuple[Actor, str] | None:
    """The capacity in which somebody may answer ideas, and the role; None when in none."""
    for actor in actors:
        for role in place.pack.portal.answerers:
            if role in actor.roles:
                return actor, role
    return None


def answer(*, place: CityRuntime, idea: Idea, actors: Sequence[Actor], state: str, text: str) -> IdeaAnswer:
    """Answer an idea for one's unit, and move it to a state. The words are needed: nobody is declined without reasons.

    Raises:
        NotAllowed: When none of the person's roles answers ideas, or the unit's region does not hold the idea's.
        BadInput: When words are missing, or the state is none.
    """
    found = answering_actor(place, actors)
    if found is None:
        raise NotAllowed(Text("您的角色不答复建议。", "None of your roles answers ideas."))
    actor, role = found
    if not place.rules.concerns(actor.region, idea.region):
        raise NotAllowed(Text("这条建议不在您负责的区域内。", "The idea lies outside your region."))
    if state not in {Idea.State.REVIEW, Idea.State.ADOPTED, Idea.State.DECLINED}:
        raise BadInput(
            Problem(
                Text("「{state}」不是有效的答复。", "{state!r} is no answer.", state=state),
                Text("应为 review、adopted 或 declined。", "review, adopted or declined."),
                column="state",
            )
        )
    text = _words("text", text, LONGEST_TEXT)
    now = timezone.now()
    with transaction.atomic():
        made = IdeaAnswer.objects.create(
            idea=idea, state=state, text=text, unit=actor.unit, role=role, actor=actor.id, at=now
        )
        Idea.objects.filter(pk=idea.pk).update(state=state, answered_at=now)
        offer(place=place, kind=publishing.ANSWER, texts={str(made.pk): text})
    return made
