"""How large everything is that benchmarks/gpu/ measures, and the policy."""

from __future__ import annotations

from dataclasses import dataclass, replace

from augsearch.augment.baselines import simclr
from augsearch.simclr.encoders.config import EncoderConfig
from benchmarks.gpu.trials_per_hour import Trial
from benchmarks.speed.step import GPU_CASES, Case

POLICY = simclr(1)


@dataclass(frozen=True)
class Scale:
    """How large everything is."""

    repeats: int
    warmup: int
    steps: tuple[Case, ...]
    views: tuple[tuple[int, int], ...]  # pixels, images
    view_calls: int
    small: Case
    at_once: tuple[int, ...]
    trial: Trial
    modes: tuple[Case, ...]
    random_policies: int


STUDY_ENCODER = EncoderConfig()
SMALL = Case("small_resnet, 32 px, batch 64", STUDY_ENCODER, 32, 64, steps=50)
RESNET18 = Case(
    "ResNet-18, 64 px, batch 256", EncoderConfig(name="torchvision/resnet18"), 64, 256, 5
)
FULL = Scale(
    repeats=7,
    warmup=2,
    steps=GPU_CASES,
    views=((32, 256), (96, 256), (224, 256)),
    view_calls=5,
    small=SMALL,
    at_once=(1, 2, 4, 8),
    trial=Trial(10_000, 64, "torchvision/resnet18", 256, 10, count=7),
    # Each graph keeps the memory of its activations: a quarter of the images fits four times.
    modes=(
        SMALL,
        RESNET18,
        *(
            replace(case, name=case.name.replace("256", "64"), batch=64, steps=4)
            for case in GPU_CASES
        ),
    ),
    random_policies=20,
)
TOY = Case("small_resnet, 16 px, batch 8", STUDY_ENCODER, 16, 8, steps=1)
QUICK = Scale(
    repeats=1,
    warmup=0,
    steps=(TOY,),
    views=((16, 8),),
    view_calls=1,
    small=TOY,
    at_once=(2,),
    trial=Trial(240, 16, "small_resnet", 32, 1, count=1),
    modes=(TOY,),
    random_policies=2,
)
