import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lagesbild.records import Parsed, ParsedSubmission, RawSubmission, Rejection, SurveyAnswer
from lagesbild.sources.survey import SurveySource
from lagesbild.sources.survey_config import SurveyConfig
from tests.sources.pulling import NOW, context, pull, rejections

OPEN = {"Q5": "Vad gör dig otrygg?", "Q6": "Vad skulle göra det bättre?"}
CLOSED = {"Q1[SQ001]": "trygg_sen_kvall", "Q1[SQ002]": "trygg_dagtid"}
LIMESURVEY = {
    "preset": "limesurvey",
    "open_questions": OPEN,
    "closed_items": CLOSED,
    "areas": {"stadsdel": "Q2"},
    "wave": "2025",
}


def make(**table: Any) -> SurveySource:
    return SurveySource("enkat", SurveyConfig.model_validate({"kind": "survey", **table}))


def texts(parsed: list[Parsed]) -> list[tuple[str, str]]:
    return [(p.part, p.text) for p in parsed if isinstance(p, ParsedSubmission)]


def answers(parsed: list[Parsed]) -> list[tuple[str, str]]:
    return [(p.item, p.value) for p in parsed if isinstance(p, SurveyAnswer)]


def test_limesurvey_csv(recordings: Path) -> None:
    source = make(path="surveys/limesurvey.csv", date=dt.date(2025, 10, 15), **LIMESURVEY)
    pulled = pull(source, context(recordings))
    assert (len(pulled.records), pulled.refused, pulled.error) == (5, [], "")
    by_record = [source.parse(raw) for raw in pulled.records]
    first = by_record[0]
    assert texts(list(first)) == [
        ("Q5", "Mörkt vid gångtunneln;\nfolk som säljer knark"),
        ("Q6", "Mer ljus"),
    ]
    submission = first[0]
    assert isinstance(submission, ParsedSubmission)
    assert submission.kind == "answer"
    assert submission.question == "Vad gör dig otrygg?"
    assert submission.reported_at == dt.datetime(2025, 10, 1, 10, tzinfo=dt.UTC)
    assert (submission.areas, submission.wave) == ((("stadsdel", "Söder"),), "2025")
    assert answers(list(first)) == [("trygg_sen_kvall", "A4"), ("trygg_dagtid", "A1")]
    assert len({p.submission_id for p in first if isinstance(p, ParsedSubmission)}) == 2
    # not shown and a dash are no answers
    assert (texts(list(by_record[1])), answers(list(by_record[1]))) == (
        [],
        [("trygg_sen_kvall", "A1")],
    )
    assert [r for _, r in rejections(by_record[2])] == ["incomplete_answer"]
    fourth = by_record[3][0]
    assert isinstance(fourth, ParsedSubmission)
    assert fourth.reported_at == dt.datetime(2025, 10, 14, 22, tzinfo=dt.UTC)
    assert [r for _, r in rejections(by_record[4])] == ["empty_text"]


def test_nothing_that_names_a_respondent_is_stored(recordings: Path) -> None:
    source = make(path="surveys/limesurvey.csv", respondent="token", **LIMESURVEY)
    pulled = pull(source, context(recordings))
    stored = "".join(r.payload + r.source_record_id for r in pulled.records)
    assert "inv1" not in stored
    other_key = pull(source, context(recordings, hash_key=b"annan"))
    assert not {r.source_record_id for r in pulled.records} & {
        r.source_record_id for r in other_key.records
    }


def test_an_answer_never_sent_in_leaves_nothing_of_its_content(recordings: Path) -> None:
    source = make(path="surveys/limesurvey.csv", **LIMESURVEY)
    pulled = pull(source, context(recordings))
    assert "skickat in" not in "".join(r.payload for r in pulled.records)


def test_the_placeholder_date_is_never_a_date(recordings: Path) -> None:
    source = make(path="surveys/limesurvey.csv", **LIMESURVEY)
    pulled = pull(source, context(recordings))
    assert [r for _, r in rejections(list(source.parse(pulled.records[3])))] == ["missing_time"]
    dated = make(path="surveys/limesurvey.csv", date={"2025": dt.date(2025, 9, 1)}, **LIMESURVEY)
    (fourth, *_) = dated.parse(pulled.records[3])
    assert isinstance(fourth, ParsedSubmission)
    assert fourth.reported_at == dt.datetime(2025, 8, 31, 22, tzinfo=dt.UTC)


def test_limesurvey_json_says_the_same_as_csv(recordings: Path) -> None:
    csv, json = (make(path=f"surveys/limesurvey.{e}", **LIMESURVEY) for e in ("csv", "json"))
    from_csv = pull(csv, context(recordings)).records
    from_json = pull(json, context(recordings)).records
    assert [r.source_record_id for r in from_json] == [r.source_record_id for r in from_csv[:2]]
    assert json.parse(from_json[1]) == csv.parse(from_csv[1])


def test_surveymonkey_has_two_header_rows(recordings: Path) -> None:
    source = make(
        path="surveys/surveymonkey.csv",
        preset="surveymonkey",
        wave="2025",
        open_questions={"Vad gör dig otrygg?": "Vad gör dig otrygg?"},
        closed_items={"Hur trygg är du? [Kväll]": "trygg_kvall"},
        day_first=False,
    )
    pulled = pull(source, context(recordings))
    stored = "".join(r.payload for r in pulled.records)
    assert "192.0.2.1" not in stored
    assert "pahittad@" not in stored
    parsed = pulled.parsed(source)
    assert texts(parsed) == [("Vad gör dig otrygg?", "Gäng vid torget")]
    assert answers(parsed) == [("trygg_kvall", "Inte alls")]
    assert isinstance(parsed[0], ParsedSubmission)
    assert parsed[0].reported_at == dt.datetime(2025, 10, 13, 10, 5, tzinfo=dt.UTC)
    assert [reason for _, reason in rejections(parsed)] == ["empty_text"]


