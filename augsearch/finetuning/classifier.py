"""A classifier that `finetune` has left, opened again: its networks, its answers, its images."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ValidationError
from scipy.special import log_softmax, logsumexp
from torch import Tensor, nn

from augsearch.data.imageset import ImageRows, ImageSet
from augsearch.errors import ConfigError
from augsearch.evaluate.features import extract_features
from augsearch.evaluate.pictures import pooled
from augsearch.finetuning.combine import TINY
from augsearch.finetuning.labels import Rows
from augsearch.finetuning.outputs import LEARNT, SEEN, model_files
from augsearch.finetuning.result import RESULT_FILE, Finetuned
from augsearch.pretraining.opened import kept_settings
from augsearch.pretraining.pool import Pool, read_split, sealed_of
from augsearch.pretraining.prepare import as_decoded, given_images, sealed_off
from augsearch.pretraining.recipe import SPLIT_FILE, Before
from augsearch.progress import Progress
from augsearch.simclr.encoders.build import build_encoder
from augsearch.simclr.encoders.checkpoint import read_states
from augsearch.simclr.encoders.heads import classifier_name
from augsearch.stats.calibration import tempered
from augsearch.store.database import DEFAULT_STORAGE
from augsearch.study.source import Source
from augsearch.study_file import StudyConfig


@dataclass(frozen=True)
class Classifier:
    """Networks and what is known of them.

    Attributes:
        networks: each maps `[B, C, S, S]` normalised images to `[B, K]` logits, in evaluation mode
            and on the CPU; they are asked together. Its first child is the encoder.
    """

    directory: Path
    found: Finetuned
    config: StudyConfig
    networks: tuple[nn.Module, ...]

    def log_probabilities(
        self, images: ImageSet, rows: Rows, device: torch.device
    ) -> tuple[Rows, NDArray[np.float64]]:
        """One row for each picture, and `[n, K]` the logarithm of what the networks think of it on
        average, before calibration."""
        each = [
            log_softmax(self._logits(network, images, rows, device), axis=1)
            for network in self.networks
        ]
        mean: NDArray[np.float64] = logsumexp(np.stack(each), axis=0) - np.log(len(each))
        if images.pictures is None:
            return rows, mean
        first, probabilities = pooled(rows, np.exp(mean), images.pictures)
        return first, np.log(np.maximum(probabilities, TINY))

    def asked(self, device: torch.device) -> Callable[[Tensor], Tensor]:
        """The same for `[B, C, S, S]` views in [0, 1] on a device: `[B, K]` there, before
        calibration and without gradients."""
        networks = [network.to(device) for network in self.networks]
        mean = torch.tensor(self.found.mean, device=device).view(1, -1, 1, 1)
        std = torch.tensor(self.found.std, device=device).view(1, -1, 1, 1)

        @torch.no_grad()
        def ask(views: Tensor) -> Tensor:
            pixels = ((views - mean) / std).contiguous(memory_format=torch.channels_last)
            each = torch.stack([network(pixels).float().log_softmax(dim=1) for network in networks])
            return each.logsumexp(dim=0) - math.log(len(networks))

        return ask

    def _logits(
        self, network: nn.Module, images: ImageSet, rows: Rows, device: torch.device
    ) -> NDArray[np.float64]:
        found = extract_features(
            network.to(device),
            ImageRows(images.images, rows),
            self.found.mean,
            self.found.std,
            device=device,
        )
        return found.astype(np.float64)

    def probabilities(self, log_probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """`[n, K]` calibrated."""
        return tempered(log_probabilities, self.found.temperature or 1.0)

    def stopped(self, probabilities: NDArray[np.float64]) -> NDArray[np.bool_] | None:
        """`[n]` whether an image is stopped; None without a threshold."""
        limit = self.found.limit
        if limit is None:
            return None
        good = self.found.classes.index(limit.good)
        return np.asarray(1 - probabilities[:, good] >= limit.threshold)


@dataclass(frozen=True)
class ItsImages:
    """The images of a classifier.

    Attributes:
        pool: what it may have learnt from.
        sealed: labelled images that decided nothing; empty if they are not there.
        learnt: of the pool, the rows whose labels it learnt from or took its threshold from.
        seen: the same, and what it was trained on without labels, as a student is.
    """

    pool: Pool
    sealed: ImageSet
    learnt: Rows
    seen: Rows
    source: Source


def holds_classifier(named: object) -> bool:
    """Whether that is a directory with a classifier in it."""
    return isinstance(named, str | Path) and (Path(named) / RESULT_FILE).is_file()


def open_classifier(directory: str | Path) -> Classifier:
    """The classifier in a directory that `finetune` has ended in.

    Raises:
        ConfigError: there is none, or its files are damaged.
    """
    directory = Path(directory)
    path = directory / RESULT_FILE
    if not path.is_file():
        raise ConfigError(
            f"{directory}: holds no {RESULT_FILE}; name a directory that `augsearch finetune` "
            "ended in"
        )
    try:
        found = Finetuned.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError, ValueError):
        raise ConfigError(f"{path}: cannot be read; fine-tune again with this version") from None
    config = kept_settings(directory, "fine-tune again")
    networks = tuple(
        _network(directory / name, found, config) for name in model_files(found.networks)
    )
    return Classifier(directory, found, config, networks)


def open_images(
    classifier: Classifier,
    data: str | Path | ImageSet | None,
    storage: str = DEFAULT_STORAGE,
    *,
    progress: Progress,
) -> ItsImages:
    """Its images, split as they were when it learnt.

    Args:
        data: a folder of images, or an ImageSet; None for its own.

    Raises:
        AugsearchError: they are not there, or are of other classes.
    """
    found, config = classifier.found, classifier.config
    if data is None and found.data is None:
        raise ConfigError(
            f"{classifier.directory}: does not say where its images are; name them with --data"
        )
    known = None if found.data is None else Source.stored(found.data)
    image_set, source = given_images(data, known, config, progress)
    for sentence in image_set.notes:
        progress.note(sentence)
    if image_set.classes != found.classes:
        raise ConfigError(
            f"{source.name}: has the classes {', '.join(image_set.classes) or 'none'}; the "
            f"classifier knows {', '.join(found.classes)}"
        )
    if image_set.channels != found.channels:
        raise ConfigError(
            f"{source.name}: has {image_set.channels} channels; the classifier takes "
            f"{found.channels}"
        )
    split = read_split(classifier.directory / SPLIT_FILE)
    before = Before(str(classifier.directory), known or source, split)
    pool = sealed_off(image_set, source, as_decoded(config, image_set), before, storage, progress)
    sealed, missing = sealed_of(image_set, pool)
    if missing:
        progress.warn(f"{missing} sealed images are missing; the others are used")
    uses = read_uses(classifier.directory)
    each = np.array([uses.get(path, "") for path in pool.images.paths])
    seen = np.flatnonzero(each != "")
    return ItsImages(pool, sealed, seen[each[seen] != SEEN], seen, source)


def read_uses(directory: Path) -> Mapping[str, str]:
    """What each image of the pool was used for, by its path; those that were not are left out.

    Raises:
        ConfigError: the table is gone or damaged.
    """
    import pandas as pd

    from augsearch.files import as_written

    path = directory / "labels.csv"
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        uses = table["use"] if "use" in table else [LEARNT] * len(table)
        return dict(zip(table["path"].map(as_written), uses, strict=True))
    except (OSError, ValueError, KeyError):
        raise ConfigError(
            f"{path}: cannot be read; it says which images were learnt from"
        ) from None


def _network(path: Path, found: Finetuned, config: StudyConfig) -> nn.Module:
    states = read_states(path)
    encoder = build_encoder(config.encoder, found.channels, found.image_size)
    network = nn.Sequential(encoder, nn.Linear(encoder.feature_dim, len(found.classes)))
    head = classifier_name(config.encoder, found.channels, found.image_size)
    try:
        network.load_state_dict(_renamed(states[""], head))
    except (RuntimeError, KeyError) as error:
        reason = " ".join(str(error).split())[:100]
        raise ConfigError(f"{path}: is not the classifier's network ({reason})") from None
    return network.eval()


def _renamed(state: Mapping[str, Tensor], head: str) -> dict[str, Tensor]:
    """The names that `exported` changed, changed back."""
    names = {f"{head}.weight": "1.weight", f"{head}.bias": "1.bias"}
    return {names.get(name, f"0.body.{name}"): tensor for name, tensor in state.items()}
