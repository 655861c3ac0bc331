"""The classifier on real texts that two readers coded; the texts themselves are not kept here.

    python -m bench.real_texts FILE [FILE ...] [--classifier NAME]

FILE: archived proposals ("title", "text") and police notices ("text", "body"), one JSON object a
line (.gz too). data/coded/real_texts.jsonl says by id what each reader gave; a text that is in no
file is left out and counted. Readers did not see each other's codes, nor any model's.

Texts of part `seen` have been looked at, with the classifier's errors, before more texts were
written for it to learn from; those of part `aside` have not, and only they tell how good it is on
texts that nobody knew.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.agreement import f1, interval, kappa
from bench.json_lines import read_rows
from classifiers import load_classifier
from classifiers.evaluation import as_text, score
from classifiers.labelled import Labelled, Mention, load_labelled, near_duplicates
from lagesbild.resources import data_path
from lagesbild.themes import load_themes

CODED = data_path("coded", "real_texts.jsonl")
_LONGEST = 700  # letters of a notice that the readers saw
Codes = Sequence[Sequence[str]]  # [theme, stance] of each mention


def read_texts(paths: Sequence[Path]) -> Iterator[tuple[str, str]]:
    """Id and text of each record, as the readers saw it: what is first, a full stop, the rest."""
    for path in paths:
        for row in read_rows(path):
            if "title" in row:
                yield row["id"], _joined(row["title"], row["text"])
            elif row.get("body"):
                yield f"pol-{row['id']}", _joined(row["text"], row["body"])[:_LONGEST]


def _joined(first: str, rest: str) -> str:
    return f"{first.rstrip(' .')}. {rest}"


def alike(first: Codes, second: Codes) -> bool:
    return {theme for theme, _ in first} == {theme for theme, _ in second}


def labelled(text_id: str, text: str, first: Codes, second: Codes) -> Labelled:
    """A text to whose themes both agree; a stance is right that either gave."""
    also = dict(map(tuple, second))
    mentions = tuple(Mention(t, None, frozenset({s, also[t]})) for t, s in first)
    return Labelled(text_id, text_id, text, None, "sv", mentions, (text_id.split("-")[0],))


def given(codes: Sequence[Codes], theme: str) -> NDArray[np.bool_]:
    return np.array([any(own == theme for own, _ in row) for row in codes])


def agreement_lines(rows: Sequence[Mapping[str, Codes]]) -> Iterator[str]:
    """How the readers agree on each theme that some text was given, over every text coded."""
    scores = []
    for theme in [*load_themes().main, "drift_underhall"]:
        one, other = (given([row[who] for row in rows], theme) for who in ("first", "second"))
        if not (one | other).any():
            continue
        low, high = interval(one, other)
        told = f"kappa {kappa(one, other):.2f} ({low:.2f}–{high:.2f}) F1 {f1(one, other):.2f}"
        yield f"{theme:20} {one.sum():3} {other.sum():3}  {told}"
        if theme in load_themes().main:
            scores.append(f1(one, other))
    yield f"macro-F1 between the readers {np.mean(scores):.3f} (n={len(rows)})"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--classifier", default="combined")
    options = parser.parse_args()
    rows = [json.loads(line) for line in CODED.read_text(encoding="utf-8").splitlines()]
    texts = dict(read_texts(options.files))
    print(f"{len(rows)} texts coded twice, {sum(r['id'] in texts for r in rows)} in the files")
    alike_ours = near_duplicates(
        [row.text for row in load_labelled()], [texts[r["id"]] for r in rows if r["id"] in texts]
    )
    print(f"{sum(1 for _ in alike_ours)} pairs of one of them and a nearly equal labelled text")
    print("\n".join(agreement_lines(rows)))
    classifier = load_classifier(options.classifier)
    for part in ("seen", "aside"):
        here = [row for row in rows if row["part"] == part and row["id"] in texts]
        agreed = [
            labelled(row["id"], texts[row["id"]], row["first"], row["second"])
            for row in here
            if alike(row["first"], row["second"])
        ]
        print(f"\n{part}: {len(here)} texts, of which both gave {len(agreed)} the same themes")
        if agreed:
            print(as_text(score(classifier, agreed)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