def test_surveygizmo_takes_only_complete(recordings: Path) -> None:
    source = make(
        path="surveys/surveygizmo.csv",
        preset="surveygizmo",
        open_questions={"Vad gör dig otrygg?": "Vad gör dig otrygg?"},
    )
    parsed = pull(source, context(recordings)).parsed(source)
    assert texts(parsed) == [("Vad gör dig otrygg?", "Mörka gator")]
    assert [reason for _, reason in rejections(parsed)] == ["incomplete_answer"]


def test_google_forms_has_no_respondent_and_equal_answers_stay_two(recordings: Path) -> None:
    source = make(
        path="surveys/google_forms.csv",
        preset="google_forms",
        open_questions={"Vad gör dig otrygg?": "Vad gör dig otrygg?"},
    )
    pulled = pull(source, context(recordings, hash_key=b""))  # nobody to hash, so no key is needed
    assert len({r.source_record_id for r in pulled.records}) == 2
    assert len(texts(pulled.parsed(source))) == 2


def test_typeform(recordings: Path) -> None:
    source = make(
        path="surveys/typeform.csv",
        preset="typeform",
        timezone="UTC",
        open_questions={"Vad gör dig otrygg?": "Vad gör dig otrygg?"},
    )
    (parsed,) = pull(source, context(recordings)).parsed(source)
    assert isinstance(parsed, ParsedSubmission)
    assert parsed.reported_at == dt.datetime(2025, 10, 1, 10, 5, tzinfo=dt.UTC)


def test_wave_from_a_column_tells_two_answers_of_one_person_apart(tmp_path: Path) -> None:
    rows = "id;tid;ar;q\n1;2024-05-01;2024;Bra\n1;2025-05-01;2025;Sämre\n2;2025-05-01;;Nja\n"
    (tmp_path / "a.csv").write_text(rows)
    source = make(
        path="a.csv",
        respondent="id",
        submitted_at="tid",
        wave={"column": "ar"},
        open_questions={"q": "Hur är det?"},
    )
    pulled = pull(source, context(tmp_path))
    assert len({r.source_record_id for r in pulled.records}) == 3
    parsed = [p for p in pulled.parsed(source) if isinstance(p, ParsedSubmission)]
    assert [p.wave for p in parsed] == ["2024", "2025", None]
    assert parsed[0].reporter_hash == parsed[1].reporter_hash != parsed[2].reporter_hash


def test_an_edited_answer_keeps_its_id_and_gets_a_new_digest(tmp_path: Path) -> None:
    source = make(path="a.csv", respondent="id", submitted_at="tid", open_questions={"q": "Hur?"})
    (tmp_path / "a.csv").write_text("id;tid;q\n1;2025-05-01;Bra\n;2025-05-01;Ingen\n")
    first = pull(source, context(tmp_path))
    assert first.reasons == ["missing_id"]
    (tmp_path / "a.csv").write_text("id;tid;q\n1;2025-05-01;Dåligt\n")
    second = pull(source, context(tmp_path, first.state))
    assert first.records[0].source_record_id == second.records[0].source_record_id
    assert first.records[0].payload_sha256 != second.records[0].payload_sha256
    assert pull(source, context(tmp_path, second.state)).n_pages == 0


def test_test_among_answers_is_an_answer_but_only_test_is_a_test(tmp_path: Path) -> None:
    source = make(path="a.csv", submitted_at="tid", open_questions={"a": "A?", "b": "B?"})
    (tmp_path / "a.csv").write_text("tid;a;b\n2025-05-01;Test;Mer ljus\n2025-05-01;Test;testar\n")
    parsed = pull(source, context(tmp_path)).parsed(source)
    assert texts(parsed) == [("a", "Test"), ("b", "Mer ljus")]
    assert [reason for _, reason in rejections(parsed)] == ["test_row"]


def test_a_missing_question_is_an_error_naming_it(recordings: Path) -> None:
    table = {**LIMESURVEY, "open_questions": {"Q9": "Finns inte"}}
    pulled = pull(make(path="surveys/limesurvey.csv", **table), context(recordings))
    assert "kolumnen 'Q9' saknas" in pulled.error


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"open_questions": OPEN}, "antingen path"),
        ({"url": "https://x", "open_questions": OPEN}, "survey_id, user_env och password_env"),
        ({"path": "a"}, "open_questions eller closed_items"),
        ({"path": "a", "closed_items": CLOSED}, "wave saknas"),
        ({"path": "a", "open_questions": OPEN, "respondent": "Q5"}, "respondent"),
    ],
)
def test_configuration_mistakes_are_told(table: Mapping[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        make(**table)


@given(st.text() | st.dictionaries(st.text(), st.text()).map(str))
def test_parse_is_total(payload: str) -> None:
    source = make(path="a", **LIMESURVEY)
    (parsed,) = source.parse(RawSubmission("enkat", "1", payload, NOW))
    assert isinstance(parsed, Rejection)
