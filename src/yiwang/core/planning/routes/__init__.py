"""Routes of mobile teams, sample runs and deliveries: a typed problem, a search, a bound and an independent verifier."""

from yiwang.core.planning.routes.plan import Plan, Route, Visit
from yiwang.core.planning.routes.problem import Depot, Problem, Stop, Vehicle
from yiwang.core.planning.routes.solver import Effort, plan_routes
from yiwang.core.planning.routes.verify import verify

__all__ = ["Depot", "Effort", "Plan", "Problem", "Route", "Stop", "Vehicle", "Visit", "plan_routes", "verify"]
