"""Corrected counts: made only where it is known how the classifier errs, never for hidden ones."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lagesbild.indicators.corrected import Validation, corrected_count
from lagesbild.publish.correction import Corrector, known_errors, told, two_digits
from lagesbild.publish.counts import Selection, export_counts
from lagesbild.publish.disclosure import HIDDEN
from lagesbild.publish.periods import Period
from lagesbild.publish.report.facts import gather
from lagesbild.publish.table import NOT_APPLICABLE
from lagesbild.settings import Settings
from lagesbild.store.decisions import Choice, Decisions, Reading
from lagesbild.store.warehouse import connect
from lagesbild.themes import load_themes

PLAN = load_themes()
GOOD = {"tp": 90, "fp": 20, "fn": 10, "tn": 880}
READ_AT = datetime(2026, 3, 1, tzinfo=UTC)
Town = tuple[Path, Settings]
BY = ("area", "theme", "month")


def model(folder: Path, held_out: Mapping[str, Mapping[str, int]]) -> str:
    """A model file and its card; returns the version that texts read by it carry."""
    folder.mkdir()
    (folder / "model.bin").write_bytes(b"a model")
    (folder / "card.json").write_text(json.dumps({"held_out": held_out}), encoding="utf-8")
    return f"ord-{hashlib.sha256(b'a model').hexdigest()[:12]}"


def copy_of(town: Town, folder: Path, version: str) -> Town:
    """The town's store, its texts read by another version of the classifier."""
    snapshot, settings = town
    store = folder / "store"
    shutil.copytree(settings.store_dir, store)
    copied = store / "snapshots" / snapshot.name
    with connect(copied, read_only=False) as db:
        db.execute("update classified_text set classifier_version = ?", [version])
    classifier = settings.classifier.model_copy(update={"model": folder / "model"})
    return copied, settings.model_copy(update={"store": store, "classifier": classifier})


@pytest.fixture
def corrected_town(town: Town, tmp_path: Path) -> Town:
    return copy_of(town, tmp_path, model(tmp_path / "model", {"fysisk_miljo": GOOD}))


def test_the_card_of_the_model_that_read_the_texts_is_used(corrected_town: Town) -> None:
    known = known_errors(*corrected_town, PLAN)
    assert list(known) == ["fysisk_miljo"]
    assert known["fysisk_miljo"].validation == Validation(90, 20, 10, 880)
    assert (known["fysisk_miljo"].origin, known["fysisk_miljo"].n_texts) == ("held_out", 1000)
    assert "1000 texter" in told(known)
    assert "kan inte räknas" not in told(known)


@pytest.mark.parametrize(
    ("version", "figures"),
    [
        ("ord-another", {"fysisk_miljo": GOOD}),
        (None, {}),
        (None, {"fysisk_miljo": {"tp": 9, "fp": 20, "fn": 1, "tn": 880}}),
        (None, {"fysisk_miljo": {"tp": 90, "fp": 2, "fn": 10, "tn": 8}}),
    ],
)
def test_without_enough_of_it_nothing_is_corrected(
    town: Town, tmp_path: Path, version: str | None, figures: Mapping[str, Mapping[str, int]]
) -> None:
    made = model(tmp_path / "model", figures)
    known = known_errors(*copy_of(town, tmp_path, version or made), PLAN)
    assert known == {}
    assert "kan inte räknas" in told(known)
    assert "cannot be made" in told(known, "en")


def test_a_store_with_several_models_is_not_corrected(corrected_town: Town) -> None:
    snapshot, settings = corrected_town
    with connect(snapshot, read_only=False) as db:
        db.execute("update classified_text set classifier_version = 'old' where rowid % 4 = 0")
    assert known_errors(snapshot, settings, PLAN) == {}


def read_blind(town: Town, n_right: int, n_wrong: int, version: str, at: datetime) -> None:
    """People read this many texts with the theme, and as many times five without it."""
    snapshot, settings = town
    decisions = Decisions(settings.store_dir / "review.sqlite")
    cases = [("fysisk_miljo", "fysisk_miljo")] * n_right + [("fysisk_miljo", "")] * n_wrong
    cases += [("", "")] * (5 * len(cases))
    for number, (real, given_by_machine) in enumerate(cases):
        reading = Reading(
            f"{version}-{number}",
            f"{number:032x}",
            "0" * 64,
            version,
            "anna",
            "blind",
            themes={real: Choice()} if real else {},
            machine=[given_by_machine] if given_by_machine else [],
            weight=1.0,
        )
        decisions.record(reading, None, at)
    with connect(snapshot, read_only=False) as db:
        db.execute(
            "insert into review by name select 'd' as decision_id, 's' as submission_id, "
            "'narkotika' as theme, 'accepted' as verdict, 'anna' as reviewer, "
            "timestamp '2026-03-01 12:00' as decided_at, 'x' as text_sha256, "
            "'x' as classifier_version"
        )


def version_of(town: Town) -> str:
    with connect(town[0], read_only=True) as db:
        row = db.execute("select any_value(classifier_version) from classified_text").fetchone()
    assert row
    return str(row[0])


def test_the_blind_sample_is_preferred_once_it_is_large_enough(corrected_town: Town) -> None:
    read_blind(corrected_town, 24, 6, version_of(corrected_town), READ_AT)
    known = known_errors(*corrected_town, PLAN)["fysisk_miljo"]
    assert (known.origin, known.n_texts) == ("blind", 180)
    assert known.validation == Validation(24, 0, 6, 150)


