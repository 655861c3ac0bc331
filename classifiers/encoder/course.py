"""How a network is taught from labelled texts, step by step."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import sentencepiece
import torch
from numpy.typing import NDArray
from torch import Tensor

from classifiers.encoder.losses import against_labels, apart
from classifiers.encoder.model import encoded
from classifiers.encoder.network import Network
from classifiers.encoder.task import Ids, Task, batches, tensors
from classifiers.encoder.variants import one_pass
from classifiers.labelled import Labelled

_HEAD_RATE = 1e-3
_WARM = 0.1  # of all steps
_READ_AT_ONCE = 256

Tell = Callable[[str], object]


class Course(NamedTuple):
    """Passes over the texts, texts at once, and the body's steps at their largest."""

    epochs: int
    batch: int
    rate: float

    def n_steps(self, n_texts: int) -> int:
        return self.epochs * math.ceil(n_texts / self.batch)


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def read_all(network: Network, ids: Ids, how: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """What `how`, one of the network's ways of reading, makes of each text, in their order."""
    place = network.center.device
    network.eval()
    read: list[Tensor] = []
    order: list[int] = []
    with torch.no_grad(), torch.autocast(place.type, torch.bfloat16):
        for batch in batches(ids, _READ_AT_ONCE, None):
            read.append(how(*tensors(ids, batch, place)).float())
            order += batch.tolist()
    return torch.cat(read)[torch.tensor(np.argsort(order), device=place)]


def scores(network: Network, ids: Ids, batch: NDArray[np.intp]) -> Tensor:
    place = network.center.device
    with torch.autocast(place.type, torch.bfloat16):
        found: Tensor = network(*tensors(ids, batch, place))
    return found.float()


class Steps:
    """The optimiser of one course, whose steps rise, then fall in a line nearly to nothing."""

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


def learn(
    network: Network,
    course: Course,
    rows: Sequence[Labelled],
    task: Task,
    pieces: sentencepiece.SentencePieceProcessor,
    tell: Tell,
) -> None:
    """Each text is read twice, with other values dropped, and the readings are kept together."""
    steps = Steps(network, course.rate, course.n_steps(len(rows)))
    random = np.random.default_rng(0)
    for epoch in range(course.epochs):
        varied = one_pass(rows, random)
        ids = [encoded(pieces, t, row.question) for (t, _), row in zip(varied, rows, strict=True)]
        taught = task.joined(ids, [other for _, other in varied])
        lost = []
        for batch in batches(ids, course.batch, random):
            one, other = scores(network, ids, np.concatenate([batch, batch])).chunk(2)
            place = torch.tensor(batch, device=one.device)
            loss = 0.5 * (against_labels(one, taught, place) + against_labels(other, taught, place))
            lost.append(steps.take(loss + apart(one, other, taught.themes[place])))
        tell(f"Varv {epoch + 1} av {course.epochs}: förlust {np.mean(lost):.3f}")
