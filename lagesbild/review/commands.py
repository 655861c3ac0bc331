"""`lagesbild review …`: serve the page, add people."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from lagesbild.errors import UsageError
from lagesbild.night import Store
from lagesbild.review.app import create_app
from lagesbild.review.people import ROLES, People, checked_name
from lagesbild.settings import DEFAULT_FILE, Settings, load

PASSWORD_VARIABLE = "LAGESBILD_NEW_PASSWORD"  # noqa: S105 - the variable's name
_CONFIG_VARIABLE = "LAGESBILD_REVIEW_CONFIG"


def serve(config: Path | None, host: str, port: int, workers: int = 1) -> None:
    """Serve until stopped. Several workers share nothing but the files of the store."""
    app = create_app(load(config))  # tells what is wrong before any worker starts
    options: dict[str, Any] = {
        "host": host,
        "port": port,
        "proxy_headers": False,  # the app itself believes the proxies it is told to trust
        "server_header": False,
        "access_log": False,  # addresses of pages tell who read what; the audit log has that
        "log_level": "warning",
    }
    if workers == 1:
        uvicorn.run(app, **options)
        return
    os.environ[_CONFIG_VARIABLE] = str((config or DEFAULT_FILE).resolve())
    uvicorn.run("lagesbild.review.commands:app_of_worker", factory=True, workers=workers, **options)


def app_of_worker() -> FastAPI:
    """The app of one of several workers, which know the settings only by their file."""
    return create_app(load(Path(os.environ[_CONFIG_VARIABLE])))


def add_user(settings: Settings, name: str, role: str) -> str:
    """Add somebody; the password comes from the environment or is asked for. Returns their name."""
    known = next((known for known in ROLES if known == role), None)
    if known is None:
        raise UsageError(f"Rollen {role!r} finns inte; välj {', '.join(ROLES)}.")
    people = People(Store(settings).root / "people.sqlite")
    people.add(checked_name(name), known, _password())
    people.log("lagesbild", "add_person", detail=f"{checked_name(name)} {role}")
    return checked_name(name)


def _password() -> str | None:
    """None where an empty one is given: the person logs in through OpenID Connect."""
    if PASSWORD_VARIABLE in os.environ:
        return os.environ[PASSWORD_VARIABLE] or None
    if not sys.stdin.isatty():
        raise UsageError(f"Lösenordet saknas; sätt miljövariabeln {PASSWORD_VARIABLE}.")
    password = getpass.getpass("Lösenord (tomt för OpenID Connect): ")
    if password != getpass.getpass("Lösenordet en gång till: "):
        raise UsageError("Lösenorden är inte lika; försök igen.")
    return password or None
