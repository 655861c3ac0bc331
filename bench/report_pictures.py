"""Pictures of the report, the week, the year, every chart and the workbook; what axe-core finds.

    python -m bench.report_pictures [--store FOLDER] [--out docs/images]

Of the invented sample city. FOLDER is a store of it; without one a night is run first. The report
is looked at on a desktop, on a phone and as it prints. Needs Chromium and the Python package
playwright; the workbook needs LibreOffice and pdftoppm.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from bench.review_demo import CONFIG, sample_store
from bench.review_screenshots import SWITCHES, photograph
from lagesbild.night import Store
from lagesbild.publish.counts import Selection, export_counts
from lagesbild.publish.periods import Period
from lagesbild.publish.report.page import write_report
from lagesbild.publish.report.sheets import write_week, write_wheel
from lagesbild.settings import Settings, load
from lagesbild.store import snapshots
from lagesbild.themes import load_themes

AXE = CONFIG.parent / "tests" / "vendor" / "axe.min.js"
PERIOD, WEEK, YEAR = Period("2026-Q2"), "2026-V20", "2026"
WIDTHS = {"desktop": 1280, "phone": 390}
PRINTED = 794  # A4 at 96 points an inch
TALLEST = 2600


def write_pages(settings: Settings, folder: Path) -> dict[str, Path]:
    """The three pages by the names of their pictures."""
    common = (snapshots.current(Store(settings).snapshots), settings, load_themes())
    return {
        "report": write_report(*common, settings.municipality_code, PERIOD, folder),
        "week": write_week(*common, WEEK, folder),
        "year-wheel": write_wheel(*common, YEAR, folder),
    }


def take(browser: Browser, pages: dict[str, Path], out: Path) -> None:
    """One picture for each page, three of the report."""
    for name, path in pages.items():
        for device, width in WIDTHS.items():
            view = browser.new_page(viewport={"width": width, "height": 900}, bypass_csp=True)
            view.goto(path.as_uri())
            tall = view.evaluate("document.documentElement.scrollHeight")
            if name == "report" or device == "desktop":
                ending = f"-{device}" if name == "report" else ""
                photograph(view, out / f"{name}{ending}.png", width, min(tall, TALLEST))
            view.add_script_tag(path=str(AXE))
            found = view.evaluate("async () => (await axe.run()).violations.map(v => v.id)")
            print(f"{name} {device}: {len(found)} violations {found}", flush=True)
            view.close()
    view = browser.new_page(viewport={"width": PRINTED, "height": 1123})
    view.emulate_media(media="print")
    view.goto(pages["report"].as_uri())
    tall = view.evaluate("document.documentElement.scrollHeight")
    photograph(view, out / "report-print.png", PRINTED, min(tall, TALLEST))
    view.close()


def keep_charts(folder: Path, out: Path) -> None:
    for chart in sorted(folder.glob("*_diagram/*.png")):
        shutil.copyfile(chart, out / f"chart-{chart.name}")


def draw_workbook(settings: Settings, folder: Path, out: Path) -> None:
    """The upper part of its first page, as LibreOffice prints it."""
    office, drawer = shutil.which("soffice"), shutil.which("pdftoppm")
    if office is None or drawer is None:
        print("LibreOffice or pdftoppm is not installed: no picture of the workbook")
        return
    book = export_counts(
        snapshots.current(Store(settings).snapshots),
        Selection(("area", "theme", "month")),
        load_themes(),
        folder,
        style="xlsx",
        settings=settings,
    )
    profile = f"-env:UserInstallation=file://{folder}/office"
    command = [office, profile, "--headless", "--convert-to", "pdf", "--outdir", str(folder)]
    subprocess.run([*command, str(book)], check=True, capture_output=True)
    corner = ["-x", "140", "-y", "150", "-W", "2080", "-H", "760"]
    options = ["-png", "-r", "220", "-singlefile", "-l", "1", *corner]
    printed = str(book.with_suffix(".pdf"))
    subprocess.run([drawer, *options, printed, str(out / "workbook")], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--out", type=Path, default=CONFIG.parent / "docs" / "images")
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        parser.error("Chromium is not installed")
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="lagesbild-") as made:
        folder = Path(made)
        if options.store:
            settings = load(CONFIG).model_copy(update={"store": options.store.resolve()})
        else:
            settings = sample_store(folder / "store")
        pages = write_pages(settings, folder)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=SWITCHES)
            take(browser, pages, options.out)
            browser.close()
        keep_charts(folder, options.out)
        draw_workbook(settings, folder, options.out)


if __name__ == "__main__":
    main()
