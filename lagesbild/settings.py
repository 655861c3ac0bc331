"""lagesbild.toml and the environment -> one frozen Settings.

Every mistake in the file becomes one Swedish sentence naming file, line and key. Secrets are read
from the environment only, where they are used; the file holds the names of the variables.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lagesbild.errors import UsageError
from lagesbild.places import AreaConfig
from lagesbild.sources import SOURCES, Source, SourceConfig

DEFAULT_FILE = Path("lagesbild.toml")
HASH_KEY_VARIABLE = "LAGESBILD_HASH_KEY"


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Retention(_Table):
    """Raw payloads are purged `raw_days` after they came, and only under a decision (gallring)."""

    raw_days: int = Field(default=90, ge=0)
    decision_id: str | None = None


class Checks(_Table):
    """What must hold for a source's night to be published; shares are between 0 and 1.

    `history_days`: how far back the drift checks look for what is usual.
    `max_drift`: largest total variation distance of categories and locations before a warning.
    """

    max_refused_share: float = Field(default=0.5, ge=0, le=1)
    max_empty_share: float = Field(default=0.8, ge=0, le=1)
    max_area_drop: float = Field(default=0.3, ge=0, le=1)
    max_drift: float = Field(default=0.25, ge=0, le=1)
    min_records_for_shares: int = Field(default=20, ge=1)
    history_days: int = Field(default=28, ge=1)


class ClassifierChoice(_Table):
    """Which classifier runs. `model`: a folder of one's own instead of the bundled model."""

    name: str = "combined"
    model: Path | None = None


class Notify(_Table):
    """Where a failed night is told. The address itself is a secret: the variable's name is here."""

    webhook_env: str | None = None
    email_to: str | None = None
    smtp_env: str | None = None


class Publish(_Table):
    """Who publishes what, where and under which licence; and whose picture each source belongs to.

    `base_url`: where the exports will be served, without a slash at the end. `pictures`: sources
    of the three pictures of a lägesbild; a source in none of them is told to be missing.
    `promises`: the file of medborgarlöften, where a report shows before and after. `family`: the
    tables published together, so that small counts are hidden in all of them at once; `periods`:
    theirs. For open data, `wait`: how many of the newest periods are kept back until late reports
    have arrived, and `rounding`: what is done to the counts that are shown.
    """

    base_url: str = Field(default="https://example.se/datasets", pattern=r"^https?://\S+[^/\s]$")
    publisher: str = Field(default="Kommunens namn saknas", min_length=1)
    contact_name: str = Field(default="Kontakt saknas", min_length=1)
    contact_email: str = Field(default="kontakt@example.se", pattern=r"^[^@\s]+@[^@\s]+$")
    licence: str = Field(
        default="http://creativecommons.org/publicdomain/zero/1.0/", pattern=r"^https?://\S+$"
    )
    pictures: Mapping[Literal["residents", "police", "municipality"], Sequence[str]] = {}
    promises: Path | None = None
    family: Sequence[
        Sequence[Literal["area", "theme", "subtheme", "period", "source", "stance"]]
    ] = (("area", "theme", "period"),)
    periods: Literal["months", "weeks"] = "months"
    wait: int = Field(default=1, ge=0)
    rounding: Literal["none", "five", "cell_key"] = "none"


class Oidc(_Table):
    """Log-in through the municipality's own identity provider (OpenID Connect).

    `client_secret_env`: the variable that holds the secret. `roles`: value of `role_claim` -> role;
    without it only people added with `lagesbild review add-user` may come in.
    """

    issuer: str
    client_id: str
    client_secret_env: str | None = None
    name_claim: str = "preferred_username"
    role_claim: str | None = None
    roles: Mapping[str, Literal["reviewer", "planner", "admin"]] = {}


