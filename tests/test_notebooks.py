"""Every notebook runs on a small store, reads snapshots only, and holds no output."""

from __future__ import annotations

import gc
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from lagesbild.sources import SOURCES
from tests.city import TownSource
from tests.publish.town import AREAS, town

NOTEBOOKS = sorted((Path(__file__).resolve().parent.parent / "notebooks").glob("*.ipynb"))
PROMISES = """
promises:
  - id: torget
    title: Ett lugnare torg
    area_type: kommun
    areas: ["0180"]
    themes: [narkotika.handel]
    valid_from: 2025-07-01
    baseline: {from: 2025-01-01, to: 2025-03-31}
    followup: {from: 2026-01-01, to: 2026-03-31}
    comparison_areas: ["1280"]
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    (folder / "promises.yaml").write_text(PROMISES, encoding="utf-8")
    patch = pytest.MonkeyPatch()
    patch.setitem(SOURCES, "town", TownSource)
    patch.setattr(TownSource, "answers", {})
    town(folder, AREAS.replace("[publish]", '[publish]\npromises = "promises.yaml"'))
    patch.undo()
    gc.collect()  # the night's last connections close now, not while a notebook runs
    # the town exists in this process only; the notebooks need settings that anybody can load
    sources = '[sources.stan]\nkind = "tabular"\npath = "a.csv"\n'
    sources += '[sources.stan.columns]\ntext = "t"\nreported_at = "r"\n'
    text = (folder / "lagesbild.toml").read_text(encoding="utf-8")
    (folder / "lagesbild.toml").write_text(
        text.replace('[sources.stan]\nkind = "town"\n', sources), encoding="utf-8"
    )
    return folder / "lagesbild.toml"


def test_there_are_three() -> None:
    assert [path.stem for path in NOTEBOOKS] == [
        "check_the_classifier",
        "explore_a_night",
        "promise_before_and_after",
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_are_stripped(path: Path) -> None:
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_it_runs_and_changes_nothing(
    path: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAGESBILD_CONFIG", str(config))
    store = config.parent / "store"
    before = {file: file.stat().st_mtime_ns for file in store.rglob("*") if file.is_file()}
    notebook = nbformat.read(path, as_version=4)
    root = str(path.parent.parent)
    monkeypatch.setenv("PYTHONPATH", root)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": root}}).execute()
    after = {file: file.stat().st_mtime_ns for file in store.rglob("*") if file.is_file()}
    assert after == before
    shown = [o for cell in notebook.cells if cell.cell_type == "code" for o in cell.outputs]
    assert shown
    told = str(shown)
    assert "Traceback" not in told
    if path.stem == "promise_before_and_after":  # 28 before in Stockholm, none after
        assert "Ett lugnare torg" in told
        assert "28" in told
