"""Pages about people: accounts and their posts, units, who may do what, the record of reads; one's own password."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.refusals import NotAllowed
from yiwang.core.kernel.text import Text
from yiwang.packs.hints import did_you_mean
from yiwang.packs.units import KINDS
from yiwang.server.cases.api import load_case
from yiwang.server.cities.choices import region_choices
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say, say_or
from yiwang.server.common.moments import read_moment
from yiwang.server.common.refusing import sentences
from yiwang.server.common.templatetags.yiwang import named
from yiwang.server.governance import matrix, queries
from yiwang.server.governance.access import context, governing, signed_in
from yiwang.server.governance.audit_words import told
from yiwang.server.people import operations, sessions
from yiwang.server.people.models import User
from yiwang.server.people.roles import ADMINISTRATOR, may_change

MOST_OPTIONS = 30
ACTIONS = {
    "create": Text("建账号", "account made"),
    "enable": Text("启用", "enabled"),
    "disable": Text("停用", "disabled"),
    "password": Text("重设密码", "password reset"),
    "own_password": Text("本人改密码", "changed own password"),
    "give_role": Text("授予", "given"),
    "take_role": Text("收回", "taken"),
}


@require_GET
@governing()
def people(request: HttpRequest, place: CityRuntime) -> HttpResponse:
    """Accounts with a post in the city."""
    asked = {key: request.GET.get(key, "").strip() for key in ("q", "role")}
    number = int(request.GET["page"]) if request.GET.get("page", "").isdecimal() and len(request.GET["page"]) < 7 else 1
    found, more = queries.people(place, **asked, page=max(1, number))
    roles = queries.roles_of(place)
    return render(
        request,
        "governance/people.html",
        context(request, place, "people", people=found, more=number + 1 if more else 0, asked=asked, roles=roles),
    )


def _post(request: HttpRequest, place: CityRuntime) -> dict[str, str]:
    """Role, unit and region of a form, checked against the city.

    Raises:
        BadInput: With every code that is not known.
    """
    said = {key: request.POST.get(key, "").strip() for key in ("role", "unit", "region")}
    problems = []
    if said["role"] not in queries.roles_of(place):
        problems.append(
            Problem(
                Text("没有角色「{role}」。", "Unknown role {role!r}.", role=said["role"]),
                Text("请从列表中选择。", "Choose one of the list."),
                column="role",
            )
        )
    units = [unit.code for unit in place.rules.units]
    if said["unit"] and said["unit"] not in place.rules.units:
        problems.append(
            Problem(
                Text("没有单位「{unit}」。", "Unknown unit {unit!r}.", unit=said["unit"]),
                did_you_mean(said["unit"], units),
                column="unit",
            )
        )
    if said["region"] and said["region"] not in place.regions:
        hint = did_you_mean(said["region"], place.regions.codes)
        problems.append(
            Problem(
                Text("没有区域「{region}」。", "Unknown region {region!r}.", region=said["region"]),
                hint,
                column="region",
            )
        )
    if problems:
        raise BadInput(problems)
    return said


@require_http_methods(["GET", "POST"])
@never_cache
@governing(ADMINISTRATOR)
def new_person(request: HttpRequest, place: CityRuntime) -> HttpResponse:
    """Make an account; its first password is shown once."""
    problems: list[str] = []
    if request.method == "POST":
        try:
            names = {key: request.POST.get(key, "") for key in ("username", "name", "name_en")}
            account, password = operations.add_account(
                actor=signed_in(request),
                city=place.info.id,
                **names,
                **_post(request, place),
            )
            return _password_page(request, place, account, password)
        except BadInput as error:
            problems = sentences(error)
    return render(
        request,
        "governance/person_new.html",
        context(request, place, "people", problems=problems, values=request.POST, **_choices(place)),
        status=422 if problems else 200,
    )


def _choices(place: CityRuntime) -> dict[str, Any]:
    return {"roles": queries.roles_of(place), "regions": region_choices(place, depth=3)}


def _password_page(request: HttpRequest, place: CityRuntime, account: User, password: str) -> HttpResponse:
    return render(
        request, "governance/password_shown.html", context(request, place, "people", account=account, password=password)
    )


@require_GET
@governing()
def person(request: HttpRequest, place: CityRuntime, key: int) -> HttpResponse:
    """One account: its posts, and what was done to it."""
    return _person(request, place, _account(place, key))


def _account(place: CityRuntime, key: int) -> User:
    """An account of this city, or one that has lost its last post here."""
    account: User = get_object_or_404(User, pk=key)
    return account


def _person(request: HttpRequest, place: CityRuntime, account: User, problems: list[str] | None = None) -> HttpResponse:
    roles = queries.roles_of(place)
    rows = account.assignments.filter(city=place.info.id).order_by("id")
    history = queries.account_changes(place.info.id, subject=account)
    if not rows and all(change.city != place.info.id for change in history):
        raise Http404(say("本市没有这个账号", "There is no such account in this city"))
    return render(
        request,
        "governance/person.html",
        context(
            request,
            place,
            "people",
            account=account,
            held=[queries.assignment(row, place, roles) for row in rows],
            history=[_change_line(change) for change in history],
            whole=may_change(signed_in(request), account, city=place.info.id),
            problems=problems or [],
            **_choices(place),
        ),
        status=422 if problems else 200,
    )


def _change_line(change: Any) -> dict[str, Any]:
    return {"change": change, "what": say_or(ACTIONS.get(change.action), change.action), "detail": change.detail}


@require_POST
@never_cache
@governing(ADMINISTRATOR)
def change_person(request: HttpRequest, place: CityRuntime, key: int) -> HttpResponse:
    """Enable, disable, reset the password, give or take a role."""
    account, city, actor = _account(place, key), place.info.id, signed_in(request)
    what = request.POST.get("what", "")
    try:
        if what in {"enable", "disable", "password"}:
            if not may_change(actor, account, city=city):
                raise NotAllowed(
                    Text(
                        "这个账号还属于别的城市或系统，只能由部署管理员改动。",
                        "The account belongs to another city or to the deployment too; only its staff may change it.",
                    ),
                )
            if account.pk == actor.pk:
                raise NotAllowed(Text("不能这样改动自己的账号。", "Not to your own account."))
        if what == "password":
            return _password_page(
                request, place, account, operations.reset_password(actor=actor, account=account, city=city)
            )
        if what in {"enable", "disable"}:
            operations.set_active(actor=actor, account=account, city=city, active=what == "enable")
        elif what == "give":
            operations.give_role(actor=actor, account=account, city=city, **_post(request, place))
        elif what == "take":
            assignment = int(request.POST.get("assignment") or 0)
            operations.take_role(actor=actor, account=account, city=city, assignment=assignment)
    except (BadInput, NotAllowed) as error:
        return _person(request, place, account, sentences(error))
    messages.success(request, say("已保存。", "Saved."))
    return redirect("admin-person", city, account.pk)


@require_GET
@governing()
def units(request: HttpRequest, place: CityRuntime) -> HttpResponse:
    """The tree of units as installed; below one unit at a time, or by words."""
    q, top = request.GET.get("q", "").strip(), request.GET.get("unit", "")
    directory = place.rules.units
    if top and top not in directory:
        raise Http404(say("没有这个单位", "There is no such unit"))
    counts = queries.holders_by_unit(place.info.id)
    if q:
        found = [unit for unit in directory if q.casefold() in f"{unit.code} {unit.name.zh} {unit.name.en}".casefold()]
    else:
        found = list(directory.below(top))
    rows = [
        {
            "unit": unit,
            "kind": say_or(KINDS.get(unit.kind), unit.kind),
            "below": len(directory.below(unit.code)),
            "people": counts.get(unit.code, 0),
            "region": place.regions.get(unit.region),
        }
        for unit in found[:200]
    ]
    chain = [*reversed(list(directory.above(top))), directory.get(top)] if top else []
    return render(
        request,
        "governance/units.html",
        context(request, place, "units", rows=rows, count=len(found), q=q, chain=chain, total=len(directory)),
    )


@require_GET
@governing()
def unit_options(request: HttpRequest, place: CityRuntime) -> HttpResponse:
    """Units whose code or name has some letters, for the field that names one."""
    q = request.GET.get("unit", "").strip().casefold()
    found = [unit for unit in place.rules.units if q in f"{unit.code} {unit.name.zh} {unit.name.en}".casefold()]
    options = [{"code": unit.code, "name": named(unit)} for unit in found[:MOST_OPTIONS]]
    return render(request, "governance/unit_options.html", {"options": options})


@require_GET
@governing()
def permissions(request: HttpRequest, place: CityRuntime) -> HttpResponse:
    """Roles × verbs × steps × reach, and who could do one verb to one case."""
    workflow = place.rules.workflow
    step, number, verb = (request.GET.get(key, "").strip() for key in ("step", "case", "verb"))
    step = step if step in workflow.steps else ""
    more: dict[str, Any] = {"asked": {"step": step, "case": number, "verb": verb}}
    if number:
        detail = load_case(city=place.info.id, number=number, with_events=False)
        if detail is None:
            more["problem"] = say("没有编号为 {number} 的案卷", "There is no case {number}", number=number)
        else:
            more["case"] = {"number": number, "step": workflow.steps.get(detail.state.step), "state": detail.state}
            more["verbs"] = workflow.verbs_from(detail.state.step)
            if verb in workflow.verbs:
                more["who"] = matrix.who_could(place, detail.state, verb, at=timezone.now())
                more["verb"] = workflow.verbs[verb]
    return render(
        request,
        "governance/permissions.html",
        context(
            request, place, "permissions", steps=workflow.steps.values(), **matrix.matrix(place, step=step), **more
        ),
    )


@require_GET
@governing(ADMINISTRATOR)
def audit(request: HttpRequest, place: CityRuntime) -> HttpResponse:
    """Who was shown personal data, and what was done to accounts. Looking is itself put on record."""
    asked = {key: request.GET.get(key, "").strip() for key in ("user", "subject", "since")}
    before = (
        int(request.GET["before"])
        if request.GET.get("before", "").isdecimal() and len(request.GET["before"]) < 19
        else None
    )
    try:
        since = read_moment(asked["since"], zone=place.info.zone) if asked["since"] else None
    except ValueError:
        since = None
    found, following = queries.reads(
        place.info.id, user=asked["user"], subject=asked["subject"], since=since, before=before
    )
    operations.log_read(
        user=signed_in(request),
        city=place.info.id,
        subject="audit",
        what="the record of reads",
        purpose="looking at the audit",
    )
    return render(
        request,
        "governance/audit.html",
        context(
            request,
            place,
            "audit",
            reads=[{"row": row, "what": told(row.what), "purpose": told(row.purpose)} for row in found],
            following=following,
            asked=asked,
            changes=[_change_line(change) for change in queries.account_changes(place.info.id)],
        ),
    )


@sensitive_post_parameters("old", "new", "again")
@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """Change one's own password; other sessions of the account end."""
    problems: list[str] = []
    if request.method == "POST":
        old, new, again = (request.POST.get(key, "") for key in ("old", "new", "again"))
        try:
            if new != again:
                raise BadInput(Text("两次输入的新密码不一样。", "The new password was typed in two ways."))
            operations.change_own_password(user=signed_in(request), old=old, new=new)
        except BadInput as error:
            problems = sentences(error)
        else:
            user = signed_in(request)
            user.refresh_from_db()
            update_session_auth_hash(request, user)
            sessions.begin(request, user)
            messages.success(request, say("密码已更改。", "The password has been changed."))
            return redirect("home")
    must = bool(request.session.get(sessions.MUST_CHANGE))
    return render(
        request, "governance/password.html", {"problems": problems, "must": must}, status=422 if problems else 200
    )
