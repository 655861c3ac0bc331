from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classifiers import commands, load_classifier
from classifiers.combined import CombinedClassifier
from classifiers.commands import BATCH, classify_lines, evaluate, train
from classifiers.encoder.model import GRAPH_FILE
from classifiers.encoder.pipeline import PIPELINE_FILE
from lagesbild.cli import main
from lagesbild.errors import UsageError
from lagesbild.records import STANCES
from lagesbild.themes import load_themes


def answers(classifier: CombinedClassifier, *lines: str, show_all: bool = False) -> list[dict]:
    out = io.StringIO()
    classify_lines(lines, out, show_all, classifier)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def line(text: object, **more: object) -> str:
    return json.dumps({"id": "x", "text": text, **more})


def test_the_answer_has_the_form_of_the_contract(tiny: CombinedClassifier) -> None:
    (answer,) = answers(tiny, line("det säljs knark i parken"), show_all=True)
    assert answer["themes"][0]["theme"] == "narkotika"
    assert set(answer["themes"][0]) == {"theme", "subtheme", "probability", "stance", "evidence"}
    assert answer["abstain"] is None
    assert answer["language"] == "sv"
    assert answer["classifier_version"] == "tiny"
    assert set(answer["probabilities"]) == set(load_themes().decided)


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "{",
        "[]",
        "7",
        "[" * 100_000,
        line(None),
        line(7),
        line("a", question=3),
        '{"id": 1}',
        '{"id": 1, "text": "\\ud800"}',
    ],
)
def test_an_unreadable_line_gives_its_error_and_the_rest_go_on(tiny, bad) -> None:
    first, wrong, last = answers(tiny, line("a", id=1), bad, line("b", id=2))
    assert (first["id"], last["id"]) == (1, 2)
    assert "error" in wrong
    assert "error" not in first


def test_order_is_kept_over_batches_and_batching_changes_nothing(tiny) -> None:
    lines = [line(f"langare nummer {i}", id=i) for i in range(BATCH + 3)]
    together = answers(tiny, *lines)
    assert [answer["id"] for answer in together] == list(range(BATCH + 3))
    assert together[BATCH:] == answers(tiny, *lines[BATCH:])


def test_answers_stream_before_the_input_ends(tiny) -> None:
    out = io.StringIO()

    def lines():
        for i in range(BATCH):
            yield line("lampan", id=i)
        assert len(out.getvalue().splitlines()) == BATCH
        yield line("lampan")

    classify_lines(lines(), out, False, tiny)


@given(st.lists(st.text(max_size=80), max_size=6))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_texts_give_as_many_sound_decisions(tiny: CombinedClassifier, texts: list[str]) -> None:
    for classifier in (tiny, load_classifier("lexicon")):
        decided = classifier.classify(texts)
        assert len(decided) == len(texts)
        assert decided == classifier.classify(texts)
        for text, own in zip(texts, decided, strict=True):
            assert (own.abstain is None) == bool(own.themes)
            assert all(0 <= p <= 1 for p in own.probabilities.values())
            assert [m.probability for m in own.themes] == sorted(
                (m.probability for m in own.themes), reverse=True
            )
            for mention in own.themes:
                assert mention.stance in STANCES
                assert mention.evidence
                assert all(0 <= a < b <= len(text) for a, b in mention.evidence)


def test_evaluate_prints_every_theme(tmp_path: Path, capsys) -> None:
    gold = tmp_path / "gold.jsonl"
    gold.write_text('{"id": 1, "text": "knark i parken", "themes": ["narkotika"]}\n', "utf-8")
    classifier = load_classifier("lexicon")
    evaluate([gold], True, None, classifier)
    result = json.loads(capsys.readouterr().out)
    assert set(result["per_theme"]) == set(load_themes().decided)
    evaluate([gold], False, None, classifier)
    assert "Narkotika" in capsys.readouterr().out
    with pytest.raises(UsageError, match="lexicon har ingen"):
        evaluate([gold], False, tmp_path, classifier)


def test_what_is_no_json_is_told_and_a_mark_of_byte_order_is_not_minded(
    tiny: CombinedClassifier,
) -> None:
    found = answers(tiny, "\ufeff" + line("knark"), '{"id": NaN, "text": "knark"}')
    assert found[0]["themes"][0]["theme"] == "narkotika"
    assert found[1] == {"id": None, "error": "raden är inte giltig JSON"}


@pytest.fixture
def taught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """What `train` does with the encoder, told instead of done; the bundled model lies in
    "bundled"."""
    done: list[tuple[object, ...]] = []
    fit, further = ModuleType("fit"), ModuleType("further")
    vars(fit)["fit_encoder"] = lambda rows, folder, tell: done.append(("anew", folder))
    vars(further)["fit_further"] = lambda rows, *places: done.append(("further", *places[:2]))
    monkeypatch.setitem(sys.modules, "classifiers.encoder.fit", fit)
    monkeypatch.setitem(sys.modules, "classifiers.encoder.further", further)
    monkeypatch.setattr("classifiers.labelled.load_labelled", list)
    monkeypatch.setattr("classifiers.renewal.train_with_figure", lambda _, folder: folder)
    monkeypatch.setattr(commands, "data_path", lambda _: tmp_path / "bundled")
    return done


def test_an_encoder_is_taught_further_from_its_own_folder_or_the_bundled_one(
    taught: list[tuple[object, ...]], tmp_path: Path
) -> None:
    train(tmp_path, encoder="further")
    (tmp_path / GRAPH_FILE).touch()
    train(tmp_path, encoder="further")
    train(tmp_path, encoder="anew")
    train(tmp_path)
    assert taught == [
        ("further", tmp_path / "bundled", tmp_path),
        ("further", tmp_path, tmp_path),
        ("anew", tmp_path),
    ]


def test_what_does_not_go_together_is_said_before_an_encoder_is_overwritten(
    taught: list[tuple[object, ...]], tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="--out"):
        train(encoder="further", pipeline="sv_core_news_lg")
    with pytest.raises(UsageError, match="ihop"):
        train(tmp_path, encoder="further", pipeline="sv_core_news_lg")
    (tmp_path / PIPELINE_FILE).touch()
    with pytest.raises(UsageError, match="ihop"):
        train(tmp_path, encoder="anew")
    assert taught == []


@pytest.mark.parametrize(
    ("given", "wanted"),
    [([], None), (["--encoder"], "anew"), (["--encoder", "further"], "further")],
)
def test_the_command_line_tells_how_the_encoder_is_made(
    monkeypatch: pytest.MonkeyPatch, given: list[str], wanted: str | None
) -> None:
    told: list[object] = []
    monkeypatch.setattr(commands, "train", lambda out, **how: told.append(how["encoder"]))
    assert main(["train", *given]) == 0
    assert told == [wanted]
