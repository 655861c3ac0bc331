"""Stance by the cues, by the encoder, and by both: how often right, and whether the shares hold.

    python -m bench.stances [--trial FOLDER]

Themes are taken as known. The trial model (as in `bench.cascade`) learnt from every voice but the
frozen ones, and nothing from everyday.jsonl and stances.jsonl. "added up" gives both full weight,
"weighed" ships. For each limit: the share of mentions whose likeliest stance is below it, which a
person is asked about, and the share wrong among all mentions where nobody is asked.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.cascade import trial_model
from classifiers.combined import Model
from classifiers.evaluation import calibration_error, share
from classifiers.features import FloatArray
from classifiers.labelled import Labelled, is_frozen, load_labelled, read_gold
from classifiers.learned_stance import log_shares
from classifiers.training import encoder_shares, read_labelled, stance_cases
from lagesbild.records import STANCES, Stance
from lagesbild.resources import data_path

_LIMITS = (0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trial", type=Path, default=None, metavar="FOLDER")
    rows = load_labelled()
    model = trial_model(rows, parser.parse_args().trial)
    _compare("frozen voices", model, [row for row in rows if is_frozen(row)])
    for name in ("everyday", "stances"):
        _compare(name, model, read_gold(data_path(f"{name}.jsonl")))


def _compare(told: str, model: Model, rows: Sequence[Labelled]) -> None:
    if model.joined is None or model.by_both is None:
        raise SystemExit("the bundled model has no encoder")
    cases, stances = stance_cases(rows, read_labelled(rows))
    always = share(sum(stance == "problem" for stance in stances), len(stances))
    print(f"{told}: {len(stances)} mentions, always problem {always['value']:.3f}")
    cues = model.stance.scores(cases)
    encoded = encoder_shares(model.joined.encoder, cases)
    _show("cues", model.by_cues.of([cues]), stances)
    _show("encoder", encoded, stances)
    _show("added up", log_shares(cues + encoded), stances)
    _show("weighed", model.by_both.of([cues, encoded]), stances)


def _show(name: str, shares: FloatArray, stances: Sequence[Stance]) -> None:
    truth = np.array([STANCES.index(stance) for stance in stances])
    right, top = shares.argmax(axis=1) == truth, np.exp(shares.max(axis=1))
    accuracy = share(int(right.sum()), len(right))
    ece = calibration_error(top[:, np.newaxis], right[:, np.newaxis])["value"]
    print(
        f"  {name:9} right {accuracy['value']:.3f} [{accuracy['low']:.3f}-{accuracy['high']:.3f}], "
        f"ECE {ece:.3f}"
    )
    limits = (
        f"{at:g}: {(top < at).mean():.3f}/{(~right[top >= at]).sum() / len(right):.3f}"
        for at in _LIMITS
    )
    print("            asked about/wrong in silence below", ", ".join(limits))


if __name__ == "__main__":
    main()
