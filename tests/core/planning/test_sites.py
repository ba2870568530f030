"""Plans of sites against every set of sites there is, on small random problems, and checked again by the verifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from yiwang.core.kernel.errors import BadInput
from yiwang.core.planning.sites import models
from yiwang.core.planning.sites.branching import branch
from yiwang.core.planning.sites.costs import WeightedDistances
from yiwang.core.planning.sites.distances import Distances, GreatCircle, Matrix, Without
from yiwang.core.planning.sites.lagrange import FREE, Relaxation
from yiwang.core.planning.sites.models import maximal_covering, p_center, p_median
from yiwang.core.planning.sites.problem import SiteProblem
from yiwang.core.planning.sites.verify import verify_sites

EACH = 120


def problem(seed: int, *, whole: bool = False) -> SiteProblem:
    """A problem of 6 to 14 points and 5 to 9 candidates; some points without people, some pairs forbidden, some sites fixed."""
    random = np.random.default_rng(seed)
    n, m = int(random.integers(6, 15)), int(random.integers(5, 10))
    far = random.integers(1, 12, (n, m)).astype(float) if whole else random.random((n, m)) * 10
    demand = random.integers(0, 4, n).astype(float) if whole else random.random(n) * (random.random(n) < 0.9)
    distances: Distances = Matrix(far)
    if seed % 3 == 0:
        pairs = np.argwhere(random.random((n, m)) < 0.15)
        distances = Without(distances, pairs[:, 0], pairs[:, 1])
    p = int(random.integers(1, min(5, m)))
    fixed = (
        tuple(sorted(random.choice(m, size=int(random.integers(0, p + 1)), replace=False).tolist())) if seed % 2 else ()
    )
    return SiteProblem(demand=demand, distances=distances, p=p, fixed=fixed)


def every(given: SiteProblem) -> list[tuple[float, float, np.ndarray]]:
    """Of every allowed set of sites the weighted distance, the longest way, and each point's way."""
    far, found = given.distances.columns(np.arange(given.distances.candidates)), []
    people = given.demand > 0
    for sites in combinations(range(given.distances.candidates), given.p):
        if set(given.fixed) <= set(sites):
            ways = far[:, sites].min(axis=1)
            found.append((float((ways[people] * given.demand[people]).sum()), float(ways[people].max(initial=0)), ways))
    return found


