"""Pages about rules: what is in force and was, and changes on their way: grid, check, explain, dry run, two people."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from yiwang.core.cases.fields import DECIDING
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import NotPossible, Refusal
from yiwang.core.kernel.text import Text
from yiwang.core.rules.spec import ROW_COLUMN
from yiwang.server.cases.api import Case
from yiwang.server.cities import queries as places
from yiwang.server.cities.choices import category_choices, region_choices
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say, say_or
from yiwang.server.common.models import Job
from yiwang.server.common.moments import read_moment
from yiwang.server.common.operations import ask_job
from yiwang.server.common.refusing import sentences
from yiwang.server.governance import checking, operations, packs, queries, tables
from yiwang.server.governance.access import context, governing, signed_in
from yiwang.server.governance.models import RuleChange
from yiwang.server.people.roles import ADMINISTRATOR

PAGE_SIZE = 40
AT_ONCE = 20_000  # a dry run of so many cases is done while one waits
TABLES = {"triage": Text("受理分流", "Triage"), "routing": Text("派遣", "Routing"), "limits": Text("时限", "Limits")}
STATES = {
    "draft": (Text("草稿", "Draft"), ""),
    "submitted": (Text("待审批", "Awaits approval"), "yellow"),
    "approved": (Text("已批准，待生效", "Approved, not yet in force"), "yellow"),
    "taking": (Text("正在生效", "Taking force"), "yellow"),
    "in_force": (Text("已生效", "In force"), "green"),
    "refused": (Text("已退回", "Refused"), "red"),
    "withdrawn": (Text("已撤销", "Withdrawn"), ""),
    "failed": (Text("未能生效", "Could not take force"), "red"),
}
STEPS = {
    "begin": Text("起草", "begun"),
    "edit": Text("修改", "edited"),
    "submit": Text("提交", "submitted"),
    "recall": Text("收回修改", "taken back"),
    "withdraw": Text("撤销", "withdrawn"),
    "approve": Text("批准", "approved"),
    "refuse": Text("退回", "refused"),
    "in_force": Text("生效", "took force"),
    "failed": Text("未能生效", "could not take force"),
}


def change_line(change: RuleChange) -> dict[str, Any]:
    """A change for a list."""
    state, light = STATES[change.state]
    return {"row": change, "state_name": say(state), "light": light}


def table_names() -> list[dict[str, str]]:
    return [{"id": name, "name": say(words)} for name, words in TABLES.items()]


@require_GET
@governing()
def home(request: HttpRequest, place: CityRuntime) -> HttpResponse:
    """What there is to administer, and what waits."""
    city = place.info.id
    changes = queries.changes(city)
    waiting = [
        {**change_line(change), "mine": change.author_id == request.user.pk}
        for change in changes.filter(state="submitted")[:20]
    ]
    return render(
        request,
        "governance/home.html",
        context(
            request,
            place,
            "home",
            waiting=waiting,
            drafts=[change_line(change) for change in changes.filter(state="draft", author=signed_in(request))[:20]],
            version=place.version,
            people=sum(1 for _ in queries.candidates(city)),
            units=len(place.rules.units),
        ),
    )


@require_GET
@governing()
def rules(request: HttpRequest, place: CityRuntime) -> HttpResponse:
    """Tables in force, changes, and every version that ever was."""
    return render(
        request,
        "governance/rules.html",
        context(
            request,
            place,
            "rules",
            tables=[{**table, "rows": len(place.pack.tables[table["id"]])} for table in table_names()],
            changes=[change_line(change) for change in queries.changes(place.info.id)[:50]],
            versions=places.versions(place.info.id),
            version=place.version,
        ),
    )


def _table_or_404(table: str) -> str:
    if table not in TABLES:
        raise Http404(say("没有这张表", "There is no such table"))
    return table


def _number(request: HttpRequest, key: str, default: int) -> int:
    value = request.GET.get(key, "") or request.POST.get(key, "")
    return int(value) if value.isdecimal() and len(value) < 10 else default


@require_GET
@governing()
def table(request: HttpRequest, place: CityRuntime, table: str) -> HttpResponse:
    """A table as it is, or was as of a version, with source, validity and confidence of each row."""
    version = _number(request, "version", place.version)
    folder = places.version_folder(place.info.id, version)
    if folder is None:
        raise Http404(say("没有这个版本", "There is no such version"))
    sheet = tables.read_sheet(folder, _table_or_404(table))
    q, page = request.GET.get("q", "").strip(), max(1, _number(request, "page", 1))
    found = [row for row in sheet.rows if not q or any(q in value for value in row.values())]
    start = (page - 1) * PAGE_SIZE
    return render(
        request,
        "governance/table.html",
        context(
            request,
            place,
            "rules",
            table={"id": table, "name": say(TABLES[table])},
            columns=sheet.columns,
            rows=[[row.get(column, "") for column in sheet.columns] for row in found[start : start + PAGE_SIZE]],
            count=len(found),
            q=q,
            shown_version=version,
            before=page - 1,
            after=page + 1 if len(found) > start + PAGE_SIZE else 0,
            tables=table_names(),
        ),
    )


@require_POST
@governing(ADMINISTRATOR)
def begin(request: HttpRequest, place: CityRuntime) -> HttpResponse:
    """A new draft; with ``undo``, one that takes back a change in force."""
    try:
        if request.POST.get("undo", "").isdecimal():
            former = get_object_or_404(RuleChange, pk=int(request.POST["undo"]), city=place.info.id)
            folder = checking.installed_pack(place.info.id)
            title = say("撤回 #{n} {t}", "Take back #{n} {t}", n=former.pk, t=former.title)
            sheets = [tables.read_sheet(folder, name) for name in tables.RULE_TABLES]
            change = operations.revert(
                change=former, author=signed_in(request), version=place.version, title=title, sheets=sheets
            )
        else:
            change = operations.begin(
                city=place.info.id,
                author=signed_in(request),
                title=request.POST.get("title", ""),
                reason=request.POST.get("reason", ""),
                version=place.version,
            )
    except Refusal as error:
        messages.error(request, " ".join(sentences(error)))
        return redirect("admin-rules", place.info.id)
    return redirect("admin-change", place.info.id, change.pk)


def change_or_404(place: CityRuntime, key: int) -> RuleChange:
    """The city's change, or the page that says there is none."""
    found = queries.changes(place.info.id).filter(pk=key).first()
    if found is None:
        raise Http404(say("没有这个变更", "There is no such change"))
    return found


