"""Whatever is sent to the review page: never a fault of the server, never a text without a role."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lagesbild.review.people import Role
from tests.review.conftest import Browser, ReviewTown

SECRET_WORDS = ("langare", "lampa trasig", "Bagarn")
FEW = settings(
    max_examples=3,  # of each operation
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def browser(town: ReviewTown, role: str) -> Browser:
    """Somebody with the role, or nobody."""
    known: dict[str, Role] = {"reviewer": "reviewer", "planner": "planner", "admin": "admin"}
    return town.reader("anna", known[role]) if role else Browser(town.app())


@pytest.mark.parametrize("role", ["", "planner", "reviewer", "admin"])
def test_no_fault_and_no_text_without_a_role(town: ReviewTown, role: str) -> None:
    somebody = browser(town, role)
    schema = schemathesis.openapi.from_dict(town.app().openapi())
    operations = [found.ok() for found in schema.get_all_operations()]
    reports = [town.report_id(number) for number in (1, 2, 3, 4)]
    csrf = somebody.csrf() if role else ""
    assert len(operations) > 25
    seen: set[int] = set()

    def send(case: Any, report: str, is_ours: bool) -> None:
        if case.path in ("/logga-ut", "/personer", "/personer/av"):
            return  # would end the very session that the rest is tried in
        if "submission_id" in case.path_parameters:
            case.path_parameters["submission_id"] = report
        if is_ours and isinstance(case.body, dict):
            case.body["csrf"] = csrf
        kwargs = case.as_transport_kwargs(base_url="http://127.0.0.1")
        kwargs.pop("cookies", None)
        answer = somebody.client.request(**kwargs)
        seen.add(answer.status_code)
        assert answer.status_code < 500, case.path
        if role in ("", "planner"):
            assert not [word for word in SECRET_WORDS if word in answer.text]

    for operation in operations:
        cases = operation.as_strategy()
        FEW(given(cases, st.sampled_from(reports), st.booleans())(send))()
    assert seen >= ({200, 303} if role != "planner" else {200, 303, 403}), "too little was tried"
