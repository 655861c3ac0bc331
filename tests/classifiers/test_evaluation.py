from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from classifiers.evaluation import (
    as_text,
    calibration_error,
    confused,
    macro_f1,
    risk_coverage,
    score_decided,
    share,
)
from classifiers.labelled import Labelled, Mention
from lagesbild.records import Classified, ThemeMention
from lagesbild.themes import load_themes


def row(*themes: str, stance: str = "problem", kind: str = "plain") -> Labelled:
    mentions = tuple(Mention(theme, None, frozenset({stance})) for theme in themes)
    return Labelled("id", "v", "en text", None, "sv", mentions, (kind,))


def decided(*themes: str, stance: str = "problem") -> Classified:
    likely = {theme: 0.9 if theme in themes else 0.1 for theme in load_themes().decided}
    mentions = tuple(ThemeMention(t, None, 0.9, stance, ((0, 2),)) for t in themes)
    return Classified(mentions, None if themes else "unsure", False, "sv", "v", likely)


def test_figures_on_a_file_small_enough_to_count_by_hand() -> None:
    rows = [row("narkotika"), row("narkotika", "trafik"), row("ovrigt"), row("trafik")]
    guesses = [
        decided("narkotika"),
        decided("narkotika", stance="berom"),
        decided("trafik"),
        decided(),
    ]
    result = score_decided(rows, guesses)
    assert result["per_theme"]["narkotika"]["f1"]["value"] == 1.0
    assert result["per_theme"]["trafik"]["precision"]["value"] == 0.0
    assert result["per_theme"]["trafik"]["recall"]["value"] == 0.0
    assert result["macro_f1"]["value"] == 0.5
    assert result["micro_f1"]["value"] == pytest.approx(4 / 7)
    assert result["n_themes_present"] == 2
    assert result["stance_accuracy"]["value"] == 0.5
    assert result["false_theme_on_residual"]["value"] == 1.0
    assert result["count_error"]["decisions_percent"] == pytest.approx(100 * 1 / 4 / 14)
    assert result["abstained"] == {"unsure": 1}
    assert "Narkotika" in as_text(result)


def test_stances_are_told_one_by_one_and_beside_always_a_problem() -> None:
    rows = [row("trafik"), row("trafik", stance="berom"), row("trafik", stance="onskemal")]
    result = score_decided(rows, [decided("trafik"), decided("trafik"), decided("skadegorelse")])
    assert result["stance_accuracy"]["value"] == result["stance_always_problem"]["value"] == 0.5
    told = {s: (r["precision"]["n"], r["recall"]["n"]) for s, r in result["per_stance"].items()}
    assert told == {"problem": (2, 1), "berom": (0, 1)}
    assert result["per_stance"]["problem"]["precision"]["value"] == 0.5


def test_either_of_two_stances_is_right() -> None:
    both = Mention("trafik", None, frozenset({"franvaro", "forbattring"}))
    rows = [Labelled("id", "v", "en text", None, "sv", (both,), ())] * 2
    given = [decided("trafik", stance="franvaro"), decided("trafik")]
    result = score_decided(rows, given)
    assert result["stance_accuracy"]["value"] == 0.5
    assert set(result["per_stance"]) == {"franvaro", "forbattring", "problem"}


def test_a_subtheme_counts_where_its_theme_is_right() -> None:
    coded = Mention("trafik", "hastighet", frozenset({"problem"}))
    rows = [Labelled("id", "v", "en text", None, "sv", (coded,), ())] * 3
    said = [
        dataclasses.replace(
            decided("trafik"), themes=(ThemeMention("trafik", sub, 0.9, "problem", ((0, 2),)),)
        )
        for sub in ("hastighet", "parkering")
    ]
    result = score_decided(rows, [*said, decided("narkotika")])
    assert result["subtheme_accuracy"]["value"] == 0.5
    assert result["subtheme_accuracy"]["n"] == 2


def test_a_share_has_its_wilson_interval() -> None:
    half = share(12, 25)
    assert (round(half["low"], 2), round(half["high"], 2)) == (0.30, 0.67)
    assert share(0, 0)["value"] is None
    assert share(5, 5)["high"] == 1.0


def test_calibration_error_is_nought_for_shares_that_come_true() -> None:
    likely = np.full((100, 1), 0.25)
    truth = np.zeros((100, 1), dtype=bool)
    truth[:25] = True
    assert calibration_error(likely, truth)["value"] == pytest.approx(0.0)
    assert calibration_error(likely, ~truth)["value"] == pytest.approx(0.5)


def test_macro_f1_leaves_out_themes_nobody_coded() -> None:
    truth = np.array([[True, False], [True, False]])
    guess = np.array([[True, True], [True, False]])
    assert macro_f1(truth, guess) == 1.0
    assert macro_f1(np.zeros((1, 1), dtype=bool), guess[:1, :1]) is None


def test_the_surest_texts_are_decided_first() -> None:
    truth = np.array([[True], [False], [True], [False]])
    guess = np.array([[True], [False], [False], [True]])
    likely = np.array([[0.99], [0.05], [0.3], [0.6]])
    curve = {point["coverage"]: point["error"] for point in risk_coverage(truth, guess, likely)}
    assert curve[1.0]["value"] == 0.5
    assert curve[0.5] == share(0, 2)
    assert curve[0.7]["n"] == 3


def test_texts_that_nobody_reviews_are_told_apart() -> None:
    rows = [row("trafik"), row("trafik")]
    reviewed = dataclasses.replace(decided(), needs_review=True)
    assert score_decided(rows, [decided("trafik"), reviewed])["error_without_review"] == share(0, 1)
    assert score_decided(rows, [decided(), reviewed])["error_without_review"] == share(1, 1)


def test_a_stance_is_wrong_in_silence_where_nobody_reviews() -> None:
    rows = [row("trafik", stance="problem")] * 3
    wrong = decided("trafik", stance="berom")
    given = [decided("trafik"), wrong, dataclasses.replace(wrong, needs_review=True)]
    assert score_decided(rows, given)["stance_error_without_review"] == share(1, 2)


def test_what_was_given_instead_is_named() -> None:
    themes = load_themes().main
    truth, guess = np.zeros((3, len(themes)), dtype=bool), np.zeros((3, len(themes)), dtype=bool)
    truth[:, 0] = True
    guess[:2, 1] = True
    first, second = confused(truth, guess)
    assert first == {"theme": themes[0], "instead": themes[1], "n": 2}
    assert second == {"theme": themes[0], "instead": None, "n": 1}
