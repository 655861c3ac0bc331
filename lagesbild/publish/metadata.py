"""What stands beside every file: where the numbers come from, what is hidden, how to read them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from lagesbild.publish.correction import FEWEST_WITH, FEWEST_WITHOUT, told
from lagesbild.publish.disclosure import (
    HIDDEN,
    SMALLEST_DENOMINATOR,
    SMALLEST_SHOWN,
    is_hidden,
    rounded,
)
from lagesbild.publish.incidents import incidents_of
from lagesbild.publish.model_changes import break_note, model_changes, theme_version
from lagesbild.publish.table import TITLES, Column, Table
from lagesbild.settings import Publish
from lagesbild.store.warehouse import connect
from lagesbild.themes import CodePlan

BIAS_NOTE = (
    "Antalen visar vad som har rapporterats, inte hur mycket som har hänt. De som rapporterar "
    "väljer själva att göra det, och fler rapporter kan betyda större förtroende eller en enklare "
    "app. Temat är maskinellt satt om inte personal har granskat det. En rapport med flera teman "
    "räknas en gång per tema, så summan över teman är större än antalet rapporter."
)
BIAS_NOTE_EN = (
    "The counts show what has been reported, not how much has happened. Those who report choose "
    "to do so, and more reports may mean more trust or an easier app. The theme is set by machine "
    "unless staff have reviewed it. A report with several themes counts once for each, so themes "
    "sum to more than the number of reports."
)


def hiding_note() -> str:
    """How to read the sign for what is not shown."""
    return (
        f"{HIDDEN} betyder att antalet inte visas: det är mellan 1 och {SMALLEST_SHOWN - 1}, eller "
        "skulle göra att ett sådant går att räkna ut. Det betyder aldrig 0. Kombinationer utan "
        f"rapporter saknar rad. Andelar visas bara av minst {SMALLEST_DENOMINATOR} rapporter."
    )


def provenance(snapshot: Path) -> dict[str, Any]:
    """Sources, classifier versions and days covered by a snapshot; nothing small among them.

    Numbers are rounded to fives, so that their differences tell nothing small either."""
    with connect(snapshot, read_only=True) as db:
        sources = db.execute(
            "select source, count(*), min(reported_date), max(reported_date) "
            "from counted_submission group by 1 order by 1"
        ).fetchall()
        versions = db.execute(
            "select classifier_version, count(*) from classified_text where is_current "
            "group by 1 order by 1"
        ).fetchall()
        reviewed = db.execute("select count(distinct submission_id) from decided_theme").fetchone()
    changes = model_changes(snapshot)
    return {
        "snapshot": snapshot.name,
        "snapshot_sha256": _sha256(snapshot),
        "sources": [
            {"source": name, "n_reports": _shown(n), **_days(n, first, last)}
            for name, n, first, last in sources
        ],
        "classifier_versions": [
            {"version": version, "n_texts": _shown(n)} for version, n in versions
        ],
        "n_reviewed": _shown(reviewed[0] if reviewed else 0),
        "model_changes": changes,
        "model_changes_note_sv": break_note(changes),
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _shown(count: int) -> int | str:
    return HIDDEN if is_hidden(count) else rounded(count)


def _days(count: int, first: date, last: date) -> dict[str, str]:
    """The first and the last; of so few reports they would be single people's."""
    if is_hidden(count):
        return {"first": HIDDEN, "last": HIDDEN}
    return {"first": str(first), "last": str(last)}


