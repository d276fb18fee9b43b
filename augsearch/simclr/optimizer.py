"""The optimiser of a pretraining and its learning rate over the steps."""

from __future__ import annotations

import math

import torch
from torch import nn

from augsearch.simclr.config import PretrainConfig


def build_optimizer(network: nn.Module, config: PretrainConfig) -> torch.optim.Optimizer:
    """Fused AdamW or SGD; vectors (biases, norms) go without weight decay."""
    parameters = [p for p in network.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    if config.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=config.learning_rate, fused=True)
    return torch.optim.SGD(groups, lr=config.learning_rate, momentum=0.9, nesterov=True, fused=True)


def learning_rate_factor(step: int, config: PretrainConfig) -> float:
    """Share of the peak rate at `step` (0 first): a linear warm-up, then a cosine towards zero."""
    warmup = round(config.warmup_fraction * config.steps)
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / (config.steps - warmup)))
