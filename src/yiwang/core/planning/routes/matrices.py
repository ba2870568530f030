"""Distances between points: in a plane, rounded as a benchmark asks, or on the sphere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from yiwang.core.planning.routes.problem import Matrix

EARTH_RADIUS_KM = 6371.0088  # mean radius R1 of the ellipsoid GRS 80 (H. Moritz, Geodetic Reference System 1980)
Points = Sequence[tuple[float, float]]


def euclidean(points: Points) -> Matrix:
    """Straight lines in a plane, in double precision."""
    xy = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    return np.hypot(xy[:, None, 0] - xy[None, :, 0], xy[:, None, 1] - xy[None, :, 1])


def rounded_euclidean(points: Points) -> Matrix:
    """Straight lines rounded to the nearest whole number, halves up: ``EUC_2D`` of TSPLIB (G. Reinelt, 1991)."""
    return np.floor(euclidean(points) + 0.5)


def great_circle(points: Points) -> Matrix:
    """Kilometres on the sphere between longitudes and latitudes in degrees, by the haversine formula."""
    lon, lat = np.radians(np.asarray(points, dtype=np.float64).reshape(-1, 2)).T
    half = np.sin((lat[:, None] - lat) / 2) ** 2
    half += np.cos(lat[:, None]) * np.cos(lat) * np.sin((lon[:, None] - lon) / 2) ** 2
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(half, 0, 1))))
