"""Ways of finding themes, side by side on the same voices.

    python -m bench.methods [--without-pretrained] [--texts N]

Each way learns from the voices the encoder learns from, is calibrated on one voice in ten, and is
measured on another tenth, the frozen voices. Lemmas need the package simplemma, and the frozen
encoder and zero-shot the extra `encoder`; --without-pretrained leaves those out. --texts: so many
texts drawn at random (fixed seed); the fine-tuned encoder, which has seen more, is then left out.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from bench.cascade import show
from classifiers.by_lexicon import LexiconClassifier
from classifiers.calibration import Calibration
from classifiers.encoder.joined import ScoresTexts
from classifiers.features import FloatArray
from classifiers.labelled import Labelled, is_for_encoder, is_frozen, load_labelled
from classifiers.linear import Linear
from classifiers.reading import Reading
from classifiers.saved import bundled_encoder
from classifiers.training import read_labelled, wanted_themes
from lagesbild.themes import load_themes

Scores = dict[str, FloatArray]  # by method: (texts, themes, ways)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--without-pretrained", action="store_true")
    parser.add_argument("--texts", type=int, default=None)
    options = parser.parse_args()
    rows = load_labelled()
    if options.texts:
        drawn = np.random.default_rng(0).permutation(len(rows))[: options.texts]
        rows = [rows[i] for i in drawn]
    learn = np.array([is_for_encoder(row) for row in rows])
    frozen = np.array([is_frozen(row) for row in rows])
    readings, wanted = read_labelled(rows), wanted_themes(rows)
    print(
        f"{learn.sum()} texts learnt, {(~learn & ~frozen).sum()} calibrate, {frozen.sum()} measure"
    )
    scores: Scores = {}
    fine_tuned = None if options.texts else bundled_encoder()
    pretrained = not options.without_pretrained
    for name, found in _methods(rows, readings, wanted, learn, fine_tuned, pretrained=pretrained):
        scores[name] = found
        _measure(name, found, wanted, ~learn & ~frozen, frozen)
    for names in (("n-grams and lexicon", "frozen encoder"), ("n-grams and lexicon", "fine-tuned")):
        if set(names) <= set(scores):
            both = np.concatenate([scores[name] for name in names], axis=2)
            _measure(" + ".join(names), both, wanted, ~learn & ~frozen, frozen)


def _methods(
    rows: Sequence[Labelled],
    readings: Sequence[Reading],
    wanted: NDArray[np.bool_],
    learn: NDArray[np.bool_],
    fine_tuned: ScoresTexts | None,
    *,
    pretrained: bool,
) -> Iterator[tuple[str, FloatArray]]:
    lexicon = LexiconClassifier()
    found = lexicon.probabilities([r.text for r in rows], [r.question for r in rows])
    yield "lexicon", found[:, :, np.newaxis]
    blocks = {
        "words": ("words", "question"),
        "characters": ("characters", "question"),
        "n-grams and lexicon": (
            "characters",
            "words",
            "question",
            "lexicon_themes",
            "lexicon_terms",
        ),
    }
    for name, own in blocks.items():
        yield name, _linear(readings, wanted, learn, own)
    if pretrained:
        for name, greedy in (("lemmas", False), ("lemmas, compounds cut", True)):
            yield name, _linear(_lemmatised(readings, greedy), wanted, learn, ("words", "question"))
        vectors = _frozen_vectors(rows)
        yield "frozen encoder", _regressed(vectors, wanted, learn)
        yield "zero-shot", _zero_shot(vectors)[:, :, np.newaxis]
    if fine_tuned is not None:
        yield "fine-tuned", fine_tuned.scores(readings).themes[:, :, np.newaxis]


def _linear(
    readings: Sequence[Reading],
    wanted: NDArray[np.bool_],
    learn: NDArray[np.bool_],
    blocks: Sequence[str],
) -> FloatArray:
    taught = [r for r, own in zip(readings, learn, strict=True) if own]
    linear = Linear.fit(taught, wanted[learn], blocks)
    return linear.whole_and_best(readings)


def _lemmatised(readings: Sequence[Reading], greedy: bool) -> list[Reading]:
    import simplemma

    known: dict[str, str] = {}

    def lemma(word: str) -> str:
        if word not in known:
            known[word] = simplemma.lemmatize(word, lang="sv", greedy=greedy).lower()
        return known[word]

    return [replace(r, words=tuple(map(lemma, r.found.tokens.words))) for r in readings]


def _frozen_vectors(rows: Sequence[Labelled]) -> FloatArray:
    """The encoder as bundled, not fine-tuned; the themes' own words last."""
    from classifiers.encoder.fit import unfitted_vectors

    plan = load_themes()
    told = [f"{plan.by_key[t].sv}: {plan.by_key[t].definition}" for t in plan.decided]
    more = [replace(rows[0], text=text, question=None, mentions=()) for text in told]
    return unfitted_vectors([*rows, *more])


def _regressed(
    vectors: FloatArray, wanted: NDArray[np.bool_], learn: NDArray[np.bool_]
) -> FloatArray:
    texts = vectors[: len(wanted)]
    inputs = (texts - texts[learn].mean(axis=0)) / texts[learn].std(axis=0)
    scores = [
        LogisticRegression(C=0.03, max_iter=500).fit(inputs[learn], column[learn])
        for column in wanted.T
    ]
    return np.stack([model.decision_function(inputs) for model in scores], axis=1)[:, :, np.newaxis]


def _zero_shot(vectors: FloatArray) -> FloatArray:
    """Cosine between text and the theme's own words, both centred; no label is used."""
    n_themes = len(load_themes().decided)
    vectors = vectors[:, : vectors.shape[1] // 2]  # the mean, which is what it was made for
    centred = vectors - vectors[:-n_themes].mean(axis=0)
    centred /= np.linalg.norm(centred, axis=1, keepdims=True)
    return centred[:-n_themes] @ centred[-n_themes:].T


def _measure(
    name: str,
    scores: FloatArray,
    wanted: NDArray[np.bool_],
    calibrates: NDArray[np.bool_],
    measures: NDArray[np.bool_],
) -> None:
    fit: Callable[..., Calibration] = Calibration.fit_shared
    calibration = fit(scores[calibrates], wanted[calibrates])
    started = time.process_time()
    likely = calibration.probabilities(scores[measures])
    spent = time.process_time() - started
    show(name, wanted[measures], likely, spent, calibration.limits, 0.0)


if __name__ == "__main__":
    main()
