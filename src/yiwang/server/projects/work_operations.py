"""Work on a project: milestones, money and photos, entered by the unit responsible and by who assesses the city."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import transaction

from yiwang.core.kernel.refusals import Conflict, NotPossible, Unknown
from yiwang.core.kernel.text import Text
from yiwang.server.cities.queries import runtime
from yiwang.server.common import photos as pictures
from yiwang.server.people.models import User
from yiwang.server.projects.access import check_works_on
from yiwang.server.projects.models import Milestone, Project, ProjectPhoto, Spending
from yiwang.server.projects.operations import WORKED_ON, Step, locked, tell, today_in
from yiwang.server.projects.reading_forms import MOST_CENTS, words_of, wrong

MOST_PHOTOS = 40
VOTE_DAYS = 15  # days for votes after the day on which it was reported done
Moment = ProjectPhoto.Moment
KEPT = (Step.CHOSEN, *WORKED_ON, Step.DONE)  # while money and photos may be entered


def finish_milestone(
    project: Project,
    *,
    milestone: int,
    done_on: date,
    user: User,
    note: str = "",
    files: Sequence[Any] = (),
    now: datetime | None = None,
) -> Milestone:
    """A milestone is done, with photos of it or without.

    Raises:
        BadInput: When the day has not come, the note is too long, or a photo cannot be taken.
        Conflict: When it was done already.
        NotAllowed: When the person does not keep the project.
        NotPossible: When the project is not under way.
        Unknown: When it has no such milestone.
    """
    place = runtime(project.city)
    check_works_on(user, project, place=place)
    words = words_of(note, "note", most=300, needed=False)
    if done_on > today_in(place, now):
        raise wrong("day", Text("{day} 还没有到。", "{day} has not come yet.", day=f"{done_on}"))
    kept = pictures.keep(files) if files else []  # slow, so before anything is locked
    with transaction.atomic():
        held = locked(project)
        if held.step not in WORKED_ON:
            raise NotPossible(Text("项目不在实施中。", "The project is not under way."))
        found = held.milestones.filter(pk=milestone).first()
        if found is None:
            raise Unknown(Text("没有这个节点。", "There is no such milestone."))
        if found.done_on is not None:
            raise Conflict(Text("这个节点已经完成。", "This milestone is done already."))
        found.done_on, found.note = done_on, words
        found.save()
        told = {"name": found.name, "due_on": f"{found.due_on}", "done_on": f"{done_on}", "note": words}
        tell(held, "milestone_done", told, by=user.username)
        if kept:
            _take(held, kept, moment=Moment.DURING, milestone=found, by=user.username)
    return found


def add_photos(project: Project, *, files: Sequence[Any], moment: str, user: User) -> list[ProjectPhoto]:
    """Add photos, re-encoded as those of cases are. One that the project has already is not added again.

    Returns:
        Those that were added.

    Raises:
        BadInput: When there is none, one cannot be taken, or there would be too many.
        NotAllowed: When the person does not keep the project.
        NotPossible: When it is not chosen yet, or has ended.
    """
    check_works_on(user, project, place=runtime(project.city))
    if moment not in Moment.values:
        raise wrong("moment", Text("请选择实施前、中或后。", "Choose before, during or after."))
    if not files:
        raise wrong("photos", Text("请选择照片。", "Choose a photo."))
    kept = pictures.keep(files)
    with transaction.atomic():
        held = locked(project)
        _check_kept(held)
        return _take(held, kept, moment=moment, milestone=None, by=user.username)


def remove_photo(project: Project, *, photo: int, text: str, user: User) -> None:
    """Take a photo off the project's pages, with reasons. The file stays: a case may have the same.

    Raises:
        BadInput: Without reasons.
        NotAllowed: When the person does not keep the project.
        Unknown: When it has no such photo.
    """
    check_works_on(user, project, place=runtime(project.city))
    words = words_of(text, "text", most=300)
    with transaction.atomic():
        held = locked(project)
        found = held.photos.filter(pk=photo).first()
        if found is None:
            raise Unknown(Text("这张照片已不在了。", "This photo is not there any more."))
        found.delete()
        told = {"photo": found.digest, "moment": found.moment, "text": words}
        tell(held, "photo_removed", told, by=user.username)


def spend(project: Project, *, cents: int, day: date, note: str, user: User, now: datetime | None = None) -> Spending:
    """Enter money that was spent. More than the budget can be entered; the pages then say that it is exceeded.

    Raises:
        BadInput: When it is no amount, the day has not come, or nobody says for what.
        NotAllowed: When the person does not keep the project.
        NotPossible: When it is not chosen yet, or has ended.
    """
    place = runtime(project.city)
    check_works_on(user, project, place=place)
    if not 0 < cents <= MOST_CENTS:
        raise wrong("amount", Text("请填写金额。", "Give the amount."))
    if day > today_in(place, now):
        raise wrong("day", Text("{day} 还没有到。", "{day} has not come yet.", day=f"{day}"))
    words = words_of(note, "note", most=300)
    with transaction.atomic():
        held = locked(project)
        _check_kept(held)
        made = Spending.objects.create(project=held, cents=cents, day=day, note=words, by=user.username[:150])
        told = {"spending": made.pk, "cents": cents, "day": f"{day}", "note": words}
        tell(held, "spent", told, by=user.username)
    return made


def cancel_spending(project: Project, *, spending: int, user: User, now: datetime | None = None) -> None:
    """Cancel an entry. It stays to be read, and counts no more.

    Raises:
        Conflict: When it is cancelled already.
        NotAllowed: When the person does not keep the project.
        NotPossible: When the project has ended.
        Unknown: When there is no such entry.
    """
    check_works_on(user, project, place=runtime(project.city))
    with transaction.atomic():
        held = locked(project)
        _check_kept(held)
        found = held.spendings.filter(pk=spending).first()
        if found is None:
            raise Unknown(Text("没有这笔支出。", "There is no such spending."))
        if found.cancelled_at is not None:
            raise Conflict(Text("这笔支出已作废。", "This spending is cancelled already."))
        found.cancelled_at, found.cancelled_by = now or datetime.now(UTC), user.username[:150]
        found.save()
        tell(held, "spending_cancelled", {"spending": found.pk, "cents": found.cents}, by=user.username)


def report_done(project: Project, *, user: User, now: datetime | None = None) -> Project:
    """Report a project done: from now on citizens vote, for `VOTE_DAYS` days after today.

    Raises:
        NotAllowed: When the person does not keep the project.
        NotPossible: When it is not under way, a milestone is not done, or no photo shows it afterwards.
    """
    place = runtime(project.city)
    check_works_on(user, project, place=place)
    moment = now or datetime.now(UTC)
    with transaction.atomic():
        held = locked(project)
        if held.step not in WORKED_ON:
            raise NotPossible(Text("项目不在实施中。", "The project is not under way."))
        if held.milestones.filter(done_on=None).exists():
            raise NotPossible(Text("还有节点没有完成。", "There are milestones that are not done."))
        if not held.photos.filter(moment=Moment.AFTER, round=held.round).exists():
            raise NotPossible(
                Text("请先上传本次完工后的照片。", "Add a photo of how it is now, after the work, first.")
            )
        held.step, held.reported_by, held.reported_at = Step.DONE, user.username[:150], moment
        held.votes_until = today_in(place, moment) + timedelta(days=VOTE_DAYS)
        held.save()
        tell(held, "reported_done", {"round": held.round, "votes_until": f"{held.votes_until}"}, by=user.username)
    return held


def _check_kept(project: Project) -> None:
    if project.step not in KEPT:
        raise NotPossible(Text("项目未立项或已结束。", "The project is not chosen, or it has ended."))


def _take(
    project: Project, kept: Sequence[pictures.StoredPhoto], *, moment: str, milestone: Milestone | None, by: str
) -> list[ProjectPhoto]:
    has = set(project.photos.values_list("digest", flat=True))
    new = list({photo.digest: photo for photo in kept if photo.digest not in has}.values())
    if len(has) + len(new) > MOST_PHOTOS:
        raise wrong(
            "photos",
            Text("一个项目最多 {most} 张照片。", "A project has at most {most} photos.", most=MOST_PHOTOS),
        )
    zone = runtime(project.city).info.zone
    rows = ProjectPhoto.objects.bulk_create(
        ProjectPhoto(
            project=project,
            milestone=milestone,
            moment=moment,
            round=project.round,
            path=photo.path,
            digest=photo.digest,
            width=photo.width,
            height=photo.height,
            taken_at=pictures.in_zone(photo.taken_at, zone),
            by=by[:150],
        )
        for photo in new
    )
    if rows:
        tell(project, "photos_added", {"photos": [photo.digest for photo in new], "moment": moment}, by=by)
    return rows
