"""The recorded survey files beside the project: each is read, or refused with a true reason."""

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from bench.recorded_surveys import file_counts

# file -> raw records, and why some of them were refused
READ = {
    "googleforms__dask_2019.csv": (259, {"empty_text"}),
    "jupyter2015_themes.jsonl": (4658, {"empty_text"}),
    "limesurvey__chatchavan_results-survey332449.csv": (9, set()),
    "limesurvey__chatchavan_results-survey673185.csv": (10, set()),
    "limesurvey__rse_de_2017_public_data.csv": (325, {"missing_time"}),
    "limesurvey__rse_international_2018_public_data.csv": (997, set()),
    "limesurvey__rse_uk_2017_public_data.csv": (253, {"missing_time"}),
    "other__alliance_cloud_2022_en_fr.csv": (512, {"missing_time"}),
    "surveygizmo__jupyter_2015_SurveyExport.csv": (1705, {"incomplete_answer", "empty_text"}),
    "surveymonkey__jupyter_2020_all_responses.csv": (1135, {"missing_time"}),
    "typeform__stacks_2020.csv": (69, {"missing_time"}),
    "typeform__stacks_2020.xlsx": (69, {"missing_time"}),
}
REFUSED = {
    "limesurvey__citric_answers.lss": "XML läses inte",
    "limesurvey__citric_survey.lss": "XML läses inte",
    "limesurvey__rse_uk_core_survey.lss": "XML läses inte",
    "limesurvey__colors.lsa": "arkiv som inte är en Excelfil",
    "limesurvey__rse_uk_2017_questions.csv": "columns.reported_at saknas",
}
KEPT = {"raw", "ParsedSubmission", "SurveyAnswer"}


@pytest.mark.parametrize("name", READ)
def test_recorded_files_are_read(shared_data: Path, name: str) -> None:
    path = shared_data / "surveys" / name
    n_raw, reasons = READ[name]
    _, counts = file_counts(path)
    assert counts["raw"] == n_raw
    assert {outcome.removeprefix("refused: ") for outcome in counts} - KEPT == reasons
    if reasons == {"missing_time"}:  # the files keep none, so nobody may have got one
        assert counts == Counter({"raw": n_raw, "refused: missing_time": n_raw})
        _, counts = file_counts(path, date(2020, 1, 1))
        assert set(counts) - KEPT <= {"refused: empty_text"}
        assert counts["raw"] == n_raw
    assert counts["ParsedSubmission"] + counts["SurveyAnswer"] > 0


@pytest.mark.parametrize("name", REFUSED)
def test_other_recorded_files_are_refused_with_the_reason(shared_data: Path, name: str) -> None:
    kind, counts = file_counts(shared_data / "surveys" / name)
    assert kind == "refused"
    assert REFUSED[name] in str(counts)


def test_no_recorded_file_is_forgotten(shared_data: Path) -> None:
    names = {path.name for path in (shared_data / "surveys").iterdir()}
    assert names == READ.keys() | REFUSED.keys()