def write_metadata(
    target: Path,
    snapshot: Path,
    table: Table,
    plan: CodePlan,
    publish: Publish,
    by: Sequence[str],
    profile: str,
) -> Path:
    """`<file>.metadata.json`, and for open data in CSV the CSVW description as well."""
    protected = table.family.protected
    content = {
        "title": "Rapporter per tema",
        "publisher": publish.publisher,
        "licence": publish.licence,
        "by": list(by),
        "columns": {name: TITLES[name][1] for name in table.names},
        **provenance(snapshot),
        "theme_version": theme_version(snapshot) or plan.version,
        "thresholds": {
            "smallest_shown": SMALLEST_SHOWN,
            "smallest_denominator": SMALLEST_DENOMINATOR,
        },
        "rounding": table.family.rounding,
        **(_corrections(table) if "n_corrected" in table.names else {}),
        **({} if profile == "open_data" else {"incidents": _incidents(snapshot, table)}),
        "hidden_sign": HIDDEN,
        "n_rows": len(table.rows),
        "n_hidden": table.n_hidden,
        "family": {
            "tables": [list(crossed) for crossed in protected.family.tables or ()],
            # together: how many of them are small would tell which sums are made of small ones
            "n_hidden": len(protected.small) + len(protected.complementary),
        },
        "note_sv": " ".join([BIAS_NOTE, hiding_note(), *_release_notes(table, profile)]),
        "note_en": BIAS_NOTE_EN,
    }
    file = target.with_name(f"{target.name}.metadata.json")
    file.write_text(_json(content), encoding="utf-8")
    if target.suffix == ".csv" and profile == "open_data":
        csvw = target.with_name(f"{target.name}-metadata.json")
        csvw.write_text(_json(csv_on_the_web(target.name, table, publish)), encoding="utf-8")
    return file


def _incidents(snapshot: Path, table: Table) -> dict[str, Any]:
    """By year and theme. Not with open data: they grow by single reports until the year is over."""
    years = incidents_of(snapshot, table.family)
    return {
        "note_sv": "Ungefär hur många olika händelser årets rapporter om temat gäller, alla "
        "områden tillsammans och avrundat till närmaste fem. En kampanj räknas en gång. Teman där "
        "nästan varje rapport gäller en egen händelse är inte med.",
        "note_en": "About how many incidents the year's reports of the theme tell of, all areas "
        "together and rounded to the nearest five. A campaign counts once. Themes where nearly "
        "every report tells of an incident of its own are left out.",
        "years": {
            year: {theme: asdict(both) for theme, both in themes.items()}
            for year, themes in years.items()
        },
    }


def _release_notes(table: Table, profile: str) -> list[str]:
    """What was done to the counts that are shown, and when."""
    notes = {
        "none": [],
        "five": ["Antalen är avrundade till närmaste multipel av 5."],
        "cell_key": [
            "Antalen har fått ett litet slumptal (högst 2) som följer rapporterna, så att de inte "
            "går att räkna ut exakt; summor stämmer därför inte på enheten."
        ],
    }[table.family.rounding]
    once = "En månad publiceras en gång och räknas inte om: rapporter som kommer senare ingår inte."
    return [*notes, *([once] if profile == "open_data" else [])]


def _corrections(table: Table) -> dict[str, Any]:
    """What corrected counts rest on. These figures are of the classifier, not of any area."""
    return {
        "corrected_counts": {
            "note_sv": told(table.errors),
            "note_en": told(table.errors, "en"),
            "fewest_texts": {"with_the_theme": FEWEST_WITH, "without_it": FEWEST_WITHOUT},
            "errors": {
                theme: {
                    "origin": known.origin,
                    "n_texts": known.n_texts,
                    **asdict(known.validation),
                }
                for theme, known in table.errors.items()
            },
        }
    }


def _json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


# --- CSV on the Web (W3C, 2015) -------------------------------------------------------------------


def csv_on_the_web(file_name: str, table: Table, publish: Publish) -> dict[str, Any]:
    """The W3C description of an open-data CSV: what each column is and how it is read."""
    keys = [column.name for column in table.columns if column.kind == "text"]
    return {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "sv"}],
        "url": file_name,
        "dc:title": "Rapporter per tema",
        "dc:publisher": publish.publisher,
        "dc:license": {"@id": publish.licence},
        "dialect": {"delimiter": ",", "header": True, "encoding": "utf-8"},
        "tableSchema": {
            "columns": [_csvw_column(column) for column in table.columns],
            "primaryKey": [key for key in keys if not key.endswith(("_sv", "_name"))],
        },
    }


def _csvw_column(column: Column) -> dict[str, Any]:
    swedish, explanation, english = TITLES[column.name]
    described: dict[str, Any] = {
        "name": column.name,
        "titles": column.name,
        "dc:title": {"sv": swedish, "en": english},
        "dc:description": explanation,
        "required": column.kind == "text" and column.name not in ("subtheme", "subtheme_sv"),
    }
    if column.kind == "text":
        described["datatype"] = "string"
    else:
        described["datatype"] = "integer" if column.kind == "integer" else "decimal"
        described["null"] = ["", HIDDEN]
    return described
