"""SWEREF 99 TM (EPSG:3006) to and from degrees, by Lantmäteriet's Gauss-Krüger series.

The series is exact to well under a millimetre in Sweden. SWEREF 99 and WGS 84 differ by less than
a metre, far below what a neighbourhood boundary needs, and are treated as one.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Numbers = TypeVar("Numbers", float, NDArray[np.float64])

_AXIS = 6378137.0  # GRS 80
_FLATTENING = 1 / 298.257222101
_MERIDIAN = np.radians(15.0)
_SCALE = 0.9996
_FALSE_EASTING = 500_000.0

_E2 = _FLATTENING * (2 - _FLATTENING)
_N = _FLATTENING / (2 - _FLATTENING)
_RADIUS = _SCALE * _AXIS / (1 + _N) * (1 + _N**2 / 4 + _N**4 / 64)

# Names of the coefficients as in Lantmäteriet's description: A B C D, beta, A* B* C* D*, delta.
_TO_SPHERE = (
    _E2,
    (5 * _E2**2 - _E2**3) / 6,
    (104 * _E2**3 - 45 * _E2**4) / 120,
    1237 * _E2**4 / 1260,
)
_BETA = (
    _N / 2 - 2 * _N**2 / 3 + 5 * _N**3 / 16 + 41 * _N**4 / 180,
    13 * _N**2 / 48 - 3 * _N**3 / 5 + 557 * _N**4 / 1440,
    61 * _N**3 / 240 - 103 * _N**4 / 140,
    49561 * _N**4 / 161280,
)
_FROM_SPHERE = (
    _E2 + _E2**2 + _E2**3 + _E2**4,
    -(7 * _E2**2 + 17 * _E2**3 + 30 * _E2**4) / 6,
    (224 * _E2**3 + 889 * _E2**4) / 120,
    -(4279 * _E2**4) / 1260,
)
_DELTA = (
    _N / 2 - 2 * _N**2 / 3 + 37 * _N**3 / 96 - _N**4 / 360,
    _N**2 / 48 + _N**3 / 15 - 437 * _N**4 / 1440,
    17 * _N**3 / 480 - 37 * _N**4 / 840,
    4397 * _N**4 / 161280,
)


def to_wgs84(northing: Numbers, easting: Numbers) -> tuple[Numbers, Numbers]:
    """(latitude, longitude) in degrees of N and E in metres; numbers or arrays."""
    xi = northing / _RADIUS
    eta = (easting - _FALSE_EASTING) / _RADIUS
    xi_sphere, eta_sphere = xi, eta
    for order, delta in enumerate(_DELTA, 1):
        xi_sphere = xi_sphere - delta * np.sin(2 * order * xi) * np.cosh(2 * order * eta)
        eta_sphere = eta_sphere - delta * np.cos(2 * order * xi) * np.sinh(2 * order * eta)
    phi = np.arcsin(np.sin(xi_sphere) / np.cosh(eta_sphere))
    longitude = _MERIDIAN + np.arctan2(np.sinh(eta_sphere), np.cos(xi_sphere))
    a, b, c, d = _FROM_SPHERE
    sin2 = np.sin(phi) ** 2
    latitude = phi + np.sin(phi) * np.cos(phi) * (a + sin2 * (b + sin2 * (c + sin2 * d)))
    return np.degrees(latitude), np.degrees(longitude)


def to_sweref99tm(latitude: Numbers, longitude: Numbers) -> tuple[Numbers, Numbers]:
    """(N, E) in metres of a position in degrees; numbers or arrays."""
    lat, dlon = np.radians(latitude), np.radians(longitude) - _MERIDIAN
    a, b, c, d = _TO_SPHERE
    sin2 = np.sin(lat) ** 2
    phi = lat - np.sin(lat) * np.cos(lat) * (a + sin2 * (b + sin2 * (c + sin2 * d)))
    xi = np.arctan2(np.tan(phi), np.cos(dlon))
    eta = np.arctanh(np.cos(phi) * np.sin(dlon))
    northing, easting = xi, eta
    for order, beta in enumerate(_BETA, 1):
        northing = northing + beta * np.sin(2 * order * xi) * np.cosh(2 * order * eta)
        easting = easting + beta * np.cos(2 * order * xi) * np.sinh(2 * order * eta)
    return _RADIUS * northing, _RADIUS * easting + _FALSE_EASTING
