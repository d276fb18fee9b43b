"""The bench on which every policy of a study is tried: one data set, one split, one budget.

Knows nothing of Optuna or MLflow: a policy goes in, an `Outcome` comes out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from augsearch.augment.baselines import for_channels
from augsearch.augment.build import Renderer
from augsearch.bench.outcome import Outcome, Scored
from augsearch.bench.scoring import labelled, outcome_of, rung_score
from augsearch.bench.seeds import derived_seed
from augsearch.data.imageset import ImageRows, ImageSet, normalisation
from augsearch.data.splits.splits import LabelDraw, Split, label_draws, sealed_split
from augsearch.errors import DataError
from augsearch.evaluate.config import EvaluateConfig
from augsearch.evaluate.shared_views import FEWEST
from augsearch.simclr.device import free_memory_bytes
from augsearch.simclr.encoders.start import Start, load_start
from augsearch.simclr.feature_teacher import FeatureTeacher
from augsearch.simclr.pretrain import Pretraining
from augsearch.simclr.ranks import ALONE, Ranks
from augsearch.space.handbook.costs import views_microseconds
from augsearch.space.policy import Policy
from augsearch.study_file import StudyConfig

RungListener = Callable[[int, float], None]
StepListener = Callable[[int, float], None]

UNTRAINED, FROZEN = "untrained encoder", "frozen pretrained encoder"
"""What the floor is called: an encoder of random weights, or of weights as they came."""

POOL_SHARE = 0.25
"""Share of the device's free memory that the pool may take; a larger one is streamed."""


