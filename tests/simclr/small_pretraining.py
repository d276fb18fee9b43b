"""A pretraining run of seconds, on random pictures."""

from __future__ import annotations

import torch
from torch import Tensor

from augsearch.data.imageset import ImageRows
from augsearch.simclr.config import PretrainConfig
from augsearch.simclr.encoders.config import EncoderConfig
from augsearch.simclr.pretrain import MakeViews, Pretraining

CPU = torch.device("cpu")
TINY = EncoderConfig(width=8, stages=2, stem="patch4")


def pictures(count: int = 40, channels: int = 1, size: int = 16) -> Tensor:
    generator = torch.Generator().manual_seed(5)
    shape = (count, channels, size, size)
    return torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)


def flipped_views(batch: Tensor, step: int) -> tuple[Tensor, Tensor]:
    view = batch.float() / 255
    return view, view.flip(3 if step % 2 else 2)


def run(
    images: Tensor | ImageRows | None = None,
    make_views: MakeViews = flipped_views,
    *,
    seed: int = 3,
    encoder: EncoderConfig = TINY,
    **config: object,
) -> Pretraining:
    images = pictures() if images is None else images
    channels = images.shape[1]
    settings = {"steps": 12, "batch_size": 16, **config}
    return Pretraining(
        images,
        make_views,
        encoder,
        PretrainConfig.model_validate(settings),
        seed=seed,
        device=CPU,
        mean=[0.5] * channels,
        std=[0.25] * channels,
    )


def final_weights(training: Pretraining) -> Tensor:
    return torch.cat([p.detach().flatten() for p in training.encoder.state_dict().values()])
