"""Pretraining of one encoder, by SimCLR or a teacher, some optimiser steps at a time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import update_bn

from augsearch.data.imageset import ImageRows
from augsearch.data.stream import batches_of
from augsearch.errors import DataError, DeviceError, TrialFailure
from augsearch.simclr.accumulate import LossOf, backward
from augsearch.simclr.compiled import compiled
from augsearch.simclr.config import SMALLEST_CHUNK, PretrainConfig
from augsearch.simclr.device import resident_memory_bytes
from augsearch.simclr.encoders.build import Encoder, build_encoder
from augsearch.simclr.encoders.config import EncoderConfig
from augsearch.simclr.feature_teacher import FeatureTeacher
from augsearch.simclr.loss import nt_xent
from augsearch.simclr.optimizer import build_optimizer, learning_rate_factor
from augsearch.simclr.precision import TOO_SMALL, in_bfloat16, uses_bfloat16
from augsearch.simclr.randomness import STEP, WEIGHTS, batches, reseed, seeded, stream_seed
from augsearch.simclr.ranks import ALONE, Ranks

MakeViews = Callable[[Tensor, int], tuple[Tensor, Tensor]]

CLEAN, CLEAN_AT_ONCE = 1024, 64  # images that an untrained encoder's statistics are taken from
RANK = 2**20  # more than there are chunks, which take the seeds after a rank's first
CHECK_EVERY = 25  # steps between looks at the losses; each look waits for an accelerator


class Pretraining:
    """One run of SimCLR, or of learning another encoder's features, advanced from rung to rung.

    Weights, batch order and dropout depend on `seed` alone, not on the policy behind
    `make_views`, the rungs or the global RNG, which is left as it was. On a CPU the same seed and
    number of threads give bitwise the same run.

    Batch norm's statistics are over both views of a batch, 2B images, unless the configuration
    says otherwise or the encoder takes the batch in chunks; see `accumulate.backward`.

    Attributes:
        batch_size: B, images a step: the configured ones, or all if they are fewer; of all ranks.
        chunk_size: images of this process in the encoder at a time. Falls by halves when a CUDA
            device runs out of memory; the step then goes on with the same batch.
        bfloat16: whether the encoder and the head multiply 16-bit numbers.
        notes: sentences for the user about what was changed on the way.
        seconds: time spent so far on "views" and on the "encoder" (all the rest).
    """

    # Everything that a run depends on comes in here.
    def __init__(
        self,
        images: Tensor | ImageRows,
        make_views: MakeViews,
        encoder_config: EncoderConfig,
        config: PretrainConfig,
        *,
        seed: int,
        device: torch.device,
        mean: Sequence[float],
        std: Sequence[float],
        weights: Mapping[str, Tensor] | None = None,
        ranks: Ranks = ALONE,
        teacher: FeatureTeacher | None = None,
    ) -> None:
        """Build the encoder and its optimiser; nothing is trained yet.

        Args:
            images: `[N, C, H, W]` uint8, on `device` or, streamed from there, on the host.
            make_views: from uint8 `[B, C, H, W]` on `device` and the step (0 first) to two views,
                float `[B, C, S, S]` in [0, 1], not normalised.
            encoder_config: which encoder.
            config: the budget and how it is spent.
            seed: not negative; the replicate.
            device: where to train.
            mean, std: per channel, of pixels in [0, 1]; views are normalised by them last.
            weights: what the encoder starts from; None for random numbers.
            ranks: which processes share the batches. `make_views` is then given this one's part
                of each, and numbers the images from there (`Renderer.function`).
            teacher: whose features are learnt instead of what two views share.

        Raises:
            DataError: fewer than two images, or than the ranks can share.
            ConfigError: the encoder does not exist or cannot take these images.
        """
        count, channels, height, _ = images.shape
        if count < 2:
            raise DataError(f"pretraining needs at least 2 images, found {count}")
        self.config = config
        self.device = device
        self._ranks = ranks
        self._teacher = teacher
        self.batch_size = ranks.batch(config.batch_size, count)
        if self.batch_size < 2 * ranks.size:
            raise DataError(
                f"{ranks.size} processes need at least {2 * ranks.size} images a step, found "
                f"{min(config.batch_size, count)}"
            )
        self._here = self.batch_size // ranks.size
        self.chunk_size = min(config.chunk_size or self._here, self._here)
        self.notes: tuple[str, ...] = ()
        self.seconds = {"views": 0.0, "encoder": 0.0}
        self._make_views = make_views
        self._seed = seed
        self._images = images
        self._batches = self._from_batch(0)
        # (x - mean) / std, as one multiplication and one addition
        scale, shift = [1 / s for s in std], [-m / s for m, s in zip(mean, std, strict=True)]
        self._scale, self._shift = torch.tensor([scale, shift], device=device).view(2, 1, -1, 1, 1)
        self._views: Tensor | None = None
        # Weights are drawn on the CPU, so that every device starts from the same ones.
        with seeded(stream_seed(seed, WEIGHTS), torch.device("cpu")):
            encoder = build_encoder(encoder_config, channels, height, weights)
            width = encoder.feature_dim
            head = teacher.head(width) if teacher else projection_head(width, config)
        self._encoder = encoder.to(device)
        shape = (channels, height, height)
        self.bfloat16 = uses_bfloat16(config, device, self._encoder, shape)
        if config.precision == "bfloat16" and not self.bfloat16:
            self.notes = (TOO_SMALL,)
        self._encoder.body = ranks.joint(self._encoder.body, self._encoder.still)
        self._head = ranks.joint(head.to(device))
        encode = compiled(self._encoder) if config.compile else self._encoder
        self._encode = in_bfloat16(encode, device) if self.bfloat16 else encode
        self._project = in_bfloat16(self._head, device) if self.bfloat16 else self._head
        # A rate that grows with the batch goes by the batch that there is.
        as_it_is = config.model_copy(update={"batch_size": self.batch_size})
        self._optimizer = build_optimizer(self._encoder, self._head, as_it_is)
        self._learning = [p for group in self._optimizer.param_groups for p in group["params"]]
        self._losses: list[float] = []
        self._unread: list[Tensor] = []
        self._peak_memory = 0
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)

    @property
    def step(self) -> int:
        """Optimiser steps done."""
        return len(self._losses) + len(self._unread)

    @property
    def encoder(self) -> Encoder:
        """The encoder as it is now, in training mode, on the device."""
        return self._encoder

    @property
    def projection_head(self) -> nn.Module:
        """The head that the loss sees the features through, in training mode, on the device."""
        return self._head

    @property
    def losses(self) -> list[float]:
        """The loss of every step done; entry k is the loss before update k."""
        return list(self._losses)

    @property
    def images_per_second(self) -> float:
        """Images (not views) trained on a second, views included; 0 before the first step."""
        spent = sum(self.seconds.values())
        return self.step * self.batch_size / spent if spent > 0 else 0.0

    @property
    def peak_memory_bytes(self) -> int:
        """Peak memory of this run on CUDA; elsewhere the process's, as seen at the checks."""
        return self._peak_memory

    def take_statistics(self) -> None:
        """Set batch norm's running statistics to those of clean images, without training.

        An encoder that has not been trained has none of its own: mean 0 and variance 1 fit no
        layer but the first. The images are those of the batches that training would begin with.
        Weights stay as they are, and a network without batch norm stays as it is.
        """
        network = nn.Sequential(self._encoder, self._head)
        with seeded(stream_seed(self._seed, STEP), self.device):
            update_bn(self._clean_images(), network)

    def _clean_images(self) -> Iterator[Tensor]:
        """About `CLEAN` normalised images, `[n, C, S, S]` with n from 2 to `CLEAN_AT_ONCE`."""
        for batch in islice(self._batches, math.ceil(CLEAN / self.batch_size)):
            pixels = torch.addcmul(self._shift, batch.float() / 255, self._scale)
            yield from pixels.chunk(math.ceil(self.batch_size / CLEAN_AT_ONCE))

    def _from_batch(self, number: int) -> Iterator[Tensor]:
        """This process's parts of the batches from `number` on."""
        order = batches(len(self._images), self.batch_size, self._seed, begin=number)
        part = self._ranks.part(self.batch_size)
        return batches_of(self._images, (rows[part] for rows in order), self.device)

    def state_dict(self) -> dict[str, Any]:
        """All that the run needs to go on from here, tensors and numbers alone."""
        self._read_losses()
        return {
            "encoder": self._encoder.state_dict(),
            "head": self._head.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "losses": list(self._losses),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state of a run of the same arguments, as if it had never stopped."""
        self._encoder.load_state_dict(state["encoder"])
        self._head.load_state_dict(state["head"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._losses = list(state["losses"])
        self._unread.clear()
        self._batches = self._from_batch(self.step)

    def advance(self, to_step: int) -> None:
        """Train until `to_step` optimiser steps are done in all.

        On an accelerator `seconds` splits the host's time only: what the views queued may be
        waited for under "encoder". The sum is right.

        Raises:
            TrialFailure: the loss became non-finite.
            DeviceError: out of memory for the views, for the optimiser, or even with the smallest
                chunk in the encoder.
            ConfigError: the encoder cannot be compiled here.
        """
        if not self.step <= to_step <= self.config.steps:
            raise ValueError(
                f"cannot advance from step {self.step} to {to_step} of {self.config.steps}"
            )
        self._encoder.train()
        self._head.train()
        # One fence for all steps; each begins with its own seed, so that rungs do not matter.
        with seeded(stream_seed(self._seed, STEP), self.device):
            while self.step < to_step:
                seed = stream_seed(self._seed, STEP, self.step) + self._ranks.rank * RANK
                reseed(seed, self.device)
                self._train_one_step(seed)
                if self.step % CHECK_EVERY == 0 or self.step == to_step:
                    self._read_losses()

    def _train_one_step(self, seed: int) -> None:
        start = time.perf_counter()
        try:
            views = self._next_views()
        except torch.OutOfMemoryError as error:
            raise views_do_not_fit(self.device, self.batch_size) from error
        made = time.perf_counter()
        for group in self._optimizer.param_groups:
            group["lr"] = group["peak"] * learning_rate_factor(self.step, self.config)
        self._unread.append(self._backward(views, seed))
        try:
            self._optimizer.step()
        except torch.OutOfMemoryError as error:
            raise DeviceError(
                f"{self.device} has too little memory for the optimiser of this encoder; take a "
                "smaller encoder, or free memory that other programs hold"
            ) from error
        self.seconds["views"] += made - start
        self.seconds["encoder"] += time.perf_counter() - made

    @torch.no_grad()
    def _next_views(self) -> Tensor:
        """The next batch's views, normalised, first ones first: `[2b, C, S, S]`, overwritten by
        the next call. Of B images b are this process's."""
        pair = self._make_views(next(self._batches), self.step)
        if self._views is None:
            shape = (2 * self._here, *pair[0].shape[1:])
            self._views = torch.empty(shape, device=self.device, memory_format=torch.channels_last)
        for view, target in zip(pair, self._views.chunk(2), strict=True):
            torch.addcmul(self._shift, view, self._scale, out=target)
        return self._views

    def _backward(self, views: Tensor, seed: int) -> Tensor:
        """Set the gradients of this batch, in chunks that fit into memory; returns the loss."""
        while True:
            self._optimizer.zero_grad(set_to_none=True)
            try:
                loss = backward(
                    self._encode,
                    self._project,
                    views,
                    loss_of=self._loss_of(views),
                    chunk_size=self.chunk_size,
                    separate=self.config.batch_norm == "separate",
                    reseed=lambda number: reseed(seed + number, self.device),
                    buffers_of=self._encoder,
                    ranks=self._ranks,
                )
                self._ranks.sum_gradients(self._learning)
                return loss
            except torch.OutOfMemoryError as error:
                # The others would wait for this rank, which has more chunks than they, for ever.
                if self.chunk_size <= SMALLEST_CHUNK or self._ranks.size > 1:
                    raise DeviceError(
                        f"{self.device} has too little memory for {self.chunk_size} images in the "
                        "encoder; take a smaller encoder, lower data.image_size, or free memory "
                        "that other programs hold"
                    ) from error
            # Only out here is what the failed attempt held let go of.
            self._take_smaller_chunks()

    def _loss_of(self, views: Tensor) -> LossOf:
        """Of projections of these views, `[2b, C, S, S]` normalised: one's own part of them."""
        teacher = self._teacher
        if teacher is None:
            return partial(nt_xent, temperature=self.config.temperature)
        halves = teacher.features(views, 2 * self.chunk_size).chunk(2)
        wanted = torch.cat([self._ranks.gathered(half) for half in halves])
        return lambda z1, z2: teacher.loss(torch.cat([z1, z2]), wanted)

    def _take_smaller_chunks(self) -> None:
        self.chunk_size = max(SMALLEST_CHUNK, self.chunk_size // 2)
        self.notes = (
            *(note for note in self.notes if note == TOO_SMALL),
            f"{self.device} has too little memory for {self.batch_size} images in the encoder; it "
            f"takes {self.chunk_size} at a time, the loss compares all (to save the attempts, set "
            f"pretrain.chunk_size: {self.chunk_size})",
        )
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def _read_losses(self) -> None:
        start = time.perf_counter()
        losses = torch.stack(self._unread).tolist() if self._unread else []
        self.seconds["encoder"] += time.perf_counter() - start
        self._unread.clear()
        for loss in losses:
            self._losses.append(loss)
            if not math.isfinite(loss):
                raise TrialFailure(
                    f"loss became {loss} at step {len(self._losses)} (learning rate "
                    f"{self.config.learning_rate:g}; a lower one, or more warm-up, may help)"
                )
        if self.device.type == "cuda":
            self._peak_memory = torch.cuda.max_memory_allocated(self.device)
        else:
            self._peak_memory = max(self._peak_memory, resident_memory_bytes())


def views_do_not_fit(device: torch.device, batch_size: int) -> DeviceError:
    """What to say where a device has no memory for the views of a batch."""
    return DeviceError(
        f"{device} has too little memory for the views of {batch_size} images; lower "
        "pretrain.batch_size or data.image_size"
    )


def projection_head(feature_dim: int, config: PretrainConfig) -> nn.Sequential:
    """SimCLR's head, `[B, feature_dim]` to `[B, projection_dim]`; dropped afterwards."""
    layers: list[nn.Module] = []
    width = feature_dim
    for _ in range(config.projection_layers - 1):
        layers += [
            nn.Linear(width, config.projection_hidden, bias=False),
            nn.BatchNorm1d(config.projection_hidden),
            nn.ReLU(inplace=True),
        ]
        width = config.projection_hidden
    return nn.Sequential(*layers, nn.Linear(width, config.projection_dim, bias=False))
