"""The networks of a fine-tuning: each trained once, kept, and asked what it sees."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from augsearch.bench.bench import Bench
from augsearch.data.imageset import ImageRows, ImageSet
from augsearch.engines.processes import Processes
from augsearch.errors import StudyError
from augsearch.evaluate.features import extract_features
from augsearch.finetuning.labels import Rows
from augsearch.finetuning.prepare import Prepared, rate_of
from augsearch.model_sections import FinetuneConfig
from augsearch.progress import Progress
from augsearch.simclr.config import PretrainConfig
from augsearch.simclr.encoders.build import build_encoder
from augsearch.simclr.supervised import LabelledImages, Supervision, train_supervised
from augsearch.space.policy import Policy
from augsearch.study_file import StudyConfig

State = dict[str, Tensor]
Logits = NDArray[np.float64]

PLAIN = "-as-they-are"
"""Ends the names of networks that see labelled images as they are where the others do not."""
FINAL = None
"""Of a network that learns from all labels, not from all but a fold."""


@dataclass(frozen=True)
class Member:
    """A network: which fold is held out of its labels, its seed, and whether it sees labelled
    images as they are."""

    fold: int | None
    seed: int
    plain: bool = False

    @property
    def file(self) -> str:
        part = "all" if self.fold is None else f"without-fold-{self.fold}"
        return f"{part}-seed-{self.seed}{PLAIN if self.plain else ''}.safetensors"


@dataclass(frozen=True)
class Workshop:
    """What the training of every member needs; sent to other processes."""

    prepared: Prepared
    kept: Path


def members_of(prepared: Prepared) -> list[Member]:
    """All networks, the final ones first: they are wanted in any case."""
    seeds = range(1 if prepared.wanted.combine == "single" else prepared.wanted.seeds)
    folds: list[int | None] = [FINAL, *range(len(prepared.folds))]
    return [Member(fold, seed, prepared.plain) for fold in folds for seed in seeds]


def files_without(kept: Path, fold: int, *, plain: bool) -> list[Path]:
    """Those of the networks of one kind that have not learnt from a fold, by seed."""
    found = sorted(kept.glob(f"without-fold-{fold}-seed-*.safetensors"))
    return [path for path in found if path.stem.endswith(PLAIN) == plain]


def train_members(
    prepared: Prepared,
    kept: Path,
    progress: Progress,
    members: Sequence[Member],
    purpose: str = "",
) -> None:
    """Train those that are not in `kept` yet.

    Args:
        purpose: what they are for, in a few words.

    Raises:
        TrialFailure: a loss became non-finite.
    """
    kept.mkdir(parents=True, exist_ok=True)
    todo = [member for member in members if not (kept / member.file).exists()]
    progress.phase("networks", len(members) - len(todo), len(members), purpose)
    on_cpu = prepared.bench.device.type == "cpu"
    engine = Processes(prepared.config.compute.threads, most=None if on_cpu else 1)
    for member, score in engine.run(_train, Workshop(prepared, kept), todo):
        held = "all labels" if member.fold is None else f"without fold {member.fold + 1}"
        seen = ", images as they are" if purpose and member.plain else ""
        progress.run_ended(f"seed {member.seed + 1}", score, held + seen)


def _train(workshop: Workshop, member: Member) -> float:
    """Train one and keep it; its accuracy on what it learnt from."""
    prepared = workshop.prepared
    bench, rows = prepared.bench, prepared.rows
    if member.fold is not None:
        rows = rows[~np.isin(rows, prepared.folds[member.fold])]
    pool = prepared.pool.images
    network = train_network(
        bench,
        replace(prepared, plain=member.plain).views,
        rows,
        prepared.wanted,
        seed=bench.seed * 1000 + member.seed,
        draws=member.seed,
        # From weights all begin alike, so that their mean means something; from nothing they do
        # not, so that they differ.
        initial=None if bench.start is None else bench.seed,
    )
    logits = extract_features(
        network, ImageRows(pool.images, rows), bench.mean, bench.std, device=bench.device
    )
    state = {name: t.detach().cpu().contiguous() for name, t in network.state_dict().items()}
    part = workshop.kept / f".{member.file}.{os.getpid()}.part"
    save_file(state, part)
    part.replace(workshop.kept / member.file)
    return float((logits.argmax(axis=1) == pool.labels[rows]).mean())


def train_network(
    bench: Bench,
    policy: Policy,
    rows: Rows,
    wanted: FinetuneConfig,
    *,
    seed: int,
    draws: int,
    initial: int | None = None,
) -> nn.Module:
    """Encoder and classifier that have learnt from labelled images of the bench, in evaluation
    mode; the encoder begins as the bench says.

    Args:
        policy: what they are seen through.
        rows: of the bench's images.
        wanted: its `learning_rate` may be None.
        seed: of weights and batches.
        draws: which of the policy's streams of draws is taken.
        initial: see `train_supervised`.

    Raises:
        TrialFailure: the loss became non-finite.
    """
    images = bench.image_set
    data = LabelledImages(
        images=torch.from_numpy(ImageRows(images.images, rows)[:]).to(bench.device),
        labels=torch.from_numpy(images.labels[rows]).to(bench.device),
        classes=len(images.classes),
        mean=bench.mean,
        std=bench.std,
    )
    network, _ = train_supervised(
        data,
        bench.renderer(policy).function(bench.seed, draws),
        bench.config.encoder,
        training_of(wanted, bench.config),
        seed=seed,
        device=bench.device,
        weights=bench.weights,
        how=Supervision(wanted.mode == "linear", wanted.label_smoothing, wanted.balance),
        initial=initial,
    )
    return network


def training_of(wanted: FinetuneConfig, config: StudyConfig) -> PretrainConfig:
    """The optimiser's settings, for an encoder that begins as `config` says."""
    return PretrainConfig(
        steps=wanted.steps,
        batch_size=wanted.batch_size,
        learning_rate=rate_of(wanted, config),
        weight_decay=wanted.weight_decay,
        layer_decay=wanted.layer_decay,
        precision=config.pretrain.precision,
    )