@pytest.mark.parametrize(
    ("version", "at", "n"),
    [
        ("ord-earlier", READ_AT, 24),  # a later model may have learnt from these texts
        (None, datetime(2026, 3, 2, tzinfo=UTC), 24),  # the snapshot does not know them yet
        (None, READ_AT, 10),  # too few
    ],
)
def test_blind_readings_that_prove_nothing_are_left_out(
    corrected_town: Town, version: str | None, at: datetime, n: int
) -> None:
    read_blind(corrected_town, n, 5, version or version_of(corrected_town), at)
    assert known_errors(*corrected_town, PLAN)["fysisk_miljo"].origin == "held_out"


# --- what is published ----------------------------------------------------------------------------


def exported(town: Town, folder: Path) -> list[dict[str, str]]:
    snapshot, settings = town
    target = export_counts(snapshot, Selection(BY), PLAN, folder, settings=settings)
    with target.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def test_a_corrected_count_stands_beside_a_count_with_a_share_only(
    corrected_town: Town, tmp_path: Path
) -> None:
    rows = exported(corrected_town, tmp_path)
    columns = ("n_corrected", "n_corrected_low", "n_corrected_high")
    expected = corrected_count(40, 50, Validation(90, 20, 10, 880))  # 45 texts, in two digits
    assert expected is not None
    seen = set()
    for row in rows:
        values = {row[name] for name in columns}
        if row["n_reports"] == HIDDEN:
            assert values == {HIDDEN}
        elif row["share_percent"] == HIDDEN or row["theme"] != "fysisk_miljo":
            assert values == {NOT_APPLICABLE}
        else:
            seen.add((row["area_type"], row["month"]))  # all of January's reports are from Malmö
            numbers = (expected.value, expected.low, expected.high)
            told_as = [f"{number:.1f}".replace(".", ",") for number in numbers]
            assert [row[name] for name in columns] == told_as
    assert seen == {("kommun", "2026-01"), ("lan", "2026-01")}  # nobody's district is known


def test_maps_and_cubes_have_the_same_corrected_counts(
    corrected_town: Town, tmp_path: Path
) -> None:
    snapshot, settings = corrected_town
    made = {
        style: export_counts(
            snapshot, Selection(BY), PLAN, tmp_path, style=style, settings=settings
        )
        for style in ("json", "geojson")
    }
    expected = corrected_count(40, 50, Validation(90, 20, 10, 880))
    assert expected is not None
    numbers = [round(n, 1) for n in (expected.value, expected.low, expected.high)]
    features = json.loads(made["geojson"].read_text("utf-8"))["features"]
    malmo = next(f["properties"] for f in features if f["id"] == "kommun:1280")
    ends = ("n", "n_corrected", "n_corrected_low", "n_corrected_high")
    assert [malmo[f"{name}_fysisk_miljo_2026-01"] for name in ends] == [40, *numbers]
    assert "n_corrected_narkotika_2026-01" not in malmo
    stat = json.loads(made["json"].read_text("utf-8"))
    number = 0
    for name, code in zip(stat["id"], ("kommun:1280", "fysisk_miljo", "2026-01", "n_reports"),
                          strict=True):  # fmt: skip
        index = stat["dimension"][name]["category"]["index"]
        number = number * len(index) + index.index(code)
    assert stat["value"][number : number + 4] == [40, *numbers]
    assert not {str(n) for n in range(number, number + 4)} & stat["status"].keys()


def test_the_metadata_say_what_it_rests_on(corrected_town: Town, tmp_path: Path) -> None:
    exported(corrected_town, tmp_path)
    beside = next(tmp_path.glob("*.metadata.json"))
    found = json.loads(beside.read_text("utf-8"))["corrected_counts"]
    assert found["errors"]["fysisk_miljo"]["true_positive"] == 90
    assert "påhittade" in found["note_sv"]


def test_the_report_shows_it_too(corrected_town: Town) -> None:
    facts = gather(*corrected_town, PLAN, "1280", Period("2026-01"))
    by_theme = {fact.theme: fact for fact in facts.themes}
    corrected = by_theme["fysisk_miljo"].corrected
    assert corrected == corrected_count(40, 50, Validation(90, 20, 10, 880))
    assert all(fact.corrected is None for fact in facts.themes if fact.count is None)


def test_a_hidden_count_is_never_corrected(corrected_town: Town) -> None:
    corrector = Corrector(*corrected_town, PLAN)
    place = {"area": "kommun:1280", "period": "2026-01"}
    assert corrector.corrected("fysisk_miljo", 40, place, has_share=True) is not None
    assert corrector.corrected("fysisk_miljo", None, place, has_share=True) is None
    assert corrector.corrected("fysisk_miljo", 40, place, has_share=False) is None
    assert corrector.corrected("narkotika", 40, place, has_share=True) is None


@given(st.integers(0, 10_000_000))
def test_the_number_of_texts_is_coarse(n: int) -> None:
    told_as = two_digits(n)
    assert abs(told_as - n) <= max(5, 0.05 * n)
    assert two_digits(told_as) == told_as
    assert {two_digits(m) for m in range(told_as, told_as + 5)} == {told_as}
