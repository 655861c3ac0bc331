"""Proves that no training text is nearly the same as a text of an evaluation file.

    python bench/leakage.py --gold FILE [--gold FILE ...]

Two texts are near-duplicates when over half of their five-letter shingles are common. Prints how
many pairs there are and the closest likeness found; exits 1 where there is any pair.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from classifiers.labelled import NEAR_DUPLICATE, load_labelled, near_duplicates, read_gold

_LOOKED_AT = 0.2  # likeness from which a pair is looked at, to show how close the closest is


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gold", type=Path, action="append", required=True)
    parser.add_argument("--labelled", type=Path, default=None, help="a folder of one's own")
    options = parser.parse_args()
    rows = load_labelled(options.labelled)
    texts = [row.text for row in rows]
    n_leaked = 0
    for path in options.gold:
        gold = read_gold(path)
        pairs = list(near_duplicates(texts, [g.text for g in gold], _LOOKED_AT))
        closest = max((likeness for _, _, likeness in pairs), default=0.0)
        leaked = [(g, i) for g, i, likeness in pairs if likeness > NEAR_DUPLICATE]
        n_leaked += len(leaked)
        print(
            f"{path.name}: {len(gold)} texts against {len(texts)}, {len(leaked)} near-duplicates, "
            f"closest likeness {closest:.2f}"
        )
        for gold_place, place in leaked:
            print(f"  {gold[gold_place].labelled_id} is like {rows[place].labelled_id}")
    return 1 if n_leaked else 0


if __name__ == "__main__":
    sys.exit(main())
