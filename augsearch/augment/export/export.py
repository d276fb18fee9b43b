"""A policy as a stand-alone Python file for other people's training loops."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.metadata import version
from types import ModuleType
from typing import Literal

import augsearch.errors
from augsearch.augment import draws, executor, stream, surroundings, views
from augsearch.augment.executor import Step
from augsearch.augment.export import torchvision_ops
from augsearch.augment.export.bundle import bundle
from augsearch.augment.ops import (
    blur,
    channels,
    colour,
    geometric,
    grain,
    illumination,
    noise,
    operation,
    resample,
    warp,
    weather,
)
from augsearch.augment.ops.kornia_ops import IMPLEMENTATIONS
from augsearch.augment.ops.operation import Implementation
from augsearch.augment.views import ViewPlan, plan_views, surroundings_of
from augsearch.errors import ConfigError
from augsearch.space.handbook.carry_over import carry_over_note
from augsearch.space.policy import Policy
from augsearch.space.policy_ops import CustomPolicyOp, walk

FAMILIES = (grain, geometric, warp, colour, channels, blur, noise, weather, illumination)
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


def export_policy(policy: Policy, target: Literal["kornia", "torchvision"], image_size: int) -> str:
    """Source text of a file that renders this policy's views without augsearch.

    "kornia" needs torch and kornia and renders what `policy.build` renders, operation by operation:
    the same up to rounding, and to sampling pixels once or several times. "torchvision" makes a
    per-image transform of the same distribution, up to torchvision's own interpolation.

    Raises:
        ConfigError: an operation cannot be expressed with the target's library.
    """
    view_plan = plan_views(policy)
    if target == "kornia":
        return _header(policy, KORNIA_USE, image_size) + _kornia(policy, view_plan, image_size)
    return _header(policy, TORCHVISION_USE, image_size) + _torchvision(
        policy, view_plan, image_size
    )


DRAWS = """Every call draws new numbers. They follow from the seed, the number of the call, the
worker of a DataLoader, its epoch and the rank of a distributed run, which torch.distributed tells,
or `rank` and `world_size`. `state_dict()` holds what a resumed run needs to draw on. Where copies
are sent to processes that neither of the two knows, give each a rank or a seed of its own."""

KORNIA_USE = """Needs torch and kornia. On a batch `images` [B, C, H, W], uint8 or float in [0, 1]:

    views = build_views(seed=0)
    view1, view2 = views(images)  # each [B, C, {size}, {size}] float in [0, 1]

{draws}

`build_views(normalise=True)` gives views less MEAN, over STD."""

TORCHVISION_USE = """Needs torch and torchvision. As the transform of a data set of images:

    dataset = torchvision.datasets.ImageFolder("images", transform=build_transform())
    (view1, view2), label = dataset[0]  # each view [C, {size}, {size}] float in [0, 1]

{draws}

