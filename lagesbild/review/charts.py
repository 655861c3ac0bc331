"""Charts as SVG for the pages; always beside a table with the same numbers."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

_WIDTH, _HEIGHT = 720, 260
_LEFT, _RIGHT, _BOTTOM, _TOP = 48, 24, 32, 12
_MOST_NAMED, _FEW = 12, 6  # columns with their name below


def bars(
    names: Sequence[str],
    values: Sequence[float | None],
    description: str,
    intervals: Sequence[tuple[float, float] | None] = (),
) -> Markup:
    """A column for each name. None, hidden, is a dashed column with two dots over it."""
    highest = [value for value in values if value is not None]
    highest += [high for pair in intervals if pair for high in pair]
    top = _round_up(max(highest, default=1))
    step = (_WIDTH - _LEFT - _RIGHT) / max(len(names), 1)
    parts, every = [_axis(top)], max(1, -(-len(names) // _MOST_NAMED))
    for number, (name, value) in enumerate(zip(names, values, strict=True)):
        x = _LEFT + number * step
        width = min(max(step * 0.7, 1.5), 48)
        if value is None:
            y = _y(top * 0.06, top)
            parts.append(
                f'<rect class="hidden-bar" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" '
                f'height="{_HEIGHT - _BOTTOM - y:.1f}"/>'
                f'<text x="{x + width / 2:.1f}" y="{y - 4:.1f}" text-anchor="middle">..</text>'
            )
        else:
            y = _y(value, top)
            parts.append(
                f'<rect class="bar" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" '
                f'height="{_HEIGHT - _BOTTOM - y:.1f}"/>'
            )
        pair = intervals[number] if intervals else None
        if pair:
            middle = x + width / 2
            parts.append(
                f'<line class="interval" x1="{middle:.1f}" x2="{middle:.1f}" '
                f'y1="{_y(pair[0], top):.1f}" y2="{_y(pair[1], top):.1f}"/>'
            )
        if number % every == 0:
            is_minor = len(names) > _FEW and number // every % 2
            minor = ' class="minor"' if is_minor else ""  # left out on a phone
            parts.append(
                f'<text{minor} x="{x + width / 2:.1f}" y="{_HEIGHT - _BOTTOM + 18}" '
                f'text-anchor="middle">{escape(name)}</text>'
            )
    return Markup(  # noqa: S704 - every name in it is escaped above
        f'<svg class="chart" role="img" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'aria-label="{escape(description)}">{"".join(parts)}</svg>'
    )


def _axis(top: float) -> str:
    lines = []
    for number in range(5):
        value = top * number / 4
        y = _y(value, top)
        lines.append(
            f'<line class="{"grid" if number else "axis"}" x1="{_LEFT - 4}" x2="{_WIDTH}" '
            f'y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>'
        )
    return "".join(lines)


def _y(value: float, top: float) -> float:
    return _HEIGHT - _BOTTOM - (_HEIGHT - _BOTTOM - _TOP) * min(value, top) / top


def _round_up(value: float) -> float:
    """The next number that four steps divide well."""
    size = 4.0
    while size < value:
        for factor in (1, 2, 2.5, 5, 10):
            if size * factor >= value:
                return size * factor
        size *= 10
    return size