def change_context(request: HttpRequest, place: CityRuntime, change: RuleChange) -> dict[str, Any]:
    """Everything that the page of one change shows."""
    edits = list(change.edits.order_by("table", "row"))
    refusal = operations.objection(change, signed_in(request))
    job = Job.objects.filter(kind="dry-run", city=place.info.id, key=str(change.pk)).first()
    running = job is not None and job.state in {"queued", "running"}
    return {
        **change_line(change),
        "change": change,
        "author": change.author_id == request.user.pk,
        "may_decide": refusal is None,
        "why_not": " ".join(sentences(refusal)) if refusal else "",
        "edits": [
            {
                "edit": edit,
                "table_name": say_or(TABLES.get(edit.table), edit.table),
                "kind": "new" if edit.before is None else "removed" if edit.after is None else "changed",
                "cells": tables.differences(edit.before, edit.after),
            }
            for edit in edits[:200]
        ],
        "edit_count": len(edits),
        "steps": [
            {"step": step, "name": say_or(STEPS.get(step.action), step.action)}
            for step in change.steps.select_related("user").order_by("id")
        ],
        "found": change.check_result,
        "dry": change.dry_run,
        "dry_tables": [
            {"name": say(TABLES[name]), **found} for name, found in change.dry_run.get("tables", {}).items()
        ],
        "job": job if running else None,
        "files": _files(change),
        "stale": change.state == "draft" and change.base_version != place.version,
        "tables": table_names(),
        "categories": category_choices(place),
        "regions": region_choices(place, depth=3),
        "default_since": (timezone.now() - timedelta(days=30)).date().isoformat(),
        "version": place.version,
    }


