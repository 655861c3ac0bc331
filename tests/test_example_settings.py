"""The commented example has every key there is, and is itself a valid configuration."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from lagesbild.places import AreaConfig
from lagesbild.settings import (
    Checks,
    ClassifierChoice,
    Notify,
    Oidc,
    Publish,
    Retention,
    Review,
    Settings,
    load,
)
from lagesbild.sources import SOURCES
from lagesbild.sources.base import SourceConfig
from lagesbild.sources.columns import Columns

EXAMPLE = Path(__file__).resolve().parent.parent / "docs" / "lagesbild.example.toml"


def keys_by_table() -> dict[str, set[str]]:
    """Keys named in each table, those switched off by a # included; "" is above the first table."""
    table, found = "", dict[str, set[str]]()
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        if header := re.fullmatch(r"\[+([\w.]+)\]+(?:\s*#.*)?", line):
            table = header[1]
        elif key := re.match(r"(?:# )?(\w+) = ", line):
            found.setdefault(table, set()).add(key[1])
    return found


def keys_by_kind() -> dict[str, set[str]]:
    tables = keys_by_table()
    found: dict[str, set[str]] = {}
    for name, table in load(EXAMPLE).sources.items():
        keys = found.setdefault(table["kind"], set())
        for path in (f"sources.{name}", f"sources.{name}.columns"):
            keys.update(tables.get(path, ()))
        keys.update(table)
    return found


def test_the_example_is_valid() -> None:
    assert load(EXAMPLE).municipality_code == "9901"


@pytest.mark.parametrize("kind", sorted(SOURCES))
def test_every_key_of_a_source_is_explained(kind: str) -> None:
    shared = set(SourceConfig.model_fields)  # explained once, with the first source
    missing = set(SOURCES[kind].Config.model_fields) - shared - keys_by_kind()[kind]
    assert missing == set()


def test_keys_that_every_source_has_are_explained_once() -> None:
    assert set(SourceConfig.model_fields) <= keys_by_table()["sources.felanmalan"]


def test_every_role_of_a_column_is_explained() -> None:
    assert set(Columns.model_fields) == keys_by_table()["sources.synpunkter.columns"]


@pytest.mark.parametrize(
    ("table", "model"),
    [
        ("areas", AreaConfig),
        ("retention", Retention),
        ("checks", Checks),
        ("classifier", ClassifierChoice),
        ("notify", Notify),
        ("publish", Publish),
        ("review", Review),
        ("review.oidc", Oidc),
    ],
)
def test_every_other_table_is_complete(table: str, model: type[BaseModel]) -> None:
    inner = {key.rpartition(".")[2] for key in keys_by_table() if key.startswith(f"{table}.")}
    assert keys_by_table()[table] | inner == set(model.model_fields)


def test_every_top_level_key_is_explained() -> None:
    tables = {
        "sources",
        "areas",
        "retention",
        "checks",
        "classifier",
        "notify",
        "publish",
        "review",
    }
    assert keys_by_table()[""] == set(Settings.model_fields) - {"base_dir"} - tables
