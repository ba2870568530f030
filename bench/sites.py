"""Where to put sites: published problems with their optima, a peer in the same run, and a problem of a city's size.

    python -m bench sites

p-median: pmed1–20 of OR-Library, and random graphs made the same way with 500 to 900 vertices, as pmed21–40 are. The peer is spopt with
HiGHS (`spopt.locate.PMedian`), each solver in a process of its own. Maximal covering: New York (2,713 points, 400 m) and the Bronx
(3,839, 600 m) against the best known values; distances by the spherical law of cosines on 6,378,100 m. Large: 100,000 points with
weights from a Pareto distribution around 60 centres, 2,000 candidates, 50 sites. ``YIWANG_BENCH_SITES`` names the parts to run: pmed,
random, spopt, mclp, large.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from yiwang.core.planning.sites.distances import GreatCircle, Matrix
from yiwang.core.planning.sites.models import maximal_covering, p_median
from yiwang.core.planning.sites.problem import SitePlan, SiteProblem
from yiwang.core.planning.sites.readers import read_orlib

ROOT = Path(__file__).resolve().parent.parent
DATA = next(
    (path for path in (ROOT.parent / "shared" / "data", Path("/work/shared/data")) if (path / "mclp").is_dir()), None
)
PARTS = ("pmed", "random", "spopt", "mclp", "large")
RANDOM = ((500, 5), (500, 50), (600, 10), (600, 60), (700, 5), (700, 140), (800, 10), (800, 80), (900, 5), (900, 90))
PEER = ((500, 50), (700, 140))  # smaller p takes the peer minutes
EARTH = 6_378_100.0
COVERINGS = (("NewYork", 400), ("Bronx", 600))
SECONDS = 60.0


def orlib(number: int) -> SiteProblem:
    assert DATA is not None
    path = DATA / "pmedian_orlib" / f"pmed{number}.txt"
    distances, p = read_orlib(path.read_text(encoding="ascii"), path.name)
    return SiteProblem(demand=np.ones(distances.points), distances=distances, p=p)


def random_graph(n: int, p: int) -> SiteProblem:
    """A graph of n²∕50 random edges of lengths 1 to 100 over a path through all vertices, as Beasley made his."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import dijkstra

    random = np.random.default_rng(n + p)
    edges = n * n // 50
    a = np.concatenate([np.arange(n - 1), random.integers(0, n, edges)])
    b = np.concatenate([np.arange(1, n), random.integers(0, n, edges)])
    length = random.integers(1, 101, len(a)).astype(float)
    different = a != b
    low, high = np.minimum(a, b)[different], np.maximum(a, b)[different]
    pairs, which = np.unique(low * n + high, return_index=True)
    graph = csr_matrix((length[different][which], (pairs // n, pairs % n)), shape=(n, n))
    return SiteProblem(demand=np.ones(n), distances=Matrix(dijkstra(graph, directed=False)), p=p)


def covering(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Points (longitude, latitude) and demand of a problem."""
    assert DATA is not None
    text = (DATA / "mclp" / "ails_mclp" / "Instancias" / f"{name}.txt").read_text(encoding="ascii")
    points, demand = text.split("NODE_COORD_SECTION")[1].split("DEMAND_SECTION")
    places = np.array(points.split(), dtype=float).reshape(-1, 2)
    return places[:, ::-1].copy(), np.array([word for word in demand.split() if word != "EOF"], dtype=float)


def large() -> SiteProblem:
    random = np.random.default_rng(5)
    n, m = 100_000, 2_000
    centres = random.normal(0, 0.15, (60, 2)) * [1.2, 1] + [120.3, 31.55]
    points = centres[random.integers(0, 60, n)] + random.normal(0, 0.02, (n, 2))
    sites = points[random.choice(n, m, replace=False)] + random.normal(0, 0.003, (m, 2))
    return SiteProblem(demand=random.pareto(2, n) * 20 + 1, distances=GreatCircle(points, sites), p=50)


def spopt_median(given: SiteProblem) -> float:
    import pulp
    from spopt.locate import PMedian

    distances = given.distances
    model = PMedian.from_cost_matrix(
        distances.columns(np.arange(distances.candidates)), given.demand, p_facilities=given.p
    )
    model.solve(pulp.HiGHS(msg=False, threads=1))
    return float(model.problem.objective.value())


def alone(*arguments: str) -> dict[str, Any]:
    """A part in a process of its own: what it found, seconds, peak memory."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.sites", *arguments],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measured(kind: str, *arguments: str) -> dict[str, Any]:
    """What runs in that process. The first, small plan compiles or loads the inner loops."""
    p_median(random_graph(50, 5))
    started, plan = time.perf_counter(), None
    if kind == "pmed":
        plan = p_median(orlib(int(arguments[0])), seconds=SECONDS)
    elif kind == "random":
        plan = p_median(random_graph(int(arguments[0]), int(arguments[1])), seconds=SECONDS)
    elif kind == "mclp":
        points, demand = covering(arguments[0])
        given = SiteProblem(demand=demand, distances=GreatCircle(points, points, radius=EARTH), p=int(arguments[2]))
        plan = maximal_covering(given, float(arguments[1]), seconds=SECONDS)
    elif kind == "large":
        plan = p_median(large(), seconds=110)
    else:
        found = spopt_median(random_graph(int(arguments[0]), int(arguments[1])))
    seconds = time.perf_counter() - started
    told = {"objective": found} if plan is None else _told(plan)
    return told | {"seconds": seconds, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def _told(plan: SitePlan) -> dict[str, Any]:
    standing = plan.standing
    return {
        "objective": standing.objective,
        "bound": standing.bound,
        "gap": standing.gap,
        "proven": standing.proven,
        "nodes": plan.nodes,
    }


def run() -> list[dict[str, Any]]:
    """One row a problem and medians."""
    if DATA is None:
        raise SystemExit("This needs ../shared/data/pmedian_orlib and mclp.")
    parts = os.environ.get("YIWANG_BENCH_SITES", ",".join(PARTS)).split(",")
    rows: list[dict[str, Any]] = []
    for part in PARTS:
        if part in parts:
            rows += {"pmed": published, "random": alike, "spopt": against_spopt, "mclp": coverings, "large": one_large}[
                part
            ]()
    return rows


def published() -> Iterator[dict[str, Any]]:
    assert DATA is not None
    table = (DATA / "pmedian_orlib" / "pmedopt.txt").read_text(encoding="ascii").splitlines()[1:]
    optima = {row.split()[0]: float(row.split()[1]) for row in table if row.split()}
    seconds = []
    for number in range(1, 21):
        found = alone("pmed", str(number))
        seconds.append(found["seconds"])
        yield _row(f"p-median pmed{number}", found, f"optimum {optima[f'pmed{number}']:,.0f}", optima[f"pmed{number}"])
    yield _median("p-median pmed1–20", seconds)


def alike() -> Iterator[dict[str, Any]]:
    seconds = []
    for n, p in RANDOM:
        found = alone("random", str(n), str(p))
        seconds.append(found["seconds"])
        yield _row(f"p-median, random graph of {n}, p = {p}", found, "its own bound", found["bound"])
    yield _median("p-median, random graphs of 500 to 900", seconds)


def against_spopt() -> Iterator[dict[str, Any]]:
    for n, p in PEER:
        ours, peer = alone("random", str(n), str(p)), alone("spopt", str(n), str(p))
        assert abs(ours["objective"] - peer["objective"]) < 1e-6, (ours, peer)
        what = f"p-median, random graph of {n}, p = {p}, proven"
        yield {
            "name": f"{what}: seconds", "value": ours["seconds"], "unit": "s", "peer": f"spopt with HiGHS {peer['seconds']:.1f} s",
            "ratio": peer["seconds"] / ours["seconds"],
        }  # fmt: skip
        yield {
            "name": f"{what}: peak memory", "value": ours["peak_mb"], "unit": "MB", "peer": f"spopt with HiGHS {peer['peak_mb']:,.0f} MB",
            "ratio": peer["peak_mb"] / ours["peak_mb"],
        }  # fmt: skip


def coverings() -> Iterator[dict[str, Any]]:
    assert DATA is not None
    for name, radius in COVERINGS:
        for p in (50, 70, 100):
            path = DATA / "mclp" / "ails_mclp" / "OtimosFinais" / f"{name}_{p}_{radius}.txt"
            known = float(path.read_text(encoding="utf-8").split()[1])
            yield _row(
                f"covering {name}, p = {p}", alone("mclp", name, str(radius), str(p)), f"best known {known:,.0f}", known
            )


def one_large() -> Iterator[dict[str, Any]]:
    found = alone("large")
    yield _row(
        f"p-median of 100,000 × 2,000, p = 50, {found['peak_mb'] / 1024:.1f} GiB",
        found,
        "its own bound",
        found["bound"],
    )


def _row(name: str, found: dict[str, Any], peer: str, other: float) -> dict[str, Any]:
    known = "proven" if found["proven"] else f"gap {found['gap']:.3%}"
    return {
        "name": f"{name}: {found['objective']:,.0f}, {known}, {found['nodes']:,} nodes", "value": found["seconds"], "unit": "s",
        "peer": peer, "ratio": found["objective"] / other,
    }  # fmt: skip


def _median(name: str, seconds: list[float]) -> dict[str, Any]:
    return {
        "name": f"{name}: median of {len(seconds)}",
        "value": median(seconds),
        "unit": "s",
        "peer": f"longest {max(seconds):.1f} s",
        "ratio": None,
    }


if __name__ == "__main__":
    print(json.dumps(measured(*sys.argv[1:])))
