"""The command centre: what is counted from columns in memory is what the tables say, whatever happened last."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypedDict

import mapbox_vector_tile
import pytest
from django.test import Client

from yiwang.core.space.crs import from_wgs84
from yiwang.core.space.tiles import to_map
from yiwang.server.cases.models import Case, Event
from yiwang.server.cases.reading import presentation
from yiwang.server.centre import board, centre_figures, map_tiles
from yiwang.server.cities.queries import runtime
from yiwang.server.common import vector_tiles

NOW = datetime(2026, 3, 18, 6, 30, tzinfo=UTC)  # a Wednesday, 14:30 on the toy city's clocks
REGIONS = ("900101", "900102", "900201", "900202", "")
CATEGORIES = ("02001", "03001", "01001")
HOLDERS = ("CTR-90", "SWEEP-9001", "SWEEP-9002", "")


class Tile(TypedDict):
    """A tile of the map, as `map_tiles.tile` takes it."""

    zoom: int
    column: int
    row: int


WORLD: Tile = {"zoom": 0, "column": 0, "row": 0}


@pytest.fixture(autouse=True)
def looked_at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every question looks again, instead of once a second."""
    monkeypatch.setattr(board, "LOOK_SECONDS", 0.0)
    original = board.Board.look

    def look(self: board.Board) -> None:
        original(self)
        self._look_again = float("-inf")

    monkeypatch.setattr(board.Board, "look", look)
    board.forget()
    yield
    board.forget()


@pytest.fixture
def many(mini: str) -> list[Case]:
    """Three hundred cases of forty days with every mixture of what the centre counts."""
    chance = random.Random(11)
    cases = []
    for serial in range(300):
        opened = NOW - timedelta(hours=chance.randrange(0, 40 * 24), minutes=chance.randrange(60))
        closed = opened + timedelta(hours=chance.randrange(1, 90)) if chance.random() < 0.7 else None
        deadline = opened + timedelta(hours=chance.randrange(2, 60)) if chance.random() < 0.9 else None
        somewhere = chance.random() < 0.95
        cases.append(
            Case(
                city=mini, number=f"M{serial:05}", seq=1, step="closed" if closed else chance.choice(("reported", "dispatched")),
                stage="", category=chance.choice(CATEGORIES), condition="", region=chance.choice(REGIONS), grid="",
                lon=round(120.003 + chance.randrange(5) * 0.01, 6) if somewhere else None,
                lat=round(31.003 + chance.randrange(5) * 0.01, 6) if somewhere else None,
                text="", address="", source="public", priority="", holder=chance.choice(HOLDERS), level="city", opened_at=opened,
                closed_at=closed if closed and closed < NOW else None, deadline=deadline, overdue=chance.random() < 0.2, rating=0,
                merged_into="", flag="", head=b"", rest="{}",
            )
        )  # fmt: skip
    Case.objects.bulk_create(cases)
    made = list(Case.objects.order_by("id"))
    Event.objects.bulk_create(_event(case, 1) for case in made)
    return made


def _event(case: Case, seq: int) -> Event:
    return Event(
        case=case, city=case.city, seq=seq, at=NOW, verb="report", actor="", actor_name="", actor_unit="", role="",
        from_step="", to_step=case.step, from_holder="", holder=case.holder, reason="", payload="{}", hash=b"",
    )  # fmt: skip


def features(data: bytes, layer: str) -> list[dict[str, Any]]:
    """What a map would read."""
    if not data:
        return []
    found: list[dict[str, Any]] = mapbox_vector_tile.decode(data).get(layer, {"features": []})["features"]
    return found


def shown_plainly(case: Case, at: datetime, state: str, *, past: bool) -> bool:
    """Whether a map shows a case, said plainly."""
    open_then = case.closed_at is None or case.closed_at > at
    late = case.deadline is not None and case.deadline <= at
    there = not past or case.opened_at <= at
    return there and {"open": open_then, "closed": not open_then, "overdue": open_then and late, "all": True}[state]


