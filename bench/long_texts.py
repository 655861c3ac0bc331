"""Is a theme found wherever it stands in a long text? And is more found there than there is?

    python -m bench.long_texts [--trial FOLDER] [-n 400]

Texts of frozen voices, put one after another until there are at least 150 words: one of a single
theme among many without any, first or last, and texts without any theme alone. With the encoder as
it reads (in windows), and as if it read the first window only. The trial model is that of
bench/cascade.py, which has not learnt from these voices.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

from bench.cascade import trial_model
from classifiers.combined import CombinedClassifier
from classifiers.encoder import model as encoder_model
from classifiers.encoder.model import windows
from classifiers.evaluation import share
from classifiers.labelled import Labelled, is_frozen, load_labelled
from lagesbild.themes import load_themes

LONG = 150  # words
_SEED = 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trial", type=Path, default=None, metavar="FOLDER")
    parser.add_argument("-n", type=int, default=400, help="texts of each kind")
    options = parser.parse_args()
    rows = load_labelled()
    classifier = CombinedClassifier(trial_model(rows, options.trial), "prov")
    frozen = [row for row in rows if is_frozen(row) and row.language == "sv"]
    made = long_texts(frozen, options.n, random.Random(_SEED))  # noqa: S311
    show("in windows", classifier, made)
    with patch.object(encoder_model, "windows", lambda *told: windows(*told)[:1]):
        show("first window only", classifier, made)


def long_texts(
    rows: Sequence[Labelled], n: int, rng: random.Random
) -> list[tuple[str, list[str], str]]:
    """`n` of: the theme of one text, the texts without a theme, and the text itself."""
    main = set(load_themes().main)
    single = [r for r in rows if len(main & r.themes) == 1 and len(r.text.split()) < LONG // 3]
    bare = [r.text for r in rows if not main & r.themes and not r.question]
    made = []
    for row in rng.sample(single, n):
        (theme,) = main & row.themes
        around: list[str] = []
        while sum(len(text.split()) for text in around) < LONG:
            around.append(rng.choice(bare))
        made.append((theme, around, row.text))
    return made


def show(
    name: str, classifier: CombinedClassifier, made: Sequence[tuple[str, list[str], str]]
) -> None:
    kinds = {
        "first": ["\n".join([text, *around]) for _, around, text in made],
        "last": ["\n".join([*around, text]) for _, around, text in made],
        "without": ["\n".join(around) for _, around, _ in made],
    }
    main, n = set(load_themes().main), len(made)
    for kind, texts in kinds.items():
        given = [{m.theme for m in own.themes} & main for own in classifier.classify(texts)]
        if kind == "without":
            told = share(sum(map(bool, given)), n)
            print(f"{name}, no theme: any given in {_shown(told)}")
            continue
        found = sum(theme in own for (theme, *_), own in zip(made, given, strict=True))
        more = sum(bool(own - {theme}) for (theme, *_), own in zip(made, given, strict=True))
        print(
            f"{name}, theme {kind}: found in {_shown(share(found, n))}, "
            f"another given as well in {_shown(share(more, n))}"
        )


def _shown(told: dict[str, float]) -> str:
    return f"{told['value']:.3f} [{told['low']:.3f}-{told['high']:.3f}], n={told['n']}"


if __name__ == "__main__":
    main()
