"""Why a report is worth a person's time: small callables, so that the queue can say why.

Each takes the facts of one report and answers 0 (no reason) to 1. What a decision is worth is one
minus the product of all that is left: several reasons add up, none drowns the others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Facts:
    """What the reasons go by. `themes`: the machine's, most probable first."""

    folded_text: str
    probabilities: Mapping[str, float]
    themes: Sequence[str]
    abstain: str | None
    needs_review: bool
    category_theme: str | None  # what the source's own category says
    n_with_rarest: int | None  # reports that the machine gave this report's rarest theme
    reviewed_share_of_area: float | None  # None: the place is not known
    new_words: Sequence[str]
    surge: float  # this month's reports of its theme against what earlier months give, in sigmas
    was_decided: bool  # decided before, but the text has changed


def uncertain(facts: Facts) -> float:
    """Some theme lies near even odds."""
    return max((1 - abs(2 * p - 1) for p in facts.probabilities.values()), default=0.0)


def abstained(facts: Facts) -> float:
    return 1.0 if facts.abstain in ("unsure", "language") else 0.0


def disagreeing(facts: Facts) -> float:
    """The classifier's own parts disagree, or the source's category says another theme."""
    if facts.needs_review:
        return 1.0
    return 0.8 if facts.category_theme and facts.category_theme not in facts.themes else 0.0


def new_words(facts: Facts) -> float:
    return min(len(facts.new_words) / 3, 1.0)


def rare_theme(facts: Facts) -> float:
    if not facts.n_with_rarest:
        return 0.0
    return min(10 / facts.n_with_rarest, 1.0)


def unread_area(facts: Facts) -> float:
    """Almost nothing from the area has been read by anyone."""
    if facts.reviewed_share_of_area is None:
        return 0.0
    return max(0.0, 1 - facts.reviewed_share_of_area / 0.05)


def drift(facts: Facts) -> float:
    return min(max((facts.surge - 2) / 4, 0.0), 1.0)


_URGENT = re.compile(
    r"\b(?:akut|genast|omedelbart|livsfarlig\w*|farlig\w*|fara|brinner|skjut\w*|kniv\w*|vapen|hotad\w*"
    r"|hotar|radd\w*|skadad\w*|overfall\w*|barn\w* som)\b"
)


def urgent(facts: Facts) -> float:
    """The resident writes of danger."""
    return min(len(set(_URGENT.findall(facts.folded_text))) / 2, 1.0)


def changed_text(facts: Facts) -> float:
    return 1.0 if facts.was_decided else 0.0


# key -> (the callable, how much of a decision's worth it can carry alone)
REASONS: Mapping[str, tuple[Callable[[Facts], float], float]] = {
    "changed_text": (changed_text, 0.7),
    "abstained": (abstained, 0.5),
    "uncertain": (uncertain, 0.5),
    "disagreeing": (disagreeing, 0.4),
    "urgent": (urgent, 0.35),
    "rare_theme": (rare_theme, 0.3),
    "drift": (drift, 0.3),
    "new_words": (new_words, 0.25),
    "unread_area": (unread_area, 0.1),
}
_WORTH_TELLING = 0.3  # of a reason's full strength


def judge(facts: Facts) -> tuple[float, list[str]]:
    """What a decision is worth, and the reasons worth telling, strongest first."""
    left, told = 1.0, []
    for key, (reason, weight) in REASONS.items():
        strength = reason(facts)
        left *= 1 - weight * strength
        if strength >= _WORTH_TELLING:
            told.append((weight * strength, key))
    return 1 - left, [key for _, key in sorted(told, reverse=True)]
