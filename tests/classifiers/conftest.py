"""A tiny training run shared by the tests: two dozen invented texts, far too few to be good."""

from __future__ import annotations

import pytest

from classifiers.combined import CombinedClassifier, Model
from classifiers.labelled import Labelled, Mention
from classifiers.training import train_model

_TEXTS = {
    "narkotika.handel": (
        "de langar vid bron",
        "det säljs knark i parken",
        "små påsar byter ägare varje kväll",
        "langare i porten igen",
        "man kan köpa hasch vid kiosken",
        "bilar stannar kort, någon räcker in något",
    ),
    "trafik.hastighet": (
        "bilarna kör för fort här",
        "fortkörning förbi förskolan",
        "alla kör nittio på femtiovägen",
        "sänk hastigheten på storgatan",
        "kör så fort att man hoppar i diket",
        "racing om nätterna på rakan",
    ),
    "fysisk_miljo.belysning": (
        "lampan lyser inte på stigen",
        "det är kolmörkt i tunneln",
        "belysningen är trasig vid skolan",
        "hela gångvägen ligger i mörker",
        "sätt upp fler lampor",
        "ser inte handen framför mig efter fyra",
    ),
    "ovrigt": (
        "när öppnar biblioteket",
        "kan vi få en simhall",
        "maten på skolan är god",
        "bygglov tar lång tid",
        "bussen är alltid sen",
        "fler konserter tack",
    ),
}


def tiny_rows() -> list[Labelled]:
    rows = []
    for code, texts in _TEXTS.items():
        theme, _, subtheme = code.partition(".")
        for voice, text in enumerate(texts):
            stance = "onskemal" if text.startswith(("sätt", "sänk", "kan", "fler")) else "problem"
            mention = Mention(theme, subtheme or None, frozenset({stance}))
            key = f"{theme}-{voice}"
            rows.append(Labelled(key, f"v{voice}", text, None, "sv", (mention,), ("plain",)))
    return rows


@pytest.fixture(scope="session")
def tiny_model() -> Model:
    return train_model(tiny_rows())


@pytest.fixture(scope="session")
def tiny(tiny_model: Model) -> CombinedClassifier:
    return CombinedClassifier(tiny_model, "tiny")
