"""Reading problems: what is right, and every fault with its file, row and column."""

from __future__ import annotations

from math import inf

import pytest

from yiwang.core.kernel.errors import BadInput
from yiwang.core.planning.routes import Effort, plan_routes, verify
from yiwang.core.planning.routes.benchmarks import read_cost, read_solomon, read_vrplib
from yiwang.core.planning.routes.tables import Fleet, clock, geojson, minutes, read_tables

VRP = """NAME : tiny
TYPE : CVRP
DIMENSION : 4
EDGE_WEIGHT_TYPE : EUC_2D
CAPACITY : 10
NODE_COORD_SECTION
1 0 0
2 3 4
3 0 5
4 -3 4
DEMAND_SECTION
1 0
2 5
3 5
4 5
DEPOT_SECTION
1
-1
EOF
"""
SOLOMON = """TINY

VEHICLE
NUMBER     CAPACITY
  3         20

CUSTOMER
CUST NO.  XCOORD.  YCOORD.  DEMAND  READY TIME  DUE DATE  SERVICE TIME
 0  0 0  0   0  100  0
 1  3 4 10   0   50  5
 2  0 5 10  20   40  5
"""
HEADER = "id,lon,lat,demand,service_minutes,open,close,depot,result_minutes,price\n"
STOPS = HEADER + (
    "lab,120.30,31.57,,,,,1,,\n"
    "a,120.32,31.58,4,5,08:30,10:00,,60,\n"
    "b,120.28,31.55,4,5,08:00,09:30,,60,\n"
    "c,120.35,31.60,4,5,,,,,0.5\n"
)
FLEET = Fleet(number=2, capacity=8, starts=480, ends=720)


def test_vrplib() -> None:
    problem = read_vrplib(VRP, "tiny.vrp")
    assert problem.distance[1].tolist() == [5, 0, 3, 6]
    assert [stop.demand for stop in problem.stops] == [(5,)] * 3
    plan = plan_routes(problem, effort=Effort(iterations=50))
    assert (plan.standing.objective, plan.standing.bound, plan.least_vehicles) == (23, 23, 2)
    assert read_cost("Route #1: 1 2\nCost 23\n") == 23
    assert read_cost("Route #1: 1 2\n") is None


def test_a_full_matrix() -> None:
    text = (
        VRP.split("NODE_COORD_SECTION")[0].replace("EUC_2D", "EXPLICIT\nEDGE_WEIGHT_FORMAT : FULL_MATRIX")
        + "EDGE_WEIGHT_SECTION\n0 1 2 3\n1 0 4 5\n2 4 0 6\n3 5 6 0\nDEMAND_SECTION\n1 0\n2 5\n3 5\n4 5\n"
    )
    assert read_vrplib(text, "m.vrp").distance[1].tolist() == [1, 0, 4, 5]


def test_faults_of_vrplib_are_all_told() -> None:
    wrong = (
        VRP.replace("2 3 4", "2 3 x").replace("3 5\n", "3\n").replace("-3 4", "-3 4 5").replace("\n1\n-1", "\n2\n-1")
    )
    with pytest.raises(BadInput) as caught:
        read_vrplib(wrong, "w.vrp")
    said = str(caught.value)
    assert "w.vrp, row 8, column NODE_COORD_SECTION: 'x' is not valid. It must be a number." in said
    assert "row 10" in said
    assert "row 14" in said
    assert "column DEPOT_SECTION" in said
    with pytest.raises(BadInput, match="CAPACITY is missing"):
        read_vrplib(VRP.replace("CAPACITY : 10\n", ""), "w.vrp")
    with pytest.raises(BadInput, match="of type TSP"):
        read_vrplib(VRP.replace("CVRP", "TSP"), "w.vrp")


def test_solomon_as_text_and_json() -> None:
    problem = read_solomon(SOLOMON, "tiny.txt")
    assert problem.vehicles[0].number == 3
    assert (problem.stops[1].opens, problem.stops[1].closes, problem.stops[1].service) == (20, 40, 5)
    customers = [
        dict(zip(("id", "x", "y", "demand", "earliest", "latest", "cost"), map(int, line.split()), strict=True))
        for line in SOLOMON.splitlines()[8:]
    ]
    same = read_solomon(str({"vehicle-nr": 3, "capacity": 20, "customers": customers}).replace("'", '"'), "tiny.json")
    assert (same.stops, same.vehicles) == (problem.stops, problem.vehicles)
    plan = plan_routes(problem, effort=Effort(iterations=50), fewest=True)
    assert len(plan.routes) == 1
    assert plan.standing.objective == pytest.approx(10 + 10**0.5)
    for text, fault in (
        (SOLOMON.replace("20   40", "20"), "row 11"),
        ("{", "Not valid JSON"),
        ('{"customers": 1}', "no list of customers"),
        ("NAME\n", "no line with the number of vehicles"),
    ):
        with pytest.raises(BadInput, match=fault):
            read_solomon(text, "w.txt")


