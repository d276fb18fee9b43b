"""An operation of ours and a class of Kornia's, driven by the same numbers."""

from __future__ import annotations

import torch

from augsearch.augment.draws import Draws
from augsearch.augment.ops.kornia_ops import IMPLEMENTATIONS

N, SIZE = 6, 32
DRAWS = Draws(5, 0, 0, (0,), N, torch.device("cpu"))
ROWS = torch.arange(N)


def ours(name, images, **values):
    u = DRAWS.uniform(name, IMPLEMENTATIONS[name].slots)
    out = IMPLEMENTATIONS[name].apply(
        images,
        u,
        {"grain": 1 / SIZE, **values},
        lambda slot, shape: DRAWS.field(name, ROWS, shape, slot),
    )
    return out, u


def kornias(augmentation, images, **params):
    """A Kornia augmentation driven by explicit parameters for every row."""
    given = {
        "batch_prob": torch.ones(N),
        "forward_input_shape": torch.tensor(images.shape),
        **params,
    }
    return augmentation(images, params=given)


def near(first, second, tolerance=2e-6):
    assert (first - second).abs().max() <= tolerance
