"""What the encoder is taught: texts in pieces, and what is true of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import sentencepiece
import torch
from numpy.typing import NDArray
from torch import Tensor

from classifiers.encoder.model import encoded, padded_ids
from classifiers.labelled import Labelled
from classifiers.training import wanted_subthemes
from lagesbild.records import STANCES
from lagesbild.themes import load_themes

NOT_CODED = -100  # what PyTorch's cross-entropy leaves out
_LENGTHS = 8  # texts are filled up to a multiple of so many pieces; MOST_PIECES is one

Ids = list[list[int]]


@dataclass(frozen=True, slots=True)
class Task:
    """Pieces, and what is wanted: themes of shape (texts, themes), stances likewise by number.

    The subthemes are learnt only because it makes the themes better; they are not kept.
    """

    ids: Ids
    themes: Tensor
    stances: Tensor
    subthemes: Tensor

    @classmethod
    def of(cls, rows: Sequence[Labelled], pieces: sentencepiece.SentencePieceProcessor) -> Task:
        decided = load_themes().decided
        themes = torch.zeros(len(rows), len(decided))
        stances = torch.full((len(rows), len(decided)), NOT_CODED)
        for i, row in enumerate(rows):
            for mention in row.mentions:
                if mention.theme in decided:
                    column = decided.index(mention.theme)
                    themes[i, column] = 1.0
                    if len(mention.stances) == 1:
                        stances[i, column] = STANCES.index(next(iter(mention.stances)))
        ids = [encoded(pieces, row.text, row.question) for row in rows]
        subthemes = torch.tensor(wanted_subthemes(rows)[1], dtype=torch.float32)
        return cls(ids, themes, stances, subthemes)

    def to(self, device: torch.device) -> Task:
        moved = (part.to(device) for part in (self.themes, self.stances, self.subthemes))
        return Task(self.ids, *moved)

    def joined(self, ids: Ids, others: Sequence[int | None]) -> Task:
        """The same texts in other pieces; where another text was joined on, both are true."""
        own = torch.tensor([i for i, other in enumerate(others) if other is not None])
        theirs = torch.tensor([other for other in others if other is not None])
        parts = [self.themes.clone(), self.stances.clone(), self.subthemes.clone()]
        for part in parts:
            if len(own):
                part[own] = torch.maximum(part[own], part[theirs])
        return Task(ids, *parts)


def batches(ids: Ids, size: int, random: np.random.Generator | None) -> Iterator[NDArray[np.intp]]:
    """Texts of like length together; in random order where `random` is given."""
    n = len(ids)
    order = np.arange(n) if random is None else random.permutation(n)
    found: list[NDArray[np.intp]] = []
    for start in range(0, n, 40 * size):
        near = sorted(order[start : start + 40 * size], key=lambda i: len(ids[i]))
        found += [np.array(near[i : i + size]) for i in range(0, len(near), size)]
    places = range(len(found)) if random is None else random.permutation(len(found))
    yield from (found[i] for i in places)


def tensors(ids: Ids, batch: NDArray[np.intp], device: torch.device) -> tuple[Tensor, Tensor]:
    padded, lengths = padded_ids([ids[i] for i in batch])
    # few different lengths: a processor prepares for each anew
    wider = np.pad(padded, ((0, 0), (0, -padded.shape[1] % _LENGTHS)))
    return torch.tensor(wider, device=device), torch.tensor(lengths, device=device)
