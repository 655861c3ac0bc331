"""Texts a second: classify, and plain TF-IDF with logistic regression beside it.

By processor time, which other work on the machine disturbs least, and by the clock.

    python bench/throughput.py [--texts FILE] [-n N]

The texts are our labelled ones, or those of a file with one JSON object a line (.gz too), where
"text" and "body" are read. Both classify the same texts, as many at a time as a night does, first
unseen and then again: many words of a first night are new to the caches, those of later nights
mostly are not.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

from bench.json_lines import read_rows
from classifiers import load_classifier
from classifiers.labelled import load_labelled
from classifiers.training import wanted_themes
from lagesbild.prepare import BATCH


def main() -> None:
    options = _options()
    texts = read_texts(options.texts)
    texts = texts[:: max(1, len(texts) // options.n)][: options.n]
    print(f"{len(texts)} texts of {sum(map(len, texts)) / len(texts):.0f} characters on average")
    print(f"one text through the command, start to end: {start_to_end()}")
    classifier = load_classifier()
    classifier.classify(["Det är mörkt i parken."])
    show("classify", classifier.classify, texts)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:.0f} MB")
    show("plain TF-IDF + logistic regression, words", plain_model(words()), texts)
    show("plain TF-IDF + logistic regression, characters", plain_model(characters()), texts)


def start_to_end() -> str:
    """A fresh process for one text: what it costs to start."""
    call = "from lagesbild.cli import main; main(['classify'])"
    line = '{"id": 1, "text": "Det är mörkt i parken."}\n'
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as empty:  # no settings lie there
        subprocess.run(
            [sys.executable, "-P", "-c", call],
            input=line.encode(),
            stdout=subprocess.DEVNULL,
            cwd=empty,
            check=True,
        )
    waited = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return f"{waited:.1f} s, {used.ru_utime + used.ru_stime:.1f} s of processor time"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=Path, default=None, help="other texts than the labelled")
    parser.add_argument("-n", type=int, default=2000, help="how many of them")
    return parser.parse_args()


def read_texts(path: Path | None) -> list[str]:
    if path is None:
        return [row.text for row in load_labelled()]
    return ["\n".join(filter(None, (row.get("text"), row.get("body")))) for row in read_rows(path)]


def words() -> TfidfVectorizer:
    return TfidfVectorizer(ngram_range=(1, 2), min_df=2)


def characters() -> TfidfVectorizer:
    """What is plain for Swedish, whose compounds and misspellings whole words do not match."""
    return TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=5)


def plain_model(vectors: TfidfVectorizer) -> Callable[[Sequence[str]], object]:
    """Fitted on some 10,000 of our labelled texts, since on all of them it takes very long."""
    rows = load_labelled()
    rows = rows[:: max(1, len(rows) // 10_000)]
    wanted = wanted_themes(rows)
    regression = OneVsRestClassifier(LogisticRegression(solver="liblinear"))
    regression.fit(vectors.fit_transform([row.text for row in rows]), wanted[:, wanted.any(axis=0)])
    return lambda texts: regression.predict_proba(vectors.transform(texts))


def show(name: str, classify: Callable[[Sequence[str]], object], texts: Sequence[str]) -> None:
    for seen in ("unseen", "seen before"):
        began, started = time.perf_counter(), time.process_time()
        for start in range(0, len(texts), BATCH):
            classify(texts[start : start + BATCH])
        spent, waited = time.process_time() - started, time.perf_counter() - began
        n = len(texts)
        told = f"{n / spent:.0f} texts a processor second, {n / waited:.0f} a second"
        print(f"{name}, {seen}: {told}")


if __name__ == "__main__":
    main()