@pytest.mark.parametrize("state", map_tiles.STATES)
@pytest.mark.parametrize("back_hours", [0, 5, 200])
def test_a_tile_shows_what_a_walk_over_the_table_shows(many: list[Case], state: str, back_hours: int) -> None:
    at = NOW - timedelta(hours=back_hours)
    shown = map_tiles.CaseFilter(at=at, past=back_hours > 0, state=state)
    expected = [c for c in many if c.lon is not None and shown_plainly(c, at, state, past=back_hours > 0)]
    tile = map_tiles.tile(city="mini", **WORLD, shown=shown)
    said = {f["properties"]["number"]: f["properties"] for f in features(tile, "cases")}
    assert set(said) == {case.number for case in expected}
    for case in expected:
        colour = presentation.light(
            opened_at=case.opened_at, deadline=case.deadline, closed_at=_closed(case, at), at=at
        )
        assert said[case.number]["light"] == colour, case.number
        assert said[case.number]["category"] == case.category


def _closed(case: Case, at: datetime) -> datetime | None:
    return case.closed_at if case.closed_at and case.closed_at <= at else None


def test_many_cases_are_counted_by_cells_and_none_is_lost(many: list[Case], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector_tiles, "MOST_POINTS", 10)
    shown = map_tiles.CaseFilter(at=NOW, state="open")
    still = [case for case in many if case.lon is not None and case.closed_at is None]
    late = [case for case in still if case.deadline and case.deadline <= NOW]
    for zoom in (0, 6, 12):
        cells = []
        for column, row in _tiles_of(still, zoom):
            tile = map_tiles.tile(city="mini", zoom=zoom, column=column, row=row, shown=shown)
            cells += [feature["properties"] for feature in features(tile, "clusters")]
            cells += [
                {"n": 1, "red": int(feature["properties"]["light"] == "red")} for feature in features(tile, "cases")
            ]
        assert sum(cell["n"] for cell in cells) == len(still)
        assert sum(cell.get("red", 0) for cell in cells) == len(late)
        warm = [
            feature["properties"]["n"]
            for column, row in _tiles_of(still, zoom)
            for feature in features(
                map_tiles.tile(city="mini", zoom=zoom, column=column, row=row, shown=shown, form="heat"), "heat"
            )
        ]
        assert sum(warm) == len(still)


def _tiles_of(cases: list[Case], zoom: int) -> set[tuple[int, int]]:
    x, y = to_map([case.lon for case in cases], [case.lat for case in cases])
    return {(int(one) >> (32 - zoom), int(other) >> (32 - zoom)) for one, other in zip(x, y, strict=True)}


@pytest.mark.parametrize("zoom", [0, 11, 13, 17])
def test_on_a_map_in_gcj_02_every_case_is_on_the_tile_where_that_map_has_it(many: list[Case], zoom: int) -> None:
    still = [case for case in many if case.lon is not None and case.lat is not None and case.closed_at is None]
    expected: dict[tuple[int, int], set[str]] = {}
    for case in still:
        x, y = to_map(*from_wgs84(float(case.lon or 0), float(case.lat or 0), "gcj02"))
        expected.setdefault((int(x) >> (32 - zoom), int(y) >> (32 - zoom)), set()).add(case.number)
    for (column, row), numbers in expected.items():
        path = f"/api/v1/cities/mini/map/cases/{zoom}/{column}/{row}.mvt?crs=gcj02&at={NOW:%Y-%m-%dT%H:%M}Z"
        found = features(Client().get(path).content, "cases")
        assert {one["properties"]["number"] for one in found} == numbers
    if zoom == 17:  # some 450 m away: other tiles than those of WGS 84
        assert set(expected) != _tiles_of(still, zoom)
    assert Client().get("/api/v1/cities/mini/map/cases/0/0/0.mvt?crs=bd09").status_code == 422


