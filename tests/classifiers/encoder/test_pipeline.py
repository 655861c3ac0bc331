"""A spaCy pipeline in the encoder's place, with a tiny one made here and read from a folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import spacy

from classifiers import commands
from classifiers.combined import CombinedClassifier
from classifiers.encoder.pipeline import PipelineEncoder
from classifiers.labelled import is_for_encoder
from classifiers.reading import read
from classifiers.saved import load_combined
from lagesbild.errors import LagesbildError, UsageError
from lagesbild.themes import load_themes
from tests.classifiers.conftest import tiny_rows


@pytest.fixture(scope="module")
def rows() -> list:
    return [replace(row, voice=f"voice {n}") for n, row in enumerate(tiny_rows())]


@pytest.fixture(scope="module")
def pipeline(rows: list, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Swedish, with a vector of its own for each word of the tiny texts."""
    nlp = spacy.blank("sv")
    chance = np.random.default_rng(3)
    for word in sorted({word for row in rows for word in row.text.split()}):
        nlp.vocab.set_vector(word, chance.normal(size=24).astype(np.float32))
    folder = tmp_path_factory.mktemp("pipeline")
    nlp.to_disk(folder)
    return str(folder)


def test_it_learns_themes_and_stances_and_is_read_back(
    pipeline: str, rows: list, tmp_path: Path
) -> None:
    fitted = PipelineEncoder.fit(pipeline, rows)
    readings = read([row.text for row in rows])
    scores = fitted.scores(readings)
    wanted = np.array([[t in row.themes for t in load_themes().decided] for row in rows])
    assert ((scores.themes > 0) == wanted).mean() > 0.97
    assert scores.stances.shape == (len(rows), wanted.shape[1], 7)
    fitted.save(tmp_path)
    again = PipelineEncoder.load(tmp_path)
    assert again.version == fitted.version
    assert np.allclose(again.scores(readings).themes, scores.themes)
    assert again.scores([]).themes.shape == (0, wanted.shape[1])


def test_a_model_with_a_pipeline_is_trained_and_loaded(
    pipeline: str, rows: list, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("classifiers.labelled.load_labelled", lambda: rows)
    commands.train(tmp_path, pipeline=pipeline)
    loaded = load_combined(tmp_path)
    assert isinstance(loaded, CombinedClassifier)
    assert isinstance(loaded.model.joined.encoder, PipelineEncoder)
    assert any(is_for_encoder(row) for row in rows)
    assert loaded.probabilities(["knark"]).shape == (1, 15)
    with pytest.raises(UsageError, match="--out"):
        commands.train(None, pipeline=pipeline)


def test_a_pipeline_that_cannot_be_used_is_told(rows: list, tmp_path: Path) -> None:
    with pytest.raises(LagesbildError, match="går inte att läsa"):
        PipelineEncoder.fit(str(tmp_path / "none"), rows)
    with pytest.raises(LagesbildError, match="går inte att läsa"):
        PipelineEncoder.load(tmp_path)
    spacy.blank("sv").to_disk(tmp_path / "bare")
    with pytest.raises(LagesbildError, match="inga textvektorer"):
        PipelineEncoder.fit(str(tmp_path / "bare"), rows)
