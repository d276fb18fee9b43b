"""For torchvision: image by image, as the transform of a data set."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import augsearch.errors
from augsearch.augment import draws, stream, surroundings
from augsearch.augment.executor import Step
from augsearch.augment.export import torchvision_ops
from augsearch.augment.export.parts import (
    FAMILIES,
    Export,
    bundled,
    found_on,
    op_names,
    own_ops,
    program_head,
)
from augsearch.augment.ops import operation, resample
from augsearch.augment.views import ViewPlan
from augsearch.errors import ConfigError
from augsearch.space.policy import Policy

BATCHED_WITHOUT_KORNIA = (
    "rotate90",
    "elastic",
    "thin_plate_spline",
    "fisheye",
    "jigsaw",
    "rgb_shift",
    "channel_shuffle",
    "channel_dropout",
    "planckian_jitter",
    "box_blur",
    "median_blur",
    "gaussian_noise",
    "salt_and_pepper",
    "erasing",
    "rain",
    "snow",
    "linear_illumination",
    "linear_corner_illumination",
    "gaussian_illumination",
)
TORCHVISION_OWN = {
    "horizontal_flip": "F.horizontal_flip",
    "vertical_flip": "F.vertical_flip",
    "invert": "F.invert",
}
WITHOUT_TORCHVISION = ("clahe", "plasma_shadow", "plasma_brightness", "plasma_contrast")


USE = """Needs torch and torchvision. As the transform of a data set of images:

    dataset = torchvision.datasets.ImageFolder("images", transform=build_transform())
    (view1, view2), label = dataset[0]  # each view [C, {size}, {size}] float in [0, 1]

{draws}

Pillow's images may be of any mode: palettes, transparency and more than 8 bits become grey or RGB
as in the search, if they come from ImageFolder(..., loader=PIL.Image.open);
those of more than 8 bits are brought to 8 by WINDOW, black and white of the study's, unless
`build_transform(window=(0, 4095))` says otherwise. Tensors are uint8, or float in
[0, 1]. `build_transform(normalise=True)` gives views less MEAN, over STD."""


BUILD_TRANSFORM = '''

def build_transform(
    window: tuple[float, float] | None = WINDOW,
    seed: int = 0,
    *,
    fit: str = FIT,
    normalise: bool = False,
    rank: int | None = None,
    world_size: int | None = None,
) -> TwoViewTransform:
    """Maps an image to two views of IMAGE_SIZE pixels.

    Args:
        window: see `eight_bits`.
        fit: how pictures become square: crop (the middle), squash, pad (mirrored), or tile (they
            are tiles already, of FOUND_AT pixels).
        normalise: views less MEAN, over STD.
        rank, world_size: of a distributed run; None to ask torch.distributed.
    """
    stream = DrawStream(seed, rank, world_size)
    surroundings = Surroundings(FIT, FOUND_AT, MEAN, STD).chosen(fit, normalise)
'''


def to_torchvision(policy: Policy, view_plan: ViewPlan, image_size: int) -> Export:
    """A file with torch and torchvision, of the same distribution.

    Raises:
        ConfigError: an operation that torchvision does not have.
    """
    if missing := [name for name in op_names(view_plan) if name in WITHOUT_TORCHVISION]:
        raise ConfigError(
            f"policy {policy.name!r} cannot be written with torchvision, which has no "
            f"{', '.join(missing)}; remove them, or export it to kornia"
        )
    lines, second = pipelines(view_plan)
    return Export(
        program_head(policy, USE, image_size)
        + torchvision_code(policy, view_plan, ("TwoViewTransform", "Surroundings"))
        + f"\n\n{found_on(policy, image_size)}{BUILD_TRANSFORM}"
        + f"{lines}    return TwoViewTransform(view1, {second}, window, surroundings, stream)\n"
    )


def needs_kornia(view_plan: ViewPlan) -> str:
    """What a file needs besides torchvision, in words: Kornia, or nothing."""
    names = [name for name in op_names(view_plan) if name in WITHOUT_TORCHVISION]
    return f" and kornia (for {', '.join(names)})" if names else ""


def torchvision_code(policy: Policy, view_plan: ViewPlan, roots: Sequence[str]) -> str:
    """Imports and definitions of the operations for one image, and of `roots`."""
    functions = [name for name in op_names(view_plan) if name not in TORCHVISION_OWN]
    functions += [implementation.apply.__name__ for implementation in own_ops(view_plan).values()]
    modules = (
        augsearch.errors, operation, draws, resample, *FAMILIES,
        stream, surroundings, torchvision_ops,
    )  # fmt: skip
    usual = ("DrawStream", "Gated", "ChooseOne", "OneImage")
    shared = bundled(policy, modules, (*roots, *usual, *functions))
    return f"from functools import partial\n\nfrom torchvision.transforms import v2\n{shared}"


def pipelines(view_plan: ViewPlan, indent: int = 4) -> tuple[str, str]:
    """Lines that make `view1` (and `view2`, if it differs), and the name of the second view's."""
    lines = "".join(
        f"view{number} = {_pipeline(steps)}\n" for number, steps in enumerate(view_plan.lists, 1)
    )
    return textwrap.indent(lines, " " * indent), "view2" if len(view_plan.lists) > 1 else "view1"


def one_image(step: Step) -> str:
    """An operation, its gate open, as a function of one image `[C, H, W]`."""
    values = "".join(f", {name}={value!r}" for name, value in step.values.items())
    if step.op == "resized_crop":
        return f"partial(resized_crop, size=IMAGE_SIZE{values})"
    if step.own is not None or step.op in (*BATCHED_WITHOUT_KORNIA, *WITHOUT_TORCHVISION):
        function, slots = step.implementation.apply.__name__, step.implementation.slots
        return f"OneImage({function}, {slots}{values})"
    if step.op in TORCHVISION_OWN:
        return TORCHVISION_OWN[step.op]
    return f"partial({step.op}{values})" if values else step.op


def with_resize(steps: Sequence[Step], lines: Sequence[str], resize: str) -> list[str]:
    """The lines of steps and, where it belongs, that which brings images to the views' size."""
    # A leading crop is cut from the image as it is; where its gate is closed, a resize is left.
    place = 1 if steps and steps[0].op == "resized_crop" else 0
    return [*lines[:place], resize, *lines[place:]]


def _pipeline(steps: Sequence[Step]) -> str:
    resize = "v2.Resize((IMAGE_SIZE, IMAGE_SIZE), antialias=True)"
    lines = with_resize(steps, [_transform(step) for step in steps], resize)
    inner = "".join(f"        {line},\n" for line in lines)
    return f"v2.Compose(\n    [\n{inner}    ]\n)"


def _transform(step: Step) -> str:
    if step.members:
        inner = "".join(f"            {_transform(member)},\n" for member in step.members)
        text = f"ChooseOne(\n{inner}        )"
    else:
        text = one_image(step)
    return text if step.p == 1 else f"Gated({text}, p={step.p!r})"
