"""No small count can be worked out from everything that is published with it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bench.attacker import attack
from bench.random_families import random_family
from lagesbild.publish.disclosure import (
    Axis,
    Cell,
    Family,
    Protected,
    Sum,
    is_share_shown,
    perturbed,
    protect,
    record_key,
    rounded,
)
from lagesbild.publish.disclosure_exchange import Exchanges
from lagesbild.publish.disclosure_programme import Answer, Relation, Sums
from lagesbild.publish.disclosure_solver import hide

AREAS = Axis("area", (Sum("alla", ("a", "b", "c")),), "alla")
MONTHS = Axis("period", (Sum("Q1", ("jan", "feb", "mar")),), "Q1")


def crossed(rows: list[list[int]]) -> Family:
    """Areas in rows, months in columns, with all totals."""
    counts: dict[Cell, int] = {}
    for area, row in zip("abc", rows, strict=True):
        for month, n in zip(("jan", "feb", "mar"), row, strict=True):
            for cell in itertools.product((area, "alla"), (month, "Q1")):
                counts[cell] = counts.get(cell, 0) + n
    return Family((AREAS, MONTHS), counts)


def tables_like(protected: Protected, largest: int) -> Iterator[list[list[int]]]:
    """Every table of areas and months that looks the same when published; by trying them all."""
    family = protected.family
    cells = list(itertools.product("abc", ("jan", "feb", "mar")))

    def choices(cell: Cell) -> range:
        n = family.counts.get(cell, 0)
        return range(1, largest + 1) if protected.is_hidden(cell) else range(n, n + 1)

    for values in itertools.product(*map(choices, cells)):
        rows = [list(values[n : n + 3]) for n in (0, 3, 6)]
        other = crossed(rows).counts
        if all(
            protected.is_hidden(cell) or other.get(cell, 0) == n
            for cell, n in family.counts.items()
        ):
            yield rows


def test_a_small_count_is_hidden_and_zero_is_shown() -> None:
    protected = protect(crossed([[3, 9, 0], [8, 7, 9], [9, 9, 9]]))
    assert protected.shown(("a", "jan")) is None
    assert protected.shown(("a", "mar")) == 0
    assert protected.small == {("a", "jan")}


def test_one_hidden_count_is_not_alone_along_any_axis() -> None:
    protected = protect(crossed([[3, 9, 8], [8, 7, 9], [9, 9, 9]]))
    hidden = protected.small | protected.complementary
    assert len(hidden) >= 4
    for place in (0, 1):
        for code in {cell[place] for cell in hidden}:
            assert sum(cell[place] == code for cell in hidden) >= 2


def test_every_value_is_possible_by_trying_every_table() -> None:
    protected = protect(crossed([[3, 9, 8], [8, 7, 9], [9, 9, 9]]))
    values = {rows[0][0] for rows in tables_like(protected, 14)}
    assert {1, 2, 3, 4} <= values


def test_small_counts_hidden_only_would_be_worked_out_by_trying_every_table() -> None:
    family = crossed([[3, 9, 8], [8, 7, 9], [9, 9, 9]])
    plain = Protected(family, frozenset({("a", "jan")}), frozenset())
    assert [rows[0][0] for rows in tables_like(plain, 14)] == [3]
    assert attack(family, plain.small).known == [("a", "jan")]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
@example(783)  # sums of small counts that must pass 4 before a part can be 4
def test_the_attacker_narrows_nothing_in_any_family(seed: int) -> None:
    family = random_family(seed)
    protected = protect(family)
    assert attack(family, protected.small | protected.complementary).narrowed == []


def test_two_small_counts_can_protect_each_other() -> None:
    """4 and 1 beside 74 and 9: they are 5 together, and any of them may be 1 to 4."""
    axis = Axis("area", (Sum("alla", ("a", "b", "c", "d")),), "alla")
    counts: dict[Cell, int] = {("a",): 74, ("b",): 4, ("c",): 1, ("d",): 9, ("alla",): 88}
    protected = protect(Family((axis,), counts))
    assert protected.complementary == set()


def test_needless_hiding_is_undone() -> None:
    found = [protect(random_family(seed)) for seed in range(1, 31)]
    assert all(len(p.complementary) <= p.n_before for p in found)
    assert sum(len(p.complementary) for p in found) < sum(p.n_before for p in found)


def test_where_the_solver_gives_up_everything_tied_is_hidden_and_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Exchanges, "offer", lambda *_args: None)
    monkeypatch.setattr(Sums, "answer", lambda *_args, **_options: Answer(None, False))
    family = crossed([[3, 9, 8], [8, 7, 9], [9, 9, 9]])
    protected = protect(family)
    assert protected.n_given_up == 1
    assert protected.small | protected.complementary == set(family.counts)


def test_a_code_published_for_some_cells_only_is_protected_with_the_rest() -> None:
    """Months before and after are published for area a: its months may not be told by them."""
    windows = Axis("period", (*MONTHS.sums, Sum("före:x", ("jan", "feb"))), "Q1")
    counts = dict(crossed([[3, 9, 0], [8, 7, 9], [9, 9, 9]]).counts)
    counts["a", "före:x"] = 12
    rare = {"före:x": frozenset({("a", "före:x")})}
    family = Family((AREAS, windows), counts, None, rare)
    protected = protect(family)
    assert attack(family, protected.small | protected.complementary).narrowed == []
    with pytest.raises(KeyError):
        protected.shown(("b", "före:x"))


def test_what_is_dear_stays_shown_where_something_else_will_do() -> None:
    total = Relation(((3, -1), (0, 1), (1, 1), (2, 1)), is_equal=True)
    counts = [3, 50, 50, 103]
    (chosen,) = hide(counts, [total], [0]).hidden - {0}
    (other,) = hide(counts, [total], [0], dear=[chosen]).hidden - {0}
    assert other != chosen


def test_the_attacker_breaks_small_counts_hidden_only() -> None:
    families = [random_family(seed) for seed in range(6)]
    broken = [attack(family, protect(family).small).narrowed for family in families]
    assert sum(map(bool, broken)) >= 2


def test_the_same_family_hides_the_same_cells_whatever_the_order() -> None:
    family = random_family(7)
    turned = Family(family.axes, dict(reversed(family.counts.items())), family.tables)
    one, other = protect(family), protect(turned)
    assert (one.small, one.complementary) == (other.small, other.complementary)
    assert one.complementary


def test_a_count_without_any_sum_is_hidden_alone() -> None:
    protected = protect(Family((Axis("theme"),), {("trafik",): 2, ("alkohol",): 7}))
    assert protected.shown(("trafik",)) is None
    assert protected.shown(("alkohol",)) == 7


def test_two_tables_share_their_margins() -> None:
    """Area by month, and area by source: 4 in an area is hidden in both, and protected in both."""
    sources = Axis("source", (Sum("alla", ("app", "enkät")),), "alla")
    reports = [("a", "jan", "app")] * 3 + [("a", "feb", "enkät")] * 9 + [("b", "jan", "app")] * 9
    counts: dict[Cell, int] = {}
    for area, month, source in reports:
        for cell in {
            *itertools.product((area, "alla"), (month, "Q1"), ("alla",)),
            *itertools.product((area, "alla"), ("Q1",), (source, "alla")),
        }:
            counts[cell] = counts.get(cell, 0) + 1
    tables = (("area", "period"), ("area", "source"))
    family = Family((AREAS, MONTHS, sources), counts, tables)
    protected = protect(family)
    assert protected.shown(("a", "Q1", "app")) is None
    assert attack(family, protected.small | protected.complementary).narrowed == []
    with pytest.raises(KeyError):
        protected.shown(("a", "jan", "app"))


def test_themes_of_one_report_overlap_and_still_give_bounds() -> None:
    """12 in all and 9 about one theme: the other has at least 3, so the total must go as well."""
    axis = Axis("theme", (Sum("alla", ("trafik", "alkohol"), overlap=True),), "alla")
    protected = protect(Family((axis,), {("alla",): 12, ("trafik",): 9, ("alkohol",): 4}))
    assert protected.shown(("alkohol",)) is None
    assert protected.complementary


def test_stances_are_of_a_theme_and_never_of_all_themes_together() -> None:
    """A report with two themes may have two stances: those of all themes would be no sum."""
    themes = Axis("theme", (Sum("alla", ("trafik", "alkohol"), overlap=True),), "alla")
    stances = Axis("stance", (Sum("alla", ("problem", "beröm")),), "alla", of="theme")
    counts: dict[Cell, int] = {("trafik", "problem"): 8, ("trafik", "beröm"): 3}
    counts |= {("alkohol", "problem"): 9, ("trafik", "alla"): 11, ("alkohol", "alla"): 9}
    family = Family((themes, stances), counts | {("alla", "alla"): 15})
    assert not family.is_published(("alla", "problem"))
    protected = protect(family)
    assert attack(family, protected.small | protected.complementary).narrowed == []
    with pytest.raises(ValueError, match="not a count"):
        protect(Family((themes, stances), counts | {("alla", "problem"): 15}))


Place = tuple[int, int, int]  # reports of one theme, of another, and of any of the two


def two_themes(north: Place, south: Place) -> Family:
    """Two areas and both together; reports of two themes, and of any of them."""
    areas = Axis("area", (Sum("alla", ("norr", "syd")),), "alla")
    themes = Axis("theme", (Sum("alla", ("trafik", "alkohol"), overlap=True),), "alla")
    rows = {"norr": north, "syd": south, "alla": [a + b for a, b in zip(north, south, strict=True)]}
    counts: dict[Cell, int] = {
        (area, theme): n
        for area, row in rows.items()
        for theme, n in zip(("trafik", "alkohol", "alla"), row, strict=True)
        if n
    }
    return Family((areas, themes), counts)


def small_values(family: Family, hidden: frozenset[Cell], largest: int) -> set[tuple[Cell, int]]:
    """The values 1-4 of the small counts in all tables that look the same; by trying them all."""

    def looks_same(area: str, row: Place) -> bool:
        cells = [(area, theme) for theme in ("trafik", "alkohol", "alla")]
        return all(
            n >= 1 if cell in hidden else n == family.counts.get(cell, 0)
            for cell, n in zip(cells, row, strict=True)
        )

    numbers = range(largest + 1)
    rows = [(a, b, n) for a in numbers for b in numbers for n in range(max(a, b), a + b + 1)]
    found: set[tuple[Place, Place]] = set()
    norths, souths = ([row for row in rows if looks_same(a, row)] for a in ("norr", "syd"))
    for north, south in itertools.product(norths, souths):
        both = (north[0] + south[0], north[1] + south[1], north[2] + south[2])
        if looks_same("alla", both):
            found.add((north, south))
    tables = [two_themes(*pair).counts for pair in found]
    small = [cell for cell, n in family.counts.items() if n < 5]
    return {(cell, t[cell]) for cell in small for t in tables if t[cell] < 5}


one_place = st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 2)).map(
    lambda n: (n[0] + n[2], n[1] + n[2], sum(n))
)


@settings(max_examples=8, deadline=None)
@given(one_place, one_place)
@example((1, 4, 5), (6, 2, 6))
@example((4, 2, 4), (6, 2, 6))
def test_no_value_is_ruled_out_by_the_reports_beside_their_themes(
    north: Place, south: Place
) -> None:
    """By trying every table there is, and only what the shown zeros rule out is left out."""
    family = two_themes(north, south)
    protected = protect(family)
    hidden = protected.small | protected.complementary
    by_zeros = small_values(family, frozenset(family.counts), 4)
    # up to what is left of a shown sum where the other place has least
    largest = max([8, *(n for cell, n in family.counts.items() if cell not in hidden)])
    assert by_zeros <= small_values(family, hidden, largest)


@pytest.mark.parametrize("total", [5, 7])
def test_totals_that_contradict_their_parts_are_refused(total: int) -> None:
    counts = {("alla",): total, ("a",): 3, ("b",): 3}
    with pytest.raises(ValueError, match="parts"):
        protect(Family((AREAS,), counts))


def test_a_share_needs_thirty_and_nothing_hidden() -> None:
    assert is_share_shown(0, 30)
    assert not is_share_shown(6, 29)
    assert not is_share_shown(None, 100)
    assert not is_share_shown(10, None)


@given(st.integers(0, 10**6))
def test_rounding_moves_a_count_by_two_at_most(count: int) -> None:
    assert rounded(count) % 5 == 0
    assert abs(rounded(count) - count) <= 2


@given(st.integers(0, 10**6), st.integers(0, 2**63))
def test_noise_depends_on_the_reports_only_and_shows_nothing_small(count: int, keys: int) -> None:
    noisy = perturbed(count, keys)
    assert noisy == perturbed(count, keys)
    assert noisy == 0 or noisy >= 5
    assert abs(noisy - count) <= (4 if count < 5 else 2)


@pytest.mark.parametrize("count", [1, 3, 4, 5, 6, 7, 40])
def test_noise_has_no_bias(count: int) -> None:
    keys = [record_key(f"rapport {n}", b"hemlig") for n in range(4_000)]
    assert sum(perturbed(count, key) for key in keys) / 4_000 == pytest.approx(count, abs=0.15)


def test_a_record_key_needs_the_secret() -> None:
    assert record_key("a1", b"hemlig") == record_key("a1", b"hemlig")
    assert record_key("a1", b"hemlig") != record_key("a1", b"annan")
