"""What the encoder buys: quality against speed, alone, beside the linear part, and in a cascade.

    python -m bench.cascade [--trial FOLDER]

A trial model learns from every voice but the frozen ones, on which everything here is measured;
the bundled encoder has not seen them either. Training takes minutes: with --trial the model is
kept in that folder, and read from it the next time.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from classifiers.by_lexicon import LexiconClassifier
from classifiers.calibration import Calibration
from classifiers.combined import Model
from classifiers.encoder.joined import HIGH, LOW, is_unsure, together
from classifiers.evaluation import calibration_error, macro_f1, share, with_interval
from classifiers.features import FloatArray
from classifiers.labelled import Labelled, is_for_encoder, is_frozen, load_labelled
from classifiers.limits import Limits
from classifiers.reading import Reading
from classifiers.saved import CARD_FILE, bundled_encoder, load_combined, save_model
from classifiers.training import read_labelled, train_model, wanted_themes
from lagesbild.themes import load_themes

_LIMITS = (
    *((0.0, 1.0), (0.02, 0.98), (0.05, 0.98), (0.1, 0.9), (0.1, 0.95)),
    *((LOW, HIGH), (0.15, 0.95), (0.2, 0.8), (0.2, 0.95), (0.3, 0.9)),
)
HALF = Limits(np.full(len(load_themes().decided), 0.5))
T = TypeVar("T")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trial", type=Path, default=None, metavar="FOLDER")
    rows = load_labelled()
    model = trial_model(rows, parser.parse_args().trial)
    frozen = [row for row in rows if is_frozen(row)]
    readings, wanted = read_labelled(frozen), wanted_themes(frozen)
    print(f"{len(frozen)} texts of {len({r.voice for r in frozen})} frozen voices")
    lexicon = LexiconClassifier()
    show("lexicon", wanted, *_timed(lambda own: _by_lexicon(lexicon, own), readings), HALF, 0)
    linear, spent = _timed(model.linear.whole_and_best, readings)
    cheap = model.calibration.probabilities(linear)
    show("linear", wanted, cheap, spent, model.calibration.limits, 0)
    joined = model.joined
    if joined is None:
        raise SystemExit("the bundled model has no encoder")
    alone = _encoder_alone(model, rows)
    encoded, more = _timed(joined.encoder.scores, readings)
    likely = alone.probabilities(encoded.themes[:, :, np.newaxis])
    show("encoder alone", wanted, likely, more, alone.limits, 1)
    both = joined.calibration.probabilities(together(linear, encoded))
    for low, high in _LIMITS:
        asked = is_unsure(cheap, low, high)
        mixed = np.where(asked[:, np.newaxis], both, cheap)
        _, part = _timed(
            joined.encoder.scores, [r for r, a in zip(readings, asked, strict=True) if a]
        )
        name = f"cascade {low:g}-{high:g}" + (" (in use)" if (low, high) == (LOW, HIGH) else "")
        show(name, wanted, mixed, spent + part, joined.calibration.limits, asked.mean())


def trial_model(rows: Sequence[Labelled], folder: Path | None) -> Model:
    """Trained without the frozen voices, as the training's own figure is made."""
    if folder and (folder / CARD_FILE).exists():
        return load_combined(folder).model
    model = train_model([row for row in rows if not is_frozen(row)], bundled_encoder())
    if folder:
        save_model(model.state(), {}, folder)
    return model


def _encoder_alone(model: Model, rows: Sequence[Labelled]) -> Calibration:
    """The encoder calibrated by itself, on the voices kept from it that are not frozen."""
    own = [row for row in rows if not is_for_encoder(row) and not is_frozen(row)]
    if model.joined is None:
        raise ValueError("no encoder")
    scores = model.joined.encoder.scores(read_labelled(own)).themes
    return Calibration.fit(scores[:, :, np.newaxis], wanted_themes(own))


def _by_lexicon(lexicon: LexiconClassifier, readings: Sequence[Reading]) -> FloatArray:
    return lexicon.probabilities([r.text for r in readings], [r.question for r in readings])


def _timed(score: Callable[[Sequence[Reading]], T], readings: Sequence[Reading]) -> tuple[T, float]:
    started = time.process_time()
    return score(readings), time.process_time() - started


def show(
    name: str,
    wanted: NDArray[np.bool_],
    likely: FloatArray,
    seconds: float,
    limits: Limits,
    asked: float,
) -> None:
    """One line; speed is texts a second of processor time for the scoring alone."""
    n_main = len(load_themes().main)
    truth, guess = wanted[:, :n_main], limits.decided(likely)[:, :n_main]
    f1 = with_interval(macro_f1, truth, guess)
    residual = ~truth.any(axis=1)
    false = share(int(guess[residual].any(axis=1).sum()), int(residual.sum()))
    ece = calibration_error(likely[:, :n_main], truth)
    print(
        f"{name:24} macro-F1 {f1['value']:.3f} [{f1['low']:.3f}-{f1['high']:.3f}], "
        f"theme on residual {false['value']:.3f} (n={false['n']}), ECE {ece['value']:.3f}, "
        f"encoder asked {asked:.0%}, {len(wanted) / max(seconds, 1e-6):.0f} texts a CPU second"
    )


if __name__ == "__main__":
    main()
