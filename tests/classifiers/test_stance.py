from __future__ import annotations

import pytest

from classifiers.learned_stance import LearnedStance, StanceCase, surroundings
from classifiers.reading import read
from classifiers.stance import rule_stance


def ruled(text: str, theme: str) -> str:
    (reading,) = read([text])
    case = StanceCase(reading, theme, reading.theme_words(theme))
    return rule_stance(surroundings([case])[0])


@pytest.mark.parametrize(
    ("text", "theme", "stance"),
    [
        ("Det säljs knark vid kiosken.", "narkotika", "problem"),
        ("Inga droger här.", "narkotika", "franvaro"),
        ("Det finns ingen belysning på stigen.", "fysisk_miljo", "problem"),
        ("Sätt upp kameror vid centrum.", "narvaro_fortroende", "onskemal"),
        ("När lagas lampan i tunneln?", "fysisk_miljo", "fraga"),
        ("Det har blivit mindre klotter i vår.", "skadegorelse", "forbattring"),
        ("Tack till nattvandrarna!", "narvaro_fortroende", "berom"),
        ("Det är inte klokt vad de klottrar.", "skadegorelse", "problem"),
        ("Langarna har försvunnit men nu står de vid skolan istället.", "narkotika", "problem"),
        ("Det har inte blivit mindre klotter.", "skadegorelse", "problem"),
        ("Det skulle vara tryggare med fler lampor.", "fysisk_miljo", "onskemal"),
    ],
)
def test_the_rules_read_negation_change_wish_and_question(text, theme, stance) -> None:
    assert ruled(text, theme) == stance


def test_two_clauses_of_one_text_keep_their_own_stance() -> None:
    text = "Mindre klotter nu, men mopederna kör fortfarande på gångvägen."
    assert ruled(text, "skadegorelse") == "forbattring"
    assert ruled(text, "trafik") == "problem"


def test_a_learnt_stance_tells_wishes_from_problems_and_survives_saving() -> None:
    wishes = [f"Jag önskar mig en ny lampa vid {place}" for place in ("bron", "ån", "kiosken")]
    faults = [f"Lampan vid {place} är trasig" for place in ("bron", "ån", "kiosken")]
    readings = read(wishes + faults)
    cases = [StanceCase(reading, "fysisk_miljo", ()) for reading in readings]
    model = LearnedStance.fit(cases, ["onskemal"] * 3 + ["problem"] * 3)
    again = LearnedStance.from_state(model.state())
    new = [
        StanceCase(r, "fysisk_miljo", ()) for r in read(["Jag önskar en lampa", "lampan trasig"])
    ]
    assert model.choose(new) == again.choose(new) == ["onskemal", "problem"]
    assert model.choose([]) == []
