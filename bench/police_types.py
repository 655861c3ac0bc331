"""Themes of police notices by the event type that the police themselves gave.

    python -m bench.police_types FILE [FILE ...] [-n 4000] [--classifier NAME]

FILE: archived notices, one JSON object a line (.gz too), with "text", "body", "label" and
"datetime". The classifier reads text and body, never the notice's name or address, which hold the
type in words. A notice whose words have been seen before, in the same or an earlier file, is left
out, and so are summaries of many events. `-n` draws so many notices at random (fixed seed). Nothing
is tuned on these: the table is told for each half-year by itself, to show whether time matters.

Recall: how many notices of the type were given its theme, with Wilson's 95 % interval. False
alarms: among notices of the other types listed, how many were given the theme; an upper bound,
since a notice has one type and may be about more (a drunk driver in an accident). Types that often
have the theme themselves are left out of its false alarms.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.json_lines import read_rows
from classifiers import load_classifier
from classifiers.evaluation import share
from lagesbild.text import fold

_BATCH = 256
# The police's types -> the theme that the coding rules give a notice that says what happened.
# Types that may mean several themes, or none, are not here.
THEME_OF: Mapping[str, str] = {
    "Narkotikabrott": "narkotika",
    "Trafikolycka": "trafik",
    "Trafikolycka, personskada": "trafik",
    "Trafikolycka, singel": "trafik",
    "Trafikolycka, vilt": "trafik",
    "Rattfylleri": "trafik",
    "Trafikkontroll": "trafik",
    "Trafikbrott": "trafik",
    "Olovlig körning": "trafik",
    "Skadegörelse": "skadegorelse",
    "Fylleri/LOB": "alkohol",
    "Misshandel": "vald_hot",
    "Misshandel, grov": "vald_hot",
    "Bråk": "vald_hot",
    "Olaga hot": "vald_hot",
    "Rån": "vald_hot",
    "Stöld": "stold_bedrageri",
    "Stöld/inbrott": "stold_bedrageri",
    "Inbrott": "stold_bedrageri",
    "Bedrägeri": "stold_bedrageri",
    "Knivlagen": "vapen_natverk",
    "Vapenlagen": "vapen_natverk",
    "Skottlossning": "vapen_natverk",
    "Försvunnen person": "social_utsatthet",
}
# Types with none of the themes above (coding rule R20): for false alarms only.
OTHER = ("Arbetsplatsolycka", "Fjällräddning")
# Theme -> types in which it is common as well, so that giving it is often right.
ALSO: Mapping[str, frozenset[str]] = {
    "narkotika": frozenset({"Rattfylleri", "Trafikkontroll", "Trafikbrott", "Olovlig körning"}),
    "alkohol": frozenset({"Rattfylleri", "Misshandel", "Misshandel, grov", "Bråk"}),
    "vald_hot": frozenset({"Knivlagen", "Vapenlagen", "Skottlossning", "Fylleri/LOB"}),
    "vapen_natverk": frozenset({"Rån", "Misshandel, grov", "Misshandel", "Olaga hot", "Bråk"}),
    "skadegorelse": frozenset({"Stöld/inbrott", "Inbrott", "Stöld"}),
    "stold_bedrageri": frozenset({"Rån", "Trafikbrott", "Olovlig körning"}),
    "trafik": frozenset({"Narkotikabrott", "Stöld"}),
}


@dataclass(frozen=True, slots=True)
class Notice:
    event_type: str
    half_year: str
    text: str


def read_notices(paths: Iterable[Path]) -> Iterator[Notice]:
    """Notices of the types listed, each text once."""
    seen: set[str] = set()
    for path in paths:
        for row in read_rows(path):
            text = "\n".join(filter(None, (row.get("text"), row.get("body"))))
            words = " ".join(fold(text).split())
            if row["label"] in {*THEME_OF, *OTHER} and words and words not in seen:
                seen.add(words)
                yield Notice(row["label"], _half_year(row["datetime"]), text)


def _half_year(moment: str) -> str:
    return f"{moment[:4]}-H{1 if moment[5:7] <= '06' else 2}"


def given_themes(texts: Sequence[str], name: str) -> list[frozenset[str]]:
    classifier = load_classifier(name)
    given: list[frozenset[str]] = []
    for start in range(0, len(texts), _BATCH):
        decided = classifier.classify(texts[start : start + _BATCH])
        given += [frozenset(mention.theme for mention in d.themes) for d in decided]
    return given


def told(n: int, of: int) -> str:
    found = share(n, of)
    if found["value"] is None:
        return "-"
    return f"{found['value']:.3f} [{found['low']:.3f}-{found['high']:.3f}] n={of}"


def recall_lines(notices: Sequence[Notice], given: Sequence[frozenset[str]]) -> Iterator[str]:
    pairs = list(zip(notices, given, strict=True))
    halves = sorted({notice.half_year for notice in notices})
    for event_type, theme in THEME_OF.items():
        own = [(notice.half_year, theme in themes) for notice, themes in pairs
               if notice.event_type == event_type]  # fmt: skip
        cells = [told(sum(hit for _, hit in own), len(own))]
        for half in halves:
            hits = [hit for when, hit in own if when == half]
            cells.append(f"{half} {told(sum(hits), len(hits))}")
        yield f"{event_type:26} {theme:17} " + "  ".join(cells)


def alarm_lines(notices: Sequence[Notice], given: Sequence[frozenset[str]]) -> Iterator[str]:
    for theme in dict.fromkeys(THEME_OF.values()):
        right = {event for event, own in THEME_OF.items() if own == theme} | ALSO.get(theme, set())
        others = [
            (notice.event_type, theme in themes)
            for notice, themes in zip(notices, given, strict=True)
            if notice.event_type not in right
        ]
        line = f"{theme:17} {told(sum(hit for _, hit in others), len(others))}"
        if others:
            worst = max(
                sorted({event for event, _ in others}),
                key=lambda event: _mean([hit for other, hit in others if other == event]),
            )
            alarms = [hit for other, hit in others if other == worst]
            line += f", most in {worst} ({told(sum(alarms), len(alarms))})"
        yield line


def _mean(values: Sequence[bool]) -> float:
    return sum(values) / len(values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("-n", type=int, default=None, help="draw so many notices")
    parser.add_argument("--classifier", default="combined")
    options = parser.parse_args()
    notices = list(read_notices(options.files))
    print(f"{len(notices)} notices of {len(THEME_OF) + len(OTHER)} types, each text once", end="")
    if options.n and options.n < len(notices):
        notices = random.Random(1).sample(notices, options.n)  # noqa: S311
        print(f"; {options.n} drawn at random", end="")
    given = given_themes([notice.text for notice in notices], options.classifier)
    print("\n\nrecall")
    print("\n".join(recall_lines(notices, given)))
    print("\nfalse alarms, at most")
    print("\n".join(alarm_lines(notices, given)))
    none = [themes for notice, themes in zip(notices, given, strict=True)
            if notice.event_type in OTHER]  # fmt: skip
    print(f"any theme in {', '.join(OTHER)}: {told(sum(map(bool, none)), len(none))}")


if __name__ == "__main__":
    main()
