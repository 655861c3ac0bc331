"""One normal form, one folded form, one language."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lagesbild.text import fold, language, normalise

# Pieces that make and unmake markup, entities, mojibake and spacing when put side by side.
PIECES = st.lists(
    st.sampled_from(
        [
            *(
                "&",
                "amp;",
                "lt;",
                "#38;",
                "#x26;",
                "#60;",
                "nbsp;",
                "<",
                ">",
                "b",
                "/b",
                "br",
                "br/",
            ),
            *(
                " ",
                "\n",
                "\r\n",
                "\t",
                "\x00",
                "\u200b",
                "\u00a0",
                "\u2028",
                "\ufeff",
                "\u0301",
                "e",
            ),
            *("Ã¤", "Ã¥", "Ã", "¤", "ö", "a\u030a", "script", "<!--", "-->", "\ud800", "ord"),
        ]
    ),
    max_size=25,
).map("".join)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("FÃ¶rskolan pÃ¥ BjÃ¶rkÃ¤ngen", "Förskolan på Björkängen"),
        ("TÃƒÂ¤by", "Täby"),  # encoded wrongly twice
        ("Hej&nbsp;d&aring;", "Hej då"),
        ("5 &amp;amp;lt; 6", "5 < 6"),
        ("<p>Mörkt i <b>parken</b></p><p>Otäckt</p>", "Mörkt i parken\n\nOtäckt"),
        ("rad ett<br />rad två", "rad ett\nrad två"),
        ("ljud <70 dB och >50 på natten", "ljud <70 dB och >50 på natten"),
        ("kl <b", "kl <b"),
        ("bo\u00adstad\u200b och\x07 torg", "bostad och torg"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("  två   ord \t här  \n\n\n\n  slut ", "två ord här\n\nslut"),
        ("a\u030a a\u0308 o\u0308", "å ä ö"),
        ("?a=1&copy=2", "?a=1&copy=2"),  # no semicolon: an address, not an entity
        ("<script>alert(1)</script>Hej", "Hej"),
        ("\ud83d", ""),
        ("\ufeff \n ", ""),
    ],
)
def test_normal_form(raw: str, expected: str) -> None:
    assert normalise(raw) == expected


@given(st.text() | PIECES)
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once


@given(st.text() | PIECES)
def test_normal_form_has_nothing_hidden(text: str) -> None:
    once = normalise(text)
    once.encode()
    assert once == once.strip()
    assert "  " not in once
    hidden = {c for c in once if unicodedata.category(c) in {"Cc", "Cf", "Cs"}}
    assert hidden <= set("\n\u200c\u200d")


def test_every_invisible_character_goes_and_no_visible_one() -> None:
    # C1 controls are left out: they are cp1252 read wrongly, and repaired (\x80 is a euro sign).
    every = [
        chr(c) for c in range(0x20, 0x110000) if not (0x80 <= c < 0xA0 or 0x200C <= c < 0x200E)
    ]
    hidden = [c for c in every if unicodedata.category(c) in {"Cc", "Cf", "Cs"}]
    letters = [c for c in every[:0x480] if c.isalnum()]
    assert normalise("x".join(hidden)) == "x" * (len(hidden) - 1)
    assert all(normalise(c) == unicodedata.normalize("NFC", c) for c in letters)


def test_folding() -> None:
    assert (
        fold("Åkersberga, ÄLMHULT & Öckerö Café Łódź") == "akersberga, almhult & ockero cafe lodz"
    )


@given(st.text())
def test_folding_keeps_every_position(text: str) -> None:
    assert len(fold(text)) == len(text)


@given(st.text(alphabet=st.characters(max_codepoint=0x24F)))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ungdomar säljer knark vid skolan varje kväll", "sv"),
        ("knark", "sv"),
        ("park", "sv"),  # one word of any language
        ("", "sv"),
        ("12345 !!!", "sv"),
        ("[namn] [telefon]", "sv"),
        ("There are people selling drugs outside the station", "en"),
        ("Nuoret huutavat ja rikkovat paikkoja joka ilta puistossa", "fi"),
        ("الشباب يبيعون المخدرات قرب المدرسة", "ar"),
        ("مخدرات", "ar"),
        ("Біля школи продають наркотики щовечора", "uk"),
        ("темно", "uk"),
        ("Dhalinyarada ayaa daroogo ka iibinaya meel u dhow dugsiga", "so"),
        ("Los jóvenes venden drogas cerca de la escuela por la noche", "es"),
        ("Młodzież sprzedaje narkotyki koło szkoły każdego wieczoru", "pl"),
        ("Det selges narkotika bak butikken hver kveld.", "no"),
        ("Eg tør ikkje gå heim åleine om kvelden.", "no"),
        ("Der bliver solgt stoffer bag butikken hver aften.", "da"),
        ("Hinter dem Laden werden jeden Abend Drogen verkauft.", "de"),
        ("de va fult o tyst vid gatan o hunnen e arg", "sv"),  # misspelt, nearly Norwegian
        ("full gubbe ligger i busskuren", "sv"),
    ],
)
def test_language(text: str, expected: str) -> None:
    assert language(text) == expected
