"""Pictures of every page of the review page, on the invented sample city.

    python -m bench.review_screenshots [--store FOLDER] [--out docs/images] [--only rapport,logg]

Writes review-<page>-1280.png and review-<page>-390.png. FOLDER is a store that bench.review_demo
has made; without it a night is run first. Needs Chromium and the Python package playwright.
"""

from __future__ import annotations

import argparse
import secrets
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from playwright.sync_api import Browser, FloatRect, Page, sync_playwright

from bench.review_demo import CONFIG, add_people, sample_store
from lagesbild.night import Store, utc_now
from lagesbild.review import decide, queue
from lagesbild.review.app import create_app
from lagesbild.review.reports import Report, Reports
from lagesbild.settings import Settings, load
from lagesbild.store import quotes, redactions
from lagesbild.store.decisions import Choice, Mode, Reading
from lagesbild.store.hiding import sha256
from lagesbild.themes import load_themes

WIDTHS = {1280: 900, 390: 844}
LARGEST = 150_000  # bytes
TALLEST = 1200  # a picture shows the beginning of a long page
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--lang=sv-SE"]


def read_some(settings: Settings) -> dict[str, str]:
    """Let two people read some blind. Returns ids of reports: open, blind, second, settle."""
    store = Store(settings)
    reports = Reports(store.snapshots, store.decisions, settings.review, load_themes())

    def read(submission_id: str, who: str, mode: Mode, theme: str) -> None:
        report = reports.get(submission_id)
        assert report is not None
        chosen = {name: Choice() for name in (*report.machine, theme) if name}
        reading = Reading(
            f"{mode}-{submission_id}",
            submission_id,
            report.text_sha256,
            "",
            who,
            mode,
            themes=dict(list(chosen.items())[:3]),
            machine=report.machine,
            weight=report.weight,
        )
        store.decisions.record(reading, None, utc_now())

    found: list[str] = []
    while len(found) < 12:
        drawn = queue.next_blind(reports, "granskare2")
        assert drawn is not None
        read(drawn.submission_id, "granskare2", "blind", "")
        found.append(drawn.submission_id)
    double = [id for id in found if queue.is_double(id, settings.review.double_share)]
    for id in double[1:]:
        read(id, "admin", "second", "ungdomar" if id == double[1] else "")
    blind, plain = (
        queue.next_blind(reports, ""),
        queue.find(reports, queue.read_filter({"q": "lampa"})),
    )
    assert blind is not None
    shown = max(
        (report for report in plain.reports if not report.is_reserved),
        key=lambda report: len(report.mentions),
    )
    _mark(store, shown)
    _release(store, reports.get(shown.submission_id) or shown)
    return {
        "open": shown.submission_id,
        "blind": blind.submission_id,
        "second": double[0],
        "settle": double[1],
    }


def _mark(store: Store, report: Report) -> None:
    """Hide the first word of a report, as somebody does who finds a name there."""
    words = report.text.split()[0]
    form = decide.Hiding("bild-nummer-1", words, "namn")
    redactions.mark(
        store.decisions, decide.mark(report, report.text, form, "granskare2"), utc_now()
    )


def _release(store: Store, report: Report) -> None:
    """Let the report's last words be quoted."""
    start = len(report.text) - len(" ".join(report.text.split()[-4:]))
    released = quotes.Release(
        "bild-nummer-1",
        report.submission_id,
        report.text_sha256,
        sha256(report.text),
        start,
        len(report.text),
        "granskare2",
    )
    quotes.release(store.decisions, released, utc_now())


def pages(ids: Mapping[str, str]) -> dict[str, list[tuple[str, str]]]:
    """(name of the picture, path) by who sees it."""
    return {
        "": [("logga-in", "/logga-in"), ("tillganglighet", "/tillganglighet")],
        "granskare": [
            ("ko", "/ko"),
            ("filter", "/ko?q=lampa"),
            ("rapport", f"/rapport/{ids['open']}"),
            ("blint-prov", f"/rapport/{ids['blind']}"),
            ("samlat", "/samlat?theme=fysisk_miljo"),
            ("tva-lasare", "/andra"),
            ("andra-lasaren", f"/andra/{ids['second']}"),
            ("avgor", f"/jamka/{ids['settle']}"),
            ("regler", "/regler"),
            ("resultat", "/resultat"),
            ("konto", "/konto"),
        ],
        "planerare": [("antal", "/planera"), ("nekad", "/ko")],
        "admin": [("personer", "/personer"), ("logg", "/logg")],
    }


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(create_app(settings), log_level="error", proxy_headers=False)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def photograph(page: Page, target: Path, width: int, height: int) -> None:
    """The beginning of the page, as much of it as the largest file allows."""
    clip: FloatRect = {"x": 0, "y": 0, "width": width, "height": height}
    while len(picture := page.screenshot(full_page=True, clip=clip)) > LARGEST:
        clip["height"] *= 0.85
    target.write_bytes(picture)


Pages = Mapping[str, Sequence[tuple[str, str]]]


def chosen(every: Pages, names: frozenset[str] | None) -> Pages:
    """Only the pages of these names; all where none are given."""
    if names is None:
        return every
    some = {who: [page for page in own if page[0] in names] for who, own in every.items()}
    return {who: own for who, own in some.items() if own}


def take(browser: Browser, address: str, password: str, every: Pages, out: Path) -> None:
    for who, wanted in every.items():
        with browser.new_context(locale="sv-SE", reduced_motion="reduce") as context:
            page = context.new_page()
            page.set_default_timeout(120_000)  # the first look at the counts makes the exports
            if who:
                page.goto(f"{address}/logga-in")
                page.get_by_label("Användarnamn").fill(who)
                page.get_by_label("Lösenord").fill(password)
                page.keyboard.press("Enter")
                page.wait_for_url(lambda url: "logga-in" not in url)
            for name, path in wanted:
                for width, height in WIDTHS.items():
                    page.set_viewport_size({"width": width, "height": height})
                    page.goto(address + path)
                    tall = page.evaluate("document.documentElement.scrollHeight")
                    target = out / f"review-{name}-{width}.png"
                    photograph(page, target, width, min(tall, TALLEST))
                    print(f"{target.name}  {target.stat().st_size / 1000:.0f} kB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--out", type=Path, default=CONFIG.parent / "docs" / "images")
    parser.add_argument("--only", default="", metavar="NAME,NAME", help="only these pages")
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        parser.error("Chromium is not installed")
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="lagesbild-") as made:
        folder = Path(made) / "store"
        if options.store:
            shutil.copytree(options.store, folder)
            settings = load(CONFIG).model_copy(update={"store": folder})
        else:
            settings = sample_store(folder)
        password = secrets.token_urlsafe(12)
        add_people(settings, password)
        ids = read_some(settings)
        with sync_playwright() as playwright, served(settings) as address:
            browser = playwright.chromium.launch(executable_path=chromium, args=SWITCHES)
            wanted = frozenset(options.only.split(",")) if options.only else None
            take(browser, address, password, chosen(pages(ids), wanted), options.out)
            browser.close()


if __name__ == "__main__":
    main()
