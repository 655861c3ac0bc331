"""What is stored: redacted, in one form, placed; and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lagesbild.clean import clean
from lagesbild.places import Places
from lagesbild.privacy import REDACTOR_VERSION
from lagesbild.records import ParsedSubmission, Rejection, Submission

PLACES = Places()
REMARK = ParsedSubmission(
    source="fil",
    source_record_id="17",
    kind="report",
    text="<p>Min granne Kalle, 070-174 06 05, bråkar i Umeå.</p>",
    reported_at=datetime(2025, 5, 1, 12, tzinfo=UTC),
)


def cleaned(**changes: Any) -> Submission:
    result = clean(replace(REMARK, **changes), PLACES)
    assert isinstance(result, Submission)
    return result


def test_a_remark_is_redacted_and_placed() -> None:
    result = cleaned()
    assert result.parsed.text == "Min granne [namn], [telefon], bråkar i Umeå."
    assert result.n_redacted == 2
    assert result.language == "sv"
    assert result.redactor_version == REDACTOR_VERSION
    assert [(p.area.area_code, p.method) for p in result.areas] == [
        ("2480", "text"),
        ("24", "text"),
    ]
    assert result.submission_id == REMARK.submission_id


def test_the_place_is_read_before_an_address_takes_it_out() -> None:
    result = cleaned(text="Bråk på Kaptensgatan 6, 903 26 Umeå")
    assert result.parsed.text == "Bråk på [adress]"
    assert [p.area.area_code for p in result.areas] == ["2480", "24"]


@pytest.mark.parametrize("text", ["", " \n\t ", "<p>&nbsp;</p>", "\u200b\ufeff"])
def test_an_empty_text_is_refused(text: str) -> None:
    assert clean(replace(REMARK, text=text, part="q1"), PLACES) == Rejection(
        "fil", "17", "empty_text", "q1"
    )


def test_every_free_field_is_redacted() -> None:
    result = cleaned(
        text="Mörkt.",
        question="Vad tycker du, Anna Berg?",
        category="  Gator &amp; torg\n",
        areas=[("stadsdel", "Storgatan 4"), ("kommun", " Umeå ")],
    )
    assert result.parsed.question == "Vad tycker du, [namn]?"
    assert result.parsed.category == "Gator & torg"
    assert result.parsed.areas == (("stadsdel", "[adress]"), ("kommun", "Umeå"))
    assert result.n_redacted == 2


def test_empty_fields_are_none() -> None:
    result = cleaned(category="  ", question="")
    assert result.parsed.category is None
    assert result.parsed.question is None


@pytest.mark.parametrize(
    ("lat", "lon", "kept"),
    [
        (63.825847, 20.263035, (63.8258, 20.263)),
        (0.0, 0.0, (None, None)),
        (63.8, None, (None, None)),
        (float("nan"), 20.0, (None, None)),
        (763000.0, 7089000.0, (None, None)),
    ],
)
def test_position(lat: float, lon: float | None, kept: tuple[Any, Any]) -> None:
    result = cleaned(lat=lat, lon=lon)
    assert (result.parsed.lat, result.parsed.lon) == kept


@given(st.text(min_size=1))
def test_cleaning_the_clean_changes_nothing(text: str) -> None:
    first = clean(replace(REMARK, text=text), PLACES)
    if isinstance(first, Submission):
        second = clean(first.parsed, PLACES)
        assert isinstance(second, Submission)
        assert second.parsed == first.parsed
        assert second.n_redacted == 0
