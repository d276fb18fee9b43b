"""NT-Xent, the contrastive loss of SimCLR."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def nt_xent(z1: Tensor, z2: Tensor, temperature: float) -> Tensor:
    """Normalised temperature-scaled cross-entropy: each view must pick its partner among 2B - 1.

    Source: Chen et al. 2020, "A Simple Framework for Contrastive Learning of Visual
    Representations", equation 1, averaged over all 2B views.

    Args:
        z1: `[B, D]` projections of the first views, any length (cosine similarity is used).
        z2: `[B, D]` projections of the second views; row i is the same image as in `z1`.
        temperature: divides the similarities.

    Returns:
        Scalar float32 loss; log(2B - 1) when nothing is told apart.
    """
    z = functional.normalize(torch.cat([z1, z2]).float(), dim=1)  # [2B, D]
    similarity = z @ z.T / temperature  # [2B, 2B]
    similarity.fill_diagonal_(-torch.inf)  # a view is not its own partner
    partner = torch.arange(len(z), device=z.device).roll(len(z1))
    return functional.cross_entropy(similarity, partner)
