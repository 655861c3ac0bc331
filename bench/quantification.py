"""How many texts have a theme? Estimators compared where themes are rarer or commoner than usual.

    python -m bench.quantification [--cache FILE.npy] [--repeats 20] [--seed 1]

Our labelled texts, classified by models that saw no text of their voices. Each repeat draws half of
the voices as the validation (what the estimators learn the classifier's errors from) and, from the
other half, sets of texts in which one theme has another share than it has in the whole: 2 to 40 per
cent. Every estimator says how many texts of the set have the theme. Printed: the mean absolute
error in per cent of the texts, and how often the 95 % interval holds the real number, over themes,
shares and repeats; the spread told after +- is 95 %, over repeats. Then the same by theme.

- counted: the number the classifier found (classify and count); interval of a mere share.
- corrected: `corrected_count`, from the errors in the validation (adjusted count).
- summed: the sum of the probabilities (probabilistic count); interval as if they were right.
- summed, corrected: the same, adjusted by the means in the validation; bootstrap.
- EM: probabilities made anew for the share they imply (Saerens, Latinne & Decaestecker, 2002);
  bootstrap.
- reviewed: N texts of the set drawn at random and read by a person, the classifier unused.
- post-stratified: the same N readings, used apart for texts found and not found.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.held_out import HeldOut, held_out
from lagesbild.indicators.corrected import Validation, corrected_count, post_stratified_count
from lagesbild.indicators.estimate import Estimate
from lagesbild.indicators.shares import share
from lagesbild.themes import load_themes

SHARES = (0.02, 0.05, 0.1, 0.2, 0.4)
N_TEXTS = 400
N_READ = 100
_RESAMPLES = 200
_EM_STEPS = 60
Bools = NDArray[np.bool_]
Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Texts:
    """One theme of some texts: whether they have it, were given it, and how likely it was held."""

    real: Bools
    found: Bools
    likely: Reals

    def at(self, places: NDArray[np.intp]) -> Texts:
        return Texts(self.real[places], self.found[places], self.likely[places])


Estimator = Callable[[Texts, Texts, np.random.Generator], Estimate | None]


def counted(here: Texts, _: Texts, __: np.random.Generator) -> Estimate | None:
    n = len(here.found)
    found = share(int(here.found.sum()), n)
    return found.times(n) if found else None


def corrected(here: Texts, known: Texts, _: np.random.Generator) -> Estimate | None:
    return corrected_count(int(here.found.sum()), len(here.found), validation(known))


def validation(known: Texts) -> Validation:
    real, found = known.real, known.found
    cells = (real & found, ~real & found, real & ~found, ~real & ~found)
    return Validation(*(int(cell.sum()) for cell in cells))


def summed(here: Texts, _: Texts, __: np.random.Generator) -> Estimate:
    value = float(here.likely.sum())
    reach = 1.96 * float(np.sqrt((here.likely * (1 - here.likely)).sum()))
    return Estimate(value, value - reach, value + reach)


def summed_corrected(here: Texts, known: Texts, rng: np.random.Generator) -> Estimate:
    def adjusted(mean: Reals, hit: Reals, alarm: Reals) -> Reals:
        gap = np.maximum(hit - alarm, 1e-6)
        return np.asarray(np.clip((mean - alarm) / gap, 0, 1) * len(here.likely), dtype=float)

    means = (here.likely, known.likely[known.real], known.likely[~known.real])
    value = adjusted(*(np.array(values.mean()) for values in means))
    drawn = adjusted(*(_resampled(values, rng).mean(axis=1) for values in means))
    return _with_bootstrap(float(value), drawn)


def expectation_maximisation(here: Texts, known: Texts, rng: np.random.Generator) -> Estimate:
    usual = np.clip(known.real.mean(), 1e-4, 1 - 1e-4)
    value = _em(here.likely[np.newaxis], usual)[0]
    return _with_bootstrap(value, _em(_resampled(here.likely, rng), usual))


def _em(likely: Reals, usual: float) -> Reals:
    """The number in each row, its share found so that the probabilities agree with it."""
    odds = np.clip(likely, 1e-6, 1 - 1e-6)
    odds = odds / (1 - odds) * (1 - usual) / usual
    shares = np.full((len(likely), 1), usual)
    for _ in range(_EM_STEPS):
        told = odds * shares / (1 - shares)
        shares = np.clip((told / (1 + told)).mean(axis=1, keepdims=True), 1e-6, 1 - 1e-6)
    return np.asarray(shares[:, 0] * likely.shape[1], dtype=float)


def _resampled(values: Reals, rng: np.random.Generator) -> Reals:
    drawn: Reals = values[rng.integers(0, len(values), (_RESAMPLES, len(values)))]
    return drawn


def _with_bootstrap(value: float, drawn: Reals) -> Estimate:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Estimate(value, min(float(low), value), max(float(high), value))


def reviewed(here: Texts, _: Texts, rng: np.random.Generator) -> Estimate | None:
    n = len(here.real)
    read = rng.choice(n, N_READ, replace=False)
    found = share(int(here.real[read].sum()), N_READ)
    return found.times(n) if found else None


def post_stratified(here: Texts, _: Texts, rng: np.random.Generator) -> Estimate | None:
    read = here.at(rng.choice(len(here.real), N_READ, replace=False))
    return post_stratified_count(int(here.found.sum()), len(here.found), validation(read))


ESTIMATORS: Mapping[str, Estimator] = {
    "counted": counted,
    "corrected": corrected,
    "summed": summed,
    "summed, corrected": summed_corrected,
    "EM": expectation_maximisation,
    "reviewed": reviewed,
    "post-stratified": post_stratified,
}


@dataclass(frozen=True, slots=True)
class Trial:
    """One answer. `error`, `width`: per cent of the texts; None where no answer was given."""

    estimator: str
    repeat: int
    theme: str
    real_share: float
    error: float | None
    width: float
    holds: bool


def trials(texts: HeldOut, repeats: int, seed: int, themes: Sequence[str]) -> Iterator[Trial]:
    rng = np.random.default_rng(seed)
    voices = texts.voices
    for repeat in range(repeats):
        order = rng.permutation(voices.max() + 1)
        is_known = np.isin(voices, order[: len(order) // 2])
        for column, theme in enumerate(themes):
            all_of_it = Texts(
                texts.wanted[:, column], texts.chosen[:, column], texts.likely[:, column]
            )
            known, rest = (all_of_it.at(np.flatnonzero(m)) for m in (is_known, ~is_known))
            for real_share in SHARES:
                here = rest.at(_drawn(rest.real, real_share, rng))
                for name, estimate in ESTIMATORS.items():
                    found = estimate(here, known, rng)
                    yield _trial(name, repeat, theme, real_share, found, here)


def _drawn(real: Bools, real_share: float, rng: np.random.Generator) -> NDArray[np.intp]:
    """Places of texts, so many with the theme; drawn with replacement where there are too few."""
    n_with = round(N_TEXTS * real_share)
    parts = []
    for places, n in ((np.flatnonzero(real), n_with), (np.flatnonzero(~real), N_TEXTS - n_with)):
        parts.append(rng.choice(places, n, replace=len(places) < n))
    return np.concatenate(parts)


def _trial(
    name: str, repeat: int, theme: str, real_share: float, found: Estimate | None, here: Texts
) -> Trial:
    real = int(here.real.sum())
    if found is None:
        return Trial(name, repeat, theme, real_share, None, 0.0, False)
    percent = 100 / len(here.real)
    holds = bool(found.low <= real <= found.high)
    width = (found.high - found.low) * percent
    return Trial(name, repeat, theme, real_share, abs(found.value - real) * percent, width, holds)


def table(found: list[Trial], by: Callable[[Trial], str]) -> Iterator[str]:
    groups: dict[str, list[Trial]] = defaultdict(list)
    for trial in found:
        groups[by(trial)].append(trial)
    for name, own in groups.items():
        answered = [t for t in own if t.error is not None]
        error = _over_repeats(answered, lambda t: t.error or 0.0)
        holds = _over_repeats(answered, lambda t: 100.0 * t.holds)
        width = np.mean([t.width for t in answered])
        yield (
            f"{name:36} error {error} %, interval holds {holds} %, "
            f"width {width:4.1f}, n={len(answered)} of {len(own)}"
        )


def _over_repeats(found: list[Trial], measure: Callable[[Trial], float]) -> str:
    """Mean and 1.96 standard errors over repeats, whose voices are drawn anew."""
    repeats: dict[int, list[float]] = defaultdict(list)
    for trial in found:
        repeats[trial.repeat].append(measure(trial))
    means = [np.mean(values) for values in repeats.values()]
    spread = 1.96 * np.std(means, ddof=1) / np.sqrt(len(means)) if len(means) > 1 else float("nan")
    return f"{np.mean(means):5.2f} +-{spread:4.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=None)
    parser.add_argument("--texts", type=int, default=None, help="only the first N texts")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    texts = held_out(options.cache, options.texts)
    n_voices = len(np.unique(texts.voices))
    print(f"{len(texts.rows)} texts of {n_voices} voices; sets of {N_TEXTS}, {N_READ} read")
    began = time.monotonic()
    found = list(trials(texts, options.repeats, options.seed, load_themes().main))
    for line in table(found, lambda t: t.estimator):
        print(line)
    for wanted in SHARES:
        print(f"\nthe theme in {wanted:.0%} of the texts")
        for line in table([t for t in found if t.real_share == wanted], lambda t: t.estimator):
            print(line)
    print()
    shown = ("counted", "corrected", "EM", "post-stratified")
    for line in table(
        [t for t in found if t.estimator in shown], lambda t: f"{t.theme:20} {t.estimator}"
    ):
        print(line)
    print(f"\n{options.repeats} repeats, seed {options.seed}, {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
