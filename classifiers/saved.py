"""A trained model as one skops file, and its card beside it. Nothing is ever unpickled."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import skops.io

from classifiers.combined import CombinedClassifier, Model
from classifiers.encoder.joined import ScoresTexts
from classifiers.encoder.model import GRAPH_FILE, PIECES_FILE, Encoder
from classifiers.encoder.pipeline import PIPELINE_FILE, PipelineEncoder
from classifiers.lexicon import bundled_lexicon
from lagesbild.errors import LagesbildError
from lagesbild.resources import data_path
from lagesbild.themes import load_themes

MODEL_FILE = "combined.skops"
CARD_FILE = "card.json"

# A model is strings, numbers and NumPy arrays, which skops itself trusts. Nothing else is let in.
TRUSTED: tuple[str, ...] = ()


def save_model(state: Mapping[str, Any], card: Mapping[str, Any], folder: Path) -> Path:
    """Write the model and its card. Returns the model's path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / MODEL_FILE
    skops.io.dump(dict(state), path, compression=8, compresslevel=9)
    text = json.dumps(card, ensure_ascii=False, indent=2, sort_keys=True)
    (folder / CARD_FILE).write_text(text + "\n", encoding="utf-8")
    return path


def load_state(path: Path) -> dict[str, Any]:
    """What `save_model` wrote. A file with any other kind of object in it is refused unread."""
    try:
        unknown = set(skops.io.get_untrusted_types(file=path)) - set(TRUSTED)
        if unknown:
            raise LagesbildError(
                f"Modellfilen {path} innehåller okända objekt ({', '.join(sorted(unknown))}) "
                "och läses inte: hämta modellen på nytt eller träna om den."
            )
        state: dict[str, Any] = skops.io.load(path, trusted=list(TRUSTED))
    except FileNotFoundError as error:
        raise LagesbildError(f"Modellen saknas: {path}. Kör `lagesbild train`.") from error
    except (BadZipFile, OSError, ValueError, KeyError, TypeError) as error:
        raise LagesbildError(f"Modellfilen {path} går inte att läsa: träna om.") from error
    return state


def load_combined(folder: Path | None = None) -> CombinedClassifier:
    """The bundled model, or the one in `folder`. Its version names the file's very content."""
    path = (folder or data_path("model")) / MODEL_FILE
    state = load_state(path)
    if missing := {part.name for part in fields(Model)} - state.keys():
        raise LagesbildError(
            f"Modellen {path} är gjord av en annan version av programmet (den saknar "
            f"{', '.join(sorted(missing))}): träna om den."
        )
    plan = load_themes()
    if tuple(state["themes"]) != plan.decided:
        raise LagesbildError(f"Modellen {path} är tränad på andra teman: kör `lagesbild train`.")
    made = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    version = f"combined-{plan.version}-{bundled_lexicon().version}-{made}"
    return CombinedClassifier(Model.from_state(state, _encoder_of(state, path)), version)


def bundled_encoder() -> ScoresTexts | None:
    """The encoder beside the bundled model; None where there is none."""
    return load_encoder(data_path("model"))


def load_encoder(folder: Path) -> ScoresTexts | None:
    """The encoder in the folder, or the spaCy pipeline in its place; None without either."""
    if (folder / PIPELINE_FILE).exists():
        return PipelineEncoder.load(folder)
    return Encoder.load(folder) if (folder / GRAPH_FILE).exists() else None


def keep_encoder(models: Path) -> None:
    """Copy the bundled encoder to where the models in `models` find it, so that they go on working
    when a later release bundles another one."""
    encoder = bundled_encoder()
    if encoder is None:
        return
    kept = models / f"encoder-{encoder.version}"
    if not kept.exists():
        new = models / f"{kept.name}.tmp"
        new.mkdir(exist_ok=True)
        for name in (GRAPH_FILE, PIECES_FILE):
            shutil.copyfile(data_path("model") / name, new / name)
        new.rename(kept)


def _encoder_of(state: Mapping[str, Any], path: Path) -> ScoresTexts | None:
    """The very encoder that the model was calibrated with: beside it, kept with it, or bundled."""
    if not state.get("joined"):  # a model from before there was an encoder has no such part
        return None
    wanted = state["joined"]["encoder"]
    places = (path.parent, path.parent.parent / f"encoder-{wanted}", data_path("model"))
    encoder = next((found for found in map(load_encoder, places) if found), None)
    if encoder is None:
        raise LagesbildError(f"Kodaren till modellen {path} saknas: hämta modellen på nytt.")
    if encoder.version != wanted:
        raise LagesbildError(f"Modellen {path} är gjord med en annan kodare: träna om den.")
    return encoder
