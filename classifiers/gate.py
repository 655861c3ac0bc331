"""Whether a new model is worse than the best so far, text by text on the frozen voices.

What a trial model decided about every frozen text is kept beside the model it stands for, so that
two models are compared on the very same texts, by the codes that hold now.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.evaluation import macro_f1, with_interval
from classifiers.labelled import Labelled
from lagesbild.records import Classified
from lagesbild.themes import load_themes

DECIDED_FILE = "frozen.json"
_N_RESAMPLED = 1000
Decisions = Mapping[str, Mapping[str, str]]  # labelled id -> theme -> stance
BoolArray = NDArray[np.bool_]
Counts = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`new`, `old`: macro-F1 with its interval on the same texts. `worse`: what is worse, in
    Swedish, beyond what chance gives; empty where nothing is."""

    new: Mapping[str, Any]
    old: Mapping[str, Any]
    worse: tuple[str, ...]


def save_decisions(rows: Sequence[Labelled], decided: Sequence[Classified], folder: Path) -> None:
    """One line a text, so that a change of model is seen in a diff."""
    told = {
        row.labelled_id: {m.theme: m.stance for m in own.themes}
        for row, own in zip(rows, decided, strict=True)
    }
    lines = [f"{json.dumps(key)}:{json.dumps(own)}" for key, own in sorted(told.items())]
    folder.mkdir(parents=True, exist_ok=True)
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    (folder / DECIDED_FILE).write_text(text, encoding="utf-8")


def load_decisions(folder: Path) -> Decisions | None:
    """None where no model was measured."""
    path = folder / DECIDED_FILE
    if not path.exists():
        return None
    decisions: Decisions = json.loads(path.read_text(encoding="utf-8"))
    return decisions


def compare(rows: Sequence[Labelled], old: Decisions, new: Decisions) -> Verdict:
    """Paired, over the texts that both have decided: macro-F1, themes given to texts without one,
    and stances. A measure is worse when the 95 % bootstrap interval of the difference is."""
    shared = [row for row in rows if row.labelled_id in old and row.labelled_id in new]
    truth = _given([dict.fromkeys(row.themes, "") for row in shared])
    guesses = [_given([own[row.labelled_id] for row in shared]) for own in (old, new)]
    stances = [_stances(shared, own) for own in (old, new)]
    bare = ~truth.any(axis=1)
    wrong = [np.stack([(bare & g.any(axis=1)), bare], axis=1).astype(float) for g in guesses]
    chance = np.random.default_rng(0)
    drawn = [chance.integers(0, len(shared), len(shared)) for _ in range(_N_RESAMPLED)]
    gains = {
        "makro-F1": [_f1(truth[i], guesses[1][i]) - _f1(truth[i], guesses[0][i]) for i in drawn],
        "teman på texter utan tema": [_ratio(wrong[0][i]) - _ratio(wrong[1][i]) for i in drawn],
        "ställning": [_ratio(stances[1][i]) - _ratio(stances[0][i]) for i in drawn],
    }
    worse = tuple(name for name, gain in gains.items() if np.percentile(gain, 97.5) < 0)
    old_f1, new_f1 = (with_interval(macro_f1, truth, guess) for guess in guesses)
    return Verdict(new_f1, old_f1, worse)


def _given(found: Sequence[Mapping[str, str]]) -> BoolArray:
    """Shape (texts, the themes that are counted)."""
    themes = load_themes().main
    given = np.array([[theme in own for theme in themes] for own in found], dtype=bool)
    return given.reshape(len(found), len(themes))


def _stances(rows: Sequence[Labelled], decisions: Decisions) -> Counts:
    """For each text, how many of the rightly found themes have the right stance, and how many
    there are."""
    counts = np.zeros((len(rows), 2))
    for place, row in enumerate(rows):
        own = decisions[row.labelled_id]
        coded = {m.theme: m.stances for m in row.mentions if m.stances and m.theme in own}
        counts[place] = sum(own[t] in right for t, right in coded.items()), len(coded)
    return counts


def _f1(truth: BoolArray, guess: BoolArray) -> float:
    return macro_f1(truth, guess) or 0.0


def _ratio(counts: Counts) -> float:
    part, whole = counts.sum(axis=0)
    return float(part / whole) if whole else 0.0
