"""Photos and costs of a component: shown to staff, added and taken back by those who keep the inventory where it lies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import Refusal
from yiwang.server.assets.api import add_cost, add_photos, cancel_cost, component_photo, read_cost, remove_photo
from yiwang.server.common import photos as pictures
from yiwang.server.common.language import say
from yiwang.server.inventory import component_page
from yiwang.server.inventory.access import Standing, staff_only


@require_GET
@staff_only
def photo(request: HttpRequest, standing: Standing, photo: int) -> FileResponse:
    """A photo of a component as it was re-encoded."""
    return _picture(_file(standing, photo))


@require_GET
@staff_only
def small_photo(request: HttpRequest, standing: Standing, photo: int) -> FileResponse:
    """The small form of a photo."""
    try:
        return _picture(pictures.small_copy(_file(standing, photo)))
    except OSError as error:
        raise Http404 from error


def _file(standing: Standing, photo: int) -> Path:
    found = component_photo(city=standing.place.info.id, photo=photo)
    if found is None or not standing.sees(found[0].region):
        raise Http404
    return found[1]


def _picture(path: Path) -> FileResponse:
    answer = FileResponse(path.open("rb"), content_type="image/jpeg")
    answer["Cache-Control"] = "private, max-age=86400"
    return answer


@require_POST
@staff_only
def add_to_photos(request: HttpRequest, standing: Standing, code: str) -> HttpResponse:
    """Add photos."""

    def act() -> str:
        added = add_photos(
            city=standing.place.info.id,
            code=code,
            files=request.FILES.getlist("photos"),
            by=standing.by,
            allowed=standing.keeps,
        )
        return say("已保存。", "Saved.") if added else say("这些照片已经有了。", "These photos are there already.")

    return _done(request, standing, code, act, part="photos")


@require_POST
@staff_only
def drop_photo(request: HttpRequest, standing: Standing, code: str) -> HttpResponse:
    """Remove a photo."""

    def act() -> str:
        photo = _key(request.POST.get("photo", ""))
        remove_photo(city=standing.place.info.id, code=code, photo=photo, by=standing.by, allowed=standing.keeps)
        return say("已移除。", "Removed.")

    return _done(request, standing, code, act, part="photos")


@require_POST
@staff_only
def enter_cost(request: HttpRequest, standing: Standing, code: str) -> HttpResponse:
    """Enter a cost."""
    info = standing.place.info
    cells = {name: request.POST.get(name, "") for name in component_page.COST_FIELDS}

    def act() -> str:
        said = read_cost(cells, today=timezone.now().astimezone(info.zone).date())
        add_cost(city=info.id, code=code, said=said, by=standing.by, allowed=standing.keeps)
        return say("已保存。", "Saved.")

    return _done(request, standing, code, act, part="costs", cost=cells)


@require_POST
@staff_only
def drop_cost(request: HttpRequest, standing: Standing, code: str) -> HttpResponse:
    """Cancel a cost; it stays to be read."""

    def act() -> str:
        cost = _key(request.POST.get("cost", ""))
        cancel_cost(city=standing.place.info.id, code=code, cost=cost, by=standing.by, allowed=standing.keeps)
        return say("已作废。", "Cancelled.")

    return _done(request, standing, code, act, part="costs")


def _done(
    request: HttpRequest,
    standing: Standing,
    code: str,
    act: Callable[[], str],
    *,
    part: str,
    cost: dict[str, str] | None = None,
) -> HttpResponse:
    """Do it and lead back to that part of the page with what it says; or the page once more, with why it was not done."""
    component_page.component_or_404(standing, code)
    try:
        said = act()
    except (Refusal, BadInput) as error:
        return component_page.refused(request, standing, code, error, part=part, cost=cost)
    messages.success(request, said)
    answer = redirect("component", standing.place.info.id, code)
    answer["Location"] += f"#{part}"
    return answer


def _key(text: str) -> int:
    """A key that a form of the page sends; 0, which nothing has, for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
