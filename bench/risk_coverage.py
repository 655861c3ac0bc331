"""How often something is wrong when only the surest texts are decided.

    python -m bench.risk_coverage [--gold FILE ...] [--cache FILE.npy] [--texts N]

With `--gold`, the whole classifier on labelled files that it has not learnt from, as it would
decide them. Without, our own texts by five folds of whole voices, where the linear part alone is
measured (the encoder has seen most of the voices). A text is as sure as its least sure theme, given
or not; its error is any theme of the fourteen too many or too few. Intervals are Wilson's, 95 %.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.held_out import held_out
from classifiers import load_classifier
from classifiers.evaluation import risk_coverage, score
from classifiers.labelled import read_gold
from lagesbild.themes import load_themes


def show(name: str, n: int, curve: Sequence[Mapping[str, Any]]) -> None:
    print(f"{name}: {n} texts")
    for point in curve:
        error = point["error"]
        print(
            f"  surest {point['coverage']:4.0%}: some theme wrong {error['value']:.3f} "
            f"[{error['low']:.3f}-{error['high']:.3f}] n={error['n']}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gold", type=Path, nargs="+", default=())
    parser.add_argument("--cache", type=Path, default=None)
    parser.add_argument("--texts", type=int, default=None, help="only the first N texts")
    options = parser.parse_args()
    if not options.gold:
        own = held_out(options.cache, options.texts)
        n = len(load_themes().main)
        curve = risk_coverage(own.wanted[:, :n], own.chosen[:, :n], own.likely[:, :n])
        show("our texts, voices held out", len(own.rows), curve)
        return
    classifier = load_classifier()
    for path in options.gold:
        result = score(classifier, read_gold(path))
        show(path.stem, result["n_texts"], result["risk_coverage"])
        alone = result["error_without_review"]
        print(
            f"  not sent to review: {alone['n']} texts, some theme wrong {alone['value']:.3f} "
            f"[{alone['low']:.3f}-{alone['high']:.3f}]"
        )


if __name__ == "__main__":
    main()