class Review(_Table):
    """The review page. `hosts`: the names it answers to; `trusted_proxies`: addresses or networks
    whose X-Forwarded-For and X-Forwarded-Proto are believed.

    `blind_share`, `blind_per_theme`: how much is drawn for the blind sample, and at least how many
    for each theme. `blind_every`: one report in so many is served from it. `double_share`: the
    share of blind readings that a second person makes too.
    """

    hosts: Sequence[str] = ("127.0.0.1", "localhost", "[::1]")
    trusted_proxies: Sequence[str] = ()
    session_hours: float = Field(default=12, gt=0)
    idle_minutes: float = Field(default=60, gt=0)
    blind_share: float = Field(default=0.02, ge=0, le=1)
    blind_per_theme: int = Field(default=30, ge=0)
    blind_every: int = Field(default=5, ge=2)
    double_share: float = Field(default=0.2, ge=0, le=1)
    bulk_limit: int = Field(default=2000, ge=1)
    organisation: str = "Kommunen"
    contact: str | None = None
    oidc: Oidc | None = None


class Settings(_Table):
    """All settings, checked. `base_dir` is the folder of the file; relative paths start there."""

    base_dir: Path
    municipality_code: str = Field(pattern=r"^\d{4}$")
    store: Path = Path("store")
    user_agent: str = "lagesbild (kontakt saknas i lagesbild.toml: user_agent)"
    keep_snapshots: int = Field(default=3, ge=1)
    reclassify_per_night: int = Field(default=50_000, ge=0)
    sources: Mapping[str, Any]
    areas: Sequence[AreaConfig] = ()
    retention: Retention = Retention()
    checks: Checks = Checks()
    classifier: ClassifierChoice = ClassifierChoice()
    notify: Notify = Notify()
    publish: Publish = Publish()
    review: Review = Review()

    @property
    def store_dir(self) -> Path:
        return self.base_dir / self.store

    def source_config(self, name: str) -> SourceConfig:
        """The checked configuration of one source. Raises UsageError for an unknown name."""
        if name not in self.sources:
            raise UsageError(
                f"Källan {name!r} finns inte i lagesbild.toml{_did_you_mean(name, self.sources)}."
            )
        table = self.sources[name]
        return SOURCES[table["kind"]].Config.model_validate(table)

    def make_source(self, name: str) -> Source:
        """The source itself, with ${NAME} in its strings taken from the environment."""
        self.source_config(name)
        table = _expand(self.sources[name], name)
        kind = SOURCES[table["kind"]]
        return kind(name, kind.Config.model_validate(table))


def hash_key() -> bytes:
    """The key of respondents' and reporters' hashes; empty when the environment has none."""
    return os.environ.get(HASH_KEY_VARIABLE, "").encode()


