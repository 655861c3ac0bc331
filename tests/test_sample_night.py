"""Two whole nights over the sample city: as `make run` does, with the trained classifier."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lagesbild.cli import main
from lagesbild.demo import SERVER_VARIABLE
from lagesbild.night import Store
from lagesbild.settings import HASH_KEY_VARIABLE, load
from lagesbild.store.warehouse import connect
from tests.conftest import REPO

pytestmark = pytest.mark.slow

# Shapes of personal data that the sample's invented residents write.
PERSONAL = re.compile(
    r"\b\d{6}(\d\d)?[-+]\d{4}\b|\b07\d[- ]?\d{3} ?\d\d ?\d\d\b|[\w.]+@[\w.]+\.se\b"
)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "lagesbild.toml"
    path.write_text((REPO / "lagesbild.toml").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "data").symlink_to(REPO / "data")
    for name in (SERVER_VARIABLE, HASH_KEY_VARIABLE):
        monkeypatch.setenv(name, "")  # restored afterwards: the demo sets both
        monkeypatch.delenv(name)
    return path


def test_the_first_night_holds_and_the_second_adds_nothing(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "--config", str(config)]) == 0
    first = capsys.readouterr().out
    store = Store(load(config))
    warehouse = store.warehouse.path
    before = (warehouse.stat().st_mtime_ns, warehouse.stat().st_size)
    assert main(["demo", "--config", str(config)]) == 0
    assert "Inget nytt att publicera." in capsys.readouterr().out
    assert (warehouse.stat().st_mtime_ns, warehouse.stat().st_size) == before
    assert main(["verify", "--config", str(config)]) == 0
    with connect(warehouse, read_only=True) as db:
        texts = [row[0] for row in db.execute("select text from submission").fetchall()]
        taken = db.execute("select sum(n_redacted) from submission").fetchall()[0][0]
    assert taken >= 20  # the residents do write personal data
    exported = [path.read_text("utf-8") for path in store.exports.glob("*.csv")]
    assert exported
    left = [found[0] for text in [first, *texts, *exported] for found in PERSONAL.finditer(text)]
    assert left == []
