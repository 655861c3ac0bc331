"""What 2,000 decisions are worth, one in twenty of them wrong, in the queue's order or by lot.

    python -m bench.reviewer [--decisions 2000] [--start 1500] [--error 0.05] [--seeds 3]

Texts of data/labelled arrive as reports, and a simulated reviewer answers with their labels. The
voices are split four ways, whole: the frozen ones measure, some teach the start model, some are the
reports to review, and the rest are the city whose counts are wanted. One decision in five is blind,
on a random report of that city; the others are about the reports most worth it by the queue's own
reasons (`lagesbild/review/reasons.py`), or about any, by lot. Blind readings never teach, or the
measure would be taught to. Of the queue's reasons only those take part that a text alone can give:
uncertain, abstained, disagreeing, rare theme, urgent.

The models are a fast path, not what is shipped: the linear part alone, without n-grams of
characters, calibrated over three folds of whole voices, no encoder. What a decision is worth to
them says which order teaches more, not how good the shipped model is.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.calibration import Calibration, is_doubtful, reason_to_abstain
from classifiers.evaluation import macro_f1
from classifiers.labelled import Labelled, is_frozen, load_labelled, voice_folds
from classifiers.linear import Linear
from classifiers.reading import Reading as ReadText
from classifiers.training import over_folds, read_labelled, wanted_themes
from lagesbild.review.agreement import quality
from lagesbild.review.reasons import Facts, judge
from lagesbild.store.decisions import Choice, Reading
from lagesbild.text import fold
from lagesbild.themes import load_themes

BLOCKS = ("words", "question", "lexicon_themes", "lexicon_terms")
LANGUAGES = ("sv", "en")
N_FOLDS = 3
BLIND_EVERY = 5
N_RESAMPLED = 500
ARMS = ("start", "queue", "lot")

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Texts:
    """All labelled texts, read once. `wanted`: truth of shape (texts, themes)."""

    rows: Sequence[Labelled]
    readings: Sequence[ReadText]
    wanted: Bools


@dataclass(frozen=True, slots=True)
class Split:
    """Places of the texts: to measure on, to start from, to review, to count."""

    measure: Places
    start: Places
    queue: Places
    city: Places


@dataclass(frozen=True, slots=True)
class FastModel:
    linear: Linear
    calibration: Calibration

    def probabilities(self, readings: Sequence[ReadText]) -> Floats:
        return self.calibration.probabilities(self.linear.whole_and_best(readings))

    def chosen(self, probabilities: Floats) -> Bools:
        return self.calibration.limits.decided(probabilities)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one model: its answers on the measure, the mean width of the counts' intervals in percent
    of the city's reports, and how many of them hold the true count."""

    guess: Bools
    width: float
    held: float


def fit(texts: Texts, places: Places, labels: Bools) -> FastModel:
    """Learn from these texts with these labels, which may be wrong."""
    readings = [texts.readings[i] for i in places]

    def fit_and_score(train: Places, test: Places) -> Floats:
        linear = Linear.fit([readings[i] for i in train], labels[train], BLOCKS)
        return linear.whole_and_best([readings[i] for i in test])

    scores = over_folds(voice_folds([texts.rows[i] for i in places], N_FOLDS), fit_and_score)
    return FastModel(Linear.fit(readings, labels, BLOCKS), Calibration.fit(scores, labels))


def split(texts: Texts, n_start: int, chance: np.random.Generator) -> Split:
    """Whole voices by lot: the start, then two parts of three to review, one to count."""
    frozen = np.array([is_frozen(row) for row in texts.rows])
    of_voice: dict[str, list[int]] = {}
    for place in np.flatnonzero(~frozen):
        of_voice.setdefault(texts.rows[int(place)].voice, []).append(int(place))
    voices = sorted(of_voice)
    chance.shuffle(voices)
    start: list[int] = []
    while len(start) < n_start:
        start += of_voice[voices.pop()]
    n_rest = sum(len(of_voice[voice]) for voice in voices)
    city: list[int] = []
    while len(city) < n_rest / 3:
        city += of_voice[voices.pop()]
    queue = [place for voice in voices for place in of_voice[voice]]
    return Split(np.flatnonzero(frozen), np.array(start), np.array(queue), np.array(city))


