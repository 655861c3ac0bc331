"""What the encoder adds to the linear part: when it is asked, and how far it is trusted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from classifiers.calibration import Calibration, with_rival
from classifiers.encoder.model import EncoderScores
from classifiers.features import FloatArray
from classifiers.limits import Limits
from classifiers.reading import Reading

# Asked about themes only where the linear part gives one a probability between these. From .15 a
# fifth of the time was saved, and more was missed of what people describe without naming it
# (bench/cascade.py prints what these and other limits give). Chosen on the frozen voices and the
# dev files, so what is measured on them flatters this choice a little.
LOW, HIGH = 0.05, 0.95


class ScoresTexts(Protocol):
    """The bundled encoder, or a spaCy pipeline in its place. `version` changes with its content."""

    version: str
    card: dict[str, Any]

    def scores(self, readings: Sequence[Reading]) -> EncoderScores: ...

    def begin(self, readings: Sequence[Reading]) -> Callable[[], EncoderScores]:
        """As `scores`, but the caller may do other things before it asks for them."""
        ...


@dataclass(frozen=True, slots=True)
class Joined:
    """An encoder, and the calibration of its scores beside the linear part's."""

    encoder: ScoresTexts
    calibration: Calibration

    @classmethod
    def fit(
        cls,
        encoder: ScoresTexts,
        readings: Sequence[Reading],
        linear: FloatArray,
        wanted: NDArray[np.bool_],
        cheap: FloatArray,
    ) -> Joined:
        """From texts that neither the encoder nor the linear part learnt from; `linear` as
        Linear.whole_and_best gives it, `cheap` the probabilities by the linear part alone.

        The limits are those of what is decided on: `cheap` where the encoder is not asked.
        """
        scores = together(linear, encoder.scores(readings))
        calibration = Calibration.fit_shared(scores, wanted)
        both = calibration.probabilities(scores)
        used = np.where(is_unsure(cheap)[:, np.newaxis], both, cheap)
        return cls(encoder, replace(calibration, limits=Limits.fit(used, wanted)))

    def probabilities(self, linear: FloatArray, encoded: EncoderScores) -> FloatArray:
        return self.calibration.probabilities(together(linear, encoded))

    def state(self) -> dict[str, Any]:
        return {"encoder": self.encoder.version, "calibration": self.calibration.state()}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], encoder: ScoresTexts) -> Joined:
        return cls(encoder, Calibration.from_state(state["calibration"]))


def is_unsure(probabilities: FloatArray, low: float = LOW, high: float = HIGH) -> NDArray[np.bool_]:
    """One answer a text: whether any theme is neither nearly ruled out nor nearly certain."""
    doubtful = (probabilities > low) & (probabilities < high)
    return np.asarray(doubtful.any(axis=1), dtype=np.bool_)


def together(linear: FloatArray, encoded: EncoderScores) -> FloatArray:
    """The encoder's score, and its rival, as more ways of scoring: (texts, themes, ways)."""
    return np.concatenate([linear, with_rival(encoded.themes[:, :, np.newaxis])], axis=2)
