"""SimCLR's two views as augsearch and its peers make them, for `compare.py`.

One policy for all: random resized crop (area 0.08 to 1, ratio 3/4 to 4/3), flip (p 0.5), colour
jitter (p 0.8), greyscale (p 0.2), Gaussian blur (p 0.5, sigma up to 2/224 of the side). Each peer
is written as its documentation writes it and gets the images in the form it likes best, uint8 in
memory: PIL for what works image by image, arrays for albumentationsX, tensors for batches. All
work from there to two float tensors `[B, 3, S, S]` in [0, 1] is timed, the conversion to the
form is not.

Where they differ from augsearch, whose jitter has a fixed order, whose crop is antialiased and
which draws everything per sample:

- lightly, torchvision per image, albumentationsX, stable-pretraining: the jitter's order is drawn
  per image. Pixels are rounded to 8 bits after every operation.
- lightly: torchvision v2 on PIL images, whose resize is antialiased and whose blur is a few box
  blurs, so that its cost does not depend on sigma; its list has idle entries for the vertical flip
  and the rotation, which draw a number each. Normalisation is left out where the training step
  does it (`normalize=None`).
- torchvision per image: crop, jitter and greyscale on PIL images, then a tensor for the blur; on
  images of 32 pixels that is faster than tensors all the way.
- albumentationsX: OpenCV on uint8; its bilinear resize does not antialias. Its telemetry is off.
- stable-pretraining: as lightly, and each sample is a dictionary that records what was drawn.
- torchvision per batch: one draw for the whole batch, so every image of a batch gets the same crop
  box, jitter, greyscale and blur: faster, but another augmentation, and not SimCLR's.
- Kornia: the jitter's order is drawn once a batch, all else per sample; its crop does not
  antialias.
- Blurs other than PIL's have kernels of 3 sigma to each side at the largest sigma, as ours have.

solo-learn is not among them: its releases require torch 1.9.1, augsearch requires 2.11 or newer.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import Dataset, default_collate

from augsearch.augment.baselines import simclr
from augsearch.augment.build import Renderer
from augsearch.space.view_options import Executor
from benchmarks.shared.kornia_eager import kornia_eager

STRENGTH = 0.5
"""SimCLR's s, its choice for small images."""

Views = tuple[Tensor, Tensor]
MakeViews = Callable[[Tensor, int], Views]
"""uint8 `[B, 3, H, W]` and a number to two views `[B, 3, S, S]`, float32 in [0, 1]."""


@dataclass(frozen=True)
class Policy:
    """SimCLR's numbers for square images of `size` pixels."""

    size: int
    strength: float = STRENGTH
    crop_scale: tuple[float, float] = (0.08, 1.0)
    jitter_p: float = 0.8
    grey_p: float = 0.2
    blur_p: float = 0.5

    @property
    def jitter(self) -> tuple[float, float, float, float]:
        """Brightness, contrast, saturation, hue."""
        s = self.strength
        return (0.8 * s, 0.8 * s, 0.8 * s, 0.2 * s)

    @property
    def sigma(self) -> tuple[float, float]:
        """Least and most, in pixels; the least is SimCLR's 0.1 at 224 pixels."""
        return (0.1 / 224 * self.size, 2 / 224 * self.size)

    @property
    def kernel(self) -> int:
        """Side of the Gaussian's window."""
        return 2 * math.ceil(3 * self.sigma[1]) + 1