Pillow's images may be of any mode: palettes, transparency and more than 8 bits become grey or RGB
as in the search, if they come from ImageFolder(..., loader=PIL.Image.open);
those of more than 8 bits are brought to 8 by WINDOW, black and white of the study's, unless
`build_transform(window=(0, 4095))` says otherwise. Tensors are uint8, or float in
[0, 1]. `build_transform(normalise=True)` gives views less MEAN, over STD."""


def _found_on(policy: Policy, image_size: int) -> str:
    """What the search did around the policy, as constants."""
    found = surroundings_of(policy)
    known = "" if policy.found_on else ": not known of this policy"
    return (
        f"IMAGE_SIZE = {image_size}  # of the views\n"
        f"# The images that the search saw{known}.\n"
        f"FOUND_AT = {found.tile}  # their size\n"
        f"FIT = {found.fit!r}  # how pictures became square\n"
        f"MEAN = {tuple(found.mean)!r}  # of each channel, in [0, 1]\n"
        f"STD = {tuple(found.std)!r}\n"
        f"WINDOW = {policy.found_on.window if policy.found_on else None!r}  # black and white of "
        "files of more than 8 bits\n"
    )


BUILD_VIEWS = '''

def build_views(
    seed: int = 0,
    *,
    image_size: int = IMAGE_SIZE,
    fit: str = FIT,
    normalise: bool = False,
    rank: int | None = None,
    world_size: int | None = None,
) -> PlannedViews:
    """Maps images [B, C, H, W] to two views of `image_size` pixels.

    Args:
        fit: how images become square: crop (the middle), squash, pad (mirrored), or tile (they are
            tiles already, of FOUND_AT pixels).
        normalise: views less MEAN, over STD.
        rank, world_size: of a distributed run; None to ask torch.distributed.
    """
    surroundings = Surroundings(FIT, FOUND_AT, MEAN, STD).chosen(fit, normalise)
    return PlannedViews(
        POLICY, image_size, seed, surroundings=surroundings, rank=rank, world_size=world_size
    )
'''

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


def _header(policy: Policy, use: str, image_size: int) -> str:
    note = carry_over_note(policy, image_size)
    note = f"Note: {note}.\n\n" if note else ""
    text = (
        f"Two views under the policy {policy.name!r} (digest {policy.digest}), "
        f"exported by augsearch {version('augsearch')}.\n\n"
        f"{use.format(size=image_size, draws=DRAWS)}\n\n"
        f"{note}The policy:\n\n{policy.to_yaml()}"
    )
    comment = "\n".join(f"# {line}".rstrip() for line in text.splitlines())
    return f"{comment}\n\nfrom __future__ import annotations\n\n"


def _all_steps(steps: Iterable[Step]) -> list[Step]:
    return [one for step in steps for one in (step, *step.members)]


def _op_names(view_plan: ViewPlan) -> list[str]:
    """Names of the plan's operations in the catalogue's order, custom ones not counted."""
    steps = [step for steps in view_plan.lists for step in _all_steps(steps)]
    used = {step.op for step in steps if step.own is None}
    return [name for name in IMPLEMENTATIONS if name in used]


def _own(view_plan: ViewPlan) -> dict[str, Implementation]:
    """Custom operations by name."""
    steps = [step for steps in view_plan.lists for step in _all_steps(steps)]
    return {step.op: step.own for step in steps if step.own is not None}


def _custom_modules(policy: Policy) -> list[ModuleType]:
    custom = [
        op for op in walk((*policy.views[0], *policy.views[1])) if isinstance(op, CustomPolicyOp)
    ]
    return list({op.code: op.source.module for op in custom}.values())


def _bundled(policy: Policy, modules: Sequence[ModuleType], roots: Sequence[str]) -> str:
    try:
        return bundle(modules, roots, "augsearch", _custom_modules(policy))
    except ValueError as error:
        raise ConfigError(f"policy {policy.name!r} cannot be exported: {error}") from None


def _kornia(policy: Policy, view_plan: ViewPlan, image_size: int) -> str:
    used = {name: IMPLEMENTATIONS[name] for name in _op_names(view_plan)} | _own(view_plan)
    modules = (
        augsearch.errors, operation, draws, resample, *FAMILIES,
        executor, stream, surroundings, views,
    )  # fmt: skip
    functions = [implementation.apply.__name__ for implementation in used.values()]
    roots = ["PlannedViews", "ViewPlan", "Step", "Implementation", *functions]
    source = _bundled(policy, modules, roots)
    table = "".join(
        f'    "{name}": Implementation({implementation.slots}, {function}),\n'
        for (name, implementation), function in zip(used.items(), functions, strict=True)
    )
    lists = "".join(f"        {_steps_text(steps)},\n" for steps in view_plan.lists)
    return (
        f"{source}\n\nIMPLEMENTATIONS: dict[str, Implementation] = {{\n{table}}}\n\n"
        f"POLICY = ViewPlan(\n    (\n{lists}    )\n)\n\n"
        f"{_found_on(policy, image_size)}{BUILD_VIEWS}"
    )


def _steps_text(steps: tuple[Step, ...]) -> str:
    inner = "".join(f"            {step!r},\n" for step in steps)
    return f"(\n{inner}        )" if steps else "()"


def _torchvision(policy: Policy, view_plan: ViewPlan, image_size: int) -> str:
    names = _op_names(view_plan)
    if missing := [name for name in names if name in WITHOUT_TORCHVISION]:
        raise ConfigError(
            f"policy {policy.name!r} cannot be written with torchvision, which has no "
            f"{', '.join(missing)}; remove them, or export it to kornia"
        )
    functions = [name for name in names if name not in (*TORCHVISION_OWN, "resized_crop")]
    modules = (
        augsearch.errors, operation, draws, resample, *FAMILIES,
        stream, surroundings, torchvision_ops,
    )  # fmt: skip
    functions += [implementation.apply.__name__ for implementation in _own(view_plan).values()]
    roots = [
        "TwoViewTransform",
        "DrawStream",
        "Surroundings",
        "Gated",
        "ChooseOne",
        "OneImage",
        *functions,
    ]
    shared = _bundled(policy, modules, roots)
    lists = [_pipeline(steps) for steps in view_plan.lists]
    pipelines = "".join(f"    view{i} = {text}\n" for i, text in enumerate(lists, 1))
    second = "view2" if len(lists) > 1 else "view1"
    return (
        f"from functools import partial\n\nfrom torchvision.transforms import v2\n{shared}\n\n"
        f"{_found_on(policy, image_size)}{BUILD_TRANSFORM}"
        f"{pipelines}    return TwoViewTransform(view1, {second}, window, surroundings, stream)\n"
    )


def _pipeline(steps: tuple[Step, ...]) -> str:
    resize = "v2.Resize((IMAGE_SIZE, IMAGE_SIZE), antialias=True)"
    lines = [_transform(step) for step in steps]
    # A leading crop is cut from the image as it is; where its gate is closed, a resize is left.
    lines.insert(1 if steps and steps[0].op == "resized_crop" else 0, resize)
    inner = "".join(f"            {line},\n" for line in lines)
    return f"v2.Compose(\n        [\n{inner}        ]\n    )"


def _transform(step: Step) -> str:
    values = "".join(f", {name}={value!r}" for name, value in step.values.items())
    if step.members:
        members = (_transform(member) for member in step.members)
        inner = "".join(f"                {member},\n" for member in members)
        text = f"ChooseOne(\n{inner}            )"
    elif step.op == "resized_crop":
        scale, ratio = step.values["scale_min"], step.values["ratio"]
        text = (
            f"v2.RandomResizedCrop(IMAGE_SIZE, scale=({scale!r}, 1.0), "
            f"ratio=({1 / ratio!r}, {ratio!r}), antialias=True)"
        )
    elif step.own is not None or step.op in BATCHED_WITHOUT_KORNIA:
        function, slots = step.implementation.apply.__name__, step.implementation.slots
        text = f"OneImage({function}, {slots}{values})"
    elif step.op in TORCHVISION_OWN:
        text = TORCHVISION_OWN[step.op]
    else:
        text = f"partial({step.op}{values})" if values else step.op
    return text if step.p == 1 else f"Gated({text}, p={step.p!r})"
