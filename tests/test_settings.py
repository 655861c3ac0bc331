"""Every mistake in lagesbild.toml becomes one sentence with file, line and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from lagesbild.errors import UsageError
from lagesbild.settings import load
from lagesbild.sources import SOURCES
from tests.city import TownSource


@pytest.fixture(autouse=True)
def _town(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SOURCES, "town", TownSource)


def load_text(folder: Path, text: str) -> str:
    """The sentence told for a configuration, without the folder it lies in."""
    path = folder / "lagesbild.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        load(path)
    return str(caught.value).replace(f"{folder}/", "")


GOOD = 'municipality_code = "0180"\n\n[sources.stan]\nkind = "town"\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            GOOD + "min_recieved = 3\n",
            "lagesbild.toml rad 5: sources.stan.min_recieved: nyckeln "
            "finns inte; menade du 'min_received'?.",
        ),
        (
            GOOD + "min_received = -1\n",
            "rad 5: sources.stan.min_received: värdet ska vara minst 0.",
        ),
        (
            GOOD + 'min_received = "två"\n',
            "rad 5: sources.stan.min_received: värdet ska vara ett heltal.",
        ),
        (
            "municipality_code = 180\n[sources]\n",
            "rad 1: municipality_code: värdet ska vara text inom citattecken.",
        ),
        ('municipality_code = "18"\n[sources]\n', "rad 1: municipality_code: värdet har fel form"),
        ('[sources.stan]\nkind = "town"\n', "rad 1: municipality_code: nyckeln saknas."),
        (
            GOOD + "\n[retention]\nraw_day = 3\n",
            "rad 7: retention.raw_day: nyckeln finns inte; menade du 'raw_days'?.",
        ),
        (
            'municipality_code = "0180"\n[sources.stan]\nkind = "tvn"\n',
            "rad 3: källan 'stan' har kind = 'tvn'; det ska vara något av",
        ),
        (
            'municipality_code = "0180"\n[sources.stan]\nmin_received = 3\n',
            "rad 2: källan 'stan' har kind = None",
        ),
        (GOOD + '\n[[areas]]\narea_type = "a"\nfil = "x"\n', "rad 6: areas.0"),
        ("municipality_code = \n", "filen är inte giltig TOML: rad 1, kolumn 21"),
    ],
)
def test_a_mistake_is_told_with_line_and_key(tmp_path: Path, text: str, told: str) -> None:
    assert told in load_text(tmp_path, text)


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"lagesbild\.example\.toml"):
        load(tmp_path / "finns_inte.toml")


def test_an_unknown_source_suggests_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / "lagesbild.toml"
    path.write_text(GOOD, encoding="utf-8")
    with pytest.raises(UsageError, match="menade du 'stan'"):
        load(path).source_config("stann")


def test_environment_is_read_when_a_source_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []
    monkeypatch.setattr(TownSource, "__init__", lambda self, name, config: made.append(config))
    path = tmp_path / "lagesbild.toml"
    path.write_text(GOOD + 'default_areas = {kommun = "${STAD}"}\n', encoding="utf-8")
    settings = load(path)
    with pytest.raises(UsageError, match="miljövariabeln STAD"):
        settings.make_source("stan")
    monkeypatch.setenv("STAD", "Umeå")
    settings.make_source("stan")
    assert made[0].default_areas == {"kommun": "Umeå"}  # type: ignore[attr-defined]


def test_paths_start_at_the_folder_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "lagesbild.toml"
    path.write_text('store = "lager"\n' + GOOD, encoding="utf-8")
    assert load(path).store_dir == tmp_path / "lager"