def smooth_images(count: int, size: int, seed: int = 0) -> Tensor:
    """Random colour pictures `[count, 3, size, size]` uint8: coarse noise, enlarged."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, 6, 6, generator=generator)
    fine = functional.interpolate(coarse, (size, size), mode="bicubic", align_corners=False)
    return fine.mul(255).clamp(0, 255).to(torch.uint8)


def augsearch_views(policy: Policy, executor: Executor) -> MakeViews:
    renderer = Renderer.build(simclr(policy.strength), executor)

    def views_of(images: Tensor, number: int) -> Views:
        first, second = renderer(images, policy.size, seed=0, step=number).chunk(2)
        return first, second

    return views_of


def kornia_views(policy: Policy) -> MakeViews:
    make = kornia_eager(simclr(policy.strength), policy.size)
    return lambda images, _number: make(images)


def torchvision_batch_views(policy: Policy) -> MakeViews:
    transform = _torchvision(policy, [])
    return lambda images, _number: (transform(images), transform(images))


def _torchvision(policy: Policy, before_blur: list[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    from torchvision.transforms import v2

    # uint8 up to the last step: what torchvision's documentation advises for speed.
    transform: Callable[[Any], Any] = v2.Compose(
        [
            v2.RandomResizedCrop(policy.size, scale=policy.crop_scale, antialias=True),
            v2.RandomHorizontalFlip(p=0.5),
            v2.RandomApply([v2.ColorJitter(*policy.jitter)], p=policy.jitter_p),
            v2.RandomGrayscale(p=policy.grey_p),
            *before_blur,
            v2.RandomApply([v2.GaussianBlur(policy.kernel, policy.sigma)], p=policy.blur_p),
            v2.ToDtype(torch.float32, scale=True),
        ]
    )
    return transform


class Pairs(Dataset[Views]):
    """Two views of each image, made one image at a time: what a DataLoader takes.

    Attributes:
        items: the images, in the form that `pair_of` takes.
        pair_of: image to two views `[3, S, S]`, float32.
    """

    def __init__(self, items: Sequence[Any], pair_of: Callable[[Any], Sequence[Tensor]]) -> None:
        self.items = items
        self.pair_of = pair_of

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Views:
        first, second = self.pair_of(self.items[index])
        return first, second

    def batch(self, start: int, count: int) -> Views:
        """Views of `count` images from `start` on, as a DataLoader without workers makes them."""
        first, second = default_collate([self[start + index] for index in range(count)])
        return first, second


def torchvision_pairs(images: Tensor, policy: Policy) -> Pairs:
    from torchvision.transforms import v2

    transform = _torchvision(policy, [v2.PILToTensor()])
    return Pairs(_pictures(images), lambda image: (transform(image), transform(image)))


def lightly_pairs(
    images: Tensor, policy: Policy, normalize: dict[str, list[float]] | None = None
) -> Pairs:
    from lightly.transforms.simclr_transform import SimCLRTransform

    transform: Callable[[Any], Any] = SimCLRTransform(
        input_size=policy.size,
        cj_strength=policy.strength,
        sigmas=policy.sigma,
        normalize=normalize,
    )
    return Pairs(_pictures(images), transform)


def albumentations_pairs(images: Tensor, policy: Policy) -> Pairs:
    os.environ["ALBUMENTATIONS_NO_TELEMETRY"] = "1"
    import albumentations as A
    import cv2

    cv2.setNumThreads(1)
    brightness, contrast, saturation, hue = policy.jitter
    transform = A.Compose(
        [
            A.RandomResizedCrop((policy.size, policy.size), scale=policy.crop_scale),
            A.HorizontalFlip(p=0.5),
            A.ColorJitter(
                brightness_range=(1 - brightness, 1 + brightness),
                contrast_range=(1 - contrast, 1 + contrast),
                saturation_range=(1 - saturation, 1 + saturation),
                hue_range=(-hue, hue),
                p=policy.jitter_p,
            ),
            A.ToGray(p=policy.grey_p),
            A.GaussianBlur(
                blur_range=(policy.kernel, policy.kernel),
                sigma_range=policy.sigma,
                p=policy.blur_p,
            ),
            A.ToFloat(max_value=255),
            A.ToTensorV2(),
        ],
        telemetry=False,
    )

    def pair_of(image: Any) -> Sequence[Tensor]:
        return transform(image=image)["image"], transform(image=image)["image"]

    return Pairs([image.permute(1, 2, 0).contiguous().numpy() for image in images], pair_of)


def stable_pretraining_pairs(images: Tensor, policy: Policy) -> Pairs:
    from stable_pretraining.data import transforms

    brightness, contrast, saturation, hue = policy.jitter
    view = transforms.Compose(
        transforms.RGB(),
        transforms.RandomResizedCrop((policy.size, policy.size), scale=policy.crop_scale),
        transforms.RandomHorizontalFlip(p=0.5),
        transforms.ColorJitter(brightness, contrast, saturation, hue, p=policy.jitter_p),
        transforms.RandomGrayscale(p=policy.grey_p),
        transforms.PILGaussianBlur(policy.sigma, p=policy.blur_p),
        transforms.ToImage(),
    )
    both = transforms.MultiViewTransform([view, view])

    def pair_of(image: Any) -> Sequence[Tensor]:
        return [sample["image"] for sample in both({"image": image})["views"]]

    return Pairs(_pictures(images), pair_of)


def _pictures(images: Tensor) -> list[Any]:
    from PIL import Image

    return [Image.fromarray(image.permute(1, 2, 0).numpy()) for image in images]


def check_views(count: int, views: Views, size: int) -> float:
    """How much the views of `count` images differ: mean absolute difference of their pixels.

    Raises:
        AssertionError: the views have a wrong form or range, or there is no augmentation in them.
    """
    for view in views:
        shape = (count, 3, size, size)
        assert tuple(view.shape) == shape, f"views have the shape {list(view.shape)}, not {shape}"
        assert view.dtype == torch.float32, f"views are {view.dtype}"
        low, high = view.min().item(), view.max().item()
        assert low >= -1e-5 and high <= 1 + 1e-5, f"pixels run from {low:g} to {high:g}"
        assert high > 2 / 255, "pixels are black"
    difference = (views[0] - views[1]).abs().mean((1, 2, 3))  # [B]
    assert (difference > 1e-3).float().mean() > 0.9, "the two views are the same"
    return difference.mean().item()