def by_worth(texts: Texts, places: Places, model: FastModel) -> Places:
    """The reports in the order of the queue, by the start model's answers."""
    likely = model.probabilities([texts.readings[i] for i in places])
    chosen = model.chosen(likely)
    n_by_theme = chosen.sum(axis=0)
    worth = [
        judge(_facts(texts, int(place), likely[i], chosen[i], model, n_by_theme))[0]
        for i, place in enumerate(places)
    ]
    return places[np.argsort(-np.array(worth), kind="stable")]


def _facts(
    texts: Texts,
    place: int,
    likely: Floats,
    chosen: Bools,
    model: FastModel,
    n_by_theme: NDArray[np.int_],
) -> Facts:
    themes, thresholds = load_themes().decided, model.calibration.limits.thresholds
    given = [int(i) for i in np.argsort(-likely) if chosen[i]]
    row, reading = texts.rows[place], texts.readings[place]
    why_none = reason_to_abstain(reading, likely, thresholds, row.language, LANGUAGES)
    return Facts(
        folded_text=fold(row.text),
        probabilities=dict(zip(themes, likely.tolist(), strict=True)),
        themes=[themes[i] for i in given],
        abstain=None if given else why_none,
        needs_review=any(is_doubtful(likely[i], thresholds[i]) for i in given),
        category_theme=None,
        n_with_rarest=min((int(n_by_theme[i]) for i in given), default=None),
        reviewed_share_of_area=None,
        new_words=(),
        surge=0.0,
        was_decided=False,
    )


def answered(wanted: Bools, error: float, chance: np.random.Generator) -> Bools:
    """What the reviewer says: right, but for a share of texts with one theme too few or many."""
    labels = wanted.copy()
    for row in np.flatnonzero(chance.random(len(labels)) < error):
        some = np.flatnonzero(labels[row])
        if len(some) and chance.random() < 0.5:
            labels[row, chance.choice(some)] = False
        else:
            labels[row, chance.choice(np.flatnonzero(~labels[row]))] = True
    return labels


def counted(machine: Bools, truth: Bools, blind: Places, said: Bools) -> tuple[float, float]:
    """(mean width of the corrected counts' intervals as a share of the reports, share that hold the
    true count), by the very function that the page uses."""
    themes = load_themes().decided
    read = [
        Reading(
            str(i), str(i), "", "", "", "blind",
            themes={themes[t]: Choice() for t in np.flatnonzero(said[n])}, weight=1.0,
        )
        for n, i in enumerate(blind)
    ]  # fmt: skip
    by_machine: Mapping[str, Sequence[str]] = {
        str(i): [themes[t] for t in np.flatnonzero(machine[i])] for i in blind
    }
    widths, held = [], []
    for column, theme in enumerate(themes):
        n_machine = int(machine[:, column].sum())
        found = quality(theme, read, by_machine, len(machine), n_machine).corrected
        if found is not None:
            widths.append(found.width / len(machine))
            held.append(found.low <= truth[:, column].sum() <= found.high)
    if not widths:
        return float("nan"), float("nan")
    return float(np.mean(widths)), float(np.mean(held))


def simulate(texts: Texts, seed: int, options: argparse.Namespace) -> dict[str, Outcome]:
    """The three models of one seed: before any decision, and after those of each order."""
    chance = np.random.default_rng(seed)
    parts = split(texts, options.start, chance)
    n_blind = options.decisions // BLIND_EVERY
    n_open = min(options.decisions - n_blind, len(parts.queue))
    blind = chance.choice(len(parts.city), min(n_blind, len(parts.city)), replace=False)
    said = answered(texts.wanted[parts.city][blind], options.error, chance)
    start = fit(texts, parts.start, texts.wanted[parts.start])
    orders = {
        "queue": by_worth(texts, parts.queue, start)[:n_open],
        "lot": chance.permutation(parts.queue)[:n_open],
    }
    models = {"start": start}
    for name, places in orders.items():
        taught = answered(texts.wanted[places], options.error, chance)
        labels = np.concatenate([texts.wanted[parts.start], taught])
        models[name] = fit(texts, np.concatenate([parts.start, places]), labels)
    _tell_early(texts, parts, start, blind, said)
    return {name: _outcome(texts, parts, model, blind, said) for name, model in models.items()}


