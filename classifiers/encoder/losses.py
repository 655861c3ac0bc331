"""How far the network's scores are from what is wanted of them."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from classifiers.encoder.task import NOT_CODED, Task
from lagesbild.records import STANCES
from lagesbild.themes import load_themes

_STANCE_WEIGHT, _SUBTHEME_WEIGHT = 0.5, 0.5


def n_kept() -> int:
    """Outputs that the finished encoder has: each theme, and each theme's stances."""
    return len(load_themes().decided) * (1 + len(STANCES))


def against_labels(scores: Tensor, task: Task, batch: Tensor) -> Tensor:
    """Cross-entropy against what people said of the texts in `batch`."""
    themes, stances, subthemes = _parts(scores)
    loss = _each(themes, task.themes[batch])
    loss = loss + _SUBTHEME_WEIGHT * _each(subthemes, task.subthemes[batch])
    wanted = task.stances[batch].reshape(-1)
    if not bool((wanted != NOT_CODED).any()):
        return loss
    told = functional.cross_entropy(stances.flatten(0, 1), wanted, ignore_index=NOT_CODED)
    return loss + _STANCE_WEIGHT * told


def against_teacher(scores: Tensor, teacher: Tensor) -> Tensor:
    """Cross-entropy against another network's scores; stances by how likely their theme is."""
    themes, stances, subthemes = _parts(scores)
    likely, shares, likely_subthemes = _parts(teacher)
    loss = _each(themes, likely.sigmoid()) + _SUBTHEME_WEIGHT * _each(
        subthemes, likely_subthemes.sigmoid()
    )
    missed = -(shares.softmax(2) * stances.log_softmax(2)).sum(2)
    return loss + _STANCE_WEIGHT * _weighed(missed, likely.sigmoid())


def apart(one: Tensor, other: Tensor, themes: Tensor) -> Tensor:
    """How far two readings of the same texts differ, each with its own pieces dropped (Wu et al.,
    R-Drop, 2021): Kullback-Leibler, half the sum of both ways. Stances of `themes` only."""
    yes_no = [torch.cat([parts[0], parts[2]], dim=1) for parts in map(_parts, (one, other))]
    p, q = (scores.sigmoid() for scores in yes_no)
    # the two directions together: the difference of the chances times that of the log odds
    loss = 0.5 * ((p - q) * (yes_no[0] - yes_no[1])).sum(1).mean()
    a, b = (_parts(scores)[1].log_softmax(2) for scores in (one, other))
    return loss + 0.25 * _weighed(((a.exp() - b.exp()) * (a - b)).sum(2), themes)


def _parts(scores: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Themes (texts, themes), stances (texts, themes, stances), subthemes (texts, subthemes)."""
    n_themes = len(load_themes().decided)
    stances = scores[:, n_themes : n_kept()].reshape(-1, n_themes, len(STANCES))
    return scores[:, :n_themes], stances, scores[:, n_kept() :]


def _each(scores: Tensor, wanted: Tensor) -> Tensor:
    """Cross-entropy of independent yes and no, summed over a text's columns."""
    lost = functional.binary_cross_entropy_with_logits(scores, wanted, reduction="sum")
    return lost / len(wanted)


def _weighed(values: Tensor, weights: Tensor) -> Tensor:
    return (values * weights).sum() / weights.sum().clamp(min=1.0)