@pytest.mark.parametrize("seed", range(EACH))
def test_p_median_is_the_best_of_all_sets(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    given = problem(seed, whole=seed % 4 < 2)
    if seed % 5 == 0:  # short lists, as large problems have them
        monkeypatch.setattr(models, "_ALL_PAIRS", 0)
        monkeypatch.setattr(models, "_LIST_TIMES", 1)
    best = min(total for total, _, _ in every(given))
    if np.isinf(best):
        with pytest.raises(BadInput):
            p_median(given)
        return
    plan = p_median(given)
    assert plan.standing.objective == pytest.approx(best, rel=1e-9)
    assert plan.standing.proven
    assert verify_sites(given, plan, model="pmedian") == []


@pytest.mark.parametrize("seed", range(EACH))
def test_maximal_covering_is_the_best_of_all_sets(seed: int) -> None:
    given, radius = problem(seed, whole=seed % 4 < 2), 1.0 + seed % 5
    best = max(float(given.demand[ways <= radius].sum()) for _, _, ways in every(given))
    plan = maximal_covering(given, radius)
    assert plan.standing.objective == pytest.approx(best, rel=1e-9)
    assert plan.standing.proven
    assert verify_sites(given, plan, model="mclp", radius=radius) == []


@pytest.mark.parametrize("seed", range(EACH))
def test_p_center_is_the_best_of_all_sets(seed: int) -> None:
    given = problem(seed, whole=seed % 4 < 2)
    if not given.demand.any():
        given = replace(given, demand=given.demand + 1)
    best = min(longest for _, longest, _ in every(given))
    if np.isinf(best):
        with pytest.raises(BadInput):
            p_center(given)
        return
    plan = p_center(given)
    assert plan.standing.objective == best
    assert plan.standing.proven
    assert verify_sites(given, plan, model="pcenter") == []


@pytest.mark.parametrize("seed", range(40))
def test_the_bound_of_every_node_and_step_holds(seed: int) -> None:
    """Stopped after any number of nodes, the branching gives a bound that no set of sites goes below."""
    given = replace(problem(seed, whole=seed % 2 == 0), fixed=())
    costs = WeightedDistances(given.distances, given.demand, given.distances.candidates)
    best = min(total for total, _, _ in every(given))
    if np.isinf(best):
        return
    pairs, state = costs.lists.pairs, np.full(given.distances.candidates, FREE, dtype=np.int8)
    start = np.minimum(costs.columns(np.arange(given.distances.candidates)).min(axis=1) + 1, pairs.beyond)
    root = Relaxation.begin(pairs, given.p, start)
    for steps in (1, 2, 5, 20):
        root.ascend(pairs, given.p, state, 2 * best + 1, steps=steps, patience=5)
        assert root.bound <= best + 1e-9
    for nodes in (0, 1, 2, 4, 8):
        bound, _ = branch(
            pairs, given.p, state, root.prices, root.bound, 2 * best + 1,
            step=0.0, over=lambda: False, tried=lambda sites: float(costs.columns(sites).min(axis=1).sum()), nodes=nodes,
        )  # fmt: skip
        assert bound <= best + 1e-9


def test_a_time_limit_gives_the_best_found_with_its_bound() -> None:
    random = np.random.default_rng(1)
    given = SiteProblem(demand=random.random(400), distances=Matrix(random.random((400, 300))), p=12)
    for plan in (
        p_median(given, seconds=0.05),
        p_center(given, seconds=0.05),
        maximal_covering(given, 0.05, seconds=0.05),
    ):
        assert len(plan.sites) == 12
        assert plan.standing.gap >= 0


def test_the_same_problem_gives_the_same_plan() -> None:
    random = np.random.default_rng(2)
    given = SiteProblem(
        demand=random.random(150), distances=GreatCircle(random.random((150, 2)), random.random((60, 2))), p=7
    )
    for model in (p_median, p_center, lambda one: maximal_covering(one, 15_000)):
        first, second = model(given), model(given)
        assert first.sites == second.sites
        assert first.assigned.tobytes() == second.assigned.tobytes()
        assert first.standing.objective == second.standing.objective


def test_great_circles_are_those_of_the_haversine() -> None:
    random = np.random.default_rng(3)
    points, sites = random.random((40, 2)) * [360, 170] - [180, 85], random.random((25, 2)) * [360, 170] - [180, 85]
    distances = GreatCircle(points, sites)
    dense = distances.columns(np.arange(25))
    (lon, lat), (lon2, lat2) = np.radians(points.T)[:, :, None], np.radians(sites.T)[:, None, :]
    h = np.sin((lat2 - lat) / 2) ** 2 + np.cos(lat) * np.cos(lat2) * np.sin((lon2 - lon) / 2) ** 2
    assert np.allclose(dense, 2 * distances.radius * np.arcsin(np.sqrt(h)))
    order, far = distances.nearest(5)
    assert np.array_equal(far, np.take_along_axis(dense, order, axis=1))
    assert np.array_equal(far, np.sort(dense, axis=1)[:, :5])
    near, which = distances.within(4_000_000)
    assert set(zip(near.tolist(), which.tolist(), strict=True)) == set(
        map(tuple, np.argwhere(dense <= 4_000_000).tolist())
    )


@pytest.mark.parametrize(
    ("p", "fixed", "words"),
    [(0, (), "0 sites"), (6, (), "6 sites"), (1, (0, 1), "2 sites exist already"), (2, (9,), "no candidate 9")],
)
def test_what_cannot_be_asked_is_refused_in_words(p: int, fixed: Sequence[int], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        SiteProblem(demand=np.ones(4), distances=Matrix(np.ones((4, 5))), p=p, fixed=tuple(fixed))


def test_a_point_that_reaches_nothing_is_named() -> None:
    far = np.ones((4, 3))
    far[2] = np.inf
    for model in (p_median, p_center):
        with pytest.raises(BadInput, match="number 3"):
            model(SiteProblem(demand=np.ones(4), distances=Matrix(far), p=2))
    assert p_median(SiteProblem(demand=np.array([1.0, 1, 0, 1]), distances=Matrix(far), p=2)).assigned[2] == -1


def test_the_verifier_finds_each_kind_of_fault() -> None:
    random = np.random.default_rng(4)
    given = SiteProblem(demand=np.ones(20), distances=Matrix(random.random((20, 8))), p=3, fixed=(1,))
    plan = p_median(given)
    other = next(j for j in range(8) if j not in plan.sites)
    standing = replace(plan.standing, objective=plan.standing.objective + 1)
    wrong = {
        "the objective is wrong": replace(plan, standing=standing),
        "where demand point 1 goes is wrong": replace(plan, assigned=np.where(np.arange(20) == 0, -1, plan.assigned)),
        "sites that exist is wrong": replace(plan, sites=tuple(sorted({*plan.sites, other} - {1}))),
        "the set of sites is wrong": replace(plan, sites=(*plan.sites, other)),
        "the number of sites is wrong": replace(plan, sites=plan.sites[:2]),
    }
    for words, one in wrong.items():
        if words.startswith(("sites that", "the set", "the number")):
            one = replace(
                one, assigned=np.asarray(one.sites)[given.distances.columns(np.array(one.sites)).argmin(axis=1)]
            )
        assert any(words in str(fault) for fault in verify_sites(given, one, model="pmedian")), words