def read_member(kept: Path, member: Member) -> State:
    """The tensors of a trained member.

    Raises:
        StudyError: the file is damaged; it is gone now, so that it is trained again.
    """
    path = kept / member.file
    try:
        return dict(load_file(path))
    except (OSError, SafetensorError):
        path.unlink(missing_ok=True)
        raise StudyError(
            f"{path}: is damaged, and has been removed; the same command trains it again"
        ) from None


def mean_state(states: Sequence[State]) -> State:
    """Every tensor's mean; counts are those of the first."""
    return {
        name: torch.stack([state[name] for state in states]).mean(dim=0)
        if first.is_floating_point()
        else first
        for name, first in states[0].items()
    }


def network_of(prepared: Prepared, state: Mapping[str, Tensor]) -> nn.Module:
    """Encoder and classifier with these tensors, in evaluation mode."""
    pool = prepared.pool.images
    encoder = build_encoder(prepared.config.encoder, pool.channels, pool.image_size)
    network = nn.Sequential(encoder, nn.Linear(encoder.feature_dim, len(pool.classes)))
    network.load_state_dict(dict(state))
    return network.to(prepared.bench.device).eval()


def logits_of(
    prepared: Prepared, state: Mapping[str, Tensor], images: ImageSet, rows: Rows
) -> Logits:
    """`[n, K]` of some images."""
    bench = prepared.bench
    found = extract_features(
        network_of(prepared, state),
        ImageRows(images.images, rows),
        bench.mean,
        bench.std,
        device=bench.device,
    )
    return found.astype(np.float64)


def states_by_fold(prepared: Prepared, kept: Path) -> Iterator[tuple[Rows, list[State]]]:
    """Each fold's rows, and the networks that did not learn from them, by seed."""
    for number, held in enumerate(prepared.folds):
        members = [member for member in members_of(prepared) if member.fold == number]
        yield held, [read_member(kept, member) for member in members]
