"""What the classifier thinks of our own texts when it has seen no text of their voices.

Other benches read it: computing takes minutes, so `--cache FILE.npy` keeps the answer. The file is
used again only for the very texts, codes and lexicon it was made from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.calibration import Calibration
from classifiers.labelled import Labelled, load_labelled, voice_folds
from classifiers.renewal import data_sha256
from classifiers.training import N_FOLDS, held_out_scores, read_labelled, wanted_themes
from lagesbild.themes import load_themes

SERVED = ("sv", "en")


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Shapes (texts, themes), the themes in the order of the code plan, drift_underhall last."""

    rows: Sequence[Labelled]
    wanted: NDArray[np.bool_]
    likely: NDArray[np.float64]
    chosen: NDArray[np.bool_]

    @property
    def voices(self) -> NDArray[np.intp]:
        names = sorted({row.voice for row in self.rows})
        place = {name: number for number, name in enumerate(names)}
        return np.array([place[row.voice] for row in self.rows])


def held_out(cache: Path | None, n_texts: int | None = None) -> HeldOut:
    """Probabilities and decisions by five folds of whole voices, each by models of the others.

    At most three themes a text, the likeliest, as when texts are classified.
    """
    rows = [row for row in load_labelled() if row.language in SERVED][:n_texts]
    wanted = wanted_themes(rows)
    stamp = data_sha256(rows)
    found = _read(cache, stamp)
    if found is None:
        scores = held_out_scores(rows, read_labelled(rows), wanted)
        found = np.stack(nested(scores, wanted, np.array(voice_folds(rows, N_FOLDS))))
        _write(cache, stamp, found)
    likely, chosen = found[0], found[1] > 0
    return HeldOut(rows, wanted, likely, chosen & _likeliest(likely))


def nested(
    scores: NDArray[Any], wanted: NDArray[Any], folds: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Probabilities and decisions for each fold by a calibration made on the other folds."""
    likely = np.zeros(wanted.shape)
    chosen = np.zeros(wanted.shape, dtype=bool)
    for fold in np.unique(folds):
        held = folds == fold
        calibration = Calibration.fit(scores[~held], wanted[~held])
        likely[held] = calibration.probabilities(scores[held])
        chosen[held] = calibration.limits.decided(likely[held])
    return likely, chosen


def _likeliest(likely: NDArray[np.float64]) -> NDArray[np.bool_]:
    n = load_themes().max_themes_per_text
    ranked: NDArray[np.bool_] = np.argsort(np.argsort(-likely, axis=1), axis=1) < n
    return ranked


def _read(cache: Path | None, stamp: str) -> NDArray[np.float64] | None:
    if cache is None or not cache.exists():
        return None
    told = cache.with_suffix(".sha256")
    if not told.exists() or told.read_text(encoding="utf-8") != stamp:
        return None
    found: NDArray[np.float64] = np.load(cache)
    return found


def _write(cache: Path | None, stamp: str, found: NDArray[np.float64]) -> None:
    if cache:
        np.save(cache, found)
        cache.with_suffix(".sha256").write_text(stamp, encoding="utf-8")
