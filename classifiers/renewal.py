"""Retraining: a new model takes over only if it is not worse on texts neither model learnt from.

One voice in ten of our labelled texts is frozen: a trial model is trained without it and measured
on it, and its figures go into the card of the model that is then trained on everything. A candidate
is compared with the best model so far, text by text (`gate.py`), so that many models, each a little
worse than the one before, do not follow each other.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifiers.combined import CombinedClassifier
from classifiers.encoder.joined import ScoresTexts
from classifiers.evaluation import as_arrays, score_decided
from classifiers.gate import DECIDED_FILE, Decisions, compare, load_decisions, save_decisions
from classifiers.labelled import REVIEWED, Labelled, Mention, is_frozen, load_labelled
from classifiers.saved import CARD_FILE, bundled_encoder, keep_encoder, load_combined, load_encoder
from classifiers.training import ENCODER, save_trained, train_model
from lagesbild.errors import LagesbildError
from lagesbild.records import Classified
from lagesbild.resources import data_path
from lagesbild.store.warehouse import connect
from lagesbild.themes import load_themes

FROZEN = "frozen"  # in the card: every figure of the trial model on the frozen texts
HELD_OUT = "held_out"  # in the card: right and wrong by theme, on the same texts
_BEST = "best"  # the folder with what the best trial so far decided
DATA = "data_sha256"
TRAINED = "trained"  # in the card: minutes it took, the encoder not counted, and on how many cores
_REVIEWED_VOICES = 20  # staff's texts are spread over so many voices, for the folds


@dataclass(frozen=True, slots=True)
class Renewal:
    """How a retraining ended. `new`, `old`: macro-F1 on the frozen voices with its interval; `old`
    is the best so far."""

    is_used: bool
    reason: str
    n_texts: int
    n_reviewed: int
    new: Mapping[str, Any] | None = None
    old: Mapping[str, Any] | None = None

    def as_markdown(self) -> str:
        """For the scheduler's page, in Swedish."""
        lines = [self.reason, "", f"- texter: {self.n_texts}, varav granskade {self.n_reviewed}"]
        for told, measure in (("ny", self.new), ("hittills bästa", self.old)):
            if measure:
                lines.append(
                    f"- {told} modell, makro-F1 på frysta röster: {measure['value']:.3f} "
                    f"({measure['low']:.3f}–{measure['high']:.3f})"
                )
        return "\n".join(lines) + "\n"


def measure_frozen(
    rows: Sequence[Labelled], encoder: ScoresTexts | None, folder: Path
) -> dict[str, Any]:
    """For the card: every figure on the frozen texts of a trial model trained on the others, and
    how often that model was right about each theme. What it decided is saved in `folder`."""
    frozen = [row for row in rows if is_frozen(row)]
    taught = train_model([r for r in rows if not is_frozen(r)], encoder)
    trial = CombinedClassifier(taught, "prov")
    decided = trial.classify([row.text for row in frozen], [row.question for row in frozen])
    save_decisions(frozen, decided, folder)
    return {
        FROZEN: score_decided(frozen, decided),
        HELD_OUT: _right_and_wrong(frozen, decided),
    }


def _right_and_wrong(
    rows: Sequence[Labelled], decided: Sequence[Classified]
) -> dict[str, dict[str, int]]:
    """How many texts each theme was rightly and wrongly given to and kept from."""
    truth, guess, _ = as_arrays(rows, decided)
    return {
        theme: {
            "tp": int((t & g).sum()),
            "fp": int((~t & g).sum()),
            "fn": int((t & ~g).sum()),
            "tn": int((~t & ~g).sum()),
        }
        for theme, t, g in zip(load_themes().decided, truth.T, guess.T, strict=True)
    }


def data_sha256(rows: Sequence[Labelled]) -> str:
    """Digest of all that regressions are made from: texts, codes, lexicon and themes."""
    lexicon = hashlib.sha256(data_path("lexicon.yaml").read_bytes()).hexdigest()
    told = [lexicon, load_themes().version]
    told += [repr((r.text, r.question, r.language, sorted(map(repr, r.mentions)))) for r in rows]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def train_with_figure(rows: Sequence[Labelled], folder: Path) -> Path:
    """Train on everything, measure on the frozen voices, save model and card.

    The encoder stays the one in `folder`, else the bundled one, if there is any.
    """
    began = time.perf_counter()
    encoder = load_encoder(folder) or bundled_encoder()
    more = {**measure_frozen(rows, encoder, folder), DATA: data_sha256(rows)}
    model = train_model(rows, encoder)
    spent = {"minutes": (time.perf_counter() - began) / 60, "cores": os.cpu_count() or 1}
    return save_trained(model, rows, folder, {**more, TRAINED: spent})


