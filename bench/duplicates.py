"""Are nearly identical reports found, and other texts left alone? And how fast?

    python -m bench.duplicates [--texts 100000] [--seed 1] [--others FILE.jsonl] [--datasketch]

Our labelled texts are as many different texts. None of them are alike by more than 0.5, since such
were removed, so `--others` counts pairs joined among texts of another file as well (one JSON object
a line with "id" and "text"; pairs are told by id, for a person to look at). From some of our texts
a nearly identical one is made, as people do when they send the same again: a letter mistyped every
so often, a greeting before or a plea after, a word left out, a sentence added. Recall: how many of
these are joined with the text they were made from, by the threshold. Then the same texts again and
again, a number of letters changed, until there are as many as asked for, and the seconds of
processor time. `--datasketch` times that package's MinHash and LSH on a tenth of them, where it is
installed.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from classifiers.evaluation import share
from classifiers.labelled import load_labelled
from lagesbild.duplicates import (
    N_BANDS,
    SHINGLE,
    SHORT,
    candidates,
    joined,
    likeness,
    nearly_identical,
    plain,
    sketches,
)

THRESHOLDS = (0.4, 0.5, 0.6, 0.7, 0.8)
_LETTERS = "abcdefghijklmnopqrstuvwxyzåäö"
Change = Callable[[str, random.Random], str]


def mistyped(text: str, rng: random.Random) -> str:
    """One letter in thirty."""
    return "".join(rng.choice(_LETTERS) if rng.random() < 1 / 30 else c for c in text)


def greeted(text: str, rng: random.Random) -> str:
    before = rng.choice(("Hej! ", "Hej, ", "God morgon. ", ""))
    return before + text + rng.choice((" Tack på förhand!", " Mvh", " Gör något åt det."))


def shortened(text: str, rng: random.Random) -> str:
    """One word in ten left out."""
    return " ".join(word for word in text.split() if rng.random() > 0.1) or text


def continued(text: str, rng: random.Random) -> str:
    more = ("Det har pågått länge.", "Jag har ringt flera gånger.", "Det gäller hela gatan.")
    return f"{text} {rng.choice(more)}"


CHANGES: Mapping[str, Change] = {
    "mistyped": mistyped,
    "greeted": greeted,
    "shortened": shortened,
    "continued": continued,
}


def pairs_of(texts: Sequence[str], threshold: float) -> list[tuple[int, int]]:
    rows = sketches(texts)
    bands = ((n, int(rows[i, n]), i) for i in range(len(texts)) for n in range(N_BANDS))
    return list(nearly_identical([plain(t) for t in texts], candidates(bands), threshold))


def quality(texts: Sequence[str], rng: random.Random) -> None:
    chosen = rng.sample(range(len(texts)), min(2000, len(texts)))
    made: list[tuple[int, str, str]] = []
    for number, place in enumerate(chosen):
        name = list(CHANGES)[number % len(CHANGES)]
        made.append((place, name, CHANGES[name](texts[place], rng)))
    together = [*texts, *(text for _, _, text in made)]
    print(f"{len(texts)} different texts and {len(made)} made from them, {SHORT} letters or more")
    for threshold in THRESHOLDS:
        pairs = pairs_of(together, threshold)
        root = joined(len(together), pairs)
        told = []
        for name in CHANGES:
            own = [
                root[place] == root[len(texts) + number]
                for number, (place, kind, _) in enumerate(made)
                if kind == name
            ]
            found = share(sum(own), len(own))
            told.append(
                f"{name} {found['value']:.3f} [{found['low']:.3f}-{found['high']:.3f}] n={len(own)}"
            )
        origin = [*range(len(texts)), *(place for place, _, _ in made)]
        false = {tuple(sorted((origin[a], origin[b]))) for a, b in pairs if origin[a] != origin[b]}
        closest = max((likeness(texts[a], texts[b]) for a, b in false), default=0.0)
        print(
            f"threshold {threshold}: {', '.join(told)}; {len(false)} pairs of different texts "
            f"joined (closest likeness {closest:.2f})"
        )


def among_others(path: Path) -> None:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if len(row["text"]) >= SHORT]
    texts = [row["text"] for row in rows]
    found = {threshold: pairs_of(texts, threshold) for threshold in THRESHOLDS}
    told = ", ".join(f"{threshold}: {len(pairs)}" for threshold, pairs in found.items())
    print(f"{path.name}: {len(texts)} texts, pairs joined by threshold {told}")
    for first, second in found[THRESHOLDS[0]]:
        alike = likeness(texts[first], texts[second])
        print(f"  {rows[first]['id']} and {rows[second]['id']}: {alike:.2f}")


def speed(texts: Sequence[str], n: int, rng: random.Random) -> list[str]:
    many = [mistyped(rng.choice(texts), rng) for _ in range(n)]
    began = time.process_time()
    rows = sketches(many)
    sketched = time.process_time()
    bands = ((b, int(rows[i, b]), i) for i in range(n) for b in range(N_BANDS))
    pairs = candidates(bands)
    paired = time.process_time()
    n_alike = sum(1 for _ in nearly_identical([plain(text) for text in many], pairs))
    print(
        f"{n} texts: sketches {sketched - began:.1f} s, candidates {paired - sketched:.1f} s "
        f"({len(pairs)}), comparing {time.process_time() - paired:.1f} s ({n_alike} alike)"
    )
    return many


def other_package(texts: Sequence[str]) -> None:
    from datasketch import MinHash, MinHashLSH  # type: ignore[import-not-found]

    began = time.process_time()
    index = MinHashLSH(threshold=0.6, num_perm=64)
    with index.insertion_session() as session:
        for number, text in enumerate(texts):
            letters = plain(text).ljust(SHINGLE)
            made = MinHash(num_perm=64)
            made.update_batch(
                [letters[i : i + SHINGLE].encode() for i in range(len(letters) - SHINGLE + 1)]
            )
            session.insert(number, made)
    print(f"datasketch, {len(texts)} texts: {time.process_time() - began:.1f} s to sketch and add")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--others", type=Path, default=None)
    parser.add_argument("--datasketch", action="store_true")
    options = parser.parse_args()
    rng = random.Random(options.seed)  # noqa: S311
    texts = [row.text for row in load_labelled() if len(row.text) >= SHORT]
    quality(texts, rng)
    if options.others:
        among_others(options.others)
    many = speed(texts, options.texts, rng)
    if options.datasketch:
        other_package(many[: options.texts // 10])


if __name__ == "__main__":
    main()
