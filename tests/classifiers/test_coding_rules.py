"""The coding rules of data/themes.yaml as behaviour of the bundled model, on plain examples."""

from __future__ import annotations

import pytest

from classifiers import Classifier, load_classifier


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return load_classifier()


def coded(classifier: Classifier, text: str, question: str | None = None) -> dict[str, str]:
    (decided,) = classifier.classify([text], [question])
    return {mention.theme: mention.stance for mention in decided.themes}


@pytest.mark.parametrize(
    ("rule", "text", "themes"),
    [
        ("R1", "Tonåringar säljer hasch bakom gymnasiet.", {"narkotika", "ungdomar"}),
        ("R2", "Mopeder kör som galningar på gångvägen.", {"trafik"}),
        ("R10", "Gatlyktan utanför vår port har varit trasig i tre veckor.", {"fysisk_miljo"}),
        ("R10", "Det är stora potthål i asfalten på Ringvägen.", {"drift_underhall"}),
        ("R16", "Bygg en cykelbana mellan byn och stationen.", {"trafik"}),
        ("R18", "Man misstänkt för rattfylleri stoppades på riksvägen.", {"trafik"}),
        ("R19", "Blev rånad på mobilen av två män med kniv.", {"vald_hot", "vapen_natverk"}),
        ("R19", "Skottlossning mot en lägenhet i natt, ingen skadad.", {"vapen_natverk"}),
        ("R20", "Det var inbrott i vårt källarförråd.", {"stold_bedrageri"}),
        ("R20", "Någon har klottrat på hela busskuren.", {"skadegorelse"}),
        ("R23", "Papperskorgarna är överfulla och det ligger skräp överallt.", {"nedskrapning"}),
    ],
)
def test_the_themes_a_plain_text_is_coded_with(classifier, rule, text, themes) -> None:
    assert set(coded(classifier, text)) == themes, rule


@pytest.mark.parametrize(
    ("text", "theme", "stance"),
    [
        ("Det säljs knark vid stationen varje kväll.", "narkotika", "problem"),
        ("Det säljs knark helt öppet vid stationen.", "narkotika", "problem"),
        ("Det säljs knark här", "narkotika", "problem"),
        ("Här säljs inga droger.", "narkotika", "franvaro"),
        ("Det säljs inte droger på torget längre.", "narkotika", "forbattring"),
        ("Helt sjukt vad mycket knark det finns i parken", "narkotika", "problem"),
        ("Inte klokt så det knarkas i trappan.", "narkotika", "problem"),
        (
            "Grannen säger att det langas i källaren, själv har jag inte sett det.",
            "narkotika",
            "problem",
        ),
        ("Fler tonåringar än förut sitter och röker hasch vid ån.", "narkotika", "problem"),
        ("Sätt upp farthinder på vår gata, bilarna kör för fort!", "trafik", "onskemal"),
        ("Det finns ingen belysning på gångvägen.", "fysisk_miljo", "problem"),
        ("När lagas lampan vid gångtunneln?", "fysisk_miljo", "fraga"),
    ],
)
def test_the_stance_of_a_plain_text(classifier, text, theme, stance) -> None:
    assert coded(classifier, text)[theme] == stance


@pytest.mark.parametrize(
    "text",
    [
        "Kan ni bygga en ny simhall?",
        "Hjärtligt tack för den fina konserten på biblioteket.",
        "Gäller busskortet även på färjan?",
    ],
)
def test_other_topics_get_no_theme_proper(classifier, text) -> None:
    assert set(coded(classifier, text)) <= {"drift_underhall"}


@pytest.mark.parametrize("text", ["Inget", "-", "nej", "Vet ej", "Inget särskilt."])
def test_nothing_is_no_theme_and_means_more_with_its_question(classifier, text) -> None:
    alone, asked = classifier.classify([text, text], [None, "Vad gör dig otrygg där du bor?"])
    assert alone.abstain == "too_little_text"
    assert alone.needs_review
    assert asked.abstain == "none_of_these"
    assert not asked.needs_review


def test_no_to_a_yes_or_no_question_is_an_answer(classifier) -> None:
    questions = ["Känner du dig trygg där du bor?", "Är det något du är orolig för?"]
    said, nothing = classifier.classify(["nej", "nej"], questions)
    assert said.needs_review
    assert nothing.abstain == "none_of_these"
    assert not nothing.needs_review


@pytest.mark.parametrize("text", ["allt", "hm jo"])
def test_a_word_without_a_theme_is_sent_to_review(classifier, text) -> None:
    (decided,) = classifier.classify([text], ["Vad gör dig otrygg?"])
    assert decided.needs_review


@pytest.mark.parametrize(
    "text", ["Politikerna är värdelösa allihop.", "Alla invandrare borde skickas hem nu."]
)
def test_an_opinion_on_groups_or_politics_is_sent_to_review(classifier, text) -> None:
    (decided,) = classifier.classify([text])
    assert decided.needs_review


def test_one_word_is_coded_and_sent_to_review(classifier) -> None:
    (decided,) = classifier.classify(["knark"])
    assert [mention.theme for mention in decided.themes] == ["narkotika"]
    assert decided.needs_review


def test_a_language_that_is_not_served_is_named(classifier) -> None:
    (decided,) = classifier.classify(["قطتي نائمة على الأريكة منذ الصباح وهي سعيدة"])
    assert decided.language == "ar"
    assert decided.abstain == "language"
    assert decided.needs_review


def test_an_implicit_text_shows_the_words_that_decided(classifier) -> None:
    text = "De byter små plastpåsar mot sedlar bakom cykelstället varje kväll."
    (decided,) = classifier.classify([text])
    for mention in decided.themes:
        shown = [text[start:end] for start, end in mention.evidence]
        assert all(shown)
        assert len("".join(shown)) < len(text)
