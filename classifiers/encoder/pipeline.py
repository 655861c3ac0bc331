"""A spaCy pipeline of one's own in the encoder's place, with regressions over its text vectors.

For whoever has a larger model, sv_core_news_lg or a transformer that sets `doc.vector` say:
`lagesbild train --pipeline NAME --out FOLDER`, then `model = "FOLDER"` under [classifier].
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import spacy
from sklearn.linear_model import LogisticRegression

from classifiers.encoder.model import EncoderScores
from classifiers.features import FloatArray
from classifiers.labelled import Labelled
from classifiers.reading import Reading
from lagesbild.errors import LagesbildError
from lagesbild.records import STANCES
from lagesbild.themes import load_themes

PIPELINE_FILE = "pipeline.json"
_NEVER = -10.0
_BATCH = 128


class PipelineEncoder:
    """`theme_weights` and `stance_weights` have a last row for the constant."""

    def __init__(
        self, pipeline: str, center: FloatArray, themes: FloatArray, stances: FloatArray
    ) -> None:
        try:
            self._nlp = spacy.load(pipeline)
        except (OSError, ValueError) as error:
            raise LagesbildError(
                f"spaCy-modellen {pipeline} går inte att läsa: installera den eller ange mappen."
            ) from error
        self.pipeline = pipeline
        self._center, self._themes, self._stances = center, themes, stances
        meta = f"{self._nlp.meta['lang']}_{self._nlp.meta['name']}-{self._nlp.meta['version']}"
        self.card: dict[str, Any] = {"source": meta}
        told = json.dumps([meta, *(array.tolist() for array in (center, themes, stances))])
        self.version = hashlib.sha256(told.encode()).hexdigest()[:12]

    @classmethod
    def fit(cls, pipeline: str, rows: Sequence[Labelled]) -> PipelineEncoder:
        """One regression a theme, and one for the stance of a text with a single stance."""
        empty = np.zeros((0, 0))
        unfitted = cls(pipeline, np.zeros(1), empty, empty)
        vectors = unfitted._vectors([_shown(row.text, row.question) for row in rows])
        center = vectors.mean(axis=0)
        inputs = vectors - center
        wanted = np.array([[t in row.themes for t in load_themes().decided] for row in rows])
        themes = np.stack([_binary(inputs, column) for column in wanted.T], axis=1)
        only = [{s for m in row.mentions for s in m.stances} for row in rows]
        single = [i for i, stances in enumerate(only) if len(stances) == 1]
        spoken = np.array([STANCES.index(next(iter(only[i]))) for i in single])
        stances = np.stack([_binary(inputs[single], spoken == s) for s in range(len(STANCES))], 1)
        return cls(pipeline, center, themes, stances)

    def scores(self, readings: Sequence[Reading]) -> EncoderScores:
        """The stance is that of the whole text, the same for each theme."""
        inputs = self._vectors([_shown(r.text, r.question) for r in readings]) - self._center
        inputs = np.hstack([inputs, np.ones((len(inputs), 1))])
        themes, stances = inputs @ self._themes, inputs @ self._stances
        return EncoderScores(themes, np.repeat(stances[:, np.newaxis], themes.shape[1], axis=1))

    def begin(self, readings: Sequence[Reading]) -> Callable[[], EncoderScores]:
        scores = self.scores(readings)
        return lambda: scores

    def _vectors(self, texts: Sequence[str]) -> FloatArray:
        found = [
            np.asarray(d.vector, dtype=float) for d in self._nlp.pipe(texts, batch_size=_BATCH)
        ]
        if found and not max(v.size for v in found):
            raise LagesbildError(f"spaCy-modellen {self.pipeline} har inga textvektorer.")
        return np.stack(found) if found else np.zeros((0, len(self._center)))

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        told = {
            "pipeline": self.pipeline,
            "center": self._center.tolist(),
            "themes": self._themes.tolist(),
            "stances": self._stances.tolist(),
        }
        (folder / PIPELINE_FILE).write_text(json.dumps(told), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> PipelineEncoder:
        try:
            told = json.loads((folder / PIPELINE_FILE).read_text(encoding="utf-8"))
            arrays = [np.array(told[name]) for name in ("center", "themes", "stances")]
            return cls(told["pipeline"], *arrays)
        except (OSError, ValueError, KeyError) as error:
            raise LagesbildError(f"Filen {folder / PIPELINE_FILE} går inte att läsa.") from error


def _shown(text: str, question: str | None) -> str:
    return f"{question} {text}" if question else text


def _binary(inputs: FloatArray, wanted: Any) -> FloatArray:
    """Weights and, last, the constant; a class without both kinds of text is never likely."""
    weights = np.zeros(inputs.shape[1] + 1)
    weights[-1] = _NEVER
    if wanted.any() and not wanted.all():
        model = LogisticRegression(C=1.0, solver="liblinear", random_state=0).fit(inputs, wanted)
        weights[:-1], weights[-1] = model.coef_[0], model.intercept_[0]
    return weights
