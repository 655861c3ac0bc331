"""What the default installation takes: megabytes of the locked packages, and of the wheel if built.

    python -m bench.install_size [--most 8]

Counts the files that each package of requirements.lock has installed here, without caches of
compiled Python, and prints the largest. `make wheel` builds the wheel.
"""

from __future__ import annotations

import argparse
import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MEGABYTE = 1_000_000


def locked() -> list[str]:
    """Names of the packages in the lock; those for other systems among them."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    return re.findall(r"^([A-Za-z0-9._-]+)==", text, re.MULTILINE)


def size(name: str) -> int | None:
    """Bytes of a package's files, or None where it is not installed."""
    try:
        files = distribution(name).files or []
    except PackageNotFoundError:
        return None
    paths = (Path(str(file.locate())) for file in files if "__pycache__" not in file.parts)
    return sum(path.stat().st_size for path in paths if path.is_file())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=8, help="how many of the largest to print")
    options = parser.parse_args()
    sizes = {name: found for name in locked() if (found := size(name)) is not None}
    print(f"{len(sizes)} packages, {sum(sizes.values()) / MEGABYTE:.0f} MB")
    for name, found in sorted(sizes.items(), key=lambda item: -item[1])[: options.most]:
        print(f"  {name:<20} {found / MEGABYTE:6.0f} MB")
    for wheel in sorted((ROOT / "dist").glob("*.whl")):
        print(f"{wheel.name}: {wheel.stat().st_size / MEGABYTE:.0f} MB")


if __name__ == "__main__":
    main()
