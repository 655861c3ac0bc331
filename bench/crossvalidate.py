"""Quality by cross-validation over whole voices.

    python -m bench.crossvalidate [--texts N] [--cache FILE.npy]

Each of five folds holds whole voices; thresholds and calibration for a fold come from the other
four. The encoder is left out, since it has learnt from most voices, and so are texts in languages
that the model does not serve.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from bench.held_out import SERVED, held_out, nested
from classifiers.by_lexicon import LexiconClassifier
from classifiers.evaluation import (
    calibration_error,
    macro_f1,
    micro_f1,
    per_theme,
    share,
    with_interval,
)
from classifiers.features import NGRAMS
from classifiers.labelled import Labelled, load_labelled, voice_folds
from classifiers.learned_stance import LearnedStance, surroundings
from classifiers.reading import Reading
from classifiers.stance import rule_stance
from classifiers.training import (
    N_FOLDS,
    held_out_scores,
    read_labelled,
    stance_cases,
    wanted_themes,
)
from lagesbild.themes import load_themes


def main() -> None:
    options = _options()
    rows = [row for row in load_labelled() if row.language in SERVED][: options.texts]
    readings, wanted = read_labelled(rows), wanted_themes(rows)
    print(f"{len(rows)} texts, {len({r.voice for r in rows})} voices, {N_FOLDS} folds by voice")
    lexicon = LexiconClassifier()
    guess = lexicon.probabilities([r.text for r in rows], [r.question for r in rows]) >= 0.5
    show("lexicon alone", wanted, guess, guess.astype(float))
    ngrams = held_out_scores(rows, readings, wanted, NGRAMS)
    likely, chosen = nested(ngrams, wanted, np.array(voice_folds(rows, N_FOLDS)))
    show("n-grams alone", wanted, chosen, likely)
    both = held_out(options.cache, options.texts)
    show("n-grams and lexicon", wanted, both.chosen, both.likely)
    by_kind(rows, wanted, both.chosen)
    show_stance(rows, readings)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=None, help="only the first N texts")
    parser.add_argument("--cache", type=Path, default=None, help="see bench/held_out.py")
    return parser.parse_args()


def show(name: str, wanted: np.ndarray, chosen: np.ndarray, likely: np.ndarray) -> None:
    main = len(load_themes().main)
    truth, guess = wanted[:, :main], chosen[:, :main]
    residual = ~truth.any(axis=1)
    false = share(int(guess[residual].any(axis=1).sum()), int(residual.sum()))
    ece = calibration_error(likely[:, :main], truth)
    f1 = with_interval(macro_f1, truth, guess)
    print(f"\n{name}: macro-F1 {_told(f1)}, theme on residual texts {_told(false)}")
    print(f"  micro-F1 {micro_f1(truth, guess):.3f}, ECE {ece['value']:.3f}")
    for theme, row in per_theme(wanted, chosen).items():
        cells = " ".join(f"{row[k]['value'] or 0:.3f}" for k in ("precision", "recall", "f1"))
        print(f"  {theme:20} n={row['n']:<5} {cells}")


def _told(value: Mapping[str, float]) -> str:
    """With its interval."""
    return f"{value['value']:.3f} [{value['low']:.3f}-{value['high']:.3f}]"


def by_kind(rows: Sequence[Labelled], wanted: np.ndarray, chosen: np.ndarray) -> None:
    main = len(load_themes().main)
    print("\nn-grams and lexicon, micro-F1 by kind of text")
    for kind in sorted({kind for row in rows for kind in row.kinds}):
        own = [i for i, row in enumerate(rows) if kind in row.kinds]
        f1 = micro_f1(wanted[own, :main], chosen[own, :main])
        print(f"  {kind:16} n={len(own):<5} {f1 if f1 is None else round(f1, 3)}")


def show_stance(rows: Sequence[Labelled], readings: Sequence[Reading]) -> None:
    """Accuracy over coded mentions, when the theme is known: by rule, and learnt."""
    cases, truth = stance_cases(rows, readings)
    fold_of = dict(zip(map(id, readings), voice_folds(rows, N_FOLDS), strict=True))
    folds = np.array([fold_of[id(case.reading)] for case in cases])
    ruled = [rule_stance(around) for around in surroundings(cases)]
    learnt = list(truth)
    for fold in range(N_FOLDS):
        train, test = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        model = LearnedStance.fit([cases[i] for i in train], [truth[i] for i in train])
        for i, stance in zip(test, model.choose([cases[i] for i in test]), strict=True):
            learnt[i] = stance
    always = sum(stance == "problem" for stance in truth) / len(truth)
    for name, guess in (("rules", ruled), ("learnt", learnt)):
        right = share(sum(a == b for a, b in zip(truth, guess, strict=True)), len(truth))
        print(f"\nstance by {name}: {_told(right)}, {right['n']} mentions")
    print(f"always problem: {always:.3f}")


if __name__ == "__main__":
    main()
