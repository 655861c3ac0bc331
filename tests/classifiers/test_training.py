from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

from classifiers import CLASSIFIERS, load_classifier
from classifiers.calibration import Calibration
from classifiers.combined import CombinedClassifier, Model
from classifiers.saved import MODEL_FILE, load_combined, load_state
from classifiers.training import save_trained, train_model, wanted_themes
from lagesbild.errors import LagesbildError, UsageError
from lagesbild.resources import data_path
from tests.classifiers.conftest import tiny_rows

_NEW = ["de langar i parken", "bilarna kör fort", "mörkt i tunneln", "biblioteket är fint"]


def test_training_twice_gives_the_same_file(tiny_model: Model, tmp_path: Path) -> None:
    first = save_trained(tiny_model, tiny_rows(), tmp_path / "a")
    second = save_trained(train_model(tiny_rows()), tiny_rows(), tmp_path / "b")
    with zipfile.ZipFile(first) as a, zipfile.ZipFile(second) as b:
        arrays = [name for name in a.namelist() if name.endswith(".npy")]
        assert arrays
        assert sorted(a.read(n) for n in arrays) == sorted(
            b.read(n) for n in b.namelist() if n.endswith(".npy")
        )
    one, other = load_combined(tmp_path / "a"), load_combined(tmp_path / "b")
    assert np.array_equal(one.probabilities(_NEW), other.probabilities(_NEW))


def test_a_saved_model_decides_as_the_trained_one(tiny: CombinedClassifier, tmp_path: Path) -> None:
    save_trained(tiny.model, tiny_rows(), tmp_path)
    loaded = load_combined(tmp_path)
    assert np.array_equal(loaded.probabilities(_NEW), tiny.probabilities(_NEW))
    assert [c.themes for c in loaded.classify(_NEW)] == [c.themes for c in tiny.classify(_NEW)]
    assert json.loads((tmp_path / "card.json").read_text())["n_texts"] == len(tiny_rows())


def test_a_model_with_anything_but_arrays_and_text_is_refused(tmp_path: Path) -> None:
    skops.io.dump({"linear": LogisticRegression, "f": json.dumps}, tmp_path / MODEL_FILE)
    with pytest.raises(LagesbildError, match="okända objekt"):
        load_state(tmp_path / MODEL_FILE)


@pytest.mark.parametrize("content", [None, b"", b"not a zip"])
def test_a_missing_or_broken_model_is_a_clear_error(tmp_path: Path, content) -> None:
    if content is not None:
        (tmp_path / MODEL_FILE).write_bytes(content)
    with pytest.raises(LagesbildError, match="Modell"):
        load_combined(tmp_path)


def test_a_model_of_an_older_form_is_refused(tiny: CombinedClassifier, tmp_path: Path) -> None:
    state = tiny.model.state()
    del state["by_cues"]
    skops.io.dump(state, tmp_path / MODEL_FILE)
    with pytest.raises(LagesbildError, match="annan version"):
        load_combined(tmp_path)


def test_a_model_of_other_themes_is_refused(tiny: CombinedClassifier, tmp_path: Path) -> None:
    state = tiny.model.state() | {"themes": ["narkotika"]}
    skops.io.dump(state, tmp_path / MODEL_FILE)
    with pytest.raises(LagesbildError, match="andra teman"):
        load_combined(tmp_path)


def test_the_bundled_model_is_small_and_names_its_content_in_its_version() -> None:
    assert (data_path("model") / MODEL_FILE).stat().st_size < 15_000_000
    assert load_classifier().version != load_classifier("lexicon").version
    assert set(CLASSIFIERS) == {"lexicon", "combined"}
    with pytest.raises(UsageError, match="bert"):
        load_classifier("bert")


def test_calibration_brings_scores_to_shares_and_takes_further_parts() -> None:
    chance = np.random.default_rng(1)
    real = chance.uniform(size=(4000, 1))
    wanted = chance.uniform(size=real.shape) < real
    score = 3 * np.log(real / (1 - real)) + 1  # overconfident and shifted
    parts = np.stack([score, chance.normal(size=score.shape)], axis=2)
    calibration = Calibration.fit(parts, wanted)
    assert abs(calibration.probabilities(parts) - real).mean() < 0.02
    assert calibration.slopes.shape == (3, 1)  # two parts and the rival


def test_a_theme_nobody_labelled_is_never_decided() -> None:
    calibration = Calibration.fit(np.ones((10, 1, 1)), np.zeros((10, 1), dtype=bool))
    assert calibration.probabilities(np.full((1, 1, 1), 9.0))[0, 0] < 0.001


def test_wanted_themes_follow_the_order_of_the_plan() -> None:
    wanted = wanted_themes(tiny_rows())
    assert wanted.sum() == 18  # residual texts want nothing
    assert wanted[0].tolist() == [True] + [False] * 14


def test_shared_slopes_are_found_from_few_texts() -> None:
    chance = np.random.default_rng(2)
    real = chance.uniform(0.01, 0.99, size=(300, 3))
    wanted = chance.uniform(size=real.shape) < real
    scores = (2 * np.log(real / (1 - real)) + np.array([0, 1, -1]))[:, :, np.newaxis]
    calibration = Calibration.fit_shared(scores, wanted)
    assert np.ptp(calibration.slopes, axis=1).max() == 0
    assert abs(calibration.probabilities(scores) - real).mean() < 0.05
    nobody = Calibration.fit_shared(scores, np.zeros_like(wanted))
    assert nobody.probabilities(scores).max() < 0.001
    assert Calibration.from_state(calibration.state()).slopes.shape == (2, 3)