def _files(change: RuleChange) -> list[dict[str, Any]]:
    """What a proposed pack would change, file by file, against what is in force now."""
    folder = Path(settings.YIWANG_HOME, change.folder)
    if change.kind != RuleChange.Kind.PACK or not folder.is_dir():
        return []
    return packs.preview(folder, checking.installed_pack(change.city))


@require_GET
@governing()
def change(request: HttpRequest, place: CityRuntime, key: int) -> HttpResponse:
    """One change: what it alters, what check and dry run found, who did what with it; ask it about one report."""
    found = change_or_404(place, key)
    more: dict[str, Any] = {}
    asked = {name: request.GET.get(name, "").strip() for name in DECIDING.values() if name != "priority"}
    if asked["category"]:
        try:
            more["said"] = checking.explain(found, at=timezone.now(), **asked)
        except (BadInput, KeyError) as error:
            more["unsaid"] = checking.unreadable(error) if isinstance(error, BadInput) else str(error)
    return render(
        request,
        "governance/change.html",
        context(request, place, "rules", **change_context(request, place, found), asked=asked, **more),
    )


@require_POST
@governing()
def act(request: HttpRequest, place: CityRuntime, key: int, what: str) -> HttpResponse:
    """Do something with a change. A refusal is a sentence on its page."""
    found = change_or_404(place, key)
    try:
        _act(request, place, found, what)
    except (Refusal, BadInput) as error:
        messages.error(request, " ".join(sentences(error)))
    return redirect("admin-change", place.info.id, found.pk)


def _act(request: HttpRequest, place: CityRuntime, change: RuleChange, what: str) -> None:
    user, revision, note = signed_in(request), _number(request, "revision", -1), request.POST.get("note", "")
    match what:
        case "check":
            operations.keep_check(change=change, found=checking.check(change, with_examples=True))
        case "dry-run":
            _dry_run(request, place, change)
        case "describe":
            reason = request.POST.get("reason", "")
            operations.rename(change=change.pk, user=user, title=request.POST.get("title", ""), reason=reason)
        case "submit":
            effective_at = _moment(request.POST.get("effective_at", ""), place)
            found = checking.check(change, with_examples=True)
            operations.keep_check(change=change, found=found)
            operations.submit(change=change.pk, user=user, revision=revision, effective_at=effective_at, found=found)
        case "approve":
            operations.approve(change=change.pk, user=user, revision=revision, note=note)
        case "refuse":
            operations.refuse(change=change.pk, user=user, revision=revision, note=note)
        case "recall":
            operations.recall(change=change.pk, user=user)
        case "withdraw":
            operations.withdraw(change=change.pk, user=user)
        case _:
            raise NotPossible(Text("没有这个动作。", "There is no such thing to do."))


def _moment(text: str, place: CityRuntime) -> datetime | None:
    if not text:
        return None
    try:
        return read_moment(text, zone=place.info.zone)
    except ValueError:
        raise NotPossible(Text("生效时间写得不对。", "The time of taking force cannot be read.")) from None


def _dry_run(request: HttpRequest, place: CityRuntime, change: RuleChange) -> None:
    """At once where the cases are few, else as a job whose progress the page shows."""
    since = _moment(request.POST.get("since", ""), place)
    if since is None:
        raise NotPossible(Text("请选从哪天起试算。", "Say since which day."))
    count = Case.objects.filter(city=place.info.id, opened_at__gte=since)[: AT_ONCE + 1].count()
    if count > AT_ONCE:
        parameters = {"change": change.pk, "since": since.isoformat()}
        ask_job(kind="dry-run", city=place.info.id, key=str(change.pk), parameters=parameters, again=True)
        messages.info(
            request, say("案卷较多，已在后台试算。", "There are many cases; the dry run goes on in the background.")
        )
    else:
        operations.keep_dry_run(change=change, found=checking.dry_run(change, since=since))


