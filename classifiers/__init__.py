"""Which themes a resident's remark is about, and what it says of them.

A classifier gives probabilities and, from them, decisions with stance and evidence. To add one,
write a module with these methods and a line in CLASSIFIERS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from lagesbild.errors import UsageError
from lagesbild.records import Classified

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Classifier(Protocol):
    """`version` names the model, the lexicon and the themes that every decision was made by.

    `questions`, where given, has one entry a text: the survey question it answers, or None.
    """

    name: str
    version: str
    themes: tuple[str, ...]

    def probabilities(
        self, texts: Sequence[str], questions: Sequence[str | None] | None = None
    ) -> NDArray[np.float64]:
        """Shape (texts, themes), the columns in the order of `themes`."""

    def classify(
        self, texts: Sequence[str], questions: Sequence[str | None] | None = None
    ) -> list[Classified]:
        """One decision a text, in order."""


def _lexicon(_: Path | None) -> Classifier:
    from classifiers.by_lexicon import LexiconClassifier

    return LexiconClassifier()


def _combined(model: Path | None) -> Classifier:
    from classifiers.saved import load_combined

    return load_combined(model)


CLASSIFIERS: Mapping[str, Callable[[Path | None], Classifier]] = {
    "lexicon": _lexicon,
    "combined": _combined,
}


def load_classifier(name: str = "combined", model: Path | None = None) -> Classifier:
    """The named classifier; `model` is a folder of one's own instead of the bundled model."""
    if name not in CLASSIFIERS:
        known = ", ".join(CLASSIFIERS)
        raise UsageError(f"Okänd klassificerare {name}: välj en av {known}.")
    return CLASSIFIERS[name](model)
