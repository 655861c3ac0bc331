"""What one place gains another gives: moves that no sum notices, found without a programme."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.attacker import attack
from bench.large_family import large_family
from bench.random_families import random_family, two_releases
from lagesbild.publish import disclosure_solver
from lagesbild.publish.disclosure import Axis, protect, relations
from lagesbild.publish.disclosure_exchange import Exchanges
from lagesbild.publish.disclosure_lines import ways_of
from lagesbild.publish.disclosure_programme import Answer, Question, Sums, matrix_of
from lagesbild.publish.periods import sums_of

YEAR = [f"2025-{month:02}" for month in range(1, 13)]
PERIODS = [
    *YEAR,
    *(f"2025-Q{n}" for n in range(1, 5)),
    *(f"2025-T{n}" for n in range(1, 4)),
    "2025",
    "alla",
]


@contextmanager
def programmes_only_as_a_last_resort() -> Iterator[None]:
    """As in a family so large that there is no time for them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(disclosure_solver, "_FEW", 0)
        patch.setattr(disclosure_solver, "_MOST_WORK", 0)
        yield


def test_a_way_keeps_every_sum_of_its_axis() -> None:
    axis = Axis("period", sums_of([c for c in PERIODS if c != "alla"], "alla"), "alla")
    ways = ways_of(axis, PERIODS)
    for way in ways:
        for rule in axis.sums:
            assert way.get(rule.total, 0) == sum(way.get(part, 0) for part in rule.parts)
    assert {"2025-01": 1, "2025-02": -1} in ways
    up = {"2025-04": 1, "2025-Q2": 1, "2025-T1": 1, "2025": 1, "alla": 1}
    assert up in ways
    assert {code for way in ways for code in way} == set(PERIODS)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_what_is_offered_is_always_a_table(seed: int) -> None:
    family = random_family(seed)
    cells = sorted(family.counts)
    counts = np.array([family.counts[cell] for cell in cells])
    matrix, is_equal = matrix_of(
        len(cells), relations(family, {cell: n for n, cell in enumerate(cells)})
    )
    sums = Sums(matrix, is_equal, counts)
    exchanges = Exchanges(family, cells, counts)
    exchanges.reprice(np.arange(len(cells)), np.where(counts < 5, 0.0, 3.0))
    for place in np.flatnonzero(counts < 5):
        for value in {1, 2, 3, 4} - {int(counts[place])}:
            offer = exchanges.offer(int(place), value - int(counts[place]))
            for move in offer.moves if offer else ():
                assert sums.is_possible(move)
            if offer:
                last = offer.moves[-1]
                assert last.steps[last.places == place] == value - counts[place]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_the_attacker_narrows_nothing_where_exchanges_protect(seed: int) -> None:
    family = random_family(seed)
    with programmes_only_as_a_last_resort():
        protected = protect(family)
    assert attack(family, protected.small | protected.complementary).narrowed == []


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 10**6))
def test_the_attacker_narrows_nothing_in_two_releases_where_exchanges_protect(seed: int) -> None:
    first, _, second = two_releases(seed)
    with programmes_only_as_a_last_resort():
        old = protect(first)
        new = protect(second, old)
    assert all(new.shown(cell) == old.shown(cell) for cell in first.counts)
    assert attack(second, new.small | new.complementary).narrowed == []


def test_a_family_of_many_axes_hardly_needs_a_programme(monkeypatch: pytest.MonkeyPatch) -> None:
    """Areas in two divisions, quarters, tertials and sources; the attacker finds nothing."""
    asked: list[Question] = []
    answer = Sums.answer

    def counted(sums: Sums, question: Question, *, is_thorough: bool) -> Answer:
        asked.append(question)
        return answer(sums, question, is_thorough=is_thorough)

    monkeypatch.setattr(Sums, "answer", counted)
    family = large_family(12, 6, 1, 600)
    with programmes_only_as_a_last_resort():
        protected = protect(family)
    assert len(asked) < len(protected.small) / 20
    assert protected.n_given_up == 0
    assert attack(family, protected.small | protected.complementary).narrowed == []