def test_filters_narrow_as_the_list_does(many: list[Case]) -> None:
    everything = map_tiles.CaseFilter(at=NOW, state="all")
    narrowed: tuple[tuple[map_tiles.CaseFilter, Callable[[Case], bool]], ...] = (
        (replace(everything, regions=("9001",)), lambda c: c.region.startswith("9001")),
        (replace(everything, category="02001"), lambda c: c.category == "02001"),
        (
            replace(everything, holder="SWEEP-9001", step="dispatched"),
            lambda c: c.holder == "SWEEP-9001" and c.step == "dispatched",
        ),
        (replace(everything, opened_after=NOW - timedelta(days=3)), lambda c: c.opened_at >= NOW - timedelta(days=3)),
        (replace(everything, category="none-such"), lambda c: False),
    )
    for shown, passes in narrowed:
        found = {
            f["properties"]["number"] for f in features(map_tiles.tile(city="mini", **WORLD, shown=shown), "cases")
        }
        assert found == {case.number for case in many if case.lon is not None and passes(case)}, shown


def test_the_figures_are_what_a_walk_over_the_table_counts(many: list[Case]) -> None:
    for region in ("", "9001"):
        here = [case for case in many if case.region.startswith(region)]
        said = centre_figures.side_figures(place=runtime("mini"), region=region, at=NOW, past=False)
        still = [case for case in here if case.closed_at is None]
        lights = Counter(
            presentation.light(opened_at=c.opened_at, deadline=c.deadline, closed_at=None, at=NOW) for c in still
        )
        today = datetime(2026, 3, 18, tzinfo=runtime("mini").info.zone)
        ended = [c for c in here if c.closed_at and today - timedelta(days=30) <= c.closed_at < NOW]
        assert said["now"] == {
            "cases": len(here), "open": len(still), "overdue": lights["red"], "soon": lights["yellow"],
            "undrawn": sum(c.lon is None for c in still), "opened_today": sum(today <= c.opened_at < NOW for c in here),
            "closed_today": sum(c.closed_at is not None and today <= c.closed_at < NOW for c in here),
            "closed": len(ended), "closed_with_deadline": sum(c.deadline is not None or c.overdue for c in ended),
            "closed_on_time": sum(c.deadline is not None and not c.overdue for c in ended),
            "today": today.isoformat(), "since": (today - timedelta(days=30)).isoformat(),
        }  # fmt: skip
        by_step = {row["step"]: (row["none"], row["green"], row["yellow"], row["red"]) for row in said["steps"]}
        for step in ("reported", "dispatched"):
            seen = Counter(
                presentation.light(opened_at=c.opened_at, deadline=c.deadline, closed_at=None, at=NOW)
                for c in still
                if c.step == step
            )
            assert by_step[step] == (seen[""], seen["green"], seen["yellow"], seen["red"])
        assert sum(row["opened"] for row in said["days"]) == sum(
            today - timedelta(days=29) <= c.opened_at < NOW for c in here
        )
        assert sum(row["closed_on_time"] for row in said["days"]) == sum(
            c.deadline is not None and not c.overdue
            for c in ended
            if c.closed_at and c.closed_at >= today - timedelta(days=29)
        )
        late = Counter(c.holder for c in still if c.deadline and c.deadline < NOW and c.holder)
        assert {row["unit"]: row["overdue"] for row in said["units"]} == dict(late)


def test_the_usual_hour_is_the_mean_of_the_weeks_before(many: list[Case]) -> None:
    said = centre_figures.side_figures(place=runtime("mini"), region="", at=NOW, past=False)
    zone = runtime("mini").info.zone
    for slot in said["hours"]:
        weeks = []
        for week in range(1, 5):
            day = datetime(2026, 3, 18, tzinfo=zone) - timedelta(weeks=week)
            whole = [c for c in many if day <= c.opened_at < day + timedelta(days=1)]
            if whole:
                weeks.append(sum(c.opened_at.astimezone(zone).hour == slot["hour"] for c in whole))
        assert slot["usual"] == pytest.approx(sum(weeks) / len(weeks), abs=0.051)
    assert [slot["opened"] is None for slot in said["hours"]] == [hour > 14 for hour in range(24)]


