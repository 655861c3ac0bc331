"""From scores to probabilities, and from probabilities to decisions and reasons to abstain."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from classifiers.features import FloatArray
from classifiers.limits import Limits
from classifiers.reading import Reading
from lagesbild.records import Abstention
from lagesbild.text import fold

# A theme this near its threshold, on either side, is for a person to look at.
_DOUBT = 0.6
_NEVER = -10.0  # the log odds of a theme nobody labelled
_NOTHING = frozenset(
    {"inget", "ingenting", "nej", "na", "nix", "nope", "noll", "inga", "ingen", "nada", "nothing"}
    | {"no", "none", "vet", "ej", "inte", "aning", "asikt", "sarskilt", "speciellt", "alls", "just"}
    | {"nu", "ett", "dugg", "att", "tillagga", "direkt", "mycket", "jag", "har", "kommer", "pa"}
)
_GROUPS = (
    *("invandr", "flykting", "asylsok", "utlanning", "svartskall", "blatte", "muslim", "islam"),
    *("judar", "romer", "zigenar", "somalier", "araber"),
    *("politiker", "regering", "kommunalrad", "makthavar", "sosse"),
)
# A question that begins so is answered by yes or no, unless it asks for anything more.
_YES_OR_NO = frozenset(
    {"ar", "kanner", "har", "tycker", "finns", "brukar", "vagar", "undviker", "litar", "kan"}
    | {"skulle", "vill", "ska", "blir", "upplever", "tror", "anser", "gar", "far", "fungerar"}
    | {"do", "does", "are", "is", "have", "has", "can", "would"}
)
_ASKS_FOR_MORE = re.compile(r"\b(?:nago[nt]\w*|nagra|annat|ovrigt|anything|something|else|more)\b")
_ANSWERS_NOTHING = frozenset(
    {"inget", "ingenting", "nej", "na", "nix", "nope", "noll", "inga", "ingen", "nada", "nothing"}
    | {"no", "none", "vet"}
)


@dataclass(frozen=True, slots=True)
class Calibration:
    """For each theme a logistic curve over the parts' scores, and the limits to decide at.

    `slopes` has shape (parts and rival, themes). The rival is the best score of any other theme:
    what is surely about traffic is less likely to be about noise as well.
    """

    slopes: FloatArray
    intercepts: FloatArray
    limits: Limits

    @classmethod
    def fit(cls, scores: FloatArray, wanted: NDArray[np.bool_]) -> Calibration:
        """From scores of shape (texts, themes, parts) on texts whose voices were held out."""
        inputs = with_rival(scores)
        n_themes, n_inputs = inputs.shape[1:]
        slopes, intercepts = np.zeros((n_inputs, n_themes)), np.full(n_themes, _NEVER)
        for theme in range(n_themes):
            if wanted[:, theme].any() and not wanted[:, theme].all():
                model = LogisticRegression(C=100.0).fit(inputs[:, theme], wanted[:, theme])
                slopes[:, theme] = model.coef_[0]
                intercepts[theme] = model.intercept_[0]
        return cls._with_limits(slopes, intercepts, scores, wanted)

    @classmethod
    def fit_shared(cls, scores: FloatArray, wanted: NDArray[np.bool_]) -> Calibration:
        """As `fit`, with the same slopes for every theme: steadier where the texts are few."""
        inputs = with_rival(scores)
        n_texts, n_themes, n_inputs = inputs.shape
        which = np.broadcast_to(np.eye(n_themes), (n_texts, n_themes, n_themes))
        rows = np.concatenate([inputs, which], axis=2).reshape(n_texts * n_themes, -1)
        if wanted.any() and not wanted.all():
            model = LogisticRegression(C=1.0, max_iter=2000).fit(rows, wanted.reshape(-1))
            weights, bias = model.coef_[0], float(model.intercept_[0])
        else:
            weights, bias = np.zeros(rows.shape[1]), _NEVER
        intercepts = weights[n_inputs:] + bias
        intercepts[~wanted.any(axis=0)] = _NEVER
        slopes = np.repeat(weights[:n_inputs, np.newaxis], n_themes, axis=1)
        return cls._with_limits(slopes, intercepts, scores, wanted)

    @classmethod
    def _with_limits(
        cls,
        slopes: FloatArray,
        intercepts: FloatArray,
        scores: FloatArray,
        wanted: NDArray[np.bool_],
    ) -> Calibration:
        undecided = Limits(np.full(len(intercepts), 0.5))
        likely = cls(slopes, intercepts, undecided).probabilities(scores)
        return cls(slopes, intercepts, Limits.fit(likely, wanted))

    def probabilities(self, scores: FloatArray) -> FloatArray:
        """Probabilities of shape (texts, themes) from scores of shape (texts, themes, parts)."""
        logits = np.einsum("ntp,pt->nt", with_rival(scores), self.slopes) + self.intercepts
        probabilities: FloatArray = 1.0 / (1.0 + np.exp(-np.clip(logits, -30, 30)))
        return probabilities

    def state(self) -> dict[str, Any]:
        return {"slopes": self.slopes, "intercepts": self.intercepts, **self.limits.state()}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Calibration:
        return cls(state["slopes"], state["intercepts"], Limits.from_state(state))


def with_rival(scores: FloatArray) -> FloatArray:
    """The scores, and for each theme the best first-part score among the other themes."""
    first = scores[:, :, 0]
    n_themes = first.shape[1]
    if n_themes == 1:
        return np.concatenate([scores, np.zeros_like(scores[:, :, :1])], axis=2)
    others = [np.delete(first, theme, axis=1).max(axis=1) for theme in range(n_themes)]
    return np.concatenate([scores, np.stack(others, axis=1)[:, :, np.newaxis]], axis=2)


def reason_to_abstain(
    reading: Reading,
    probabilities: FloatArray,
    thresholds: FloatArray,
    language: str,
    served: Sequence[str],
) -> Abstention:
    """Why nothing was decided. A question answered by "inget" says that nothing is the matter,
    without a question it says nothing at all (coding rule R27)."""
    if says_nothing(reading):
        return "none_of_these" if reading.question else "too_little_text"
    if reading.n_content_words == 0:
        return "too_little_text"
    if language not in served:
        return "language"
    if bool(np.any(probabilities >= _DOUBT * thresholds)):
        return "unsure"
    return "none_of_these"


def says_nothing(reading: Reading) -> bool:
    """An answer that is only "inget", "nej", "vet ej", "-" and the like, or no word at all. "Nej"
    to "Känner du dig trygg?" says something."""
    words = (fold(word) for word in reading.words if any(map(str.isalnum, word)))
    first = next(words, None)
    if first is None:
        return True
    if first in ("nej", "no") and _is_yes_or_no(reading.question):
        return False
    return first in _ANSWERS_NOTHING and all(word in _NOTHING for word in words)


@functools.lru_cache(maxsize=1000)
def _is_yes_or_no(question: str | None) -> bool:
    asked = fold(question or "")
    first = re.search(r"[^\W\d_]{2,}", asked)
    return bool(first and first[0] in _YES_OR_NO) and not _ASKS_FOR_MORE.search(asked)


def is_general(reading: Reading) -> bool:
    """Whether groups of people or politics are named: an opinion about them in general has no
    theme, and is for a person to look at (coding rule R9)."""
    return any(word.startswith(_GROUPS) for word in reading.words)


def is_doubtful(probability: float, threshold: float) -> bool:
    """Whether a decided theme is so near its threshold that a person should look."""
    return probability < threshold / _DOUBT
