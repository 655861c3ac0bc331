"""How much would more labelled texts help? Macro-F1 on frozen voices by number of training texts.

    python -m bench.learning_curve [--seeds 2] [--texts N] [--encoder]

The linear part of the classifier (n-grams and lexicon hits, calibrated), trained on an eighth, a
quarter, half and all of the texts whose voices are not frozen, drawn at random anew for every seed,
and measured on the frozen voices, which none of them has seen. Printed for each size: mean over
seeds, and the widest 95 % bootstrap interval over texts; at the end, what the last doubling gave
for every further 1,000 texts, by a power law through the last two points at the next 1,000.

--encoder: both parts together, as where the encoder is always asked; it is fine-tuned anew for
each size on the voices it may learn from. Needs the extra `encoder`, and without a graphics card
many hours.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.calibration import Calibration
from classifiers.encoder.joined import together
from classifiers.encoder.model import Encoder
from classifiers.evaluation import FloatArray, macro_f1, with_interval
from classifiers.labelled import (
    Labelled,
    is_for_encoder,
    is_frozen,
    load_labelled,
    voice_folds,
)
from classifiers.linear import Linear
from classifiers.training import over_folds, read_labelled, wanted_themes
from lagesbild.themes import load_themes

SHARES = (1 / 8, 1 / 4, 1 / 2, 1.0)
SERVED = ("sv", "en")
_FOLDS = 3  # for the calibration


def measured(train: Sequence[Labelled], test: Sequence[Labelled]) -> dict[str, Any]:
    """Macro-F1 over the themes, with its interval, of a model of `train` on `test`."""
    readings, wanted = read_labelled(train), wanted_themes(train)

    def fit_and_score(learnt: Any, held: Any) -> FloatArray:
        model = Linear.fit([readings[i] for i in learnt], wanted[learnt])
        return model.whole_and_best([readings[i] for i in held])

    scores = over_folds(voice_folds(train, _FOLDS), fit_and_score)
    calibration = Calibration.fit(scores, wanted)
    linear = Linear.fit(readings, wanted)
    likely = calibration.probabilities(linear.whole_and_best(read_labelled(test)))
    return _macro_f1(calibration.limits.decided(likely), test)


def measured_together(
    taught: Sequence[Labelled], calibrating: Sequence[Labelled], test: Sequence[Labelled]
) -> dict[str, Any]:
    """The same of both parts, each learnt from `taught` and calibrated beside the other."""
    from classifiers.encoder.fit import fit_encoder

    with TemporaryDirectory() as folder:
        fit_encoder(taught, Path(folder), lambda _: None)
        encoder = Encoder.load(Path(folder))
    linear = Linear.fit(read_labelled(taught), wanted_themes(taught))

    def scores(rows: Sequence[Labelled]) -> FloatArray:
        readings = read_labelled(rows)
        return together(linear.whole_and_best(readings), encoder.scores(readings))

    calibration = Calibration.fit_shared(scores(calibrating), wanted_themes(calibrating))
    likely = calibration.probabilities(scores(test))
    return _macro_f1(calibration.limits.decided(likely), test)


def _macro_f1(chosen: NDArray[np.bool_], test: Sequence[Labelled]) -> dict[str, Any]:
    main = len(load_themes().main)
    found: dict[str, Any] = with_interval(macro_f1, wanted_themes(test)[:, :main], chosen[:, :main])
    return found


def next_thousand(points: Sequence[tuple[int, float]]) -> float:
    """What 1,000 more texts would give: the error falls as a power of the number of texts."""
    (n_before, before), (n, now) = points[-2:]
    power = np.log((1 - now) / (1 - before)) / np.log(n / n_before)
    return float((1 - now) * (1 - ((n + 1000) / n) ** power))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--texts", type=int, default=None, help="only the first N texts")
    parser.add_argument("--encoder", action="store_true")
    options = parser.parse_args()
    rows = [row for row in load_labelled() if row.language in SERVED][: options.texts]
    test = [row for row in rows if is_frozen(row)]
    pool = [row for row in rows if not is_frozen(row)]
    calibrating = [row for row in pool if not is_for_encoder(row)]
    if options.encoder:
        pool = [row for row in pool if is_for_encoder(row)]
    print(f"{len(test)} texts of {len({r.voice for r in test})} frozen voices")
    points = []
    for part in SHARES:
        n = round(part * len(pool))
        began = time.process_time()
        found = []
        for seed in range(options.seeds if part < 1 else 1):
            chosen = np.sort(np.random.default_rng(seed).permutation(len(pool))[:n])
            own = [pool[i] for i in chosen]
            both = options.encoder
            found.append(measured_together(own, calibrating, test) if both else measured(own, test))
        value = float(np.mean([f["value"] for f in found]))
        low, high = min(f["low"] for f in found), max(f["high"] for f in found)
        points.append((n, value))
        print(
            f"{n:6} texts: macro-F1 {value:.3f} [{low:.3f}-{high:.3f}], {len(found)} seeds, "
            f"{time.process_time() - began:.0f} s",
            flush=True,
        )
    print(f"the next 1,000 texts: {100 * next_thousand(points):+.2f} points of macro-F1")


if __name__ == "__main__":
    main()
