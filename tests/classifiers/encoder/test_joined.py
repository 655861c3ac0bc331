"""The cascade: the encoder is asked only where the linear part is unsure, and then counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classifiers import combined, training
from classifiers.combined import CombinedClassifier, Model, _Scored, _Told
from classifiers.encoder.joined import HIGH, LOW, Joined, is_unsure, together
from classifiers.encoder.model import Encoder, EncoderScores
from classifiers.labelled import Labelled, is_for_encoder, is_frozen
from classifiers.learned_stance import LearnedStance, StanceCase
from classifiers.limits import Limits
from classifiers.linear import Linear
from classifiers.reading import read
from classifiers.saved import load_combined, save_model
from classifiers.stance_shares import StanceShares
from classifiers.training import encoder_shares, read_labelled, train_model, wanted_themes
from lagesbild.errors import LagesbildError
from lagesbild.records import STANCES, Stance
from tests.classifiers.conftest import tiny_rows

TEXTS = ["knark vid lampan", "lampan är trasig", "tack för hjälpen", "hej"]


def many_voices() -> list[Labelled]:
    """Each text by a voice of its own, so that some are kept from the encoder."""
    return [replace(row, voice=f"voice {n}") for n, row in enumerate(tiny_rows())]


@pytest.fixture(scope="module")
def joined(encoder: Encoder) -> Model:
    return train_model(many_voices(), encoder)


def test_unsure_is_between_the_limits() -> None:
    likely = np.array([[0.001, 0.999], [0.001, 0.5], [0.02, 0.999], [0.0, 0.0]])
    assert is_unsure(likely, 0.01, 0.99).tolist() == [False, True, True, False]


def test_only_the_unsure_are_asked(joined: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    cheap = CombinedClassifier(replace(joined, joined=None), "cheap").probabilities(TEXTS)
    asked: list[str] = []
    assert joined.joined is not None
    real = joined.joined.encoder.begin

    def begin(readings: list) -> Callable[[], EncoderScores]:
        asked.extend(r.text for r in readings)
        return real(readings)

    monkeypatch.setattr(joined.joined.encoder, "begin", begin)
    monkeypatch.setattr(combined, "is_unsure", lambda p: np.array([True, False, False, True]))
    mixed = CombinedClassifier(joined, "both").probabilities(TEXTS)
    assert asked == [TEXTS[0], TEXTS[3]]
    assert np.array_equal(mixed[1:3], cheap[1:3])
    assert not np.allclose(mixed[0], cheap[0])


def test_reading_in_parts_changes_nothing(joined: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(combined, "is_unsure", lambda p: np.ones(len(p), dtype=bool))
    classifier = CombinedClassifier(joined, "both")
    whole = classifier.classify(TEXTS)
    monkeypatch.setattr(combined, "_AT_ONCE", 2)
    assert len(TEXTS) > 2
    assert [c.themes for c in classifier.classify(TEXTS)] == [c.themes for c in whole]


def test_evidence_is_what_the_encoder_would_miss_where_no_other_part_spoke(
    joined: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        Linear, "contributions", lambda self, readings, columns: [np.zeros(9)] * len(columns)
    )
    worth = {"hej": [0.0], "en helt annan sak": [0.1, 0.0, 2.0, 1.0]}
    monkeypatch.setattr(
        combined, "worth_of_words", lambda encoder, reading, column: np.array(worth[reading.text])
    )
    readings = read(list(worth))
    stances = {id(reading): np.zeros((15, 7)) for reading in readings}
    told = _Told(joined, _Scored(np.zeros((2, 15)), stances))
    assert told.words([(r, "narkotika") for r in readings]) == [[], [2, 3]]
    unasked = _Told(joined, _Scored(np.zeros((2, 15)), {}))
    assert unasked.words([(r, "narkotika") for r in readings]) == [[], []]


def _weighed_alike(model: Model) -> Model:
    bias = np.zeros(len(STANCES))
    by_cues, by_both = StanceShares(np.ones(1), bias), StanceShares(np.ones(2), bias)
    return replace(model, by_cues=by_cues, by_both=by_both)


def test_the_encoder_has_a_say_on_stance(joined: Model) -> None:
    joined = _weighed_alike(joined)
    reading = read(["lampan är trasig"])[0]
    case = StanceCase(reading, "narkotika", [0])
    for place, stance in enumerate(STANCES):
        said = np.zeros((15, 7))
        said[0, place] = 50.0
        told = _Told(joined, _Scored(np.zeros((1, 15)), {id(reading): said}))
        assert told.stances([case])[0][0] == stance
    assert _Told(joined, _Scored(np.zeros((0, 15)), {})).stances([]) == []


def test_stance_is_weighed_on_texts_that_no_part_learnt_from(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    weighed: list[str] = []
    learnt: list[set[str]] = []

    def fit(cases: list[StanceCase], stances: list[Stance]) -> LearnedStance:
        learnt.append({case.reading.text for case in cases})
        return real(cases, stances)

    def shares(encoder: Encoder, cases: list[StanceCase]) -> np.ndarray:
        weighed.extend(case.reading.text for case in cases)
        return encoder_shares(encoder, cases)

    real = LearnedStance.fit
    monkeypatch.setattr(LearnedStance, "fit", fit)
    monkeypatch.setattr(training, "encoder_shares", shares)
    rows = [replace(row, text=f"{row.text} {row.voice}") for row in many_voices()]
    model = train_model(rows, encoder)
    unseen = {r.text for r in rows if not is_for_encoder(r) and r.themes & set(encoder.themes)}
    assert weighed
    assert set(weighed) <= unseen
    assert any(taught and not taught & unseen for taught in learnt)
    assert model.by_both is not None
    assert (len(model.by_cues.weights), len(model.by_both.weights)) == (1, 2)


def test_each_part_has_its_own_weight_and_each_stance_its_share(
    joined: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    (reading,) = read(TEXTS[:1])
    case = StanceCase(reading, "narkotika", [0])
    cues = np.log(np.array([[0.7, 0.25, 0.01, 0.01, 0.01, 0.01, 0.01]]))
    monkeypatch.setattr(type(joined.stance), "scores", lambda self, cases: cues.copy())
    encoded = np.zeros((len(joined.calibration.intercepts), len(STANCES)))
    encoded[0] = np.log([0.25, 0.7, 0.01, 0.01, 0.01, 0.01, 0.01])
    scored = _Scored(np.zeros((1, len(encoded))), {id(reading): encoded})
    nothing, wish = np.zeros(len(STANCES)), np.zeros(len(STANCES))
    wish[STANCES.index("onskemal")] = 12.0
    for weights, bias, stance in (
        ([2.0, 0.5], nothing, STANCES[0]),
        ([0.5, 2.0], nothing, STANCES[1]),
        ([0.5, 2.0], wish, "onskemal"),
    ):
        model = replace(joined, by_both=StanceShares(np.array(weights), bias))
        assert _Told(model, scored).stances([case])[0][0] == stance


def test_the_encoder_is_asked_where_only_the_stance_is_in_doubt(
    joined: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    joined = _weighed_alike(joined)
    (reading,) = read(TEXTS[:1])
    case = StanceCase(reading, "narkotika", [0])
    told = _Told(joined, _Scored(np.zeros((1, len(joined.calibration.intercepts))), {}))
    asked: list[str] = []

    def scores(readings: list) -> EncoderScores:
        asked.extend(r.text for r in readings)
        n = len(told._themes)
        says = np.zeros((len(readings), n, len(STANCES)))
        says[:, :, STANCES.index("fraga")] = 50.0
        return EncoderScores(np.zeros((len(readings), n)), says)

    assert joined.joined is not None
    monkeypatch.setattr(joined.joined.encoder, "scores", scores)
    for share, by_encoder in ((0.96, False), (0.94, True)):
        row = np.log(np.full(len(STANCES), (1 - share) / (len(STANCES) - 1)))
        row[STANCES.index("problem")] = np.log(share)
        monkeypatch.setattr(
            type(joined.stance), "scores", lambda self, cases, row=row: row[np.newaxis].copy()
        )
        assert told.stances([case]) == [("fraga" if by_encoder else "problem", False)]
        assert asked == ([reading.text] if by_encoder else [])


@pytest.mark.parametrize(("share", "is_unclear"), [(0.79, True), (0.81, False)])
def test_a_stance_of_small_share_is_for_a_person(
    joined: Model, monkeypatch: pytest.MonkeyPatch, share: float, is_unclear: bool
) -> None:
    case = StanceCase(read(TEXTS[:1])[0], "narkotika", [0])
    row = np.full((1, len(STANCES)), np.log((1 - share) / (len(STANCES) - 1)))
    row[0, STANCES.index("berom")] = np.log(share)
    monkeypatch.setattr(type(joined.stance), "scores", lambda self, cases: row.copy())
    model = replace(_weighed_alike(joined), joined=None)
    told = _Told(model, _Scored(np.zeros((1, 15)), {}))
    assert told.stances([case]) == [("berom", is_unclear)]


def test_scores_of_both_stand_side_by_side() -> None:
    linear = np.zeros((2, 3, 2))
    encoded = EncoderScores(np.arange(6.0).reshape(2, 3), np.zeros((2, 3, 7)))
    both = together(linear, encoded)
    assert both.shape == (2, 3, 4)
    assert both[1, :, 2].tolist() == [3, 4, 5]
    assert both[1, :, 3].tolist() == [5, 5, 4]  # the best of the other themes


def test_a_model_finds_its_own_encoder_and_no_other(
    joined: Model, encoder_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("classifiers.saved.data_path", lambda name: tmp_path / "nothing")
    save_model(joined.state(), {}, tmp_path / "models" / "a")
    with pytest.raises(LagesbildError, match="Kodaren till modellen"):
        load_combined(tmp_path / "models" / "a")
    kept = tmp_path / "models" / f"encoder-{joined.joined.encoder.version}"
    kept.mkdir()
    for path in encoder_folder.iterdir():
        (kept / path.name).write_bytes(path.read_bytes())
    loaded = load_combined(tmp_path / "models" / "a")
    assert np.allclose(
        loaded.probabilities(TEXTS), CombinedClassifier(joined, "x").probabilities(TEXTS)
    )
    other = joined.state() | {"joined": joined.joined.state() | {"encoder": "another"}}
    save_model(other, {}, kept)
    with pytest.raises(LagesbildError, match="annan kodare"):
        load_combined(kept)


def test_what_calibrates_was_not_learnt(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    taught: list[str] = []
    fit = Joined.fit

    def fitted(encoder: Encoder, readings: list, *rest: np.ndarray) -> Joined:
        taught.extend(r.text for r in readings)
        return fit(encoder, readings, *rest)

    monkeypatch.setattr(Joined, "fit", fitted)
    rows = many_voices()
    train_model(rows, encoder)
    assert set(taught) == {row.text for row in rows if not is_for_encoder(row)}
    assert not any(is_frozen(row) and is_for_encoder(row) for row in rows)
    assert len(taught) > 0


def test_limits_are_those_of_what_is_decided_on(encoder: Encoder) -> None:
    """Where the linear part is sure of all texts, though wrongly, the encoder is not asked."""
    rows = many_voices()
    readings, wanted = read_labelled(rows), wanted_themes(rows)
    linear = np.where(wanted, 2.0, -2.0)[:, :, np.newaxis].repeat(2, axis=2)
    surely = np.random.default_rng(4).random(wanted.shape) < 0.5
    cheap = np.where(surely, (HIGH + 1) / 2, LOW / 2)
    given = Joined.fit(encoder, readings, linear, wanted, cheap).calibration
    both = given.probabilities(together(linear, encoder.scores(readings)))
    assert np.array_equal(given.limits.thresholds, Limits.fit(cheap, wanted).thresholds)
    assert not np.array_equal(given.limits.thresholds, Limits.fit(both, wanted).thresholds)
    asked = Joined.fit(encoder, readings, linear, wanted, np.full(wanted.shape, 0.5)).calibration
    assert np.array_equal(asked.limits.thresholds, Limits.fit(both, wanted).thresholds)