def test_hot_spots_are_the_same_thing_at_the_same_place(many: list[Case]) -> None:
    said = centre_figures.side_figures(place=runtime("mini"), region="", at=NOW, past=False)
    # the toy cases lie on a lattice a kilometre wide, so a cell holds one of its points
    recent = [c for c in many if c.lon is not None and c.opened_at >= NOW - timedelta(days=30)]
    counted = Counter((c.category, c.lon, c.lat) for c in recent)
    best = sorted((count for count in counted.values() if count >= 3), reverse=True)[:10]
    assert [spot["cases"] for spot in said["spots"]] == best
    for spot in said["spots"]:
        west, south, east, north = (float(part) for part in spot["bbox"].split(","))
        inside = [
            c
            for c in recent
            if c.category == spot["category"]
            and c.lon is not None
            and west <= c.lon <= east
            and c.lat is not None
            and south <= c.lat <= north
        ]
        assert len(inside) == spot["cases"]
        assert sum(c.closed_at is None for c in inside) == spot["still_open"]


def test_the_past_says_nothing_of_what_is_only_known_as_of_now(many: list[Case]) -> None:
    said = centre_figures.side_figures(place=runtime("mini"), region="", at=NOW - timedelta(days=5), past=True)
    assert said["steps"] is None
    assert said["units"] is None
    assert said["now"]["open"] == sum(shown_plainly(case, NOW - timedelta(days=5), "open", past=True) for case in many)


def test_what_happens_is_seen_at_the_next_look(
    report: Callable[..., dict[str, Any]], act: Callable[..., Any], actor: Callable[..., Any]
) -> None:
    seen = board.board("mini")
    seen.look()
    assert len(seen.columns) == 0
    report()
    report()
    numbers = list(Case.objects.values_list("number", flat=True))
    seen.look()
    assert len(seen.columns) == len(numbers) > 0
    assert seen.version == Event.objects.count()
    act(numbers[0], "file", actor("leader"))
    seen.look()
    row = Case.objects.get(number=numbers[0])
    at = int((seen.columns.id == row.pk).argmax())
    assert seen.codes["step"].texts[seen.columns.step[at]] == row.step
    assert seen.version == Event.objects.count()
    _equal_to_a_new_reading(seen)


