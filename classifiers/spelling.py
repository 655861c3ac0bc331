"""Single typing errors: which lexicon stem a misspelt word meant (Damerau-Levenshtein 1)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

MIN_LETTERS = 7
_HEAD = 4  # letters


class Misspellings:
    """Stems found from words one slip away, by looking up what is left after one deletion."""

    def __init__(self, stems: Iterable[str]) -> None:
        self._stems = frozenset(stem for stem in stems if len(stem) >= MIN_LETTERS)
        self._left: dict[str, set[str]] = defaultdict(set)
        for stem in self._stems:
            for rest in (stem, *_deletions(stem)):
                self._left[rest].add(stem)
        lengths = {len(stem) for stem in self._stems}
        self._cuts = sorted({n + slip for n in lengths for slip in (-1, 0, 1)})
        self._heads = frozenset(rest[:_HEAD] for rest in self._left)

    def meant(self, word: str) -> set[str]:
        """Stems one slip from the word or from its beginning. The first letter must be right."""
        found: set[str] = set()
        for cut in self._cuts:
            if cut > len(word):
                break
            found |= self._near(word[:cut])
        return found

    def _near(self, begun: str) -> set[str]:
        # Where nothing begins as the word does, the slip stands in its very beginning.
        last = len(begun) if begun[:_HEAD] in self._heads else _HEAD
        candidates: set[str] = set()
        for rest in (begun, *_deletions(begun[:last], begun[last:])):
            if rest in self._left:
                candidates |= self._left[rest]
        return {s for s in candidates if s[0] == begun[0] and is_one_slip(begun, s)}


def _deletions(word: str, rest: str = "") -> list[str]:
    """The word with each of its letters left out, and the rest as it is."""
    return [word[:i] + word[i + 1 :] + rest for i in range(len(word))]


def is_one_slip(a: str, b: str) -> bool:
    """One letter added, lost or changed, or two neighbours swapped."""
    if a == b or abs(len(a) - len(b)) > 1:
        return False
    i = 0
    while i < min(len(a), len(b)) and a[i] == b[i]:
        i += 1
    if len(a) != len(b):
        longer, shorter = (a, b) if len(a) > len(b) else (b, a)
        return longer[i + 1 :] == shorter[i:]
    return a[i + 1 :] == b[i + 1 :] or (
        a[i : i + 2] == b[i : i + 2][::-1] and a[i + 2 :] == b[i + 2 :]
    )
