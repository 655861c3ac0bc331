"""How right a classifier is on texts that people labelled: every quality figure comes from here."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers import Classifier
from classifiers.labelled import Labelled
from lagesbild.records import STANCES, Classified
from lagesbild.themes import load_themes

_N_RESAMPLED = 1000
_N_BINS = 15
_LENGTHS = (
    *((5, "under 5 ord"), (15, "5–14 ord"), (35, "15–34 ord"), (100, "35–99 ord")),
    (10**9, "100 ord eller fler"),
)
BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
_BATCH = 256
_COVERAGES = (1.0, 0.95, 0.9, 0.8, 0.7, 0.5)
_MOST_CONFUSED = 6


def score(classifier: Classifier, rows: Sequence[Labelled]) -> dict[str, Any]:
    """Every figure for one classifier on one labelled file, as JSON-able values."""
    decided: list[Classified] = []
    began = time.process_time()
    for start in range(0, len(rows), _BATCH):
        part = rows[start : start + _BATCH]
        decided += classifier.classify([r.text for r in part], [r.question for r in part])
    cpu_s = time.process_time() - began
    return {
        "classifier_version": classifier.version,
        **score_decided(rows, decided),
        "cpu_seconds": cpu_s,
    }


def score_decided(rows: Sequence[Labelled], decided: Sequence[Classified]) -> dict[str, Any]:
    """The figures for decisions already made, one a row."""
    truth, guess, probabilities = as_arrays(rows, decided)
    themes = load_themes().main
    upkeep = len(themes)  # the column of drift_underhall
    main_truth, main_guess = truth[:, :upkeep], guess[:, :upkeep]
    residual = ~main_truth.any(axis=1)
    return {
        "n_texts": len(rows),
        "per_theme": per_theme(truth, guess),
        "macro_f1": with_interval(macro_f1, main_truth, main_guess),
        "micro_f1": with_interval(micro_f1, main_truth, main_guess),
        "n_themes_present": int(main_truth.any(axis=0).sum()),
        "exact_match": share(int((main_truth == main_guess).all(axis=1).sum()), len(rows)),
        **stance_figures(rows, decided),
        "subtheme_accuracy": subtheme_accuracy(rows, decided),
        "calibration_error": calibration_error(probabilities[:, :upkeep], main_truth),
        "count_error": count_error(main_truth, main_guess, probabilities[:, :upkeep]),
        "false_theme_on_residual": share(
            int(main_guess[residual].any(axis=1).sum()), int(residual.sum())
        ),
        "needs_review": share(sum(d.needs_review for d in decided), len(rows)),
        "risk_coverage": risk_coverage(main_truth, main_guess, probabilities[:, :upkeep]),
        "error_without_review": _error_without_review(main_truth, main_guess, decided),
        "confused": confused(main_truth, main_guess),
        "abstained": _tally(d.abstain for d in decided if d.abstain),
        "by_kind": _by(rows, main_truth, main_guess, lambda row: row.kinds),
        "by_length": _by(rows, main_truth, main_guess, lambda row: (_length(row.text),)),
        "by_language": _by(rows, main_truth, main_guess, lambda row: (row.language,)),
    }


def as_arrays(
    rows: Sequence[Labelled], decided: Sequence[Classified]
) -> tuple[BoolArray, BoolArray, FloatArray]:
    """Truth, decision and probability, each of shape (texts, themes and drift_underhall)."""
    themes = load_themes().decided
    shape = (len(rows), len(themes))
    truth = np.array([[t in row.themes for t in themes] for row in rows], dtype=bool)
    chosen = [{m.theme for m in d.themes} for d in decided]
    guess = np.array([[t in own for t in themes] for own in chosen], dtype=bool)
    likely = np.array([[d.probabilities[t] for t in themes] for d in decided], dtype=float)
    return truth.reshape(shape), guess.reshape(shape), likely.reshape(shape)


def per_theme(truth: BoolArray, guess: BoolArray) -> dict[str, dict[str, Any]]:
    found = {}
    for column, theme in enumerate(load_themes().decided):
        t, g = truth[:, column], guess[:, column]
        found[theme] = {
            "n": int(t.sum()),
            "precision": share(int((t & g).sum()), int(g.sum())),
            "recall": share(int((t & g).sum()), int(t.sum())),
            "f1": with_interval(micro_f1, t[:, np.newaxis], g[:, np.newaxis]),
        }
    return found


def share(n: int, of: int) -> dict[str, Any]:
    """A share with its 95 % Wilson interval; no value where there is nothing to take a share of."""
    if of == 0:
        return {"value": None, "low": None, "high": None, "n": 0}
    z, p = 1.959964, n / of
    middle = (p + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return {"value": p, "low": max(0.0, middle - half), "high": min(1.0, middle + half), "n": of}


def micro_f1(truth: BoolArray, guess: BoolArray) -> float | None:
    """F1 over all pairs; None where there is neither truth nor guess."""
    total = int(truth.sum()) + int(guess.sum())
    return 2 * int((truth & guess).sum()) / total if total else None


def macro_f1(truth: BoolArray, guess: BoolArray) -> float | None:
    """The mean F1 over the themes that somebody coded in these texts."""
    present = truth.any(axis=0)
    if not present.any():
        return None
    t, g = truth[:, present], guess[:, present]
    return float(np.mean(2 * (t & g).sum(axis=0) / (t.sum(axis=0) + g.sum(axis=0))))


def with_interval(
    measure: Callable[[BoolArray, BoolArray], float | None], truth: BoolArray, guess: BoolArray
) -> dict[str, Any]:
    """The value with its 95 % bootstrap interval over texts."""
    value = measure(truth, guess)
    if value is None:
        return {"value": None, "low": None, "high": None}
    chance = np.random.default_rng(0)
    drawn = (chance.integers(0, len(truth), len(truth)) for _ in range(_N_RESAMPLED))
    values = [measure(truth[i], guess[i]) for i in drawn]
    low, high = np.percentile([v for v in values if v is not None] or [value], [2.5, 97.5])
    return {"value": value, "low": float(low), "high": float(high)}


def stance_figures(rows: Sequence[Labelled], decided: Sequence[Classified]) -> dict[str, Any]:
    """Among themes rightly found whose stance was coded: how many have the right one, how many
    would have it if every stance were a problem, both ways for each stance, and how many are wrong
    in texts that no person is asked to look at.

    One stance for a whole text counts for each of its themes; where two count as right, the first
    by name stands for what was coded unless the other was said.
    """
    pairs, alone = [], []
    for row, own in zip(rows, decided, strict=True):
        coded = {m.theme: m.stances for m in row.mentions if m.stances}
        for mention in own.themes:
            if mention.theme in coded:
                right = coded[mention.theme]
                truth = mention.stance if mention.stance in right else min(right)
                pairs.append((truth, mention.stance, "problem" in right))
                if not own.needs_review:
                    alone.append(mention.stance != truth)
    said, true = Counter(s for _, s, _ in pairs), Counter(t for t, _, _ in pairs)
    both = Counter(t for t, s, _ in pairs if t == s)
    return {
        "stance_accuracy": share(both.total(), len(pairs)),
        "stance_always_problem": share(sum(p for _, _, p in pairs), len(pairs)),
        "stance_error_without_review": share(sum(alone), len(alone)),
        "per_stance": {
            stance: {
                "precision": share(both[stance], said[stance]),
                "recall": share(both[stance], true[stance]),
            }
            for stance in STANCES
            if said[stance] or true[stance]
        },
    }


def subtheme_accuracy(rows: Sequence[Labelled], decided: Sequence[Classified]) -> dict[str, Any]:
    """Among themes rightly found whose subtheme was coded."""
    right = n = 0
    for row, own in zip(rows, decided, strict=True):
        coded = {m.theme: m.subtheme for m in row.mentions if m.subtheme}
        for mention in own.themes:
            if mention.theme in coded:
                n += 1
                right += mention.subtheme == coded[mention.theme]
    return share(right, n)


def calibration_error(probabilities: FloatArray, truth: BoolArray) -> dict[str, Any]:
    """Expected calibration error over all pairs of text and theme, bins of equal width; and the
    same among pairs that are at all likely, since most pairs are easily near nought."""
    flat, right = probabilities.ravel(), truth.ravel()
    likely = flat >= 0.1
    return {
        "value": _ece(flat, right),
        "among_likely": _ece(flat[likely], right[likely]),
        "n_likely": int(likely.sum()),
    }


def _ece(probabilities: FloatArray, truth: BoolArray) -> float | None:
    if not len(probabilities):
        return None
    bins = np.minimum((probabilities * _N_BINS).astype(int), _N_BINS - 1)
    gaps = [
        abs(float(probabilities[bins == b].mean()) - float(truth[bins == b].mean()))
        * int((bins == b).sum())
        for b in np.unique(bins)
    ]
    return float(sum(gaps) / len(probabilities))


def count_error(truth: BoolArray, guess: BoolArray, probabilities: FloatArray) -> dict[str, Any]:
    """Mean error of the number of texts a theme, in per cent of the texts: counting decisions, and
    adding up probabilities."""
    n = max(1, len(truth))
    real = truth.sum(axis=0)
    return {
        "decisions_percent": float(np.abs(guess.sum(axis=0) - real).mean() / n * 100),
        "probabilities_percent": float(np.abs(probabilities.sum(axis=0) - real).mean() / n * 100),
    }


def risk_coverage(
    truth: BoolArray, guess: BoolArray, probabilities: FloatArray
) -> list[dict[str, Any]]:
    """How many texts have some theme wrong when only the surest share of them is decided.

    A text is as sure as its least sure theme, given or not.
    """
    sure = np.where(guess, probabilities, 1 - probabilities).min(axis=1)
    wrong = (truth != guess).any(axis=1)[np.argsort(-sure, kind="stable")]
    curve = []
    for coverage in _COVERAGES:
        n = round(coverage * len(wrong))
        curve.append({"coverage": coverage, "error": share(int(wrong[:n].sum()), n)})
    return curve


def _error_without_review(
    truth: BoolArray, guess: BoolArray, decided: Sequence[Classified]
) -> dict[str, Any]:
    """Among texts that no person is asked to look at: how many have some theme wrong."""
    alone = np.array([not d.needs_review for d in decided], dtype=bool)
    return share(int((truth != guess).any(axis=1)[alone].sum()), int(alone.sum()))


def confused(truth: BoolArray, guess: BoolArray) -> list[dict[str, Any]]:
    """Which theme was most often missed while which other was wrongly given, and in how many
    texts; None for a theme missed while no other was given."""
    themes = load_themes().main
    pairs: Counter[tuple[str, str | None]] = Counter()
    for missed, wrong in zip(truth & ~guess, guess & ~truth, strict=True):
        instead: list[str | None] = [themes[i] for i in np.flatnonzero(wrong)] or [None]
        pairs.update((themes[i], other) for i in np.flatnonzero(missed) for other in instead)
    common = sorted(pairs.items(), key=lambda item: (-item[1], str(item[0])))[:_MOST_CONFUSED]
    return [{"theme": t, "instead": other, "n": n} for (t, other), n in common]


def _by(
    rows: Sequence[Labelled],
    truth: BoolArray,
    guess: BoolArray,
    groups: Callable[[Labelled], Sequence[str]],
) -> dict[str, dict[str, Any]]:
    """Micro F1, and false themes on residual texts, for each group of texts."""
    members: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        for group in groups(row):
            members.setdefault(group, []).append(place)
    found = {}
    for group, places in sorted(members.items()):
        t, g = truth[places], guess[places]
        residual = ~t.any(axis=1)
        found[group] = {
            "n": len(places),
            "micro_f1": micro_f1(t, g),
            "false_theme_on_residual": share(
                int(g[residual].any(axis=1).sum()), int(residual.sum())
            ),
        }
    return found


def _length(text: str) -> str:
    n_words = len(text.split())
    return next(name for limit, name in _LENGTHS if n_words < limit)


def _tally(values: Any) -> dict[str, int]:
    counted: dict[str, int] = {}
    for value in values:
        counted[value] = counted.get(value, 0) + 1
    return dict(sorted(counted.items()))


def as_text(result: Mapping[str, Any]) -> str:
    """The figures as a table for people."""
    plan = load_themes()
    lines = [
        f"{result['n_texts']} texter, {result.get('classifier_version', '')}",
        f"{'tema':44} {'n':>5} {'precision':>18} {'täckning':>18} {'F1':>18}",
    ]
    for theme, row in result["per_theme"].items():
        cells = " ".join(f"{_shown(row[key]):>18}" for key in ("precision", "recall", "f1"))
        lines.append(f"{plan.label(theme):44} {row['n']:5} {cells}")
    ece = result["calibration_error"]
    counts = result["count_error"]
    lines += [
        f"macro-F1 över {result['n_themes_present']} teman: {_shown(result['macro_f1'])}",
        f"micro-F1: {_shown(result['micro_f1'])}",
        f"rätt ställning: {_shown(result['stance_accuracy'])} "
        f"(alltid problem: {_number(result['stance_always_problem']['value'])})",
        f"rätt delämne: {_shown(result['subtheme_accuracy'])}",
        f"kalibreringsfel: {_number(ece['value'])} (bland troliga: {_number(ece['among_likely'])})",
        f"räknefel, procentenheter: beslut {counts['decisions_percent']:.2f}, "
        f"sannolikheter {counts['probabilities_percent']:.2f}",
        f"tema på texter utan tema: {_shown(result['false_theme_on_residual'])}",
        f"till granskning: {_shown(result['needs_review'])}",
        f"något tema fel där ingen granskar: {_shown(result['error_without_review'])}",
        f"fel ställning där ingen granskar: {_shown(result['stance_error_without_review'])}",
    ]
    lines += [
        f"  de {point['coverage']:.0%} säkraste: något tema fel {_shown(point['error'])}"
        for point in result["risk_coverage"]
    ]
    lines += [
        f"  {stance:28} precision {_shown(row['precision'])}  täckning {_shown(row['recall'])}"
        for stance, row in result["per_stance"].items()
    ]
    for name in ("by_kind", "by_length", "by_language"):
        lines += [
            f"  {group:28} n={row['n']:<5} micro-F1 {_number(row['micro_f1'])}"
            f"  fel tema {_shown(row['false_theme_on_residual'])}"
            for group, row in result[name].items()
        ]
    return "\n".join(lines)


def _shown(measure: Mapping[str, Any]) -> str:
    if measure["value"] is None:
        return "–"
    return f"{measure['value']:.3f} [{measure['low']:.2f}–{measure['high']:.2f}]"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
