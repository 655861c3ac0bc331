"""From labelled texts to a model: fit, calibrate on held-out voices, fit again on everything."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray

from classifiers.calibration import Calibration
from classifiers.combined import Model
from classifiers.encoder.joined import Joined, ScoresTexts
from classifiers.features import BLOCKS, FloatArray
from classifiers.labelled import Labelled, is_for_encoder, voice_folds
from classifiers.learned_stance import LearnedStance, StanceCase, log_shares
from classifiers.lexicon import bundled_lexicon
from classifiers.linear import Linear
from classifiers.reading import Reading, read
from classifiers.saved import save_model
from classifiers.stance_shares import StanceShares
from lagesbild.records import Stance
from lagesbild.themes import load_themes

N_FOLDS = 5
ENCODER = "encoder_version"  # in the card
_ALWAYS_SERVED = ("sv", "en")  # the lexicon speaks both
_ENOUGH_TEXTS = 500  # of a further language, before the model serves it
_SUBTHEME_BLOCKS = ("words", "lexicon_themes", "lexicon_terms")


def read_labelled(rows: Sequence[Labelled]) -> list[Reading]:
    return read([row.text for row in rows], [row.question for row in rows])


def wanted_themes(rows: Sequence[Labelled]) -> NDArray[np.bool_]:
    """Truth of shape (texts, themes), in the order of the code plan."""
    themes = load_themes().decided
    return np.array([[theme in row.themes for theme in themes] for row in rows], dtype=bool)


def train_model(rows: Sequence[Labelled], encoder: ScoresTexts | None = None) -> Model:
    """Deterministic: the same rows in the same order, and the same encoder, give the same model."""
    readings, wanted = read_labelled(rows), wanted_themes(rows)
    scores = held_out_scores(rows, readings, wanted)
    keys, wanted_keys = wanted_subthemes(rows)
    cases, stances = stance_cases(rows, readings)
    taught = {id(r) for r, row in zip(readings, rows, strict=True) if is_for_encoder(row)}
    by_cues, by_both = _stance_shares(encoder, cases, stances, taught)
    calibration = Calibration.fit(scores, wanted)
    cheap = calibration.probabilities(scores)
    model = Model(
        linear=Linear.fit(readings, wanted),
        subthemes=Linear.fit(readings, wanted_keys, _SUBTHEME_BLOCKS),
        subtheme_keys=keys,
        stance=LearnedStance.fit(cases, stances),
        by_cues=by_cues,
        by_both=by_both,
        calibration=calibration,
        languages=_served(rows),
        joined=_join(encoder, rows, readings, scores, wanted, cheap) if encoder else None,
    )
    # What is saved is rounded; what is returned must be what a later load gives.
    return Model.from_state(model.state(), encoder)


def _join(
    encoder: ScoresTexts,
    rows: Sequence[Labelled],
    readings: Sequence[Reading],
    scores: FloatArray,
    wanted: NDArray[np.bool_],
    cheap: FloatArray,
) -> Joined:
    """Calibrate the encoder beside the linear part, on texts the encoder has not learnt from."""
    unseen = [i for i, row in enumerate(rows) if not is_for_encoder(row)]
    own = [readings[i] for i in unseen]
    return Joined.fit(encoder, own, scores[unseen], wanted[unseen], cheap[unseen])


def _stance_shares(
    encoder: ScoresTexts | None,
    cases: Sequence[StanceCase],
    stances: Sequence[Stance],
    taught: Set[int],
) -> tuple[StanceShares, StanceShares | None]:
    """What a stance's share is by the cues alone and by both, on texts that neither learnt from;
    `taught` holds the identities of the readings that the encoder learnt from."""
    learnt = [i for i, case in enumerate(cases) if id(case.reading) in taught]
    unseen = [i for i, case in enumerate(cases) if id(case.reading) not in taught]
    own, wanted = [cases[i] for i in unseen], [stances[i] for i in unseen]
    if not own or len({stances[i] for i in learnt}) < 2:
        return StanceShares.alike(1), StanceShares.alike(2) if encoder else None
    cues = LearnedStance.fit([cases[i] for i in learnt], [stances[i] for i in learnt]).scores(own)
    both = [cues, encoder_shares(encoder, own)] if encoder else []
    return StanceShares.fit([cues], wanted), StanceShares.fit(both, wanted) if both else None


def encoder_shares(encoder: ScoresTexts, cases: Sequence[StanceCase]) -> FloatArray:
    """Log shares of shape (cases, stances) by the encoder, of each case's theme."""
    own = {id(case.reading): case.reading for case in cases}
    place = {key: row for row, key in enumerate(own)}
    stances = encoder.scores(list(own.values())).stances
    themes = load_themes().decided
    rows = [place[id(case.reading)] for case in cases]
    return log_shares(stances[rows, [themes.index(case.theme) for case in cases]])


