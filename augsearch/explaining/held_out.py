"""What networks say of labelled images that they have not learnt from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from augsearch.finetuning.classifier import Classifier, ItsImages, read_uses
from augsearch.finetuning.labels import Rows, folds_of
from augsearch.finetuning.members import files_without
from augsearch.finetuning.outputs import LEARNT
from augsearch.simclr.encoders.build import build_encoder

KEPT = "networks"


def of_folds(
    classifier: Classifier, images: ItsImages, device: torch.device
) -> tuple[Rows, NDArray[np.float64]] | None:
    """Rows of the pool that were learnt from, one for each picture, and `[n, K]` the logarithm of
    what the networks think that were trained without their fold; None where these networks, or the
    images that they learnt from, are not there any more."""
    found, pool = classifier.found, images.pool
    seed = found.identity.get("seed")  # a student has none, nor folds
    if seed is None or found.identity.get("images") != pool.digest[:12]:
        return None
    uses = read_uses(classifier.directory)
    rows = np.flatnonzero([uses.get(path) == LEARNT for path in pool.images.paths])
    folds = folds_of(pool.images, rows, classifier.config.finetune.folds, int(seed))
    answers = []
    for number, held in enumerate(folds):
        networks = _networks(classifier, number)
        if not networks:
            return None
        asked = replace(classifier, networks=networks)
        answers.append(asked.log_probabilities(pool.images, np.sort(held), device))
    if not answers:
        return None
    return (
        np.concatenate([rows for rows, _ in answers]),
        np.concatenate([said for _, said in answers]),
    )


def _networks(classifier: Classifier, fold: int) -> tuple[nn.Module, ...]:
    """Those that were kept and have not learnt from the fold; none if one is damaged."""
    found = classifier.found
    networks = []
    plain = bool(found.views) and found.plain
    for path in files_without(classifier.directory / KEPT, fold, plain=plain):
        encoder = build_encoder(classifier.config.encoder, found.channels, found.image_size)
        network = nn.Sequential(encoder, nn.Linear(encoder.feature_dim, len(found.classes)))
        try:
            network.load_state_dict(load_file(path))
        except (OSError, SafetensorError, RuntimeError):
            return ()
        networks.append(network.eval())
    return tuple(networks)
