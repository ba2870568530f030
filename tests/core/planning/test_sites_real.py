"""Plans of sites on published problems, with their known optima."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.sites import EARTH, covering, orlib

from yiwang.core.planning.sites.distances import GreatCircle
from yiwang.core.planning.sites.models import maximal_covering, p_center, p_median
from yiwang.core.planning.sites.problem import SiteProblem
from yiwang.core.planning.sites.verify import verify_sites

PLACES = (Path(__file__).resolve().parents[4] / "shared" / "data", Path("/work/shared/data"))
DATA = next((place for place in PLACES if (place / "pmedian_orlib").is_dir()), None)
pytestmark = [pytest.mark.real_data, pytest.mark.skipif(DATA is None, reason="needs ../shared/data")]
CENTERS = {1: 127, 2: 98, 6: 84, 7: 64, 11: 59}  # M. S. Daskin, Network and Discrete Location, for the same files


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 6, 10, 11, 16, 20])
def test_medians_of_or_library_are_optimal_and_proven(number: int) -> None:
    assert DATA is not None
    table = (DATA / "pmedian_orlib" / "pmedopt.txt").read_text(encoding="ascii").splitlines()[1:]
    optima = {row.split()[0]: float(row.split()[1]) for row in table if row.split()}
    plan = p_median(orlib(number))
    assert plan.standing.objective == optima[f"pmed{number}"]
    assert plan.standing.proven
    assert verify_sites(orlib(number), plan, model="pmedian") == []


@pytest.mark.parametrize("number", CENTERS)
def test_centers_of_or_library_are_optimal_and_proven(number: int) -> None:
    plan = p_center(orlib(number))
    assert plan.standing.objective == CENTERS[number]
    assert plan.standing.proven
    assert verify_sites(orlib(number), plan, model="pcenter") == []


def test_a_covering_of_a_city_is_near_the_best_known() -> None:
    """New York with 50 sites and 400 metres; distances by the spherical law of cosines on a sphere of 6,378,100 m."""
    assert DATA is not None
    folder = DATA / "mclp" / "ails_mclp"
    points, weights = covering("NewYork")
    known = float((folder / "OtimosFinais" / "NewYork_50_400.txt").read_text(encoding="utf-8").split()[1])
    given = SiteProblem(demand=weights, distances=GreatCircle(points, points, radius=EARTH), p=50)
    plan = maximal_covering(given, 400.0, seconds=8)
    assert 0.99 * known <= plan.standing.objective <= known <= plan.standing.bound
    assert verify_sites(given, plan, model="mclp", radius=400.0) == []
