"""For Kornia: on whole batches, what `policy.build` renders."""

from __future__ import annotations

import augsearch.errors
from augsearch.augment import draws, executor, stream, surroundings, views
from augsearch.augment.executor import Step
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
from augsearch.augment.ops.kornia_ops import IMPLEMENTATIONS
from augsearch.augment.views import ViewPlan
from augsearch.space.policy import Policy

USE = """Needs torch and kornia. On a batch `images` [B, C, H, W], uint8 or float in [0, 1]:

    views = build_views(seed=0)
    view1, view2 = views(images)  # each [B, C, {size}, {size}] float in [0, 1]

{draws}

`build_views(normalise=True)` gives views less MEAN, over STD."""

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


def to_kornia(policy: Policy, view_plan: ViewPlan, image_size: int) -> Export:
    """A file with torch and Kornia, operation by operation the same."""
    return Export(program_head(policy, USE, image_size) + _source(policy, view_plan, image_size))


def _source(policy: Policy, view_plan: ViewPlan, image_size: int) -> str:
    used = {name: IMPLEMENTATIONS[name] for name in op_names(view_plan)} | own_ops(view_plan)
    modules = (
        augsearch.errors, operation, draws, resample, *FAMILIES,
        executor, stream, surroundings, views,
    )  # fmt: skip
    functions = [implementation.apply.__name__ for implementation in used.values()]
    roots = ["PlannedViews", "ViewPlan", "Step", "Implementation", *functions]
    source = bundled(policy, modules, roots)
    table = "".join(
        f'    "{name}": Implementation({implementation.slots}, {function}),\n'
        for (name, implementation), function in zip(used.items(), functions, strict=True)
    )
    lists = "".join(f"        {_steps_text(steps)},\n" for steps in view_plan.lists)
    return (
        f"{source}\n\nIMPLEMENTATIONS: dict[str, Implementation] = {{\n{table}}}\n\n"
        f"POLICY = ViewPlan(\n    (\n{lists}    )\n)\n\n"
        f"{found_on(policy, image_size)}{BUILD_VIEWS}"
    )


def _steps_text(steps: tuple[Step, ...]) -> str:
    inner = "".join(f"            {step!r},\n" for step in steps)
    return f"(\n{inner}        )" if steps else "()"
