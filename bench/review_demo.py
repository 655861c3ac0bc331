"""Look at the review page: a night on the sample city, people to log in as, and a server.

    python -m bench.review_demo [--port 0] [--store FOLDER]

Prints where the page is. The people are granskare, granskare2, planerare and admin; the password of
all is the one printed. Nothing but this machine can reach it, and the store is thrown away unless
a folder is given.
"""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import socket
import tempfile
from pathlib import Path

import uvicorn

from classifiers import load_classifier
from lagesbild.night import run_night
from lagesbild.review.app import create_app
from lagesbild.review.people import People, Role
from lagesbild.sample_city import SampleCity
from lagesbild.settings import HASH_KEY_VARIABLE, Settings, load

CONFIG = Path(__file__).resolve().parent.parent / "lagesbild.toml"
PEOPLE: dict[str, Role] = {
    "granskare": "reviewer",
    "granskare2": "reviewer",
    "planerare": "planner",
    "admin": "admin",
}


def sample_store(folder: Path) -> Settings:
    """One night on the sample city, in a store of its own."""
    settings = load(CONFIG).model_copy(update={"store": folder})
    os.environ.setdefault(HASH_KEY_VARIABLE, "exempelstaden")
    with SampleCity() as city:
        os.environ["LAGESBILD_SAMPLE_URL"] = city.url
        run_night(settings, load_classifier("combined", None))
    return settings


def add_people(settings: Settings, password: str) -> None:
    people = People(settings.store_dir / "people.sqlite")
    for name, role in PEOPLE.items():
        people.add(name, role, password)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--store", type=Path)
    options = parser.parse_args()
    folder = options.store or Path(tempfile.mkdtemp(prefix="lagesbild-"))
    try:
        settings = sample_store(folder.resolve())
        password = secrets.token_urlsafe(12)
        add_people(settings, password)
        with socket.create_server(("127.0.0.1", options.port)) as listening:
            address = f"http://127.0.0.1:{listening.getsockname()[1]}"
            print(f"{address}  {', '.join(PEOPLE)}  {password}", flush=True)
            config = uvicorn.Config(create_app(settings), log_level="warning", proxy_headers=False)
            uvicorn.Server(config).run(sockets=[listening])
    finally:
        if options.store is None:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