# --- the grid -----------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@governing()
def grid(request: HttpRequest, place: CityRuntime, key: int, table: str) -> HttpResponse:
    """A table of a draft as a grid: every cell can be written, faults stand at their cells."""
    found = change_or_404(place, key)
    sheet = tables.read_sheet(checking.installed_pack(place.info.id), _table_or_404(table))
    if request.method == "POST":
        try:
            operations.save_rows(
                change=found.pk,
                user=signed_in(request),
                revision=_number(request, "revision", -1),
                sheet=sheet,
                rows=_form_cells(request, sheet),
            )
            found.refresh_from_db()
            operations.keep_check(change=found, found=checking.check(found, with_examples=False))
        except (Refusal, BadInput) as error:
            messages.error(request, " ".join(sentences(error)))
        return redirect(request.get_full_path())
    rows, _ = tables.merge(sheet, found.edits.order_by("id"))
    left = checking.with_faults(rows, table, found.check_result)
    q, only = request.GET.get("q", "").strip(), request.GET.get("only", "")
    rows = [
        row
        for row in rows
        if (not q or any(q in value for value in row.cells.values()))
        and (only != "edited" or row.state)
        and (only != "faults" or row.faults)
    ]
    rows.sort(key=lambda row: row.state != "new")  # new rows first, where one sees them
    page = max(1, _number(request, "page", 1))
    start = (page - 1) * PAGE_SIZE
    return render(
        request,
        "governance/grid.html",
        context(
            request,
            place,
            "rules",
            change=found,
            editable=found.state == "draft" and found.author_id == request.user.pk,
            table={"id": table, "name": say(TABLES[table])},
            columns=[column for column in sheet.columns if column != ROW_COLUMN],
            rows=[_grid_row(row, sheet, found.check_result) for row in rows[start : start + PAGE_SIZE]],
            blank=[column for column in sheet.columns if column != ROW_COLUMN],
            count=len(rows),
            left=left,
            found=found.check_result,
            q=q,
            only=only,
            page_number=page,
            before=page - 1,
            after=page + 1 if len(rows) > start + PAGE_SIZE else 0,
            tables=table_names(),
        ),
    )


def _grid_row(row: tables.DraftRow, sheet: tables.Sheet, found: dict[str, Any]) -> dict[str, Any]:
    base = row.base or {}
    return {
        "row": row,
        "faults": row.faults.get("", []) + row.faults.get(ROW_COLUMN, []),
        "cells": [
            {
                "column": column,
                "value": row.cells.get(column, ""),
                "was": base.get(column, "")
                if row.state == "changed" and base.get(column) != row.cells.get(column)
                else None,
                "faults": row.faults.get(column, []),
            }
            for column in sheet.columns
            if column != ROW_COLUMN
        ],
    }


def _form_cells(request: HttpRequest, sheet: tables.Sheet) -> dict[str, tables.Cells | None]:
    """The rows that the form carries: ``cell:ID:column``, ``remove`` for those to go, and a new one.

    Raises:
        NotPossible: When the new row's id is missing or taken.
    """
    post, removed = request.POST, set(request.POST.getlist("remove"))
    rows: dict[str, tables.Cells | None] = {}
    for row_id in post.getlist("row"):
        cells = {
            column: post.get(f"cell:{row_id}:{column}", "").strip()
            for column in sheet.columns
            if column != ROW_COLUMN and f"cell:{row_id}:{column}" in post
        }
        rows[row_id] = None if row_id in removed else cells
    added = {column: post.get(f"new:{column}", "").strip() for column in sheet.columns}
    if any(added.values()):
        row_id = added.pop(ROW_COLUMN)
        if not row_id or row_id in sheet.by_id() or row_id in rows:
            raise NotPossible(Text("新行须有自己的行号。", "The new row needs an id of its own."))
        rows[row_id] = added
    return rows
