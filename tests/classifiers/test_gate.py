"""The gate sees what got worse, text by text, whatever else got better."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from classifiers.evaluation import macro_f1
from classifiers.gate import Decisions, compare, load_decisions, save_decisions
from classifiers.labelled import Labelled, Mention
from lagesbild.records import Classified, ThemeMention

THEMES = ("trafik", "narkotika", None)


def row(number: int) -> Labelled:
    """Traffic, narcotics and nothing, in turn."""
    theme = THEMES[number % 3]
    mentions = (Mention(theme, None, frozenset({"problem"})),) if theme else ()
    return Labelled(f"t{number}", f"v{number}", "text", None, "sv", mentions, ())


ROWS = [row(n) for n in range(90)]
RIGHT: Decisions = {r.labelled_id: {m.theme: "problem" for m in r.mentions} for r in ROWS}


def test_a_model_as_it_was_is_not_worse() -> None:
    verdict = compare(ROWS, RIGHT, RIGHT)
    assert (verdict.worse, verdict.new["value"]) == ((), 1.0)


@pytest.mark.parametrize(
    ("made", "worse"),
    [
        ({f"t{n}": {} for n in range(0, 60, 3)}, "makro-F1"),
        ({f"t{n}": {"trafik": "problem"} for n in range(2, 62, 3)}, "teman på texter utan tema"),
        ({f"t{n}": {"trafik": "berom"} for n in range(0, 60, 3)}, "ställning"),
    ],
)
def test_each_measure_can_stop_a_model(made: Decisions, worse: str) -> None:
    new = {**RIGHT, **made}
    assert worse in compare(ROWS, RIGHT, new).worse
    assert compare(ROWS, new, RIGHT).worse == ()


def test_one_text_more_or_less_is_chance() -> None:
    assert compare(ROWS, RIGHT, {**RIGHT, "t0": {}}).worse == ()


def test_only_texts_that_both_decided_are_compared_by_todays_codes() -> None:
    old = {key: own for key, own in RIGHT.items() if key != "t0"}
    verdict = compare([*ROWS, row(93)], old, {**RIGHT, "t0": {}})
    assert verdict.new["value"] == verdict.old["value"] == 1.0
    recoded = [r for r in ROWS if r.labelled_id != "t1"]
    recoded.append(Labelled("t1", "v1", "text", None, "sv", ROWS[0].mentions, ()))
    truth = np.zeros((90, 2), dtype=bool)
    guess = truth.copy()
    guess[0:90:3, 0] = guess[1:90:3, 1] = True
    truth[:] = guess
    truth[1] = [True, False]
    assert compare(recoded, RIGHT, RIGHT).new["value"] == pytest.approx(macro_f1(truth, guess))


def test_decisions_are_kept_with_their_stances(tmp_path: Path) -> None:
    assert load_decisions(tmp_path) is None
    said = ThemeMention("trafik", None, 0.9, "onskemal", ((0, 4),))
    decided = [
        Classified((said,), None, False, "sv", "v", {}),
        Classified((), "none_of_these", False, "sv", "v", {}),
    ]
    save_decisions(ROWS[:2], decided, tmp_path / "new")
    assert load_decisions(tmp_path / "new") == {"t0": {"trafik": "onskemal"}, "t1": {}}
