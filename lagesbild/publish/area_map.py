"""A map of counts by area, as SVG from the configured boundaries: five steps, numbers, hatching."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from math import cos, radians

import shapely
from shapely.geometry.base import BaseGeometry

from lagesbild.publish.disclosure import HIDDEN

_STEPS = ("#f4f6f7", "#cfdeea", "#9bbcd6", "#5f8fb5", "#1b4f72")
_SIZE = 430
_FEWEST_PIXELS = 1.0  # a boundary need not be finer than a screen
_MOST_NUMBERS = 40  # with more areas, numbers would lie on top of each other


def draw_map(
    shapes: Mapping[str, BaseGeometry],
    counts: Mapping[str, int | None],
    names: Mapping[str, str],
    chosen: str | None,
) -> str:
    """The SVG, or "" without boundaries. Hidden areas are hatched, the chosen one has a frame."""
    if not shapes:
        return ""
    west, south, east, north = shapely.total_bounds(list(shapes.values()))
    squeeze = cos(radians((south + north) / 2))
    scale = (_SIZE - 20) / max((east - west) * squeeze, north - south)
    height = (north - south) * scale + 20

    def place(points: Sequence[Sequence[float]]) -> str:
        return " ".join(
            f"{10 + (x - west) * squeeze * scale:.1f},{10 + (north - y) * scale:.1f}"
            for x, y, *_ in points
        )

    top = max([count for count in counts.values() if count], default=0)
    drawn, texts = [], []
    for code in sorted(shapes, key=lambda code: (code == chosen, code)):
        count = counts.get(code, 0)
        finer = shapes[code].simplify(_FEWEST_PIXELS / scale)
        frame = 'stroke="#b9540b" stroke-width="4"' if code == chosen else 'stroke="#1c1c1c"'
        path = _path(finer, place)
        drawn.append(f'<path d="{path}" fill="{_fill(count, top)}" {frame} fill-rule="evenodd"/>')
        if len(shapes) <= _MOST_NUMBERS:
            point = shapes[code].representative_point()
            x, y = place([(point.x, point.y)]).split(",")
            texts += _label(x, y, names.get(code, code), count)
    width = (east - west) * squeeze * scale + 20
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" font-family="Arial, Helvetica, sans-serif">'
        '<defs><pattern id="hatch" width="8" height="8" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><rect width="8" height="8" fill="white"/>'
        '<line x1="0" y1="0" x2="0" y2="8" stroke="#8a8a8a" stroke-width="2"/></pattern></defs>'
        f"{''.join(drawn)}{''.join(texts)}</svg>"
    )


def steps(counts: Sequence[int | None]) -> list[tuple[str, int, int]]:
    """The legend: (colour, from, to) of each step that the counts use."""
    top = max([count for count in counts if count], default=0)
    found = []
    for number, colour in enumerate(_STEPS):
        inside = [n for n in counts if n is not None and _step(n, top) == number]
        if inside:
            found.append((colour, min(inside), max(inside)))
    return found


def _step(count: int, top: int) -> int:
    return min(4, count * 5 // max(top, 1))


def _fill(count: int | None, top: int) -> str:
    return "url(#hatch)" if count is None else _STEPS[_step(count, top)]


def _path(geometry: BaseGeometry, place: Callable[[Sequence[Sequence[float]]], str]) -> str:
    rings = []
    for polygon in getattr(geometry, "geoms", [geometry]):
        for ring in (polygon.exterior, *polygon.interiors):
            rings.append(f"M{place(list(ring.coords))}Z")
    return "".join(rings)


def _label(x: str, y: str, name: str, count: int | None) -> list[str]:
    """The name and the number, with a light edge that reads on any colour."""
    number = HIDDEN if count is None else str(count)
    style = (
        'text-anchor="middle" fill="#1c1c1c" stroke="white" stroke-width="4" paint-order="stroke" '
        'stroke-linejoin="round"'
    )
    return [
        f'<text x="{x}" y="{y}" font-size="13" {style}>{escape(name)}</text>',
        f'<text x="{x}" y="{y}" dy="17" font-size="15" font-weight="bold" {style}>{number}</text>',
    ]
