"""The lägesbild, the week and the year: what they say, hide and show; that anyone can read them."""

from __future__ import annotations

import dataclasses
import html.parser
import re
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lagesbild.cli import main
from lagesbild.errors import UsageError
from lagesbild.indicators.dispersion import ASSUMED, Dispersion
from lagesbild.indicators.rates import count_interval
from lagesbild.publish.periods import Period, coarser, sums_of, week_days
from lagesbild.publish.report.breakdown import breakdown
from lagesbild.publish.report.facts import Facts, ThemeFact, gather
from lagesbild.publish.report.page import write_report
from lagesbild.publish.report.sheets import draw_wheel, write_week, write_wheel
from lagesbild.publish.report.source import find_place, month_range
from lagesbild.publish.report.wording import Language, Writer
from lagesbild.settings import Settings
from lagesbild.themes import load_themes

PLAN = load_themes()
AXE = Path(__file__).resolve().parent.parent / "vendor" / "axe.min.js"
Town = tuple[Path, Settings]


class Reader(html.parser.HTMLParser):
    """Tags that are left open, addresses asked for, and the text."""

    VOID = frozenset(("meta", "br", "link", "img", "input"))

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.headings: list[int] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        for name, value in attrs:
            if name in ("src", "href", "xlink:href") and value:
                self.addresses.append(value)
            if name == "id" and value:
                self.ids.append(value)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read(page: Path) -> tuple[str, Reader]:
    text = page.read_text(encoding="utf-8")
    reader = Reader()
    reader.feed(text)
    return text, reader


