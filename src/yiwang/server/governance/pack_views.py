"""Pages about packs and regions: what is installed, what could be, and proposing a pack, which another person approves."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import NotAllowed, NotPossible, Refusal
from yiwang.core.kernel.text import Text
from yiwang.packs import read_pack
from yiwang.server.cities import queries as places
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common import queries as common
from yiwang.server.common.language import say
from yiwang.server.common.operations import ask_job
from yiwang.server.common.refusing import sentences
from yiwang.server.governance import checking, operations, packs
from yiwang.server.governance.access import context, governing, signed_in
from yiwang.server.people.roles import ADMINISTRATOR


@require_http_methods(["GET", "POST"])
@governing(ADMINISTRATOR)
def pack_list(request: HttpRequest, place: CityRuntime) -> HttpResponse:
    """Packs at hand and an upload; a pack for this city becomes a proposal, a new city is installed by the deployment's staff."""
    if request.method == "POST":
        try:
            return _take(request, place)
        except (Refusal, BadInput) as error:
            messages.error(request, " ".join(sentences(error)))
            return redirect("admin-packs", place.info.id)
    versions = places.versions(place.info.id)
    known = {version.source_digest: version.version for version in versions} | {
        version.digest: version.version for version in versions
    }
    installed = {info.id for info in places.cities()}
    rows = [
        {
            **pack,
            "mine": pack["info"].id == place.info.id,
            "there": pack["info"].id in installed,
            "version": known.get(pack["digest"]),
        }
        for pack in packs.at_hand()
    ]
    staff = signed_in(request).is_staff or signed_in(request).is_superuser
    jobs = [job for job in common.jobs(city=place.info.id) if job["kind"] == "install"]
    return render(
        request,
        "governance/packs.html",
        context(request, place, "packs", packs=rows, versions=versions, version=place.version, staff=staff, jobs=jobs),
    )


def _take(request: HttpRequest, place: CityRuntime) -> HttpResponse:
    if request.POST.get("back", "").isdecimal():
        version = int(request.POST["back"])
        source = places.version_folder(place.info.id, version)
        if source is None:
            raise NotPossible(Text("没有这个版本。", "There is no such version."))
        return _propose(request, place, source, say("回到第 {n} 版", "Back to version {n}", n=version))
    if upload := request.FILES.get("archive"):
        folder = packs.unpack(upload, size=upload.size or 0)
        return _propose(request, place, folder, say("上传的城市包 {n}", "Uploaded pack {n}", n=upload.name))
    name = request.POST.get("pack", "")
    source = next((pack["folder"] for pack in packs.at_hand() if pack["name"] == name), None)
    if source is None:
        raise NotPossible(Text("请选一个城市包，或上传压缩包。", "Choose a pack or upload an archive."))
    pack = read_pack(source)
    if pack.id in {info.id for info in places.cities()}:
        return _propose(
            request, place, packs.stage(source), say("服务器上的城市包 {n}", "Pack {n} of the server", n=name)
        )
    if not (signed_in(request).is_staff or signed_in(request).is_superuser):
        raise NotAllowed(Text("新城市只能由部署管理员安装。", "Only the deployment's staff may install a new city."))
    parameters = {"path": str(source.resolve())}
    ask_job(kind="install", city=place.info.id, key=pack.id, parameters=parameters, again=True)
    return redirect("admin-packs", place.info.id)


def _propose(request: HttpRequest, place: CityRuntime, folder: Path, title: str) -> HttpResponse:
    pack = read_pack(folder)
    if pack.id != place.info.id:
        raise NotPossible(
            Text("这是 {pack} 的城市包，不是本市的。", "This is a pack of {pack}, not of this city.", pack=pack.id)
        )
    change = operations.propose_pack(
        city=place.info.id,
        author=signed_in(request),
        title=title,
        reason=request.POST.get("reason", ""),
        version=place.version,
        folder=str(folder.resolve().relative_to(Path(settings.YIWANG_HOME).resolve())),
        digest=pack.digest,
    )
    operations.keep_check(change=change, found=checking.check(change, with_examples=True))
    return redirect("admin-change", place.info.id, change.pk)


@require_GET
@governing()
def regions(request: HttpRequest, place: CityRuntime) -> HttpResponse:
    """The region tree as installed, one level at a time, with validity and source."""
    code = request.GET.get("region", "")
    tree = place.regions
    top = tree[code] if code in tree else tree.roots[0]
    return render(
        request,
        "governance/regions.html",
        context(
            request,
            place,
            "regions",
            top=top,
            chain=tree.chain(top.code),
            rows=[{"region": child, "below": len(tree.children(child.code))} for child in tree.children(top.code)],
            levels=place.info.levels,
            total=len(tree.codes),
        ),
    )
