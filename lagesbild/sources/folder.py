"""Files dropped in a folder: which have changed since they were last read, and how.

The state of such a source is {"mapping", "files", "columns"}: a digest of the configuration, what
is remembered of each file read to its end, and short digests of every column seen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lagesbild.errors import SourceError
from lagesbild.records import digest

_MAX_BYTES = 256 * 1024 * 1024
_UNFINISHED = (".tmp", ".part", ".crdownload", ".filepart")


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """`seen` is what to remember once every row of the file is stored."""

    name: str
    content: bytes
    seen: Mapping[str, Any]


def changed_files(
    base_dir: Path, pattern: str, seen: Mapping[str, Mapping[str, Any]]
) -> Iterator[ChangedFile]:
    """Files new or changed since `seen` (name -> size, mtime_ns, sha256), oldest first.

    Raises SourceError if the pattern names no file at all: an empty folder is a broken delivery.
    """
    paths = list_files(base_dir, pattern)
    if not paths:
        raise SourceError(f"Ingen fil motsvarar {pattern!r} i inställningarnas mapp.")
    for path in sorted(paths, key=lambda p: (p.stat().st_mtime_ns, p.name)):
        stat = path.stat()
        name = _name(base_dir, path)
        before = seen.get(name, {})
        if (before.get("size"), before.get("mtime_ns")) == (stat.st_size, stat.st_mtime_ns):
            continue
        content = read_file(path)
        sha256 = hashlib.sha256(content).hexdigest()
        if before.get("sha256") != sha256:
            now = {"size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "sha256": sha256}
            yield ChangedFile(name, content, now)


def fresh_state(state: Mapping[str, Any], config_json: str) -> dict[str, Any]:
    """The state to go on from: files are read again when the configuration has changed."""
    mapping = digest(config_json)[:16]
    columns = list(state.get("columns", []))
    files = state["files"] if state.get("mapping") == mapping else {}
    return {"mapping": mapping, "files": files, "columns": columns}


def known_columns(state: Mapping[str, Any], header: Sequence[str]) -> list[str]:
    """What to remember of every column ever seen."""
    return sorted({*state["columns"], *map(_short, header)})


def new_column_notes(where: str, dropped: Sequence[str], state: Mapping[str, Any]) -> list[str]:
    """A note naming columns that are not stored, the first time each is seen."""
    new = [name[:60] for name in dropped if _short(name) not in state["columns"]]
    if not new:
        return []
    word = "nya kolumner" if state["columns"] else "kolumner"
    more = f" och {len(new) - 20} till" if len(new) > 20 else ""
    return [f"{where}: {word} som inte sparas: {', '.join(new[:20])}{more}."]


def _short(name: str) -> str:
    return digest(name)[:8]


def list_files(base_dir: Path, pattern: str) -> list[Path]:
    """Files that a path or glob names, without the leftovers of copying and of Excel."""
    wanted = Path(pattern)
    root, relative = (
        (Path(wanted.anchor), wanted.relative_to(wanted.anchor))
        if (wanted.is_absolute())
        else (base_dir, wanted)
    )
    return [
        path
        for path in root.glob(str(relative))
        if path.is_file()
        and not path.name.startswith((".", "~$"))
        and path.suffix.lower() not in _UNFINISHED
    ]


def read_file(path: Path) -> bytes:
    """A file's bytes. Raises SourceError when it is too large or not ours to read."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise SourceError(f"{path.name}: filen är större än 256 MB; dela upp den.")
        return path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path.name}: filen går inte att läsa ({error.strerror}).") from None


def _name(base_dir: Path, path: Path) -> str:
    return str(path.relative_to(base_dir)) if path.is_relative_to(base_dir) else path.name
