"""Nearly identical texts are found, and grouped by place, day and sender."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from lagesbild.duplicates import (
    N_BANDS,
    Told,
    candidates,
    groups,
    joined,
    likeness,
    nearly_identical,
    plain,
    sketches,
)

LAMP = "Belysningen på gångvägen mellan skolan och centrum har varit trasig i tre veckor nu."
SAME = "Hej! Belysningen på gångvägen mellan skolan och centrum har varit trasig i tre veckor."
OTHER = "Mopeder kör i hög fart över skolgården varje kväll och ingen gör någonting åt det."
DAY = date(2026, 3, 2)
HERE = (59.3, 18.0)


def pairs_of(texts: list[str]) -> list[tuple[int, int]]:
    rows = sketches(texts)
    bands = [(n, int(rows[i, n]), i) for i in range(len(texts)) for n in range(N_BANDS)]
    return sorted(nearly_identical(texts, candidates(bands)))


def told(key: str, days: int = 0, **changes: object) -> Told:
    one = Told(key, DAY + timedelta(days=days), 80, None, frozenset({"stadsdel:01"}), None)
    return replace(one, **changes)  # type: ignore[arg-type]


def kinds(*reports: Told) -> list[tuple[str, tuple[str, ...]]]:
    return [(group.kind, group.submission_ids) for group in groups(reports)]


def test_a_greeting_makes_no_other_text() -> None:
    assert pairs_of([OTHER, LAMP, SAME]) == [(1, 2)]


def test_case_and_marks_make_no_difference() -> None:
    first, second = sketches([LAMP, LAMP.upper().replace(".", "!!")])
    assert (first == second).all()
    assert likeness(LAMP, LAMP.upper()) == 1.0


def test_texts_shorter_than_a_shingle_have_a_sketch_too() -> None:
    rows = sketches(["", "nej", "nej", LAMP])
    assert (rows[1] == rows[2]).all()
    assert not (rows[0] == rows[1]).any()
    assert sketches([]).shape == (0, N_BANDS)


WORDS = st.lists(st.sampled_from(LAMP.split()), max_size=9).map(" ".join)


@given(st.lists(WORDS, min_size=1, max_size=6))
def test_a_sketch_depends_on_its_own_text_alone(texts: list[str]) -> None:
    together = sketches(texts)
    for text, row in zip(texts, together, strict=True):
        assert (sketches([text])[0] == row).all()


@given(WORDS)
def test_a_text_is_found_again_however_it_is_marked(text: str) -> None:
    assert pairs_of([text, f" {plain(text).upper()}.. "]) == [(0, 1)]


def test_many_alike_are_joined_without_comparing_all() -> None:
    bands = [(0, 7, place) for place in range(1000)]
    pairs = candidates(bands)
    assert len(pairs) < 3000
    assert set(joined(1000, pairs)) == {0}


def test_one_place_within_a_week_is_one_incident() -> None:
    assert kinds(told("a"), told("b", days=6)) == [("incident", ("a", "b"))]
    assert kinds(told("a"), told("b", days=8)) == []
    assert kinds(told("a"), told("b", areas=frozenset({"stadsdel:02"}))) == []
    assert kinds(told("a", areas=frozenset()), told("b", areas=frozenset())) == []


def test_positions_say_more_than_areas() -> None:
    near, far = (HERE[0] + 0.001, HERE[1]), (HERE[0] + 0.01, HERE[1])
    assert kinds(told("a", position=HERE), told("b", position=near)) != []
    assert kinds(told("a", position=HERE), told("b", position=far)) == []


def test_one_sender_is_one_incident_wherever_it_is_said_to_be() -> None:
    elsewhere = told("b", sender="s", areas=frozenset({"stadsdel:02"}))
    assert kinds(told("a", sender="s"), elsewhere) == [("incident", ("a", "b"))]


def test_a_few_words_must_be_of_the_very_place() -> None:
    short = [told(key, n_letters=16, position=HERE) for key in "ab"]
    assert kinds(*short) != []
    assert kinds(short[0], replace(short[1], position=(HERE[0] + 0.001, HERE[1]))) == []
    assert kinds(*(replace(one, position=None) for one in short)) == []


def test_many_in_many_places_are_a_campaign_and_still_one_group() -> None:
    letters = [
        told(f"{n:02}", days=n // 3, areas=frozenset({f"stadsdel:{n % 5}"})) for n in range(12)
    ]
    assert kinds(*letters) == [("campaign", tuple(f"{n:02}" for n in range(12)))]
    assert {kind for kind, _ in kinds(*letters[:9])} == {"incident"}


@given(st.permutations([told(str(n), days=3 * n) for n in range(6)]))
def test_the_order_they_came_in_does_not_matter(reports: list[Told]) -> None:
    assert kinds(*reports) == [("incident", tuple("012345"))]
