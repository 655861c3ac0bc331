"""Lantmäteriet's control points for SWEREF 99 TM (2007-11-20), to the millimetre."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lagesbild.projection import to_sweref99tm, to_wgs84

CONTROL_POINTS = [
    (55.0, 12.75, 6097106.672, 356083.438),
    (55.0, 14.25, 6095048.642, 452024.069),
    (57.0, 12.75, 6319636.937, 363331.554),
    (57.0, 19.5, 6326392.707, 773251.054),
    (59.0, 11.25, 6546096.724, 284626.066),
    (59.0, 19.5, 6548757.206, 758410.519),
    (61.0, 12.75, 6764877.311, 378323.440),
    (61.0, 18.75, 6768593.345, 702745.127),
    (63.0, 12.0, 6989134.048, 348083.148),
    (63.0, 19.5, 6993565.630, 727798.671),
    (69.0, 21.0, 7666089.698, 739639.195),
]


@pytest.mark.parametrize(("lat", "lon", "north", "east"), CONTROL_POINTS)
def test_control_points(lat: float, lon: float, north: float, east: float) -> None:
    assert to_sweref99tm(lat, lon) == pytest.approx((north, east), abs=0.001)
    assert to_wgs84(north, east) == pytest.approx((lat, lon), abs=2e-8)


@given(lat=st.floats(54, 70), lon=st.floats(9, 25))
def test_there_and_back(lat: float, lon: float) -> None:
    assert to_wgs84(*to_sweref99tm(lat, lon)) == pytest.approx((lat, lon), abs=1e-9)


def test_arrays() -> None:
    table = np.array(CONTROL_POINTS)
    lat, lon = to_wgs84(table[:, 2], table[:, 3])
    assert np.allclose(lat, table[:, 0], atol=2e-8)
    assert np.allclose(lon, table[:, 1], atol=2e-8)
