"""Networks that are asked for an explanation, and the same without what they have learnt."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from augsearch.data.imageset import ImageSet
from augsearch.evaluate.features import extract_features
from augsearch.finetuning.classifier import Classifier
from augsearch.simclr.encoders.layers import batch_norms

Pixels = NDArray[np.uint8]
Rows = NDArray[np.int64]
AT_ONCE = 64
"""Images in a network."""
SEEN = 256
"""Images that batch norm takes its statistics of."""


@dataclass(frozen=True)
class Asked:
    """Networks that answer together.

    Attributes:
        networks: in evaluation mode, on `device`; each maps normalised images to logits.
        mean, std: of each channel, pixels in [0, 1].
    """

    networks: tuple[nn.Module, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    device: torch.device

    @classmethod
    def of(cls, classifier: Classifier, device: torch.device) -> Asked:
        """The networks of a classifier."""
        found = classifier.found
        networks = tuple(network.to(device) for network in classifier.networks)
        return cls(networks, found.mean, found.std, device)

    def pixels(self, images: Pixels) -> Tensor:
        """`[n, C, S, S]` normalised, on the device."""
        shift, scale = (
            torch.tensor(each, dtype=torch.float32, device=self.device).view(1, -1, 1, 1)
            for each in (self.mean, self.std)
        )
        return (torch.from_numpy(np.array(images)).to(self.device).float() / 255 - shift) / scale

    @torch.no_grad()
    def log_probabilities(self, images: Pixels) -> NDArray[np.float64]:
        """`[n, K]` the logarithm of what the networks think on average, before calibration."""
        found = []
        for start in range(0, len(images), AT_ONCE):
            pixels = self.pixels(images[start : start + AT_ONCE])
            each = torch.stack([net(pixels).double().log_softmax(dim=1) for net in self.networks])
            found.append(each.logsumexp(dim=0).cpu().numpy())
        return np.asarray(np.concatenate(found) - np.log(len(self.networks)))

    def score(self, images: Pixels, classes: Rows) -> NDArray[np.float64]:
        """`[n]` the logarithm of the probability of a class for each image."""
        return self.log_probabilities(images)[np.arange(len(images)), classes]

    def targets(self, classes: Rows) -> Tensor:
        """`[n]` on the device."""
        return torch.from_numpy(np.asarray(classes, dtype=np.int64)).to(self.device)

    def shuffled(self, images: Pixels, seed: int) -> Asked:
        """A network of the same weights in random places: each tensor of the first network is
        shuffled in itself, and batch norm takes new statistics of some of these images."""
        network = copy.deepcopy(self.networks[0])
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for weights in network.parameters():
                order = torch.randperm(weights.numel(), generator=generator).to(weights.device)
                weights.copy_(weights.flatten()[order].view_as(weights))
            norms = batch_norms(network)
            for norm in norms:
                norm.reset_running_stats()  # type: ignore[operator]
                norm.momentum = None  # type: ignore[assignment]
                norm.train()
            if norms:
                network(self.pixels(images[:SEEN]))
        return Asked((network.eval(),), self.mean, self.std, self.device)


def features_of(asked: Asked, images: ImageSet) -> NDArray[np.float32]:
    """`[N, D]` of length 1: what the encoders see, those of several networks beside each other."""
    parts = [
        extract_features(_encoder(net), images.images, asked.mean, asked.std, device=asked.device)
        for net in asked.networks
    ]
    return unit_length(np.concatenate([unit_length(part) for part in parts], axis=1))


def unit_length(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each row divided by its length."""
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    return np.asarray(features / np.maximum(lengths, np.finfo(np.float32).tiny))


def _encoder(network: nn.Module) -> nn.Module:
    return next(iter(network.children()))
