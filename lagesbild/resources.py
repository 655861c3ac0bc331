"""Where the facts that travel with the program lie: in the wheel, or in the repo's data/."""

from pathlib import Path

_PACKAGED = Path(__file__).parent / "_data"
_CHECKOUT = Path(__file__).parent.parent / "data"


def data_path(*parts: str) -> Path:
    """Path of a bundled file, e.g. `data_path("themes.yaml")`."""
    root = _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT
    return root.joinpath(*parts)