def _outcome(texts: Texts, parts: Split, model: FastModel, blind: Places, said: Bools) -> Outcome:
    machine = model.chosen(model.probabilities([texts.readings[i] for i in parts.city]))
    width, held = counted(machine, texts.wanted[parts.city], blind, said)
    likely = model.probabilities([texts.readings[i] for i in parts.measure])
    return Outcome(model.chosen(likely), width, held)


def _tell_early(texts: Texts, parts: Split, start: FastModel, blind: Places, said: Bools) -> None:
    machine = start.chosen(start.probabilities([texts.readings[i] for i in parts.city]))
    for n in sorted({len(blind) // 10, len(blind) // 4, len(blind)}):
        width, _ = counted(machine, texts.wanted[parts.city], blind[:n], said[:n])
        wide = "too few for an interval" if np.isnan(width) else f"interval {width:.1%} wide"
        print(f"    {n * BLIND_EVERY:5} decisions, {n:4} of them blind: {wide}", flush=True)


def tell(texts: Texts, found: Sequence[Mapping[str, Outcome]]) -> None:
    """Means over the seeds; intervals by drawing the measure's voices anew."""
    measure = np.flatnonzero([is_frozen(row) for row in texts.rows])
    n_themes = len(load_themes().main)
    truth = texts.wanted[measure][:, :n_themes]
    voices = np.array([texts.rows[int(i)].voice for i in measure])
    members = [np.flatnonzero(voices == voice) for voice in sorted(set(voices))]
    chance = np.random.default_rng(0)

    def mean_f1(arm: str, places: Places) -> float:
        return float(np.mean([macro_f1(truth[places], one[arm].guess[places, :n_themes]) or 0.0
                              for one in found]))  # fmt: skip

    everything = np.arange(len(measure))
    drawn = [
        np.concatenate([members[i] for i in chance.integers(0, len(members), len(members))])
        for _ in range(N_RESAMPLED)
    ]
    values = {arm: np.array([mean_f1(arm, places) for places in drawn]) for arm in ARMS}
    print(f"\nmacro-F1 on {len(measure)} texts of {len(members)} frozen voices, {len(found)} seeds")
    for arm in ARMS:
        low, high = np.percentile(values[arm], [2.5, 97.5])
        width = np.mean([one[arm].width for one in found])
        held = np.mean([one[arm].held for one in found])
        print(
            f"  {arm:6} {mean_f1(arm, everything):.3f} [{low:.3f}-{high:.3f}]"
            f"   count intervals {width:.2%} of the reports wide, {held:.0%} hold the truth"
        )
    for one, other in (("queue", "start"), ("lot", "start"), ("queue", "lot")):
        low, high = np.percentile(values[one] - values[other], [2.5, 97.5])
        gain = mean_f1(one, everything) - mean_f1(other, everything)
        print(f"  {one} - {other}: {gain:+.3f} [{low:+.3f} to {high:+.3f}]")
    low, high = np.percentile(values["queue"] - values["lot"], [2.5, 97.5])
    if low > 0:
        verdict = "teaches more than"
    elif high < 0:
        verdict = "teaches less than"
    else:
        verdict = "is not shown to teach more or less than"
    print(f"The queue's order {verdict} as many reports by lot.")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--decisions", type=int, default=2000)
    parser.add_argument("--start", type=int, default=1500, help="texts of the start model")
    parser.add_argument("--error", type=float, default=0.05, help="share of wrong readings")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--texts", type=int, help="only so many texts, by lot; to try it out")
    options = parser.parse_args()
    rows = [row for row in load_labelled() if row.language in LANGUAGES]
    if options.texts:
        lot = np.random.default_rng(0).choice(len(rows), options.texts, replace=False)
        rows = [rows[i] for i in sorted(lot)]
    print("Fast path: linear part alone, words and lexicon, no n-grams of characters, no encoder.")
    texts = Texts(rows, read_labelled(rows), wanted_themes(rows))
    found = []
    for seed in range(options.seeds):
        began = time.perf_counter()
        print(f"seed {seed}, start model:")
        found.append(simulate(texts, seed, options))
        print(f"    {time.perf_counter() - began:.0f} s", flush=True)
    tell(texts, found)


if __name__ == "__main__":
    main()