def test_tables_and_the_plan_on_a_map() -> None:
    problem = read_tables(STOPS, "stops.csv", fleet=FLEET, speed=20)
    assert (problem.stops[0].opens, problem.stops[0].time_to_result, problem.stops[2].closes) == (510, 60, inf)
    assert problem.distance[0, 1] == pytest.approx(2.197, abs=0.005)
    plan = plan_routes(problem, effort=Effort(iterations=200))
    assert verify(problem, plan) == []
    assert plan.skipped == ("c",)  # dearer to serve than to leave out
    features = geojson(problem, plan)["features"]
    assert features[0]["geometry"]["coordinates"][0] == (120.30, 31.57)
    assert {one["properties"].get("stop") for one in features} == {None, "a", "b"}
    again = plan_routes(problem, effort=Effort(iterations=200))
    assert again.routes == plan.routes


def test_a_table_of_vehicles() -> None:
    fleet = (
        "id,number,capacity,start,end,fixed_cost,cost_per_hour\nvan,1,4,08:00,12:00,10,30\nbike,2,4,08:00,12:00,1,\n"
    )
    problem = read_tables(STOPS, "stops.csv", vehicles=fleet, vehicles_file="fleet.csv", speed=20)
    plan = plan_routes(problem, effort=Effort(iterations=200))
    assert {route.vehicle for route in plan.routes} == {"bike"}


def test_faults_of_tables_are_all_told() -> None:
    wrong = (
        STOPS.replace("08:30", "8.30")
        .replace("a,120.32", "a,220.32")
        .replace("\nb,120", "\na,120")
        .replace("lab,", ",")
    )
    fleet = "id,number,capacity,start,end,colour\nvan,1.5,4,08:00,07:00,red\n"
    with pytest.raises(BadInput) as caught:
        read_tables(wrong, "stops.csv", vehicles=fleet, vehicles_file="fleet.csv", speed=20)
    said = str(caught.value)
    for part in (
        "stops.csv, row 2, column id",
        "stops.csv, row 3, column lon: 220.32 is out of range",
        "stops.csv, row 3, column open: '8.30' is no time of day. It must be HH:MM",
        "'a' occurs more than once",
        "fleet.csv, row 1, column colour",
        "fleet.csv, row 2, column number",
        "fleet.csv, row 2, column end",
    ):
        assert part in said
    assert "不是时刻" in caught.value.text.into("zh")
    for text in ("id,lon\n", HEADER):
        with pytest.raises(BadInput):
            read_tables(text, "stops.csv", fleet=FLEET, speed=20)


def test_what_cannot_be_is_said_before_the_search() -> None:
    impossible = STOPS.replace("a,120.32,31.58,4", "a,120.32,31.58,9").replace("08:00,09:30", "07:00,07:30")
    with pytest.raises(BadInput) as caught:
        plan_routes(read_tables(impossible, "stops.csv", fleet=FLEET, speed=20))
    said = str(caught.value)
    assert "'a' cannot be served: its demand of 9 is above every vehicle's capacity (at most 8)" in said
    assert "'b' cannot be served: it is reached at" in said
    few = Fleet(number=1, capacity=7, starts=480, ends=720)
    with pytest.raises(BadInput, match=r"demand 8 in all; all vehicles together carry 7"):
        plan_routes(read_tables(STOPS, "stops.csv", fleet=few, speed=20))
    tight = STOPS.replace("08:30,10:00", "08:08,08:09").replace("08:00,09:30", "08:12,08:14")
    one = Fleet(number=1, capacity=9, starts=480, ends=720)
    with pytest.raises(BadInput) as found:
        plan_routes(read_tables(tight, "stops.csv", fleet=one, speed=20), effort=Effort(iterations=100))
    assert "does not prove that there is none" in str(found.value)


def test_clock_times() -> None:
    assert [minutes(text) for text in ("08:30", "30:00", "8.30", "08:75", "")] == [510, 1800, None, None, None]
    assert clock(510.5) == "08:30:30"
