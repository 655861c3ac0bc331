"""A lägesbild of one municipality out of archived police notices: only counts leave this program.

    python -m bench.police_report --out FOLDER [--municipality Göteborg --code 1480]

The recorded notices lie beside the project, in ../shared/data; the page goes where `--out` says,
which should be outside the project, and holds counts only.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from classifiers import load_classifier
from lagesbild.night import Store, run_night
from lagesbild.publish.periods import Period
from lagesbild.publish.report.facts import gather
from lagesbild.publish.report.page import write_report
from lagesbild.settings import load
from lagesbild.store import snapshots
from lagesbild.themes import load_themes

RECORDED = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "police"
CONFIG = """
municipality_code = "{code}"
[classifier]
name = "{classifier}"
[sources.polisen]
kind = "polisen"
file = "{file}"
municipalities = ["{municipality}"]
[publish]
publisher = "{municipality} (polisens notiser 2024)"
pictures = {{police = ["polisen"]}}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--municipality", default="Göteborg")
    parser.add_argument("--code", default="1480")
    parser.add_argument("--period", default="2024-Q3")
    parser.add_argument("--classifier", default="combined")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "lagesbild.toml"
        file = RECORDED / "polisen_events_2024.jsonl.gz"
        config.write_text(CONFIG.format(**vars(options), file=file), encoding="utf-8")
        settings = load(config)
        begin = time.perf_counter()
        run_night(settings, load_classifier(settings.classifier.name))
        night_s = time.perf_counter() - begin
        snapshot = snapshots.current(Store(settings).snapshots)
        begin = time.perf_counter()
        period, plan = Period(options.period), load_themes()
        page = write_report(snapshot, settings, plan, options.code, period, options.out)
        report_s = time.perf_counter() - begin
        facts = gather(snapshot, settings, plan, options.code, period)
        print(
            f"{facts.provenance['sources'][0]['n_reports']} notices, night {night_s:.1f} s, ",
            end="",
        )
        print(f"report {report_s:.1f} s, page {page.stat().st_size / 1000:.0f} kB")
        for fact in facts.themes:
            print(f"{plan.label(fact.theme):<46} {'..' if fact.count is None else fact.count}")


if __name__ == "__main__":
    main()
