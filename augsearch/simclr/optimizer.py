"""The optimiser of a pretraining and its learning rate over the steps."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import nn

from augsearch.simclr.config import PretrainConfig
from augsearch.simclr.encoders.build import Encoder
from augsearch.simclr.encoders.layers import parameter_groups


def build_optimizer(
    encoder: Encoder, head: nn.Module, config: PretrainConfig
) -> torch.optim.Optimizer:
    """Fused AdamW or SGD, or timm's LARS; vectors (biases, norms) go without weight decay, and
    without LARS's own rates, as in the paper.

    Each group of parameters has its highest learning rate as `peak`: the configured one for the
    head, less by `layer_decay` for each part of the encoder, from its output to its input.
    """
    groups = []
    for peak, parameters in _by_peak(encoder, head, config):
        learning = [p for p in parameters if p.requires_grad]
        matrices = [p for p in learning if p.ndim > 1]
        vectors = [p for p in learning if p.ndim <= 1]
        groups += [
            {"params": matrices, "weight_decay": config.weight_decay, "peak": peak},
            {"params": vectors, "weight_decay": 0.0, "peak": peak},
        ]
    rate = config.peak_learning_rate
    if config.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=rate, fused=True)
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=rate, momentum=0.9, nesterov=True, fused=True)
    from timm.optim.lars import Lars

    return Lars([group for group in groups if group["params"]], lr=rate, momentum=0.9)


def _by_peak(
    encoder: Encoder, head: nn.Module, config: PretrainConfig
) -> Iterator[tuple[float, list[nn.Parameter]]]:
    rate = config.peak_learning_rate
    if config.layer_decay == 1:
        yield rate, [*encoder.parameters(), *head.parameters()]
        return
    yield rate, list(head.parameters())
    named = dict(encoder.body.named_parameters())
    for depth, names in enumerate(reversed(parameter_groups(encoder.body))):
        yield rate * config.layer_decay**depth, [named[name] for name in names]


def learning_rate_factor(step: int, config: PretrainConfig) -> float:
    """Share of the peak rate at `step` (0 first): a linear warm-up, then a cosine towards zero."""
    warmup = round(config.warmup_fraction * config.steps)
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / (config.steps - warmup)))
