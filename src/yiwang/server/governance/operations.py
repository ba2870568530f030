"""Writes changes of rules: draft, submit, approve by another person, take force. No other way leads to the rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from yiwang.core.kernel.refusals import Conflict, NotAllowed, NotPossible, Refusal
from yiwang.core.kernel.text import Text
from yiwang.core.rules.spec import ROW_COLUMN
from yiwang.server.governance import tables
from yiwang.server.governance.models import RuleChange, RuleChangeStep, RuleEdit
from yiwang.server.people.models import AccountChange
from yiwang.server.people.roles import ADMINISTRATOR, APPROVER, posts

State = RuleChange.State
# whoever has made, unlocked or promoted the approver's account so lately could be approving in the approver's name
COOLING = timedelta(days=7)
LOST_AFTER = timedelta(minutes=10)
_TAINTING = ("create", "password", "enable", "give_role")


def begin(
    *, city: str, author: Any, title: str, reason: str, version: int, undoes: RuleChange | None = None
) -> RuleChange:
    """A new, empty draft."""
    _require(author, city, ADMINISTRATOR)
    if not title.strip():
        raise NotPossible(Text("变更须有标题。", "A change needs a title."))
    with transaction.atomic():
        change = RuleChange.objects.create(
            city=city,
            title=title.strip()[:120],
            reason=reason.strip(),
            author=author,
            base_version=version,
            undoes=undoes,
        )
        _step(change, author, "begin", {"version": version})
    return change


def propose_pack(
    *, city: str, author: Any, title: str, reason: str, version: int, folder: str, digest: str
) -> RuleChange:
    """A pack that is to replace the one in force, as a draft that can be submitted."""
    _require(author, city, ADMINISTRATOR)
    with transaction.atomic():
        change = RuleChange.objects.create(
            city=city,
            kind=RuleChange.Kind.PACK,
            title=title.strip()[:120],
            reason=reason.strip(),
            author=author,
            base_version=version,
            folder=folder,
            digest=digest,
        )
        _step(change, author, "begin", {"version": version, "digest": digest})
    return change


def save_rows(
    *,
    change: int,
    user: Any,
    revision: int,
    sheet: tables.Sheet,
    rows: Mapping[str, Mapping[str, str] | None],
) -> int:
    """Write rows of a draft; how many edits it has now. A row that is again as in force is no edit.

    Args:
        change: The draft.
        user: Its author.
        revision: The revision that the author saw.
        sheet: The table as in force.
        rows: Cells by row id; None removes the row. Ids that the table does not have are new rows.
    """
    with transaction.atomic():
        draft = _lock(change)
        _author_only(draft, user, State.DRAFT)
        _same_revision(draft, revision)
        base = sheet.by_id()
        edits = {edit.row: edit for edit in draft.edits.filter(table=sheet.table)}
        touched = 0
        for row_id, cells in rows.items():
            touched += _write_row(draft, sheet, base.get(row_id), edits.get(row_id), row_id, cells)
        if touched:
            draft.revision += 1
            draft.check_result, draft.dry_run = {}, {}
            draft.save(update_fields=["revision", "check_result", "dry_run"])
            _step(draft, user, "edit", {"table": sheet.table, "rows": touched, "revision": draft.revision})
        return draft.edits.count()


def _write_row(
    draft: RuleChange,
    sheet: tables.Sheet,
    base: Mapping[str, str] | None,
    edit: RuleEdit | None,
    row_id: str,
    cells: Mapping[str, str] | None,
) -> int:
    """Write one row; 1 when something changed."""
    before = tables.plain(base, sheet.columns) if base is not None else None
    after = tables.plain({**cells, ROW_COLUMN: row_id}, sheet.columns) if cells is not None else None
    if before == after:
        if edit is None:
            return 0
        edit.delete()
        return 1
    if edit is not None and edit.before == before and edit.after == after:
        return 0
    RuleEdit.objects.update_or_create(
        change=draft, table=sheet.table, row=row_id, defaults={"before": before, "after": after}
    )
    return 1


def rename(*, change: int, user: Any, title: str, reason: str) -> None:
    """Another title or reason for a draft."""
    with transaction.atomic():
        draft = _lock(change)
        _author_only(draft, user, State.DRAFT)
        if not title.strip():
            raise NotPossible(Text("变更须有标题。", "A change needs a title."))
        draft.title, draft.reason = title.strip()[:120], reason.strip()
        draft.save(update_fields=["title", "reason"])


def keep_check(*, change: RuleChange, found: Mapping[str, Any]) -> None:
    """Keep what a check found, unless the draft was edited meanwhile."""
    RuleChange.objects.filter(pk=change.pk, revision=found["revision"]).update(check_result=dict(found))


def keep_dry_run(*, change: RuleChange, found: Mapping[str, Any]) -> None:
    """Keep what a dry run found, unless the draft was edited meanwhile."""
    RuleChange.objects.filter(pk=change.pk, revision=found["revision"]).update(dry_run=dict(found))


def submit(*, change: int, user: Any, revision: int, effective_at: datetime | None, found: Mapping[str, Any]) -> None:
    """The author hands a draft over to be approved.

    Args:
        change: The draft.
        user: Its author.
        revision: The revision that is meant.
        effective_at: When it is to take force; None for at once.
        found: What a full check of this revision found.
    """
    with transaction.atomic():
        draft = _lock(change)
        _author_only(draft, user, State.DRAFT)
        _same_revision(draft, revision)
        if draft.kind == RuleChange.Kind.ROWS and not draft.edits.exists():
            raise NotPossible(Text("草稿里没有改动。", "The draft changes nothing."))
        if not draft.reason.strip():
            raise NotPossible(Text("请写明变更理由。", "Say why: a change needs its reason."))
        if found.get("revision") != draft.revision or not found.get("full") or not found.get("ok"):
            raise NotPossible(Text("检查未通过，不能提交。", "It cannot be submitted: the check finds faults."))
        draft.state, draft.submitted_at, draft.effective_at = State.SUBMITTED, timezone.now(), effective_at
        draft.check_result = dict(found)
        draft.save(update_fields=["state", "submitted_at", "effective_at", "check_result"])
        detail = {"revision": draft.revision, "effective_at": effective_at.isoformat() if effective_at else None}
        _step(draft, user, "submit", detail)


def recall(*, change: int, user: Any) -> None:
    """The author takes a submitted change back into the draft."""
    with transaction.atomic():
        draft = _lock(change)
        _author_only(draft, user, State.SUBMITTED)
        draft.state, draft.submitted_at = State.DRAFT, None
        draft.save(update_fields=["state", "submitted_at"])
        _step(draft, user, "recall", {})


def withdraw(*, change: int, user: Any) -> None:
    """The author gives a change up; also an approved one that has not taken force yet."""
    with transaction.atomic():
        draft = _lock(change)
        _author_only(draft, user, State.DRAFT, State.SUBMITTED, State.APPROVED)
        draft.state = State.WITHDRAWN
        draft.save(update_fields=["state"])
        _step(draft, user, "withdraw", {})


def approve(*, change: int, user: Any, revision: int, note: str = "") -> None:
    """Another person lets a submitted change take force at its time.

    Raises:
        NotAllowed: For the author; for somebody without the post; for an account that the author has lately made, unlocked,
            given a password or a post: the author could be using it.
    """
    with transaction.atomic():
        draft = _lock(change)
        _second_person(draft, user)
        _same_revision(draft, revision)
        draft.state, draft.approver, draft.decided_at, draft.note = State.APPROVED, user, timezone.now(), note.strip()
        draft.save(update_fields=["state", "approver", "decided_at", "note"])
        _step(draft, user, "approve", {"revision": revision, "note": note.strip()})


def refuse(*, change: int, user: Any, revision: int, note: str) -> None:
    """Another person refuses a submitted change, with the reason."""
    if not note.strip():
        raise NotPossible(Text("退回须写明理由。", "Say why it is refused."))
    with transaction.atomic():
        draft = _lock(change)
        _second_person(draft, user)
        _same_revision(draft, revision)
        draft.state, draft.approver, draft.decided_at, draft.note = State.REFUSED, user, timezone.now(), note.strip()
        draft.save(update_fields=["state", "approver", "decided_at", "note"])
        _step(draft, user, "refuse", {"revision": revision, "note": note.strip()})


def revert(*, change: RuleChange, author: Any, version: int, title: str, sheets: Iterable[tables.Sheet]) -> RuleChange:
    """A new draft that takes back the rows of a change in force; it goes the same way as any other."""
    if change.state != State.IN_FORCE or change.kind != RuleChange.Kind.ROWS:
        raise NotPossible(
            Text("只能撤回已生效的规则变更。", "Only a change of rows that is in force can be taken back.")
        )
    with transaction.atomic():
        draft = begin(city=change.city, author=author, title=title, reason="", version=version, undoes=change)
        edits = {table: list(change.edits.filter(table=table)) for table in tables.RULE_TABLES}
        for sheet in sheets:
            rows = {edit.row: edit.before for edit in edits.get(sheet.table, [])}
            if rows:
                save_rows(change=draft.pk, user=author, revision=draft.revision, sheet=sheet, rows=rows)
                draft.refresh_from_db()
    return draft


# --- taking force, by the worker ----------------------------------------------------------------------------------


def claim(*, now: datetime) -> RuleChange | None:
    """An approved change whose time has come, for this worker alone; also one that a killed worker had begun."""
    with transaction.atomic():
        lost = Q(state=State.TAKING, taken_at__lt=now - LOST_AFTER)
        due = Q(state=State.APPROVED) & (Q(effective_at=None) | Q(effective_at__lte=now))
        change = RuleChange.objects.select_for_update().filter(due | lost).order_by("decided_at", "id").first()
        if change is None:
            return None
        change.state, change.taken_at = State.TAKING, now
        change.save(update_fields=["state", "taken_at"])
        return change


def record_in_force(*, change: RuleChange, version: int) -> None:
    """A change is in force as a version."""
    with transaction.atomic():
        row = _lock(change.pk)
        row.state, row.installed_version, row.taken_at = State.IN_FORCE, version, timezone.now()
        row.save(update_fields=["state", "installed_version", "taken_at"])
        _step(row, None, "in_force", {"version": version})


def record_failure(*, change: RuleChange, found: Mapping[str, Any]) -> None:
    """A change could not take force: the rules have changed under it; nothing was installed."""
    with transaction.atomic():
        row = _lock(change.pk)
        row.state, row.check_result = State.FAILED, dict(found)
        row.save(update_fields=["state", "check_result"])
        _step(row, None, "failed", {"problems": found.get("problems", [])[:5]})


# --- who may ------------------------------------------------------------------------------------------------------


def _lock(change: int) -> RuleChange:
    return RuleChange.objects.select_for_update().get(pk=change)


def _require(user: Any, city: str, *needed: str) -> None:
    if not posts(user, city=city) & set(needed):
        raise NotAllowed(Text("您没有这个权限。", "You do not hold the post for this."), role=", ".join(needed))


def _author_only(change: RuleChange, user: Any, *states: str) -> None:
    _require(user, change.city, ADMINISTRATOR)
    if change.author_id != user.pk:
        raise NotAllowed(Text("只有起草人可以这样做。", "Only its author may do this."))
    _in_state(change, *states)


def _in_state(change: RuleChange, *states: str) -> None:
    if change.state not in states:
        raise NotPossible(Text("变更已不在这一步，请刷新。", "The change is no longer at this step; look at it again."))


def _same_revision(change: RuleChange, revision: int) -> None:
    if change.revision != revision:
        raise Conflict(Text("别人先动了，请看现在的样子再做。", "It has been changed since; look at it again."))


def _second_person(change: RuleChange, user: Any) -> None:
    """Whether somebody may decide on a change."""
    if refusal := objection(change, user):
        raise refusal
    _in_state(change, State.SUBMITTED)


def objection(change: RuleChange, user: Any) -> Refusal | None:
    """Why somebody may not decide on a change, whatever its state; None when they may."""
    if not posts(user, city=change.city) & {ADMINISTRATOR, APPROVER}:
        return NotAllowed(
            Text("只有规则审批人或管理员可以审批。", "Only an approver or an administrator may decide."), role=APPROVER
        )
    if change.author_id == user.pk:
        return NotAllowed(Text("起草人不能审批自己的变更。", "Its author may not decide on it: another person must."))
    since = (change.submitted_at or timezone.now()) - COOLING
    tainted = AccountChange.objects.filter(
        actor_id=change.author_id, subject_id=user.pk, action__in=_TAINTING, at__gte=since
    ).filter(~Q(action="give_role") | Q(detail__role__in=[ADMINISTRATOR, APPROVER]))
    if user.must_change_password or tainted.exists():
        return NotAllowed(
            Text(
                "起草人在 {days} 天内新建、启用过您的账号，或设置过您的密码、审批职务，请由另一人审批。",
                "Within {days} days the author has made or enabled your account, or set its password or post; somebody else must decide.",
                days=COOLING.days,
            ),
        )
    return None


def _step(change: RuleChange, user: Any, action: str, detail: dict[str, Any]) -> None:
    RuleChangeStep.objects.create(change=change, user=user, action=action, detail=detail)
