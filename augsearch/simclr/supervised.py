"""Training the same encoder with labels instead: the counterpart that SimCLR is held against.

An augmentation that helps SimCLR may hurt supervised training (Chen et al. 2020, arXiv 2002.05709,
table 1): the one wants its task to be hard, the other its labels to stay true.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from augsearch.errors import TrialFailure
from augsearch.simclr.config import PretrainConfig
from augsearch.simclr.encoders.build import build_encoder
from augsearch.simclr.encoders.config import EncoderConfig
from augsearch.simclr.optimizer import build_optimizer, learning_rate_factor
from augsearch.simclr.precision import in_bfloat16, uses_bfloat16
from augsearch.simclr.pretrain import MakeViews
from augsearch.simclr.randomness import (
    STEP,
    WEIGHTS,
    balanced_batches,
    batches,
    reseed,
    seeded,
    stream_seed,
)


@dataclass(frozen=True)
class LabelledImages:
    """What is trained on.

    Attributes:
        images: `[N, C, H, W]` uint8 on the device, N of 2 or more.
        labels: `[N]` int64 on the device, in 0..classes - 1.
        mean, std: per channel, of pixels in [0, 1].
    """

    images: Tensor
    labels: Tensor
    classes: int
    mean: Sequence[float]
    std: Sequence[float]


@dataclass(frozen=True)
class Supervision:
    """How labels train an encoder.

    Attributes:
        linear: the encoder stays as it is, and only the classifier learns.
        label_smoothing: share of a label that goes to all classes alike, in [0, 1).
        balance: `weights`: a class counts by the inverse of its images; `sampling`: a batch takes
            as many of each class; `none`: images count alike.
    """

    linear: bool = False
    label_smoothing: float = 0.0
    balance: Literal["none", "weights", "sampling"] = "none"


AS_THEY_ARE = Supervision()


@dataclass(frozen=True)
class Teacher:
    """What a classifier thinks of the same views, to be learnt instead of labels (Hinton et al.
    2015, arXiv 1503.02531; on unlabelled images Chen et al. 2020, arXiv 2006.10029).

    Attributes:
        log_probabilities: `[B, C, H, W]` views in [0, 1] to `[B, classes]`.
        temperature: by which both are softened.
    """

    log_probabilities: Callable[[Tensor], Tensor]
    temperature: float

    def loss(self, views: Tensor, logits: Tensor) -> Tensor:
        """Cross-entropy of the student's answers with the teacher's, times the temperature's
        square, so that gradients keep their size."""
        with torch.no_grad():
            wanted = (self.log_probabilities(views) / self.temperature).softmax(dim=1)
        said = (logits / self.temperature).log_softmax(dim=1)
        return -(wanted * said).sum(dim=1).mean() * self.temperature**2


# Everything that a run depends on comes in here.
def train_supervised(
    data: LabelledImages,
    make_views: MakeViews,
    encoder_config: EncoderConfig,
    config: PretrainConfig,
    *,
    seed: int,
    device: torch.device,
    weights: Mapping[str, Tensor] | None = None,
    how: Supervision = AS_THEY_ARE,
    initial: int | None = None,
    on_step: Callable[[int], None] | None = None,
    teacher: Teacher | None = None,
) -> tuple[nn.Module, list[float]]:
    """An encoder with a linear classifier, trained by cross-entropy on both views of a batch.

    Encoder, initial weights, optimiser, schedule, number of steps and augmentation are those of a
    SimCLR run; of a batch size above the number of images, all images. Weights and batches depend
    on `seed` alone.

    Args:
        make_views, weights: as in `Pretraining`.
        how: what is done about the labels, and whether the encoder learns.
        initial: seed of the initial weights; None for `seed`. Networks whose weights are to be
            averaged begin alike, the classifier too.
        on_step: told the number of steps done.
        teacher: what is learnt from in place of the labels.

    Returns:
        The network (`[B, C, H, W]` normalised images to `[B, classes]` logits, in evaluation mode)
        and the loss of every step.

    Raises:
        TrialFailure: the loss became non-finite.
    """
    count, channels, size, _ = data.images.shape
    with seeded(stream_seed(seed if initial is None else initial, WEIGHTS), torch.device("cpu")):
        encoder = build_encoder(encoder_config, channels, size, weights)
        network = nn.Sequential(encoder, nn.Linear(encoder.feature_dim, data.classes)).to(device)
    in_16_bits = uses_bfloat16(config, device, encoder, (channels, size, size))
    forward = in_bfloat16(network, device) if in_16_bits else network
    if how.linear:
        encoder.requires_grad_(False)
    optimizer = build_optimizer(encoder, network[1], config)
    loss_of = _loss(data, how, teacher)
    shift = torch.tensor(data.mean, device=device).view(1, -1, 1, 1)
    scale = torch.tensor(data.std, device=device).view(1, -1, 1, 1)
    size_of_batch = min(config.batch_size, count)
    order = (
        balanced_batches(data.labels.cpu().numpy(), size_of_batch, seed)
        if how.balance == "sampling"
        else batches(count, size_of_batch, seed)
    )
    losses: list[float] = []
    network.train()
    encoder.train(not how.linear)
    with seeded(stream_seed(seed, STEP), device):
        for step in range(config.steps):
            reseed(stream_seed(seed, STEP, step), device)
            rows = torch.from_numpy(next(order)).to(device)
            seen = torch.cat(make_views(data.images[rows], step))
            views = (seen - shift) / scale
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * learning_rate_factor(step, config)
            optimizer.zero_grad(set_to_none=True)
            logits = forward(views.contiguous(memory_format=torch.channels_last))
            loss = loss_of(seen, logits.float(), rows)
            torch.autograd.backward(loss)
            optimizer.step()
            losses.append(loss.item())
            if not math.isfinite(losses[-1]):
                raise TrialFailure(f"supervised loss became {losses[-1]} at step {step + 1}")
            if on_step:
                on_step(step + 1)
    return network.eval(), losses


def _loss(
    data: LabelledImages, how: Supervision, teacher: Teacher | None
) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """The loss of views `[2B, C, H, W]`, their logits and the rows `[B]` that they are of."""
    if teacher is not None:
        return lambda views, logits, _: teacher.loss(views, logits)
    weight = class_weights(data) if how.balance == "weights" else None
    loss_of = nn.CrossEntropyLoss(
        label_smoothing=how.label_smoothing, reduction="mean" if weight is None else "none"
    )

    def of_labels(_: Tensor, logits: Tensor, rows: Tensor) -> Tensor:
        labels = data.labels[rows].repeat(2)
        loss: Tensor = loss_of(logits, labels)
        # A class's weight is of its images, not of what smoothing gives it of all others.
        return loss if weight is None else (loss * weight[labels]).mean()

    return of_labels


def class_weights(data: LabelledImages) -> Tensor:
    """`[classes]` weights by which every class counts alike, their mean over the images 1."""
    counts = torch.bincount(data.labels, minlength=data.classes).float()
    weights = len(data.labels) / (int((counts > 0).sum()) * counts)
    return weights.where(counts > 0, 0.0)
