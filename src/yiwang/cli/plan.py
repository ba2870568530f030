"""`yiwang plan`: plans with proofs or bounds. Needs no database."""

from __future__ import annotations

import importlib

import click

# Command → module and one line of help: a plan loads only the solver that it needs.
PLANS: dict[str, tuple[str, str]] = {
    "site": ("yiwang.cli.plan_site", "Where to put sites: p-median, p-center, maximal covering."),
    "routes": ("yiwang.cli.plan_routes", "Routes of teams, samples and deliveries, with time windows."),
