"""What views cost: our executors against Kornia's classes as its users call them.

    uv run python -m benchmarks.speed.augmentation [--threads 1] [--device cuda] [--compile]

Medians of paired ratios to the fused executor, for SimCLR's policy at 32 and 96 pixels and for
random policies of the `factory` preset; and the share of an encoder-only training step that the
draws take, the numbers of single pixels (noise) included. Prints tables and writes
results/augmentation-<device>-<threads>.json.
"""

from __future__ import annotations

import argparse
import random
import statistics
from collections.abc import Callable

import torch
from torch import Tensor

from augsearch.augment.baselines import simclr
from augsearch.augment.build import Renderer
from augsearch.augment.draws import Draws, gaussian
from augsearch.simclr.config import PretrainConfig
from augsearch.simclr.encoders.config import EncoderConfig
from augsearch.simclr.pretrain import Pretraining
from augsearch.space.policy import Policy
from augsearch.space.presets import find_config
from augsearch.space.searched import Range
from augsearch.space.space import load_space
from benchmarks.shared.kornia_eager import kornia_eager
from benchmarks.shared.timing import paired_ratios, print_timings, write_result

SIZES = ((32, 256), (96, 64))
FUSED = "augsearch, fused"


def smooth_images(count: int, size: int, device: torch.device) -> Tensor:
    coarse = torch.rand(count, 3, 9, 9, generator=torch.Generator().manual_seed(0))
    fine = torch.nn.functional.interpolate(coarse, size=(size, size), mode="bicubic")
    return (fine.clamp(0, 1) * 255).to(torch.uint8).to(device)


def random_policies(preset: str, count: int) -> list[Policy]:
    space, source = load_space(find_config(preset, "spaces")), random.Random(0)
    return [
        space.policy(
            {
                axis.name: source.uniform(axis.form.low, axis.form.high)
                if isinstance(axis.form, Range)
                else source.choice(axis.form.choices)
                for axis in space.axes()
            },
            name=f"{preset} {number}",
        )
        for number in range(count)
    ]


def renderers(
    policy: Policy, images: Tensor, size: int, compile: bool
) -> dict[str, Callable[[], object]]:
    fused, reference = Renderer.build(policy), Renderer.build(policy, "kornia")
    compiled = Renderer.build(policy, compile=True)
    eager = kornia_eager(policy, size)
    more = {"augsearch, fused, compiled": lambda: compiled(images, size, seed=0)}
    return {
        FUSED: lambda: fused(images, size, seed=0),
        "augsearch, kornia": lambda: reference(images, size, seed=0),
        "Kornia eager": lambda: eager(images),
        **(more if compile else {}),
    }


def draws_share(device: torch.device, size: int, batch: int) -> dict[str, float]:
    """Seconds of a training step without augmentations, and of the draws of one."""
    images = smooth_images(batch, size, device)
    still = torch.cat([images, images]).float().div(255)
    training = Pretraining(
        images,
        lambda _batch, _step: (still[:batch], still[batch:]),
        EncoderConfig(width=16, stages=3, stem="conv"),
        PretrainConfig(steps=10**6, batch_size=batch),
        seed=0,
        device=device,
        mean=[0.5] * 3,
        std=[0.25] * 3,
    )
    instances = ("resized_crop", "horizontal_flip", "color_jitter", "grayscale", "gaussian_blur")

    def uniform() -> None:
        draws = Draws(0, 0, 1, (0, 1), batch, device)
        for name, slots in zip(instances, (23, 1, 5, 1, 2), strict=True):
            draws.uniform(name, slots)

    def field() -> None:
        # A noise with p = 0.5: a number for every pixel of every other view.
        rows = torch.arange(0, 2 * batch, 2, device=device)
        gaussian(Draws(0, 0, 1, (0, 1), batch, device).field("noise", rows, (3, size, size)))

    found = paired_ratios(
        {"step": lambda: training.advance(training.step + 1), "numbers": uniform, "field": field}
    )
    return {timing.name: timing.ratio for timing in found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--policies", type=int, default=12)
    parser.add_argument("--compile", action="store_true", help="compile the colour arithmetic too")
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    device = torch.device(options.device)
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    tables = []
    for size, batch in SIZES:
        images = smooth_images(batch, size, device)
        found = paired_ratios(
            renderers(simclr(1), images, size, options.compile), options.repeats, synchronize=wait
        )
        print_timings(f"SimCLR s=1, {size} px, batch {batch}, both views", found)
        tables.append({"policy": "SimCLR s=1", "size": size, "batch": batch, "timings": found})
    images = smooth_images(256, 32, device)
    ratios = []
    for policy in random_policies("factory", options.policies):
        found = paired_ratios(
            renderers(policy, images, 32, options.compile), options.repeats, synchronize=wait
        )
        tables.append({"policy": policy.name, "size": 32, "batch": 256, "timings": found})
        ratios.append({timing.name: timing.ratio for timing in found})
    means = {name: statistics.mean(r[name] for r in ratios) for name in ratios[0]}
    print(f"random policies of `factory`, 32 px, batch 256: mean ratio of {len(ratios)} policies")
    for name, mean in means.items():
        lowest = min(r[name] for r in ratios)
        print(f"  {name:20} {mean:6.2f}   (lowest {lowest:.2f})")
    shares = draws_share(device, 32, 256)
    print(
        f"draws, as a share of an encoder-only step (conv stem, 32 px, batch 256): numbers "
        f"{100 * shares['numbers']:.2f} %, a noise field for half of the views "
        f"{100 * shares['field']:.2f} %"
    )
    content = {"tables": tables, "factory": means, "draws_share_of_step": shares}
    print(write_result(f"augmentation-{device.type}-{options.threads}", content))


if __name__ == "__main__":
    main()