def renew(models: Path, in_use: Path | None, snapshot: Path | None) -> Renewal:
    """Train on the labelled texts and staff's decisions in `snapshot`; accept into `models`.

    `in_use`: the folder of the model in force, None for the bundled one.
    """
    reviewed = reviewed_rows(snapshot) if snapshot else []
    rows = [*load_labelled(), *reviewed]
    old_card = _card(in_use or data_path("model"))
    counts = (len(rows), len(reviewed))
    candidate = models / "candidate"
    encoder = load_encoder(candidate) or bundled_encoder()
    made_from = (data_sha256(rows), encoder.version if encoder else None)
    if (old_card.get(DATA), old_card.get(ENCODER)) == made_from and _is_loaded(in_use):
        return Renewal(False, "Inget nytt att lära av; modellen behålls.", *counts)
    path = train_with_figure(rows, candidate)
    new = load_decisions(candidate) or {}
    before = (models / _BEST, in_use, data_path("model"))
    best, old = _measured_before(before, new) or (candidate, new)
    verdict = compare(rows, old, new)
    measured = (verdict.new, verdict.old)
    if verdict.worse:
        told = f"Den nya modellen är sämre och används inte: {', '.join(verdict.worse)}."
        return Renewal(False, told, *counts, *measured)
    keep_encoder(models)
    load_combined(candidate)  # never use what cannot be loaded
    _keep_best(models, candidate if verdict.new["value"] >= verdict.old["value"] else best)
    version = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    accepted = models / version
    if not accepted.exists():
        candidate.rename(accepted)
    pointer = models / "CURRENT.tmp"
    pointer.write_text(version, encoding="utf-8")
    pointer.replace(models / "CURRENT")
    return Renewal(True, "Den nya modellen används från nästa natt.", *counts, *measured)


def _is_loaded(folder: Path | None) -> bool:
    """Whether this version of the program can use the model."""
    try:
        load_combined(folder)
    except LagesbildError:
        return False
    return True


def _measured_before(
    folders: Sequence[Path | None], new: Decisions
) -> tuple[Path, Decisions] | None:
    """The first of the folders with decisions about some of the same texts."""
    for folder in folders:
        old = load_decisions(folder) if folder else None
        if folder and old and old.keys() & new.keys():
            return folder, old
    return None


def _keep_best(models: Path, best: Path) -> None:
    """What the best so far decided, kept apart from models, which come and go."""
    kept = models / _BEST
    if best != kept:
        kept.mkdir(exist_ok=True)
        shutil.copyfile(best / DECIDED_FILE, kept / DECIDED_FILE)


def reviewed_rows(snapshot: Path) -> list[Labelled]:
    """Texts that staff have decided on, with the themes that hold after their decisions."""
    with connect(snapshot, read_only=True) as db:
        found = db.execute(
            "select s.submission_id, s.text, s.question, s.language, "
            "list({'theme': a.theme, 'subtheme': a.subtheme, 'stance': a.stance} "
            "order by a.theme) filter (where a.theme is not null) "
            "from submission s left join assigned_theme a using (submission_id) "
            "where s.is_current and s.submission_id in (select submission_id from decided_theme) "
            "and s.submission_id not in (select submission_id from review "
            "where mode in ('blind', 'second', 'settle')) "  # they measure, so they may not teach
            "group by all order by s.submission_id"
        ).fetchall()
    return [_reviewed(*row) for row in found]


def _reviewed(
    submission_id: str,
    text: str,
    question: str | None,
    language: str,
    themes: Sequence[Mapping[str, Any]] | None,
) -> Labelled:
    mentions = tuple(
        Mention(t["theme"], t["subtheme"] or None, frozenset({t["stance"]})) for t in themes or ()
    )
    voice = f"{REVIEWED}{int(submission_id[:8], 16) % _REVIEWED_VOICES}"
    return Labelled(f"{REVIEWED}{submission_id}", voice, text, question, language, mentions, ())


def _card(folder: Path) -> dict[str, Any]:
    card: dict[str, Any] = json.loads((folder / CARD_FILE).read_text(encoding="utf-8"))
    return card
