"""Read-only copies of the warehouse for the web page, notebooks and exports.

Every copy has a new name, because the engine caches files by name: after a replaced file a process
with any old connection would go on reading the old data. `CURRENT` names the newest.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from lagesbild.errors import LagesbildError

_PIECE = 16 * 2**20  # bytes


def publish(
    warehouse: Path, folder: Path, keep: int, make_ready: Callable[[Path], object] = lambda _: None
) -> Path:
    """Copy the (closed) warehouse to a new snapshot and point CURRENT at it; all or nothing.

    `make_ready`: makes what readers want beside the snapshot, before they are pointed to it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob("*.tmp"):
        stale.unlink()
    target = folder / f"{_next_number(folder):06}.duckdb"
    _remove_unpublished(folder)
    copy = target.with_suffix(".tmp")
    copy_gently(warehouse, copy)
    copy.replace(target)
    make_ready(target)
    pointer = folder / "CURRENT.tmp"
    pointer.write_text(f"{target.name}\n{_stamp(warehouse)}\n", encoding="utf-8")
    _sync(pointer)
    pointer.replace(folder / "CURRENT")
    _sync(folder)
    for old in sorted(folder.glob("*.duckdb"))[:-keep]:
        old.unlink()
    return target


def copy_gently(source: Path, target: Path) -> None:
    """Copy a file, to the disk as it goes: whoever decides meanwhile waits for the disk as well,
    and must not wait for a gigabyte."""
    with source.open("rb") as old, target.open("wb", buffering=0) as new:
        while piece := old.read(_PIECE):
            new.write(piece)
            os.fsync(new.fileno())


def current(folder: Path) -> Path:
    """The newest snapshot. Raises LagesbildError when no night has been published yet."""
    pointer = folder / "CURRENT"
    if not pointer.exists():
        raise LagesbildError(
            "Ingen natt är publicerad ännu; kör lagesbild night så att det finns något att läsa."
        )
    return folder / pointer.read_text(encoding="utf-8").splitlines()[0]


def pointer(folder: Path) -> tuple[int, int]:
    """Another one whenever another snapshot is the newest; quicker to ask for than `current`."""
    try:
        status = (folder / "CURRENT").stat()
    except FileNotFoundError:
        return 0, 0
    return status.st_ino, status.st_mtime_ns


def forget(folder: Path, is_outdated: Callable[[Path], bool]) -> None:
    """Remove the older copies that must not stay, with what was made beside them."""
    newest = current(folder)
    for old in folder.glob("*.duckdb"):
        if old != newest and is_outdated(old):
            for beside in folder.glob(f"{old.stem}.*"):
                beside.unlink()


def is_stale(warehouse: Path, folder: Path) -> bool:
    """Whether the warehouse changed after the newest snapshot (a night was cut off between)."""
    if not warehouse.exists():
        return False
    pointer = folder / "CURRENT"
    return not pointer.exists() or _stamp(warehouse) not in pointer.read_text(encoding="utf-8")


def _stamp(warehouse: Path) -> str:
    status = warehouse.stat()
    return f"{status.st_size} {status.st_mtime_ns}"


def _remove_unpublished(folder: Path) -> None:
    """What a night left that was cut off before it pointed readers to its copy."""
    published = current(folder).name if (folder / "CURRENT").exists() else ""
    for path in list(folder.glob("*.duckdb")):
        if path.name > published:
            for beside in folder.glob(f"{path.stem}.*"):
                beside.unlink()


def _next_number(folder: Path) -> int:
    return max((int(path.stem) for path in folder.glob("*.duckdb")), default=0) + 1


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
