"""The parts beneath the pages: searching, reasons, agreement, quality, texts, hiding."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lagesbild.review
from lagesbild.review import agreement, decide, search
from lagesbild.review.people import People, Person
from lagesbild.review.reasons import REASONS, Facts, judge
from lagesbild.review.reports import _redacted, pieces
from lagesbild.review.rules import coding_rules
from lagesbild.review.site import templates
from lagesbild.review.texts import decimal, english, local
from lagesbild.store.decisions import Choice, Reading
from lagesbild.store.hiding import shape
from lagesbild.text import fold
from tests.review.conftest import WEAK, Browser, ReviewTown

REVIEW = Path(lagesbild.review.__file__).parent


# --- searching ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query", ["angtor", "Ängtorget", "ÄNGT", "langare angtorget", "ängt  lang"]
)
def test_search_folds_and_takes_the_start_of_words(town: ReviewTown, query: str) -> None:
    page = town.reader().get(f"/ko?q={query}").text
    assert town.report_id(1) in page
    assert town.report_id(2) not in page


def test_every_word_of_a_search_must_be_there(town: ReviewTown) -> None:
    assert town.report_id(1) not in town.reader().get("/ko?q=langare lampa").text


@given(st.text(max_size=80))
def test_no_search_is_an_operator(query: str) -> None:
    expression = search.match_expression(query)
    if expression is not None:
        assert re.fullmatch(r'("\w+"\*)( "\w+"\*)*', expression)


@given(st.text(alphabet="abcåäöÅÄÖ é", min_size=1, max_size=30))
def test_a_text_is_found_by_its_own_folded_words(text: str) -> None:
    assert search.is_found_in(fold(text), text)


def test_a_search_for_nothing_but_signs_finds_no_error(town: ReviewTown) -> None:
    for query in ('"', "*", "AND OR NOT", "a NEAR b", "'; drop table item", "%"):
        assert town.reader().client.get("/ko", params={"q": query}).status_code == 200


# --- reasons --------------------------------------------------------------------------------------

PLAIN = Facts(
    folded_text="en lugn text",
    probabilities={"trafik": 1.0},
    themes=("trafik",),
    abstain=None,
    needs_review=False,
    category_theme=None,
    n_with_rarest=1000,
    reviewed_share_of_area=0.5,
    new_words=(),
    surge=0.0,
    was_decided=False,
)


def test_a_sure_and_common_report_is_worth_little() -> None:
    worth, told = judge(PLAIN)
    assert worth < 0.05
    assert told == []


@pytest.mark.parametrize(
    ("key", "changed"),
    [
        ("uncertain", {"probabilities": {"trafik": 0.5}}),
        ("abstained", {"abstain": "unsure"}),
        ("disagreeing", {"needs_review": True}),
        ("disagreeing", {"category_theme": "narkotika"}),
        ("urgent", {"folded_text": "akut, nagon har en kniv"}),
        ("rare_theme", {"n_with_rarest": 3}),
        ("drift", {"surge": 6.0}),
        ("new_words", {"new_words": ("tjack", "bolma", "sniffa")}),
        ("unread_area", {"reviewed_share_of_area": 0.0}),
        ("changed_text", {"was_decided": True}),
    ],
)
def test_each_reason_is_told_and_makes_it_worth_more(key: str, changed: dict[str, object]) -> None:
    facts = Facts(**{**{n: getattr(PLAIN, n) for n in Facts.__slots__}, **changed})
    worth, told = judge(facts)
    assert told == [key]
    assert worth > judge(PLAIN)[0]


def test_every_reason_has_a_sentence() -> None:
    reason = vars(templates().get_template("parts.html").make_module())["reason"]
    assert all(reason(key, lambda said: said.upper()).isupper() for key in REASONS)


# --- agreement and quality ------------------------------------------------------------------------


def test_alpha_and_kappa_by_hand() -> None:
    votes = [(True, True)] * 4 + [(False, False)] * 4 + [(True, False), (False, True)]
    assert agreement.kappa(votes) == pytest.approx(0.6)
    # Krippendorff: 1 - (n - 1) * disagreements / (n_yes * n_no) with n = 20 values
    assert agreement.alpha(votes) == pytest.approx(1 - 19 * 2 / (10 * 10))


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=30))
def test_alpha_is_the_same_read_from_either_side(votes: list[tuple[bool, bool]]) -> None:
    turned = [(b, a) for a, b in votes]
    assert agreement.alpha(votes) == agreement.alpha(turned)
    found = agreement.alpha(votes)
    assert found is None or found <= 1


def test_one_value_only_gives_no_measure() -> None:
    assert agreement.alpha([(False, False)] * 5) is None
    assert agreement.kappa([(True, True)] * 5) is None


def reading(number: int, themes: tuple[str, ...], weight: float = 1.0) -> Reading:
    return Reading(
        f"r{number}", f"s{number}", "sha", "v", "anna", "blind",
        themes={theme: Choice() for theme in themes}, weight=weight,
    )  # fmt: skip


def test_the_corrected_count_leans_on_the_sample() -> None:
    blind = [reading(n, ("trafik",) if n < 30 else ()) for n in range(100)]
    machine = {f"r{n}": ("trafik",) if n < 20 else () for n in range(100)}  # misses a third
    found = agreement.quality("trafik", blind, machine, n_reports=10_000, n_machine=2_000)
    assert found.precision is not None
    assert found.recall is not None
    assert found.corrected is not None
    assert found.precision.value == 1
    assert found.recall.value == pytest.approx(2 / 3)
    assert found.corrected.value == pytest.approx(3_000)
    assert found.corrected.low < 3_000 < found.corrected.high


def test_weights_undo_what_was_drawn_more_often() -> None:
    # the theme was drawn ten times as often: 10 wrong of 20 weigh 1 each, 10 missed weigh 10
    blind = [reading(n, ("trafik",) if n < 10 else (), 1.0) for n in range(20)]
    blind += [reading(n, ("trafik",) if n < 30 else (), 10.0) for n in range(20, 120)]
    machine = {f"r{n}": ("trafik",) if n < 20 else () for n in range(120)}
    found = agreement.quality("trafik", blind, machine, n_reports=1020, n_machine=20)
    assert found.recall is not None
    assert found.corrected is not None
    assert found.recall.value == pytest.approx(10 / 110)
    assert found.corrected.value == pytest.approx(20 + 100 - 10)


def test_more_readings_make_the_interval_narrower() -> None:
    widths = []
    for n in (40, 160, 640):
        blind = [reading(i, ("trafik",) if i % 4 == 0 else ()) for i in range(n)]
        machine = {f"r{i}": ("trafik",) if i % 5 == 0 else () for i in range(n)}
        found = agreement.quality("trafik", blind, machine, 10_000, 2_000)
        assert found.corrected is not None
        widths.append(found.corrected.width)
    assert widths[0] > widths[1] > widths[2]
    assert math.isclose(widths[1] / widths[2], 2, rel_tol=0.25)


def test_too_few_readings_give_no_corrected_count() -> None:
    blind = [reading(n, ()) for n in range(29)]
    machine: dict[str, tuple[str, ...]] = {f"r{n}": () for n in range(29)}
    assert agreement.quality("trafik", blind, machine, 100, 0).corrected is None


# --- hiding, and showing evidence -----------------------------------------------------------------


def test_words_are_hidden_however_they_are_written() -> None:
    assert decide.spans_of("Åsa och ÅSA", "åsa") == [(0, 3), (8, 11)]
    assert decide.spans_of("allt detta", "") == [(0, 10)]
    assert shape("Åsa 070-12") == "Aaa 999-99"


def test_pieces_are_the_text_and_hidden_evidence_is_gone(town: ReviewTown) -> None:
    report = town.app().state.site.reports.get(town.report_id(4))
    assert "".join(piece.text for piece in pieces(report)) == report.text
    assert [p.text for p in pieces(report) if p.themes] == ["lan"]
    later = _redacted(report, [(len(report.text) - 11, len(report.text))])
    assert [p.text for p in pieces(later) if p.themes] == ["lan"]
    over = _redacted(report, [(0, 7)])
    assert over.text.startswith("[dolt] igen")
    assert [p for p in pieces(over) if p.themes] == []


# --- people and texts -----------------------------------------------------------------------------


def test_a_session_ends_when_nobody_uses_it(tmp_path: Path) -> None:
    for limits in ({"idle_s": -1.0}, {"session_s": -1.0}):
        people = People(tmp_path / "people.sqlite", hasher=WEAK, **limits)
        people.add("anna", "reviewer", "ett-langt-losenord")
        assert people.session(people.begin_session(Person("anna", "reviewer"))) is None


def test_every_text_of_the_pages_has_english() -> None:
    told = re.compile(r'\bt\(\s*(?:"((?:[^"\\]|\\.)*)"|\'((?:[^\'\\]|\\.)*)\')')
    counted = re.compile(r'\btn\(\s*"([^"]*)",\s*"([^"]*)"')
    by_key = re.compile(r"\bt\(\{(.*?)\}", re.DOTALL)
    pages = [page.read_text(encoding="utf-8") for page in (REVIEW / "templates").glob("*.html")]
    texts = {one or other for page in pages for one, other in told.findall(page)}
    for names in (found for page in pages for found in by_key.findall(page)):
        texts.update(re.findall(r': "([^"]*)"', names))
    texts |= {text for page in pages for pair in counted.findall(page) for text in pair}
    assert texts - english().keys() == set()
    assert len(texts) > 200
    assert sum(page.count("tn(") for page in pages) == sum(len(counted.findall(p)) for p in pages)


def test_english_keeps_what_is_filled_in() -> None:
    wrong = [
        sv for sv, en in english().items()
        if sorted(re.findall(r"{\w+}", sv)) != sorted(re.findall(r"{\w+}", en))
    ]  # fmt: skip
    assert wrong == []


@pytest.mark.parametrize(
    ("stored", "how", "shown"),
    [
        ("2026-03-02 12:00:00", "minute", "2026-03-02 13:00"),
        ("2026-07-01T22:30:05.123456", "second", "2026-07-02 00:30:05"),
        ("2026-07-01T22:30:05+00:00", "day", "2026-07-02"),
        ("2026-12-31T23:00:00+00:00", "minute", "2027-01-01 00:00"),
    ],
)
def test_times_are_shown_as_clocks_in_sweden_show_them(stored: str, how: Any, shown: str) -> None:
    assert local(stored, how) == shown


def test_no_page_shows_another_time(town: ReviewTown) -> None:
    anna, chef = town.reader(), town.reader("chef", "admin")
    path = f"/rapport/{town.report_id(1)}"
    anna.answer(path, "narkotika")
    page = anna.get(path).text
    assert "2026-03-02 13:00" in page  # reported at noon in UTC
    assert "2026-03-03 13:00, anna" in page
    assert "UTC" not in page + chef.get("/logg").text
    assert f"{local(town.people.audit(1)[0][1], 'second')}" in chef.get("/logg").text


def test_one_is_not_told_as_many(town: ReviewTown) -> None:
    anna = town.reader()
    assert ">1 rapport<" in anna.get("/ko?q=akut").text
    assert ">0 rapporter<" in anna.get("/ko?q=finnsinte").text
    assert "Besluta om 1 rapport<" in anna.get("/samlat?q=akut").text
    anna.answer(f"/rapport/{town.report_id(2)}", "fysisk_miljo")
    page = anna.get("/resultat").text
    assert "1 av 4 rapporter är granskad. Du har beslutat 1 gång." in page
    anna.client.post("/sprak", data={"language": "en", "back": "/ko"})
    assert ">1 report<" in anna.get("/ko?q=akut&reviewed=").text
    assert "You have decided 1 time." in anna.get("/resultat").text


def test_a_remark_becomes_a_change_of_the_rule_once(town: ReviewTown) -> None:
    anna, bo = town.reader("anna"), town.reader("bo")
    rule = next(iter(coding_rules()))
    sent = {"csrf": anna.csrf(), "client_id": "kommentar-1", "rule": rule, "text": "För vagt."}
    anna.client.post("/regler", data=sent)
    page = bo.get("/regler").text
    assert "gör till ändring" in page
    assert "Inga ändringar ännu." in page
    for _ in range(2):
        sent = {"csrf": bo.csrf(), "comment_id": "kommentar-1"}
        assert bo.client.post("/regler/andring", data=sent).status_code == 303
    page = anna.get("/regler").text
    assert f"{rule}, bo: För vagt." in page
    assert page.count("För vagt.") == 2  # beside the rule, and in the changelog
    assert "gör till ändring" not in page
    sent = {"csrf": bo.csrf(), "comment_id": "finns-inte"}
    assert bo.client.post("/regler/andring", data=sent).status_code == 404


def test_the_page_of_results_tells_of_agreement(blind_town: ReviewTown) -> None:
    anna, bo = blind_town.reader("anna"), blind_town.reader("bo")
    assert "0 rapporter är lästa av två." in anna.get("/resultat").text
    report = blind_town.report_id(1)
    anna.answer(f"/rapport/{report}", "narkotika")
    page = bo.get(f"/andra/{report}").text
    form = Browser.fields(page.split('action="/andra/')[1].split("<fieldset")[0])
    bo.client.post(f"/andra/{report}", data={**form, "theme": "narkotika"})
    page = anna.get("/resultat").text
    assert "1 rapport är läst av två." in page
    assert "Överensstämmelse per tema" in page


def test_beginnings_of_similar_reports_are_logged_as_seen(town: ReviewTown) -> None:
    texts = [f"grannens hund skäller dygnet runt på Ekbacken, gång {n}" for n in range(3)]
    town.night(*({"id": 20 + n, "text": text} for n, text in enumerate(texts)))
    anna = town.reader()
    page = anna.get(f"/rapport/{town.report_id(20)}").text
    assert "Liknande rapporter" in page
    (detail,) = [row[5] for row in town.people.audit(1)]
    assert set(detail.split()) == {town.report_id(21), town.report_id(22)}


def test_numbers_are_written_as_the_language_does() -> None:
    assert decimal(0.675, 2, "sv") == "0,68" or decimal(0.675, 2, "sv") == "0,67"
    assert decimal(None, 2, "sv") == "–"
    assert decimal(-0.5, 1, "en") == "\u22120.5"