@pytest.fixture(scope="module")
def pages(town: Town, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every kind of page, in both languages."""
    snapshot, settings = town
    folder = tmp_path_factory.mktemp("pages")
    made = {}
    for language in ("sv", "en"):
        args = (snapshot, settings, PLAN)
        period = Period("2025-Q1")
        made[f"report-{language}"] = write_report(*args, "0180", period, folder, language)
        made[f"week-{language}"] = write_week(*args, "2026-V02", folder, language)
        made[f"wheel-{language}"] = write_wheel(*args, "2025", folder, language)
    return made


def test_pages_stand_alone_and_are_well_formed(pages: dict[str, Path]) -> None:
    for name, page in pages.items():
        text, reader = read(page)
        assert reader.open == []
        assert all(address.startswith("#") for address in reader.addresses)
        assert len(reader.ids) == len(set(reader.ids))
        assert re.search(rf'<html lang="{name[-2:]}">', text)
        assert not re.search(r"url\((?!#)", text)
        assert "<script" not in text
        assert reader.headings[0] == 1
        assert all(b - a <= 1 for a, b in zip(reader.headings, reader.headings[1:], strict=False))


def test_a_week_beside_published_months_must_not_leave(
    pages: dict[str, Path], town: Town, tmp_path: Path
) -> None:
    assert "Arbetsmaterial: lämna inte ut." in read(pages["week-sv"])[0]
    snapshot, settings = town
    weekly = settings.publish.model_copy(update={"periods": "weeks"})
    alone = settings.model_copy(update={"publish": weekly})
    page = write_week(snapshot, alone, PLAN, "2026-V02", tmp_path)
    assert "Arbetsmaterial" not in read(page)[0]


def test_no_months_beside_published_weeks(town: Town, tmp_path: Path) -> None:
    snapshot, settings = town
    weekly = settings.publish.model_copy(update={"periods": "weeks"})
    alone = settings.model_copy(update={"publish": weekly})
    with pytest.raises(UsageError, match="veckor publiceras"):
        gather(snapshot, alone, PLAN, "1280", Period("2026-01"))
    with pytest.raises(UsageError, match="veckor publiceras"):
        write_wheel(snapshot, alone, PLAN, "2026", tmp_path)


def test_every_drawing_has_a_name_and_every_figure_its_table(pages: dict[str, Path]) -> None:
    for name, page in pages.items():
        text, _ = read(page)
        drawings = re.findall(r"<svg [^>]*>", text)
        assert drawings
        assert all(re.search(r'role="img" aria-label="[^"]+"', drawing) for drawing in drawings)
        if name.startswith("report"):
            assert text.count("<table>") >= text.count("<figure>")


def test_the_report_says_what_can_be_said(pages: dict[str, Path]) -> None:
    text, _ = read(pages["report-sv"])
    assert "Lägesbild: Stockholm" in text
    assert "Under januari–mars 2025 kom" in text
    assert "Bilden saknas." in text  # nobody sends the police's or the municipality's
    assert "Polisens notiser: bilden saknas" in text
    assert "väljer själva" in text
    english, _ = read(pages["report-en"])
    assert "This picture is missing." in english
    assert "Lägesbild" not in english
    assert "visas inte" not in english


def test_week_and_year_say_what_is_hidden_and_what_is_nothing(pages: dict[str, Path]) -> None:
    week, wheel = (
        re.sub(r"\s*\n\s*", "", read(pages[name])[0]) for name in ("week-sv", "wheel-sv")
    )
    assert re.search(r"samma vecka tidigare år, 2025: (\d+|\.\.)\)", week)
    assert "Mest rapporterat av det som visas" in wheel
    assert "mars</th><td>..</td><td>..</td>" in wheel
    assert "april</th><td>0</td><td></td>" in wheel


def test_no_hidden_count_is_in_the_report(town: Town, pages: dict[str, Path]) -> None:
    """Each number of a table, a label or a sentence is one that the families show."""
    facts = gather(*town, PLAN, "0180", Period("2025-Q1"))
    small = {fact.theme for fact in facts.themes if fact.count is None}
    text, _ = read(pages["report-sv"])
    for theme in small:
        row = re.search(rf"<tr><th scope=\"row\">{PLAN.label(theme)}</th><td>(.*?)</td>", text)
        assert row is None or row[1] == ".."
    shown = [n for counts in facts.trends.values() for n in counts if n is not None]
    assert not {1, 2, 3, 4} & set(shown)


def test_no_text_of_a_report_is_in_any_page(pages: dict[str, Path]) -> None:
    for page in pages.values():
        assert "langare" not in page.read_text(encoding="utf-8")


def test_the_same_store_gives_the_same_page(
    town: Town, pages: dict[str, Path], tmp_path: Path
) -> None:
    again = write_report(*town, PLAN, "0180", Period("2025-Q1"), tmp_path)
    assert again.read_bytes() == pages["report-sv"].read_bytes()


def test_charts_are_pictures_too(pages: dict[str, Path]) -> None:
    page = pages["report-sv"]
    folder = page.with_name(f"{page.stem}_diagram")
    names = {file.stem for file in folder.glob("*.svg")}
    assert "teman" in names
    assert names == {file.stem for file in folder.glob("*.png")}
    for file in folder.iterdir():
        if file.suffix == ".png":
            assert file.read_bytes().startswith(b"\x89PNG")
        else:
            ET.fromstring(file.read_text(encoding="utf-8"))  # noqa: S314 - our own file


@pytest.mark.parametrize("width", [1280, 390])
def test_no_barrier_for_anyone(pages: dict[str, Path], width: int) -> None:
    """axe-core finds nothing, a phone needs no sideways scrolling, the week fits on one sheet."""
    sync_api = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None or not AXE.exists():
        pytest.skip("Chromium or axe-core is missing")
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        view = browser.new_page(viewport={"width": width, "height": 900}, bypass_csp=True)
        asked: list[str] = []
        view.on("request", lambda request: asked.append(request.url))
        for page in pages.values():
            view.goto(page.as_uri())
            view.add_script_tag(path=str(AXE))
            found = view.evaluate("async () => (await axe.run()).violations.map(v => v.id)")
            assert found == []
            assert view.evaluate("document.documentElement.scrollWidth") <= width
        for name in ("week-sv", "week-en"):
            view.goto(pages[name].as_uri())
            printed = view.pdf(prefer_css_page_size=True)
            assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
        browser.close()
    assert all(url.startswith("file:") for url in asked)


def test_months_to_come_are_not_told_as_nothing() -> None:
    wheel = draw_wheel([7, None], [f"m{n}" for n in range(12)], "2026")
    assert re.findall(r">(7|\.\.|–|0)<", wheel) == ["7", "..", *["–"] * 10]


# --- the command ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--area", "9999", "--period", "2025"], "9999 finns inte"),
        (["--area", "0180", "--period", "2025-13"], "går inte att läsa"),
        (["--area", "0180", "--period", "1999"], "inga rapporter"),
        (["--week", "2025-V54"], "finns inte"),
        (["--area", "0180", "--week", "2026-V02"], "--period"),
        (["--year-wheel", "1999"], "inga rapporter"),
        ([], "--period"),
    ],
)
def test_wrong_usage_is_one_sentence(
    town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    config = str(town[1].base_dir / "lagesbild.toml")
    assert main(["report", *arguments, "--config", config, "--out", str(tmp_path)]) == 2
    captured = capsys.readouterr()
    assert told in captured.err
    assert captured.out == ""


def test_the_command_prints_where_the_page_lies(
    town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = str(town[1].base_dir / "lagesbild.toml")
    arguments = ["--area", "kommun:1280", "--period", "2025-T1", "--config", config]
    assert main(["report", *arguments, "--out", str(tmp_path)]) == 0
    assert Path(capsys.readouterr().out.strip()).name == "lagesbild_1280_2025-T1.html"


def test_a_place_may_be_named_with_its_type(town: Town) -> None:
    assert find_place(town[0], "0180") == find_place(town[0], "kommun:0180")


@pytest.fixture(scope="module")
def facts(town: Town) -> Facts:
    return gather(*town, PLAN, "0180", Period("2025-Q1"))


@pytest.mark.parametrize(
    ("language", "counts", "said"),
    [
        ("sv", (9, 0), "Mest rapporterade teman är trafik (9)."),
        ("sv", (9, None), "Mest rapporterat av det som visas: trafik (9). Dolda antal kan vara"),
        ("en", (9, 0), "The themes reported most are traffic (9)."),
        ("en", (9, None), "Reported most of what is shown: traffic (9). Hidden numbers may be"),
    ],
)
def test_what_is_hidden_may_have_been_reported_most(
    facts: Facts, language: Language, counts: tuple[int, int | None], said: str
) -> None:
    themes = [
        ThemeFact(theme, count, None, None, None, None)
        for theme, count in zip(("trafik", "narkotika"), counts, strict=True)
    ]
    told = " ".join(Writer(dataclasses.replace(facts, themes=themes), PLAN, language).summary())
    assert said in told


@pytest.mark.parametrize(
    ("language", "hidden", "said"),
    [
        ("sv", 0, "Parterna lyfter olika teman."),
        ("sv", None, "Parterna lyfter olika teman, av det som visas."),
        ("en", 0, "The parties raise different themes."),
        ("en", None, "The parties raise different themes, of what is shown."),
    ],
)
def test_parties_may_agree_on_what_is_hidden(
    facts: Facts, language: Language, hidden: int | None, said: str
) -> None:
    pictures = {
        "residents": [("trafik", 30), ("narkotika", hidden)],
        "police": [("narkotika", 20), ("trafik", hidden)],
    }
    told = Writer(dataclasses.replace(facts, pictures=pictures), PLAN, language)
    assert told.agreement() == said


def test_what_two_agree_on_may_be_what_all_do(facts: Facts) -> None:
    pictures = {"residents": [("trafik", 30)], "police": [("trafik", 20)]}
    told = Writer(dataclasses.replace(facts, pictures=pictures), PLAN, "sv")
    assert told.agreement() == "Två av parterna lyfter trafik."
    hidden = {**pictures, "municipality": [("trafik", None)]}
    told = Writer(dataclasses.replace(facts, pictures=hidden), PLAN, "sv")
    assert told.agreement() == "Två av parterna lyfter trafik. Dolda antal kan ändra det."


def test_themes_level_with_the_last_are_raised_too(facts: Facts) -> None:
    level = [(theme, 5) for theme in PLAN.main[:7]]
    raised = dataclasses.replace(facts, pictures={"police": [*level, ("trafik", None)]})
    assert raised.raised("police") == list(PLAN.main[:7])
    assert raised.raised("residents") == []


def test_where_too_little_is_shown_a_cautious_spread_is_assumed(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_little(history: object) -> Dispersion:
        raise ValueError(history)

    monkeypatch.setattr("lagesbild.publish.report.facts.dispersion", too_little)
    found = [f for f in gather(*town, PLAN, "0180", Period("2025-Q1")).themes if f.count]
    assert found
    assert all(f.interval == count_interval(f.count or 0, ASSUMED) for f in found)


# --- periods and breakdowns -----------------------------------------------------------------------


def test_periods_know_what_is_before_them() -> None:
    assert [
        Period(p).before.code for p in ("2025", "2025-Q1", "2025-T2", "2025-01", "2025-10")
    ] == [
        "2024",
        "2024-Q4",
        "2025-T1",
        "2024-12",
        "2025-09",
    ]
    assert Period("2025-T3").months == ("2025-09", "2025-10", "2025-11", "2025-12")
    assert Period("2025-Q2").year_before.code == "2024-Q2"
    assert week_days("2020-V53")[1].isoformat() == "2021-01-03"
    with pytest.raises(UsageError):
        week_days("2021-V53")


@given(st.integers(0, 600), st.integers(0, 40), st.sampled_from("QT"))
def test_months_add_up_to_what_they_are_part_of(start: int, n: int, part: str) -> None:
    first = f"{1990 + start // 12}-{start % 12 + 1:02}"
    end = start + n
    months = month_range(first, f"{1990 + end // 12}-{end % 12 + 1:02}")
    assert len(months) == n + 1
    named = coarser(months, part)
    codes = sorted({code for codes in named.values() for code in codes})
    for rule in sums_of(codes, "alla"):
        inside = [m for m in months if rule.total in (*named[m], "alla")]
        if rule.total != "alla" and not rule.total.isdigit():
            assert list(rule.parts) == inside


counts = st.dictionaries(
    st.tuples(st.sampled_from("ab"), st.sampled_from("xyz")), st.integers(1, 12), max_size=6
)


@given(counts)
@settings(deadline=None)  # it solves integer programmes
def test_a_breakdown_never_undoes_hiding(counts: dict[tuple[str, str], int]) -> None:
    whole: dict[str, int | None] = {}
    for (key, _), n in counts.items():
        whole[key] = (whole.get(key) or 0) + n
    whole = {key: None if n is not None and n < 5 else n for key, n in whole.items()}
    shown = breakdown(counts, whole)
    for (key, part), n in shown.items():
        assert n is None or n == counts[key, part] >= 5
        hidden = [p for (k, p), m in shown.items() if k == key and m is None]
        assert len(hidden) != 1 or whole[key] is None
        assert whole[key] is not None or n is None
