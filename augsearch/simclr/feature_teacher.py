"""A frozen encoder whose features another one learns, without labels.

Source: Romero et al. 2015 (arXiv 1412.6550) for features as what is learnt, Navaneet et al. 2021
(arXiv 2201.05131) for their direction alone, on both views and without other images beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from augsearch.simclr.encoders.build import Encoder

SMALLEST_SPREAD = 1e-6
"""Below this share of the largest deviation a number of the feature says nothing."""


@dataclass(frozen=True)
class FeatureTeacher:
    """What is learnt from.

    Attributes:
        name: for people.
        digest: of its weights.
        encoder: in evaluation mode, on the device.
        scale, shift: `[1, C, 1, 1]`, from the student's normalised views to its own.
        centre, spread: `[D]`, mean and deviation of its features over clean images.
    """

    name: str
    digest: str
    encoder: Encoder
    scale: Tensor
    shift: Tensor
    centre: Tensor
    spread: Tensor

    @classmethod
    def of(
        cls,
        name: str,
        digest: str,
        encoder: Encoder,
        seen: Tensor,
        *,
        normalised: tuple[Sequence[float], Sequence[float]],
        student: tuple[Sequence[float], Sequence[float]],
        device: torch.device,
    ) -> FeatureTeacher:
        """A teacher on a device.

        Args:
            seen: `[N, D]` its features of clean images.
            normalised, student: mean and deviation by channel that its own images, and those of
                the student, are normalised by.
        """
        encoder = encoder.eval().requires_grad_(False).to(device)
        spread = seen.std(dim=0)
        says = spread > SMALLEST_SPREAD * spread.max()
        (mean, std), (its_mean, its_std) = (
            torch.tensor([list(part) for part in pair], device=device).view(2, 1, -1, 1, 1)
            for pair in (student, normalised)
        )
        return cls(
            name=name,
            digest=digest,
            encoder=encoder,
            scale=std / its_std,
            shift=(mean - its_mean) / its_std,
            centre=seen.mean(dim=0).to(device),
            spread=spread.where(says, torch.inf).to(device),
        )

    def head(self, width: int) -> nn.Module:
        """What the student's features `[B, width]` are compared through; dropped afterwards."""
        return nn.Sequential(nn.Linear(width, len(self.centre)))

    @torch.no_grad()
    def features(self, views: Tensor, at_once: int) -> Tensor:
        """`[B, D]` standardised, of `[B, C, S, S]` views that are normalised for the student."""
        parts = [
            self.encoder(torch.addcmul(self.shift, part, self.scale)).float()
            for part in torch.split(views, at_once)
        ]
        return (torch.cat(parts) - self.centre) / self.spread

    @staticmethod
    def loss(said: Tensor, wanted: Tensor) -> Tensor:
        """1 less the cosine between `[B, D]` and `[B, D]`, on average: 0 if they are alike."""
        return 1 - functional.cosine_similarity(said.float(), wanted).mean()
