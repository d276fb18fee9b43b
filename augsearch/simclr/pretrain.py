"""SimCLR pretraining of one encoder, a counted number of optimiser steps at a time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

import psutil
import torch
from torch import Tensor, nn

from augsearch.errors import DataError, TrialFailure
from augsearch.simclr.config import EncoderConfig, PretrainConfig
from augsearch.simclr.encoders import Encoder, build_encoder
from augsearch.simclr.loss import nt_xent
from augsearch.simclr.randomness import STEP, WEIGHTS, batches, seeded, stream_seed

MakeViews = Callable[[Tensor, int], tuple[Tensor, Tensor]]

CHECK_EVERY = 25  # steps between looks at the losses; each look waits for an accelerator


class Pretraining:
    """One run of SimCLR, advanced from rung to rung.

    Weights, batch order and dropout depend on `seed` alone, not on the policy behind
    `make_views`, the rungs or the global RNG, which is left as it was. On a CPU the same seed and
    number of threads give bitwise the same run.

    Batch norm sees both views of a batch in one forward pass, so its statistics are over 2B
    images. Without that, statistics could tell the two views apart.
    """

    def __init__(
        self,
        images: Tensor,
        make_views: MakeViews,
        encoder_config: EncoderConfig,
        config: PretrainConfig,
        *,
        seed: int,
        device: torch.device,
        mean: Sequence[float],
        std: Sequence[float],
    ) -> None:
        """Build the encoder and its optimiser; nothing is trained yet.

        Args:
            images: `[N, C, H, W]` uint8, on `device` or on the CPU.
            make_views: from uint8 `[B, C, H, W]` on `device` and the step (0 first) to two views,
                float `[B, C, H, W]` in [0, 1], not normalised.
            encoder_config: which encoder.
            config: the budget and how it is spent.
            seed: not negative; the replicate.
            device: where to train.
            mean: per channel, of pixels in [0, 1]; subtracted from the views last.
            std: per channel, positive.

        Raises:
            DataError: fewer than two images.
            ConfigError: the encoder does not exist or cannot take these images.
        """
        count, channels, height, _ = images.shape
        if count < 2:
            raise DataError(f"pretraining needs at least 2 images, found {count}")
        self.config = config
        self.device = device
        self.batch_size = min(config.batch_size, count)
        self.seconds = {"views": 0.0, "encoder": 0.0}
        self._images = images
        self._make_views = make_views
        self._seed = seed
        self._batches = batches(count, self.batch_size, seed)
        self._mean = torch.tensor(mean, dtype=torch.float32, device=device).view(1, -1, 1, 1)
        self._std = torch.tensor(std, dtype=torch.float32, device=device).view(1, -1, 1, 1)
        # Weights are drawn on the CPU, so that every device starts from the same ones.
        with seeded(stream_seed(seed, WEIGHTS), torch.device("cpu")):
            encoder = build_encoder(encoder_config, channels, height)
            head = projection_head(encoder.feature_dim, config)
        self._encoder = encoder.to(device)
        self._head = head.to(device)
        self._optimizer = _optimizer(nn.ModuleList([self._encoder, self._head]), config)
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

    def advance(self, to_step: int) -> None:
        """Train until `to_step` optimiser steps are done in all.

        On an accelerator `seconds` splits the host's time only: what the views queued may be
        waited for under "encoder". The sum is right.

        Raises:
            TrialFailure: the loss became non-finite.
        """
        if not self.step <= to_step <= self.config.steps:
            raise ValueError(
                f"cannot advance from step {self.step} to {to_step} of {self.config.steps}"
            )
        self._encoder.train()
        self._head.train()
        while self.step < to_step:
            with seeded(stream_seed(self._seed, STEP, self.step), self.device):
                self._train_one_step()
            if self.step % CHECK_EVERY == 0 or self.step == to_step:
                self._read_losses()

    def _train_one_step(self) -> None:
        start = time.perf_counter()
        chosen = torch.from_numpy(next(self._batches)).to(self._images.device)
        batch = self._images[chosen].to(self.device)  # [B, C, H, W] uint8
        with torch.no_grad():
            views = torch.cat(self._make_views(batch, self.step))  # [2B, C, H, W]
            views = ((views - self._mean) / self._std).contiguous(memory_format=torch.channels_last)
        made = time.perf_counter()
        for group in self._optimizer.param_groups:
            group["lr"] = self.config.learning_rate * learning_rate_factor(self.step, self.config)
        with torch.autocast("cuda", torch.bfloat16, enabled=self.device.type == "cuda"):
            z = self._head(self._encoder(views))  # [2B, projection_dim]
        z1, z2 = z.chunk(2)
        loss = nt_xent(z1, z2, self.config.temperature)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        self._unread.append(loss.detach())
        self.seconds["views"] += made - start
        self.seconds["encoder"] += time.perf_counter() - made

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
            self._peak_memory = max(self._peak_memory, psutil.Process().memory_info().rss)


def projection_head(feature_dim: int, config: PretrainConfig) -> nn.Sequential:
    """SimCLR's two-layer head, `[B, feature_dim]` to `[B, projection_dim]`; dropped afterwards."""
    return nn.Sequential(
        nn.Linear(feature_dim, config.projection_hidden, bias=False),
        nn.BatchNorm1d(config.projection_hidden),
        nn.ReLU(inplace=True),
        nn.Linear(config.projection_hidden, config.projection_dim, bias=False),
    )


def learning_rate_factor(step: int, config: PretrainConfig) -> float:
    """Share of the peak rate at `step` (0 first): a linear warm-up, then a cosine towards zero."""
    warmup = round(config.warmup_fraction * config.steps)
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / (config.steps - warmup)))


def _optimizer(network: nn.Module, config: PretrainConfig) -> torch.optim.Optimizer:
    """Fused AdamW or SGD; vectors (biases, norms) go without weight decay."""
    parameters = [p for p in network.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    if config.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=config.learning_rate, fused=True)
    return torch.optim.SGD(groups, lr=config.learning_rate, momentum=0.9, nesterov=True, fused=True)
