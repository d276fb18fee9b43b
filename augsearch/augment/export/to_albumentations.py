"""For albumentations: two Composes, of its own transforms where these are exact."""

from __future__ import annotations

from collections.abc import Sequence

from augsearch.augment.executor import Step
from augsearch.augment.export.parts import Export, found_on, program_head
from augsearch.augment.export.to_torchvision import (
    needs_kornia,
    one_image,
    torchvision_code,
    with_resize,
)
from augsearch.augment.views import ViewPlan
from augsearch.space.policy import Policy

USE = """Needs albumentationsx 2.5 or later, or albumentations 2.0.8; torch, torchvision{kornia}.
On an array `image` [H, W, C] or [H, W], uint8 or float in [0, 1]:

    views = PolicyViews(seed=0)
    made = views(image=image)
    made["view1"], made["view2"]  # each a tensor [C, {{size}}, {{size}}] float in [0, 1]

`views.view1` and `views.view2` are the two Composes. Operations that albumentations has otherwise
or not at all are `Own`: exact, with numbers of torch's global generator, which `views` seeds for
each view. Boxes, masks and key points do not follow.

{{draws}}

`PolicyViews(normalise=True)` gives views less MEAN, over STD."""

VIEWS = '''

PARTS = ("brightness", "contrast", "saturation", "hue")
RENAMED = "brightness_range" in signature(A.ColorJitter.__init__).parameters
"""albumentationsx calls parameters otherwise than albumentations 2.0.8, and has telemetry."""


class Own(A.ImageOnlyTransform):
    """A function of one image [C, H, W] on albumentations' arrays, with torch's random numbers."""

    def __init__(self, function: Callable[[Tensor], Tensor], p: float = 1.0) -> None:
        super().__init__(p=p)
        self.function = function

    def apply(self, img: np.ndarray, **params: Any) -> np.ndarray:
        image = torch.from_numpy(np.ascontiguousarray(img)).permute(2, 0, 1)  # flips are strides
        made = self.function(image).clamp(0, 1)
        return made.permute(1, 2, 0).contiguous().numpy()

    def get_transform_init_args_names(self) -> tuple[str, ...]:
        return ("function",)


def start(view: A.Compose, number: int) -> None:
    """Let all transforms draw from one stream; 2.0.8's own way gives each the same numbers."""
    if RENAMED:
        view.set_random_seed(number % 2**32)
    else:
        view.set_random_state(np.random.default_rng(number), Random(number))


def jitter(p: float, **most: float) -> A.Sequential:
    """Brightness, contrast, saturation and hue, in this order (A.ColorJitter draws one)."""
    still = {"brightness": (1.0, 1.0), "contrast": (1.0, 1.0), "saturation": (1.0, 1.0)}
    still["hue"] = (0.0, 0.0)
    parts = []
    for part in (part for part in PARTS if most[part]):
        middle = still[part][0]
        ranges = {**still, part: (middle - most[part], middle + most[part])}
        named = {f"{name}_range" if RENAMED else name: span for name, span in ranges.items()}
        parts.append(A.ColorJitter(**named, p=1.0))
    return A.Sequential(parts, p=p)


class PolicyViews:
    """Maps an image to two views of IMAGE_SIZE pixels.

    Args:
        fit: how pictures become square: crop (the middle), squash, pad (mirrored), or tile (they
            are tiles already, of FOUND_AT pixels).
        normalise: views less MEAN, over STD.
        rank, world_size: of a distributed run; None to ask torch.distributed.
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        fit: str = FIT,
        normalise: bool = False,
        rank: int | None = None,
        world_size: int | None = None,
    ) -> None:
        self.stream = DrawStream(seed, rank, world_size)
        self.surroundings = Surroundings(FIT, FOUND_AT, MEAN, STD).chosen(fit, normalise)
        quiet = {"telemetry": False} if RENAMED else {}
'''
REST = '''        self.view1 = A.Compose([*view1, A.ToTensorV2()], **quiet)
        self.view2 = A.Compose([*SECOND, A.ToTensorV2()], **quiet)

    def __call__(self, *, image: np.ndarray) -> dict[str, Tensor]:
        square = opened(image, None, self.surroundings).permute(1, 2, 0).contiguous().numpy()
        seed, step = self.stream.next()
        made = {}
        for name, view in (("view1", self.view1), ("view2", self.view2)):
            number = hashed(f"{seed}; {step}; {name}")
            start(view, number)
            with seeded(number):
                tensor = view(image=square)["image"].clamp(0, 1)
            made[name] = self.surroundings.normalised(tensor)
        return made

    def state_dict(self) -> dict[str, Any]:
        """The calls so far, and how often each worker was started."""
        return self.stream.state()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on after `state`."""
        self.stream.set_state(state)
'''

IMPORTS = """from collections.abc import Callable
from functools import partial
from inspect import signature
from random import Random
from typing import Any

import albumentations as A
import numpy as np
"""
THEIRS = {
    "horizontal_flip": "A.HorizontalFlip",
    "vertical_flip": "A.VerticalFlip",
    "grayscale": "A.ToGray",
    "invert": "A.InvertImg",
}


def to_albumentations(policy: Policy, view_plan: ViewPlan, image_size: int) -> Export:
    """A file with albumentations, torch and torchvision, of the same distribution."""
    lines = "".join(
        f"        view{number} = {_composed(steps)}\n"
        for number, steps in enumerate(view_plan.lists, 1)
    )
    second = "view2" if len(view_plan.lists) > 1 else "view1"
    return Export(
        program_head(policy, USE.format(kornia=needs_kornia(view_plan)), image_size)
        + IMPORTS
        + torchvision_code(policy, view_plan, ("opened", "seeded", "hashed", "Surroundings"))
        + f"\n\n{found_on(policy, image_size)}{VIEWS}{lines}"
        + REST.replace("SECOND", second)
    )


def _composed(steps: Sequence[Step]) -> str:
    resize = "Own(v2.Resize((IMAGE_SIZE, IMAGE_SIZE), antialias=True))"
    lines = with_resize(steps, [_transform(step) for step in steps], resize)
    inner = "".join(f"            {line},\n" for line in lines)
    return f"[\n{inner}        ]"


def _transform(step: Step) -> str:
    if step.members:
        # By itself OneOf prefers members of a higher p, and leaves that p out of account.
        members = (f"A.Sequential([{_transform(member)}], p=1.0)" for member in step.members)
        inner = "".join(f"                    {member},\n" for member in members)
        chosen = f"                [\n{inner}                ],\n                p={step.p!r},\n"
        return f"A.OneOf(\n{chosen}            )"
    if step.op in THEIRS:
        return f"{THEIRS[step.op]}(p={step.p!r})"
    if step.op == "rotate90" and step.p <= 0.75:  # one turn of four leaves the image as it is
        return f"A.RandomRotate90(p={step.p * 4 / 3!r})"
    if step.op == "solarize":
        return f"A.Solarize(threshold_range=({step.values['threshold_min']!r}, 1.0), p={step.p!r})"
    if step.op == "color_jitter":
        values = "".join(f", {name}={value!r}" for name, value in step.values.items())
        return f"jitter({step.p!r}{values})"
    return f"Own({one_image(step)}, p={step.p!r})"