def load(path: Path | None = None) -> Settings:
    """Read and check a configuration file. Raises UsageError with one clear sentence."""
    path = path or DEFAULT_FILE
    try:
        text = path.read_text(encoding="utf-8")
        table = tomllib.loads(text)
    except FileNotFoundError:
        raise UsageError(
            f"Inställningsfilen {path} finns inte; ange den med --config eller utgå från "
            "docs/lagesbild.example.toml."
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: filen är inte giltig TOML: {_toml_place(str(error))}.") from None
    try:
        settings = Settings.model_validate({**table, "base_dir": path.resolve().parent})
    except ValidationError as error:
        raise UsageError(_sentence(path, text, Settings, (), error)) from None
    for name in settings.sources:
        _check_source(path, text, name, settings.sources[name])
    return settings


def _check_source(path: Path, text: str, name: str, table: Any) -> None:
    if not isinstance(table, dict) or table.get("kind") not in SOURCES:
        kind = table.get("kind") if isinstance(table, dict) else None
        line = _line_of(text, ("sources", name, "kind"))
        raise UsageError(
            f"{path} rad {line}: källan {name!r} har kind = {kind!r}; "
            f"det ska vara något av {', '.join(sorted(SOURCES))}."
        )
    model = SOURCES[table["kind"]].Config
    try:
        model.model_validate(table)
    except ValidationError as error:
        raise UsageError(_sentence(path, text, model, ("sources", name), error)) from None


def _expand(value: Any, source: str) -> Any:
    """`value` with every ${NAME} replaced from the environment. Raises UsageError if unset."""
    if isinstance(value, dict):
        return {key: _expand(item, source) for key, item in value.items()}
    if isinstance(value, list):
        return [_expand(item, source) for item in value]
    if not isinstance(value, str):
        return value

    def variable(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise UsageError(
                f"Källan {source!r} behöver miljövariabeln {match[1]}, som inte är satt."
            )
        return os.environ[match[1]]

    return re.sub(r"\$\{(\w+)\}", variable, value)


# --- telling what is wrong, and where -------------------------------------------------------------

_PROBLEMS = {
    "missing": "nyckeln saknas",
    "string_type": "värdet ska vara text inom citattecken",
    "int_type": "värdet ska vara ett heltal",
    "int_parsing": "värdet ska vara ett heltal",
    "int_from_float": "värdet ska vara ett heltal",
    "float_type": "värdet ska vara ett tal",
    "float_parsing": "värdet ska vara ett tal",
    "bool_type": "värdet ska vara true eller false",
    "bool_parsing": "värdet ska vara true eller false",
    "dict_type": "värdet ska vara en tabell",
    "mapping_type": "värdet ska vara en tabell",
    "model_type": "värdet ska vara en tabell",
    "list_type": "värdet ska vara en lista",
    "tuple_type": "värdet ska vara en lista",
    "string_pattern_mismatch": "värdet har fel form (mönster {pattern})",
    "greater_than_equal": "värdet ska vara minst {ge}",
    "greater_than": "värdet ska vara större än {gt}",
    "less_than_equal": "värdet ska vara högst {le}",
    "less_than": "värdet ska vara mindre än {lt}",
    "literal_error": "värdet ska vara något av {expected}",
    "path_type": "värdet ska vara en sökväg inom citattecken",
}


def _sentence(
    path: Path, text: str, model: type[BaseModel], prefix: tuple[str, ...], error: ValidationError
) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    keys = (*prefix, *(str(part) for part in first["loc"]))
    where = f"{path} rad {_line_of(text, keys)}: {'.'.join(keys)}: "
    if first["type"] == "extra_forbidden":
        known = _fields_at(model, [str(part) for part in first["loc"][:-1]])
        return f"{where}nyckeln finns inte{_did_you_mean(keys[-1], known)}."
    if first["type"] == "value_error":  # our own validators speak Swedish
        return f"{where}{str(first['ctx']['error']).rstrip('.')}."
    problem = _PROBLEMS.get(first["type"], first["msg"])
    return f"{where}{problem.format(**first.get('ctx', {}))}."


def _fields_at(model: type[BaseModel], loc: Sequence[str]) -> Sequence[str]:
    """Names of the keys allowed in the table at `loc` below `model`."""
    for part in loc:
        field = model.model_fields.get(part)
        inner = field.annotation if field else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return ()
        model = inner
    return [name for name in model.model_fields if name != "base_dir"]


def _did_you_mean(word: str, known: Any) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; menade du {near[0]!r}?" if near else ""


def _line_of(text: str, keys: Sequence[str]) -> int:
    """Line number of a key, else of the nearest table that should hold it; tomllib tells none.

    Array tables are counted: ("areas", "1", "file") is looked for in the second [[areas]].
    """
    best, depth = 1, 0
    seen: dict[str, int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*(\[\[?)\s*([^\]]+?)\s*\]", line):
            name = tuple(part.strip().strip("\"'") for part in header[2].split("."))
            table = name
            if header[1] == "[[":
                seen[header[2]] = seen.get(header[2], -1) + 1
                table = (*name, str(seen[header[2]]))
            path = table
        elif key := re.match(r"\s*(?:\"([^\"]+)\"|'([^']+)'|([\w.-]+))\s*=", line):
            quoted = key[1] or key[2]
            path = (*table, *([quoted] if quoted else key[3].split(".")))
        else:
            continue
        if path == tuple(keys[: len(path)]) and len(path) > depth:
            best, depth = number, len(path)
    return best


def _toml_place(message: str) -> str:
    """tomllib's English message with its place in Swedish: 'rad 3, kolumn 7 (…)'."""
    place = re.search(r"line (\d+), column (\d+)", message)
    reason = re.sub(r"\s*\(at .*\)$", "", message)
    return f"rad {place[1]}, kolumn {place[2]} ({reason})" if place else reason