def held_out_scores(
    rows: Sequence[Labelled],
    readings: Sequence[Reading],
    wanted: NDArray[np.bool_],
    blocks: Sequence[str] = tuple(BLOCKS),
) -> FloatArray:
    """Scores of shape (texts, themes, parts), by a model that saw no text of the text's voice."""

    def fit_and_score(train: NDArray[np.intp], test: NDArray[np.intp]) -> FloatArray:
        linear = Linear.fit([readings[i] for i in train], wanted[train], blocks)
        return linear.whole_and_best([readings[i] for i in test])

    return over_folds(voice_folds(rows, N_FOLDS), fit_and_score)


def over_folds(
    folds: Sequence[int],
    fit_and_score: Callable[[NDArray[np.intp], NDArray[np.intp]], FloatArray],
) -> FloatArray:
    """Fill an array fold by fold with what was learnt from the other folds."""
    fold_of = np.array(folds)
    tested = [np.flatnonzero(fold_of == fold) for fold in sorted(set(folds))]
    scored = [
        fit_and_score(np.flatnonzero(~np.isin(np.arange(len(fold_of)), t)), t) for t in tested
    ]
    scores: FloatArray = np.concatenate(scored)[np.argsort(np.concatenate(tested))]
    return scores


def stance_cases(
    rows: Sequence[Labelled], readings: Sequence[Reading]
) -> tuple[list[StanceCase], list[Stance]]:
    """Every mention of a theme whose stance was coded as one, with the words that mention it."""
    decided = set(load_themes().decided)
    cases, stances = [], []
    for row, reading in zip(rows, readings, strict=True):
        for mention in row.mentions:
            if mention.theme in decided and len(mention.stances) == 1:
                words = reading.theme_words(mention.theme)
                cases.append(StanceCase(reading, mention.theme, words))
                stances.append(next(iter(mention.stances)))
    return cases, stances


def wanted_subthemes(rows: Sequence[Labelled]) -> tuple[tuple[str, ...], NDArray[np.bool_]]:
    """The keys `theme.subtheme`, and the truth of shape (texts, keys)."""
    plan = load_themes()
    keys = tuple(f"{t}.{s.key}" for t in plan.main for s in plan.by_key[t].subthemes)
    coded = [{f"{m.theme}.{m.subtheme}" for m in row.mentions} for row in rows]
    return keys, np.array([[key in own for key in keys] for own in coded], dtype=bool)


def _served(rows: Sequence[Labelled]) -> tuple[str, ...]:
    texts = Counter(row.language for row in rows)
    more = sorted(
        language
        for language, n in texts.items()
        if n >= _ENOUGH_TEXTS and language not in _ALWAYS_SERVED
    )
    return (*_ALWAYS_SERVED, *more)


def save_trained(
    model: Model, rows: Sequence[Labelled], folder: Path, more: Mapping[str, Any] | None = None
) -> Path:
    """Save the model with its card; `more` is added to the card."""
    return save_model(model.state(), {**card(model, rows), **(more or {})}, folder)


def card(model: Model, rows: Sequence[Labelled]) -> dict[str, Any]:
    """What the model is and was made from; quality figures come from `lagesbild evaluate`."""
    plan = load_themes()
    mentioned = Counter(theme for row in rows for theme in row.themes)
    last = model.joined.calibration if model.joined else model.calibration
    return {
        "name": "combined",
        "themes_version": plan.version,
        "lexicon_version": bundled_lexicon().version,
        "n_texts": len(rows),
        "n_voices": len({row.voice for row in rows}),
        "n_texts_by_language": dict(sorted(Counter(row.language for row in rows).items())),
        "n_texts_by_theme": {theme: mentioned[theme] for theme in plan.decided},
        "languages_served": list(model.languages),
        "thresholds": {
            t: round(float(p), 3) for t, p in zip(plan.decided, last.limits.thresholds, strict=True)
        },
        "least_any": last.limits.least_any,
        "n_features": sum(len(v.names) for v in model.linear.features.vocabularies.values()),
        "encoder": model.joined.encoder.card if model.joined else None,
        ENCODER: model.joined.encoder.version if model.joined else None,
        "made_with": {"python": platform.python_version(), "scikit_learn": sklearn.__version__},
    }