@dataclass(frozen=True)
class Bench:
    """Everything that the trials of one study share.

    Attributes:
        config: the study file.
        image_set: all images; `split` says which are for training and which are sealed.
        images: `[N, C, H, W]` uint8, the pool in the order of `split.pool`: on `device`, or on
            the host if it is too large for that. Which of them changes no result.
        mean, std: per channel, in [0, 1], that images are normalised by: of the pool, or those
            that the weights in `start` were trained with.
        draws: label draws of the search (replicate 0) for `validation` (all within the pool) and
            `test` (fitted in the pool, scored on the sealed split); empty if the study goes by a
            label-free score and the labels do not suffice for a probe. Other replicates have
            their own, see `label_draws`.
        seed: the study's seed.
        device: where training happens.
        start: the weights that every run begins with; None for random ones.
    """

    config: StudyConfig
    image_set: ImageSet
    split: Split
    images: torch.Tensor | ImageRows
    mean: tuple[float, ...]
    std: tuple[float, ...]
    draws: dict[Scored, tuple[LabelDraw, ...]]
    seed: int
    device: torch.device
    start: Start | None = None

    @classmethod
    def build(
        cls, image_set: ImageSet, config: StudyConfig, *, seed: int, device: torch.device
    ) -> Bench:
        """Split the data, draw the labels, move the pool to the device if it fits there.

        Raises:
            DataError: too few labels or classes, or for a label-free score too few images, to
                score anything.
        """
        wanted = config.evaluate
        split = sealed_split(image_set, unlabelled=wanted.label_free)
        try:
            sides: tuple[Scored, ...] = ("validation", "test")
            draws = {side: _draws(image_set, split, wanted, seed, side) for side in sides}
        except DataError:
            if not wanted.label_free:
                raise
            draws = {}
        if wanted.label_free:
            _check_enough_images(split, wanted.score)
        return cls._of(image_set, split, draws, config, seed, device)

    @classmethod
    def of_pool(
        cls, images: ImageSet, config: StudyConfig, *, seed: int, device: torch.device
    ) -> Bench:
        """A bench of images that are all for training: none is sealed.

        Where the labels suffice for no probe, there is none.
        """
        split = Split(np.arange(len(images)), np.empty(0, dtype=np.int64))
        draws: dict[Scored, tuple[LabelDraw, ...]] = {}
        with suppress(DataError):
            draws["validation"] = _draws(images, split, config.evaluate, seed, "validation")
        return cls._of(images, split, draws, config, seed, device)

    @classmethod
    def _of(
        cls,
        image_set: ImageSet,
        split: Split,
        draws: dict[Scored, tuple[LabelDraw, ...]],
        config: StudyConfig,
        seed: int,
        device: torch.device,
    ) -> Bench:
        pool = ImageRows(image_set.images, split.pool)
        start = load_start(config.encoder, image_set.channels, image_set.image_size)
        mean, std = (start.mean, start.std) if start and start.mean else normalisation(pool)
        resident = pool.nbytes <= POOL_SHARE * free_memory_bytes(device)
        return cls(
            config=config,
            image_set=image_set,
            split=split,
            images=torch.from_numpy(pool[:]).to(device) if resident else pool,
            mean=mean,
            std=std,
            draws=draws,
            seed=seed,
            device=device,
            start=start,
        )

    def on(self, device: torch.device) -> Bench:
        """This bench on another device, which reads the pool from the host."""
        pool = ImageRows(self.image_set.images, self.split.pool)
        return replace(self, device=device, images=pool)

    @property
    def weights(self) -> Mapping[str, torch.Tensor] | None:
        """What the encoder of every run starts from; None for random numbers."""
        return None if self.start is None else self.start.state

    @property
    def floor(self) -> str:
        """What the encoder without any training here is called."""
        return UNTRAINED if self.start is None else FROZEN

    def label_draws(self, scored: Scored, replicate: int) -> tuple[LabelDraw, ...]:
        """The labelled images that a replicate's probes are fitted on, the same for every policy.

        Each replicate draws anew: what other labels would have changed is then part of what
        seeds differ by, and so of every interval over seeds. Replicate 0, the search, has the
        labels of `draws`, which no fresh seed is judged with again. Empty if `draws` is.
        """
        if replicate == 0 or not self.draws:
            return self.draws.get(scored, ())
        seed = derived_seed(self.seed, "labels", replicate)
        return _draws(self.image_set, self.split, self.config.evaluate, seed, scored)

    def renderer(self, policy: Policy) -> Renderer:
        """What makes the policy's views of these images."""
        fitting = for_channels(policy, self.image_set.channels)
        return Renderer.build(
            fitting, self.config.compute.executor, compile=self.config.pretrain.compile
        )

    def price(self, policy: Policy) -> float:
        """What the search takes off a score for the cost of the policy's views, in [0, inf)."""
        return self.config.search.cost_weight / 100 * self.cost(policy) / 1000

    def cost(self, policy: Policy) -> float:
        """Microseconds that the policy's two views of an image take, by measured costs."""
        fitting = for_channels(policy, self.image_set.channels)
        return views_microseconds(fitting, self.image_set.image_size, self.config.compute.executor)

    def pretraining(
        self,
        policy: Policy,
        *,
        replicate: int,
        steps: int,
        ranks: Ranks = ALONE,
        teacher: FeatureTeacher | None = None,
    ) -> Pretraining:
        """A training run of `policy` that has not begun.

        Initial weights, batch order and draws follow from (seed, replicate) alone: all policies
        of a replicate meet the same ones. `ranks`: which processes share the batches; `teacher`:
        whose features are learnt instead of what two views share.
        """
        wanted = self.config.pretrain
        batch = ranks.batch(wanted.batch_size, len(self.images))
        first = ranks.part(batch).start
        return Pretraining(
            self.images,
            self.renderer(policy).function(self.seed, replicate, first=first),
            self.config.encoder,
            wanted.model_copy(update={"steps": steps}),
            seed=derived_seed(self.seed, "replicate", replicate),
            device=self.device,
            mean=self.mean,
            std=self.std,
            weights=self.weights,
            ranks=ranks,
            teacher=teacher,
        )

    def try_policy(
        self,
        policy: Policy,
        *,
        replicate: int,
        steps: int,
        rungs: Iterable[int] = (),
        scored: Scored = "validation",
        on_rung: RungListener | None = None,
        on_step: StepListener | None = None,
    ) -> Outcome:
        """Pretrain under `policy` for `steps` optimiser steps and score the encoder.

        Args:
            replicate: 0 for trials; fresh numbers for confirmation.
            rungs: steps at which the few-label probe is fitted and passed to `on_rung`, which
                may raise to end the run.
            on_step: called about every 20 steps with the step and images/s.

        Raises:
            TrialFailure: the loss became non-finite or the features collapsed.
        """
        started = time.perf_counter()
        run = self.pretraining(policy, replicate=replicate, steps=steps)
        probing, curve = 0.0, []
        for rung in sorted({step for step in rungs if step < steps}):
            self._advance(run, rung, on_step)
            begin = time.perf_counter()
            score = rung_score(self, run, scored, replicate)
            probing += time.perf_counter() - begin
            curve.append((rung, score))
            if on_rung:
                on_rung(rung, score)
        self._advance(run, steps, on_step)
        begin = time.perf_counter()
        outcome = outcome_of(self, run, scored, replicate, check=True)
        probing += time.perf_counter() - begin
        stride = max(1, steps // 100)
        return outcome.model_copy(
            update={
                "curve": (*curve, (steps, outcome.score)),
                "losses": tuple(list(enumerate(run.losses, 1))[stride - 1 :: stride]),
                "steps": steps,
                "images_per_second": run.images_per_second,
                "seconds": {
                    "training": sum(run.seconds.values()),
                    "views": run.seconds["views"],
                    "probe": probing,
                    "total": time.perf_counter() - started,
                },
                "peak_memory_mb": run.peak_memory_bytes / 1e6,
            }
        )

    @staticmethod
    def _advance(run: Pretraining, target: int, on_step: StepListener | None) -> None:
        while run.step < target:
            run.advance(min(target, run.step + 20))
            if on_step:
                on_step(run.step, run.images_per_second)

    def untrained(self, *, replicate: int, scored: Scored) -> Outcome:
        """The floor: the same encoder as it is before any training.

        Weights that the study starts from are as they came. Random ones are those of that
        replicate, with batch norm's statistics of clean pool images, which they have no training
        to take them in.
        """
        begin = time.perf_counter()
        run = self.pretraining(Policy(ops=()), replicate=replicate, steps=1)
        if self.start is None:
            run.take_statistics()
        outcome = outcome_of(self, run, scored, replicate, check=False)
        return outcome.model_copy(
            update={
                "seconds": {"total": time.perf_counter() - begin},
                "curve": ((0, outcome.score),),
            }
        )

    def scored_rows(self, side: NDArray[np.int64]) -> NDArray[np.int64]:
        """The rows of a side that a score counts, in order: one for each labelled picture."""
        return self.image_set.one_each(labelled(self, side))


def _draws(
    image_set: ImageSet, split: Split, wanted: EvaluateConfig, seed: int, scored: Scored
) -> tuple[LabelDraw, ...]:
    return label_draws(
        image_set.labels,
        image_set.groups,
        split.pool,
        labels_per_class=wanted.labels_per_class,
        draws=wanted.draws,
        seed=seed,
        score_on=split.test if scored == "test" else None,
        pictures=image_set.pictures,
        classes=image_set.classes,
    )


def _check_enough_images(split: Split, score: str) -> None:
    for name, side in (("pool", split.pool), ("test split", split.test)):
        if len(side) < FEWEST:
            raise DataError(
                f"evaluate.score {score}: needs at least {FEWEST} images in the {name}, found "
                f"{len(side)}; add images"
            )
