"""The code plan in data/themes.yaml: which themes there are, their names, their version."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from lagesbild.errors import UsageError
from lagesbild.records import STANCES
from lagesbild.resources import data_path

_KEY = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Subtheme:
    key: str
    sv: str
    en: str


@dataclass(frozen=True, slots=True)
class Theme:
    """A theme of the code plan. `is_residual`: ordinary upkeep, other topics, or unclear."""

    key: str
    sv: str
    en: str
    definition: str
    subthemes: tuple[Subtheme, ...]
    is_residual: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """A version of the plan that renamed, merged or split themes: "theme" or "theme.subtheme" ->
    what it is called since. Of two that fit, the one with the subtheme holds."""

    version: str
    moves: Mapping[str, str]

    def recoded(self, theme: str, subtheme: str | None) -> tuple[str, str | None]:
        found = self.moves.get(f"{theme}.{subtheme}") or self.moves.get(theme)
        if found is None:
            return theme, subtheme
        target, _, inside = found.partition(".")
        return target, inside or subtheme


@dataclass(frozen=True, slots=True)
class CodePlan:
    """Every theme in the order of the file, residual ones last.

    `crosswalks`: for each source, its own category -> "theme" or "theme.subtheme", or None where
    the category says nothing about the theme. `changes`: what became of themes that are gone,
    oldest first.
    """

    version: str
    max_themes_per_text: int
    by_key: Mapping[str, Theme]
    stances: Mapping[str, str]
    crosswalks: Mapping[str, Mapping[str, str | None]]
    changes: tuple[Change, ...] = ()

    @property
    def main(self) -> tuple[str, ...]:
        """The themes proper, without the residual codes."""
        return tuple(key for key, theme in self.by_key.items() if not theme.is_residual)

    @property
    def decided(self) -> tuple[str, ...]:
        """What a classifier may decide: the themes proper and drift_underhall."""
        return (*self.main, "drift_underhall")

    def label(self, key: str, language: Literal["sv", "en"] = "sv") -> str:
        """The name shown to people, for a theme or for "theme.subtheme", earlier codes too."""
        said, _, part = key.partition(".")
        theme_key, subtheme_key = self.recoded(said, part or None)
        theme = self.by_key[theme_key]
        if not subtheme_key:
            return theme.sv if language == "sv" else theme.en
        found = next(sub for sub in theme.subthemes if sub.key == subtheme_key)
        return found.sv if language == "sv" else found.en

    def recoded(self, theme: str, subtheme: str | None = None) -> tuple[str, str | None]:
        """An earlier version's code in this one's; a code that never moved is itself."""
        code = theme, subtheme
        for change in self.changes:
            code = change.recoded(*code)
        if code == (theme, subtheme) or self.has(*code):
            return code
        return code[0], None

    def successors(self, theme: str) -> tuple[str, ...]:
        """All themes that an earlier version's theme has gone into; itself where it lives on."""
        keys = {key for change in self.changes for key in change.moves}
        parts = [key.partition(".")[2] for key in keys if key.partition(".")[0] == theme]
        if theme in self.by_key:
            return (theme,)
        return tuple(sorted({self.recoded(theme, part or None)[0] for part in ["", *parts]}))

    def has(self, theme: str, subtheme: str | None = None) -> bool:
        """Whether the plan knows this theme, and this subtheme of it where one is given."""
        if theme not in self.by_key:
            return False
        return subtheme is None or any(s.key == subtheme for s in self.by_key[theme].subthemes)


@functools.cache
def load_themes(path: Path | None = None) -> CodePlan:
    """The bundled code plan, or the one at `path`; UsageError where it does not hold together."""
    path = path or data_path("themes.yaml")
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        plan = _read(raw)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"Kodplanen {path.name} går inte att läsa: rätta filen.") from error
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UsageError(f"Kodplanen {path.name} har fel form: {error}.") from error
    _check(plan, path.name)
    return plan


def _read(raw: dict[str, Any]) -> CodePlan:
    themes = [_theme(entry, is_residual=False) for entry in raw["themes"]]
    themes += [_theme(entry, is_residual=True) for entry in raw["residual"]]
    by_key = {theme.key: theme for theme in themes}
    if len(by_key) < len(themes):
        raise ValueError("samma tema står två gånger")
    return CodePlan(
        version=str(raw["version"]),
        max_themes_per_text=int(raw["max_themes_per_text"]),
        by_key=by_key,
        stances={key: str(text) for key, text in raw["stances"].items()},
        crosswalks={name: _crosswalk(entries) for name, entries in raw["crosswalks"].items()},
        changes=tuple(_change(entry) for entry in raw.get("changes") or ()),
    )


def _change(entry: dict[str, Any]) -> Change:
    """`rename` and `merge` map codes to codes; `split` maps a theme to one for each subtheme, and
    "" to where the rest goes."""
    unknown = entry.keys() - {"version", "rename", "merge", "split"}
    if unknown:
        raise ValueError(f"okänd ändring {', '.join(sorted(unknown))}")
    moves = {**entry.get("rename", {}), **entry.get("merge", {})}
    for theme, parts in entry.get("split", {}).items():
        if "" not in parts:
            raise ValueError(f'delningen av {theme} saknar "" för det övriga')
        moves |= {f"{theme}.{part}" if part else theme: target for part, target in parts.items()}
    return Change(str(entry["version"]), {str(k): str(v) for k, v in moves.items()})


def _theme(entry: dict[str, Any], *, is_residual: bool) -> Theme:
    subthemes = tuple(Subtheme(s["key"], s["sv"], s["en"]) for s in entry.get("subthemes", ()))
    return Theme(
        key=entry["key"],
        sv=entry["sv"],
        en=entry["en"],
        definition=entry.get("definition", entry.get("note", "")),
        subthemes=subthemes,
        is_residual=is_residual,
    )


def _crosswalk(entries: dict[Any, Any]) -> dict[str, str | None]:
    """Entries are either a theme or {label, theme}; a free-text note is left out."""
    flat = {str(key): value for key, value in entries.items() if key != "note"}
    return {
        key: value["theme"] if isinstance(value, dict) else value for key, value in flat.items()
    }


def _check(plan: CodePlan, name: str) -> None:
    wrong = [key for key in plan.by_key if not _KEY.fullmatch(key)]
    for theme in plan.by_key.values():
        keys = [sub.key for sub in theme.subthemes]
        wrong += [f"{theme.key}.{key}" for key in keys if keys.count(key) > 1]
    for crosswalk, entries in plan.crosswalks.items():
        targets = [target for target in entries.values() if target is not None]
        wrong += [f"{crosswalk}: {t}" for t in targets if not _known(plan, t)]
    for change in plan.changes:
        for key, target in change.moves.items():
            if key != target and _known(plan, key):
                wrong.append(f"{key} finns kvar fast {change.version} flyttar det")
            if not _known(plan, ".".join(filter(None, plan.recoded(*_parts(key))))):
                wrong.append(f"{key} -> {target} leder ingenstans")
    wrong += [stance for stance in STANCES if stance not in plan.stances]
    if "drift_underhall" not in plan.by_key:
        wrong.append("drift_underhall saknas")
    if wrong:
        raise UsageError(f"Kodplanen {name} har fel: {', '.join(wrong)}. Rätta filen.")


def _known(plan: CodePlan, target: str) -> bool:
    return plan.has(*_parts(target))


def _parts(key: str) -> tuple[str, str | None]:
    theme, _, subtheme = key.partition(".")
    return theme, subtheme or None
