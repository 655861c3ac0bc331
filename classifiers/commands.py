"""What the command line does with classifiers: classify lines, train, evaluate."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

from classifiers import Classifier
from lagesbild.errors import LagesbildError, UsageError
from lagesbild.records import Classified
from lagesbild.resources import data_path

if TYPE_CHECKING:
    from classifiers.labelled import Labelled

BATCH = 256


@dataclass(frozen=True, slots=True)
class _Line:
    """One line read: a text to classify, or what was wrong with it."""

    line_id: Any
    text: str = ""
    question: str | None = None
    error: str | None = None


def classify_lines(
    stdin: Iterable[str],
    stdout: IO[str],
    show_all: bool,
    classifier: Classifier,
) -> None:
    """One JSON line out for each line in, in order; an unreadable line gives its error."""
    lines = iter(stdin)
    while batch := [_read(line) for line in itertools.islice(lines, BATCH)]:
        for answer in _answers(batch, classifier, show_all=show_all):
            stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
        stdout.flush()


def _read(line: str) -> _Line:
    try:
        raw = json.loads(line.removeprefix("\ufeff"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return _Line(None, error="raden är inte giltig JSON")
    if not isinstance(raw, dict):
        return _Line(None, error="raden är inte ett JSON-objekt")
    text, question = raw.get("text"), raw.get("question")
    if not isinstance(text, str):
        return _Line(raw.get("id"), error="fältet text saknas eller är inte text")
    if question is not None and not isinstance(question, str):
        return _Line(raw.get("id"), error="fältet question är inte text")
    try:
        json.dumps(raw, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return _Line(None, error="raden har trasiga tecken")
    return _Line(raw.get("id"), text, question)


def _refuse(constant: str) -> None:
    """NaN and Infinity, which Python reads though they are no JSON."""
    raise ValueError(constant)


def _answers(
    batch: list[_Line], classifier: Classifier, *, show_all: bool
) -> Iterator[dict[str, Any]]:
    good = [line for line in batch if line.error is None]
    decided = iter(classifier.classify([g.text for g in good], [g.question for g in good]))
    for line in batch:
        if line.error is not None:
            yield {"id": line.line_id, "error": line.error}
        else:
            yield _answer(line.line_id, next(decided), show_all=show_all)


def _answer(line_id: Any, decided: Classified, *, show_all: bool) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "id": line_id,
        "themes": [
            {
                "theme": mention.theme,
                "subtheme": mention.subtheme,
                "probability": round(mention.probability, 4),
                "stance": mention.stance,
                "evidence": [list(span) for span in mention.evidence],
            }
            for mention in decided.themes
        ],
        "abstain": decided.abstain,
        "needs_review": decided.needs_review,
        "language": decided.language,
        "classifier_version": decided.classifier_version,
    }
    if show_all:
        answer["probabilities"] = {t: round(p, 4) for t, p in decided.probabilities.items()}
    return answer


def train(
    out: Path | None = None,
    *,
    encoder: Literal["anew", "further"] | None = None,
    pipeline: str | None = None,
) -> Path:
    """Rebuild the model from data/labelled alone and save it; by default as the bundled one.

    `encoder`: make the encoder anew first, or teach it further, which needs the optional packages.
    `pipeline`: a spaCy pipeline, by name or folder, in the encoder's place; not for the bundled
    model. A run broken off after the encoder was written is finished by one without `encoder`.
    """
    from classifiers.encoder.pipeline import PIPELINE_FILE, PipelineEncoder
    from classifiers.labelled import is_for_encoder, load_labelled
    from classifiers.renewal import train_with_figure

    rows, folder = load_labelled(), out or data_path("model")
    if pipeline and out is None:
        raise UsageError("--pipeline gör en egen modell: ange också --out MAPP.")
    if encoder and (pipeline or (folder / PIPELINE_FILE).exists()):
        raise UsageError("--encoder och en spaCy-modell i kodarens ställe går inte ihop.")
    if encoder:
        _fit_encoder([row for row in rows if is_for_encoder(row)], folder, encoder)
    if pipeline:
        PipelineEncoder.fit(pipeline, [row for row in rows if is_for_encoder(row)]).save(folder)
    path = train_with_figure(rows, folder)
    sys.stdout.write(f"Modellen är tränad på {len(rows)} texter och ligger i {path}." + "\n")
    return path


def _fit_encoder(rows: Sequence[Labelled], folder: Path, how: Literal["anew", "further"]) -> None:
    """Into the folder; further from the encoder there, else from the bundled one."""
    from classifiers.encoder.model import GRAPH_FILE

    try:
        from classifiers.encoder.fit import fit_encoder
        from classifiers.encoder.further import fit_further
    except ImportError as error:
        raise LagesbildError(
            f"Paketet {error.name} saknas: installera med `pip install 'lagesbild[encoder]'`."
        ) from error

    def tell(line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    if how == "anew":
        fit_encoder(rows, folder, tell)
    else:
        own = (folder / GRAPH_FILE).exists()
        fit_further(rows, folder if own else data_path("model"), folder, tell)


def evaluate(
    gold: Sequence[Path],
    as_json: bool,
    card: Path | None,
    classifier: Classifier,
    folder: Path | None = None,
) -> None:
    """Score a classifier on labelled files and print what came out.

    `card`: write the model card in this folder as well, out of all the files and of what stands
    beside the model in `folder`, None for the bundled one. Raises UsageError for a classifier
    without a model.
    """
    from classifiers.evaluation import as_text, score
    from classifiers.labelled import read_gold
    from classifiers.model_card import write_cards
    from classifiers.saved import CARD_FILE

    if card and classifier.name != "combined":
        raise UsageError(f"Ett modellkort behöver en tränad modell; {classifier.name} har ingen.")
    results = {path.stem: score(classifier, read_gold(path)) for path in gold}
    if as_json:
        whole = results if len(results) > 1 else next(iter(results.values()))
        shown = json.dumps(whole, ensure_ascii=False, indent=2)
    else:
        parts = [
            (f"{name}: " if len(results) > 1 else "") + as_text(r) for name, r in results.items()
        ]
        shown = "\n\n".join(parts)
    sys.stdout.write(shown + "\n")
    if card:
        model = json.loads(((folder or data_path("model")) / CARD_FILE).read_text(encoding="utf-8"))
        for path in write_cards(results, model, card):
            sys.stderr.write(f"Modellkortet ligger i {path}.\n")
