"""The commands: what they print where, their exit codes, and that each is documented."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

import classifiers
from lagesbild import night
from lagesbild.cli import _COMMANDS, main
from lagesbild.errors import SourceError
from lagesbild.sources import SOURCES
from tests.city import TownSource, WordClassifier, write_config
from tests.conftest import REPO


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A town's configuration, with the simple classifier in place of the trained one."""
    monkeypatch.setitem(SOURCES, "town", TownSource)
    monkeypatch.setattr(TownSource, "answers", {})
    monkeypatch.setattr(classifiers, "load_classifier", lambda *_: WordClassifier())
    # a night by command gives way for good, and this process has other tests to run
    monkeypatch.setattr(night, "give_way", lambda: None)
    return write_config(tmp_path)


def run(*arguments: str | Path) -> int:
    return main([str(argument) for argument in arguments])


def test_every_command_is_documented() -> None:
    readme = (REPO / "README.md").read_text(encoding="utf-8")
    for name, command in _COMMANDS.items():
        leaves = [f"{name} {leaf}" for leaf in command] if isinstance(command, dict) else [name]
        missing = [leaf for leaf in leaves if f"`{leaf}" not in readme]
        assert not missing


def test_lines_are_classified_by_the_configured_classifier(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(SOURCES, "town", TownSource)
    config = write_config(tmp_path, '[classifier]\nname = "lexicon"\n')
    monkeypatch.chdir(tmp_path)
    for arguments in (("--config", config), ()):  # named, and found where one stands
        monkeypatch.setattr(sys, "stdin", io.StringIO('{"id": 1, "text": "knark i parken"}\n'))
        assert run("classify", *arguments) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["classifier_version"].startswith("lexicon-")


def test_a_night_prints_its_ledger_and_a_second_says_nothing_is_new(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    TownSource.answers["stan"] = [[{"id": 1, "text": "langare"}, {"id": 2, "text": ""}]]
    assert run("night", "--config", config) == 0
    first = capsys.readouterr().out
    assert "stan" in first
    assert "1 texten är tom" in first
    assert run("night", "--config", config) == 0
    assert "Inget nytt att publicera." in capsys.readouterr().out
    assert run("verify", "--config", config) == 0
    assert capsys.readouterr().out == "Allt stämmer.\n"


def test_a_failed_source_exits_with_3_and_says_why(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    TownSource.answers["stan"] = [SourceError("Källan stan svarar inte.")]
    assert run("night", "--config", config) == 3
    assert "FEL stan: Källan stan svarar inte." in capsys.readouterr().out


def test_status_tells_people_and_programs(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("status", "--config", config) == 0
    assert "stan: aldrig hämtad" in capsys.readouterr().out
    TownSource.answers["stan"] = [[{"id": 1, "text": "langare"}, {"id": 2, "broken": True}]]
    run("night", "--config", config)
    capsys.readouterr()
    assert run("status", "--json", "--config", config) == 0
    facts = json.loads(capsys.readouterr().out)
    stan = facts["sources"]["stan"]
    assert stan["last_pull"]["received"] == 2
    assert stan["refused_by_reason"] == {"missing_field": 1}
    assert stan["is_waiting"] is False
    assert facts["raw"] == {"n_payloads": 2, "decision_id": None}
    assert facts["classifier_versions"] == [{"version": "ord-1", "n_texts": 1}]
    run("status", "--config", config)
    told = capsys.readouterr().out
    assert "avvisade, ett obligatoriskt fält saknas: 1" in told
    assert "Råa poster: 2, gallras inte" in told


def test_verify_exits_with_3_when_something_is_broken(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    TownSource.answers["stan"] = [[{"id": 1, "text": "langare"}]]
    run("night", "--config", config)
    (config.parent / "store" / "snapshots" / "CURRENT").unlink()
    capsys.readouterr()
    assert run("verify", "--config", config) == 3
    assert "Ögonblicksbilden" in capsys.readouterr().out


def test_sources_are_listed_and_checked_without_storing(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    TownSource.answers["stan"] = [[{"id": 1, "text": "langare"}, {"id": 2, "broken": True}]]
    assert run("source", "list", "--config", config) == 0
    assert capsys.readouterr().out == "stan\ttown\n"
    assert run("source", "check", "stan", "--config", config) == 0
    told = capsys.readouterr().out
    assert "2 poster på första sidan gav 1 synpunkter" in told
    assert "ett obligatoriskt fält saknas: 1" in told
    assert not (config.parent / "store").exists()


def test_wrong_usage_is_one_sentence_and_exits_with_2(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("night", "--only", "stad", "--config", config) == 2
    assert "menade du 'stan'" in capsys.readouterr().err
    assert run("night", "--config", tmp_path / "saknas.toml") == 2
    assert capsys.readouterr().err.count("\n") == 1
    with pytest.raises(SystemExit) as ended:
        run("nigth")
    assert ended.value.code == 2
    assert "Se lagesbild" in capsys.readouterr().err


def test_exporting_before_any_night_says_what_to_do(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("export", "counts", "--config", config) == 1
    assert "lagesbild night" in capsys.readouterr().err


def test_redact_gives_one_line_for_each_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        json.dumps({"id": "a", "text": "ring 070-174 06 05 om 112 inte svarar"}),
        "inte json",
        json.dumps({"id": "c"}),
    ]
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(lines) + "\n"))
    assert run("redact") == 0
    rows: list[dict[str, Any]] = [json.loads(r) for r in capsys.readouterr().out.splitlines()]
    assert rows[0] == {
        "id": "a",
        "text": "ring [telefon] om 112 inte svarar",
        "n_redacted": 1,
        "kinds": ["telefon"],
    }
    assert [(row["id"], "error" in row) for row in rows[1:]] == [(None, True), ("c", True)]


def test_a_traceback_never_reaches_the_user(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text("municipality_code = 1\n", encoding="utf-8")
    assert run("status", "--config", config) == 2
    assert "Traceback" not in capsys.readouterr().err
