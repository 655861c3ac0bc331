"""Teach an encoder further, on texts that it has not seen and on those that it has.

Making one anew takes a graphics card or many hours, this about one hour on two cores of a newer
processor. What it is afterwards is averaged with what it was, so that less is lost of what it knew
(Wortsman et al., Robust fine-tuning of zero-shot models, 2022; measured in docs/decisions.md).
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from pathlib import Path

import numpy as np
import sentencepiece
import torch

from classifiers.encoder.course import Course, Tell, device, learn, read_all
from classifiers.encoder.losses import n_kept
from classifiers.encoder.model import GRAPH_FILE, PIECES_FILE, Encoder
from classifiers.encoder.network import Network
from classifiers.encoder.source import SourceEncoder, bundled_path, read_source
from classifiers.encoder.task import Task
from classifiers.encoder.weights import read_weights
from classifiers.encoder.written import write_encoder
from classifiers.labelled import Labelled
from lagesbild.errors import LagesbildError
from lagesbild.records import STANCES
from lagesbild.themes import load_themes

_COURSE = Course(epochs=3, batch=64, rate=1.5e-4)  # set beforehand, beside no other
# The share of what it has learnt, beside what it was: chosen on the voices that calibrate, on
# which .65 and .8 were nearly alike.
_LEARNT = 0.75
_SELDOM = -4.0  # log odds of a subtheme, which the written encoder does not tell
_SOME = 8  # every eighth text tells how the features lie


def fit_further(rows: Sequence[Labelled], folder: Path, out: Path, tell: Tell) -> None:
    """Teach the encoder in `folder` on `rows` and write it into `out`. Its word pieces stay.

    Texts of batches that it has not seen are read more often than the others (`_mixed`). Raises
    LagesbildError where it is missing, or was made for other themes or in another form.
    """
    torch.manual_seed(0)
    before = Encoder.load(folder)
    if (before.themes, before.stances) != (load_themes().decided, tuple(STANCES)):
        raise LagesbildError(f"Kodaren i {folder} är gjord för andra teman: gör om den.")
    spelt = (folder / PIECES_FILE).read_bytes()
    pieces = sentencepiece.SentencePieceProcessor(model_proto=spelt)
    seen = frozenset(before.card.get("batches", ()))  # an older encoder does not tell: all is new
    mixed = _mixed(rows, seen)
    task = Task.of(mixed, pieces).to(device())
    source = read_source(bundled_path())
    network = _as_written((folder / GRAPH_FILE).read_bytes(), source, task.subthemes.shape[1])
    network.to(device())
    _centre(network, task)
    was = {name: value.clone() for name, value in network.state_dict().items()}
    learn(network, _COURSE, mixed, task, pieces, tell)
    now = network.state_dict()
    network.load_state_dict({name: was[name].lerp(now[name], _LEARNT) for name in was})
    epochs = [*before.card["n_epochs"], _COURSE.epochs]
    card = {
        "source": before.card["source"],
        "n_texts": len(rows),
        "batches": sorted(seen.union(row.batch for row in rows)),
        "n_epochs": epochs,
    }
    write_encoder(out, network, source, task.ids, spelt, card)


def _mixed(rows: Sequence[Labelled], seen: Set[str]) -> list[Labelled]:
    """New texts twice a pass, of those seen half, drawn: a further round on these alone changed
    nothing (docs/decisions.md), and none of them at all would let the encoder forget."""
    new = [row for row in rows if row.batch not in seen]
    known = [row for row in rows if row.batch in seen]
    half = np.random.default_rng(0).permutation(len(known))[: (len(known) + 1) // 2]
    return [*new, *new, *(known[place] for place in half)]


def _as_written(graph: bytes, source: SourceEncoder, n_subthemes: int) -> Network:
    read = read_weights(graph, source.n_heads)
    state = {name: torch.tensor(value) for name, value in read.items()}
    weight, bias = state["head.weight"], state["head.bias"]
    state["head.weight"] = torch.cat([weight, torch.zeros(n_subthemes, weight.shape[1])])
    state["head.bias"] = torch.cat([bias, torch.full((n_subthemes,), _SELDOM)])
    n_layers = sum(name.endswith(".qkv.weight") for name in state)
    whole = Network(source, read["word.weight"], n_kept() + n_subthemes)
    network = whole.with_layers(range(n_layers))
    network.load_state_dict(state)
    return network


def _centre(network: Network, task: Task) -> None:
    """Take the features' centre and spread out of the last layer, whose scores stay the same."""
    pooled = read_all(network, task.ids[::_SOME], network.pooled)
    center, spread = pooled.mean(0), pooled.std(0) + 1e-6
    with torch.no_grad():
        network.head.bias += network.head.weight @ center
        network.head.weight *= spread
        network.center.copy_(center)
        network.spread.copy_(spread)