def test_following_equals_reading_anew_whatever_the_order(mini: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """New cases, changed ones, ones that get a place late or another: after each look as if it had just been read."""
    monkeypatch.setattr(board, "_TAIL", 7)
    chance = random.Random(3)
    seen = board.board(mini)
    seen.look()
    for round_ in range(25):
        for _ in range(chance.randrange(4)):
            case = Case.objects.create(
                city=mini, number=f"R{round_:02}-{chance.random()}", seq=1, step="reported", stage="", category=chance.choice(CATEGORIES),
                condition="", region=chance.choice(REGIONS), grid="", lon=chance.choice((None, 120.003)), lat=31.003, text="",
                address="", source="", priority="", holder="", level="", opened_at=NOW, overdue=False, rating=0, merged_into="",
                flag="", head=b"", rest="{}",
            )  # fmt: skip
            _event(case, 1).save()
        for case in chance.sample(list(Case.objects.all()), k=min(3, Case.objects.count())):
            case.seq += 1
            case.step = chance.choice(("reported", "dispatched", "closed"))
            case.closed_at = NOW if case.step == "closed" else None
            if chance.random() < 0.3:
                case.lon = 120 + chance.random() / 10
            case.save()
            _event(case, case.seq).save()
        seen.look()
        _equal_to_a_new_reading(seen)


def _equal_to_a_new_reading(seen: board.Board) -> None:
    anew = board.Board(seen.city)
    anew.look()

    def rows(of: board.Board) -> list[tuple[Any, ...]]:
        plain = [getattr(of.columns, name).tolist() for name in ("id", "seq", "x", "y", "placed", "closed", "opened")]
        coded = [[of.codes[name].texts[n] for n in getattr(of.columns, name)] for name in of.codes]
        return sorted(zip(*plain, *coded, strict=True))

    assert rows(seen) == rows(anew)
    assert seen.version == anew.version
    codes = seen.columns.code[: seen.ordered]
    assert (codes[1:] >= codes[:-1]).all()
    world = seen.in_tile(**WORLD)
    assert sorted(world.tolist()) == [at for at, placed in enumerate(seen.columns.placed) if placed]


def test_a_large_city_is_read_in_the_background_and_says_so(many: list[Case], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board, "_AT_ONCE", 10)
    monkeypatch.setattr(board.Board, "_read_alone", lambda self: None)
    answer = Client().get("/api/v1/cities/mini/centre")
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:yiwang:problem:starting"
    assert answer["Retry-After"] == "2"


def test_the_api_answers_304_until_something_happens(many: list[Case]) -> None:
    client = Client()
    for path in ("/api/v1/cities/mini/centre?region=9001", "/api/v1/cities/mini/map/cases/0/0/0.mvt"):
        first = client.get(path)
        assert first.status_code == 200
        again = client.get(path, headers={"If-None-Match": first["ETag"]})
        # the minute may have changed between the two
        assert again.status_code == 304 or again["ETag"] != first["ETag"]
    _event(many[0], 2).save()
    Case.objects.filter(pk=many[0].pk).update(seq=2)
    changed = client.get(path, headers={"If-None-Match": first["ETag"]})
    assert changed.status_code == 200
    assert changed["Content-Type"] == vector_tiles.MEDIA_TYPE


def test_the_whole_city_has_the_cases_without_a_place_too(many: list[Case]) -> None:
    client = Client()
    whole = client.get("/api/v1/cities/mini/centre?region=90").json()
    assert whole["now"]["cases"] == len(many)
    assert client.get("/api/v1/cities/mini/centre").json()["now"] == whole["now"]


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/api/v1/cities/mini/map/cases/3/8/0.mvt", 422, "Zoom 3 has no tile 8/0"),
        ("/api/v1/cities/mini/map/cases/23/0/0.mvt", 422, "fit its description"),
        ("/api/v1/cities/mini/map/cases/0/0/0.mvt?state=lost", 422, "fit its description"),
        ("/api/v1/cities/mini/map/cases/0/0/0.mvt?at=2026-03-01T00:00", 422, "fit its description"),
        ("/api/v1/cities/mini/centre?region=77", 422, "no region '77'"),
        ("/api/v1/cities/nowhere/centre", 404, "no city"),
    ],
)
def test_wrong_questions_are_told_what_would_be_right(mini: str, path: str, status: int, words: str) -> None:
    answer = Client(headers={"accept-language": "en"}).get(path)
    assert answer.status_code == status
    assert words in answer.json()["detail"]


def test_cases_without_a_category_are_no_hot_spot(mini: str, report: Any) -> None:
    for number in range(4):
        report(category="", text=f"{number}", at=NOW - timedelta(hours=1))
    said = centre_figures.side_figures(place=runtime(mini), region="", at=NOW, past=False)
    assert (said["now"]["open"], said["spots"]) == (4, [])


def test_an_empty_city_has_figures_and_an_empty_map(mini: str) -> None:
    said = centre_figures.side_figures(place=runtime(mini), region="", at=NOW, past=False)
    assert said["now"]["open"] == 0
    assert said["units"] == []
    assert said["spots"] == []
    assert all(slot["usual"] is None for slot in said["hours"])
    assert map_tiles.tile(city=mini, **WORLD, shown=map_tiles.CaseFilter(at=NOW)) == b""
    page = Client().get("/mini/centre")
    assert page.status_code == 200
    assert "一屏统览" in page.content.decode()


@pytest.mark.parametrize("name", ["opened_after", "closed_before", "bbox"])
def test_the_list_shows_by_what_a_figure_narrowed_it(many: list[Case], name: str) -> None:
    value = {"opened_after": "2026-03-10", "closed_before": "2026-03-12T08:00+08:00", "bbox": "120,31,120.005,31.005"}[
        name
    ]
    page = Client().get("/mini/cases", {name: value}).content.decode()
    assert f'name="{name}" value="{value}"' in page.replace("&quot;", '"')
    wrong = Client().get("/mini/cases", {name: "soon"})
    assert wrong.status_code == 200
    assert "soon" in wrong.content.decode()
    assert 'role="alert"' in wrong.content.decode()
