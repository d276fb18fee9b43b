"""Every operation of a policy or a space alone, from nothing to full strength, on one image."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import torch

from augsearch.augment.baselines import for_channels
from augsearch.augment.build import Renderer
from augsearch.pictures.contact_sheet import Strengths
from augsearch.space.catalogue import Parameter
from augsearch.space.handbook.handbook import value_text
from augsearch.space.handbook.policy_words import policy_steps
from augsearch.space.points import at_share, bound, operations
from augsearch.space.policy import Policy
from augsearch.space.policy_ops import OneOf, PolicyOp
from augsearch.space.space import Space
from augsearch.space.view_options import Executor
from augsearch.study.painting import Pixels, pair_of_views

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
TRIED = 8
"""Pairs of draws from which the one that shows most is taken."""

Titled = tuple[str, PolicyOp]


def ops_of_policy(policy: Policy) -> tuple[Titled, ...]:
    """A title and an operation for each, the members of groups one by one."""
    first, second = ({op.instance for op in ops} for ops in policy.views)

    def title(op: PolicyOp) -> str:
        only = "" if op.instance in first & second else f"view {1 + (op.instance in second)}: "
        return only + policy_steps(_alone(op))[0][0]

    return tuple(_members(operations(policy).values(), title))


def ops_of_space(space: Space) -> tuple[Titled, ...]:
    """The same for a space, each operation at the far end of what is searched."""
    farthest = space.policy({axis.name: bound(axis) for axis in space.axes()})
    return tuple(_members(operations(farthest).values(), lambda op: op.instance))


def colour_alone(ops: Sequence[Titled]) -> list[str]:
    """Operations, and parameters of others, that do nothing to grey images."""
    found = []
    for _, op in ops:
        if op.operation.colour_only:
            found.append(op.instance)
        else:
            found += [f"{op.instance}.{p.name}" for p in op.moved() if p.colour_only]
    return found


def op_strips(
    ops: Sequence[Titled], image: torch.Tensor, *, seed: int, executor: Executor
) -> tuple[Strengths, ...]:
    """A strip for each operation that acts on an image `[1, C, S, S]` of that many channels.

    Raises:
        ConfigError: the executor does not know an operation.
    """
    return tuple(
        _strip(title, acting, image, seed, executor)
        for title, op in ops
        for acting in for_channels(_alone(op), image.shape[1]).views[0]
    )


def _members(ops: Iterable[PolicyOp], title: Callable[[PolicyOp], str]) -> Iterator[Titled]:
    for op in ops:
        if isinstance(op, OneOf):
            for member in op.ops:
                if not member.is_identity():
                    often = 100 * op.p * member.p / len(op.ops)
                    yield f"{member.instance} ({op.instance}), in {often:.3g} % of views", member
        else:
            yield title(op), op


def _alone(op: PolicyOp) -> Policy:
    return Policy.model_validate({"ops": [op]})


def _strip(
    title: str, op: PolicyOp, image: torch.Tensor, seed: int, executor: Executor
) -> Strengths:
    most = op.model_copy(update={"p": 1.0})
    moved = most.moved()
    if moved:
        images, values = _rising(most, moved, image, seed, executor)
    else:
        images = _outcomes(most, image, seed, executor)
        values = (("", ("off", *("on" for _ in images[1:]))),)
    shaped = [
        _described(p, f"{p.name} {value_text(p, most.values()[p.name])}")
        for p in op.operation.parameters
        if p.identity is None
    ]
    return Strengths(title, "; ".join([policy_steps(_alone(op))[0][1], *shaped]), images, values)


def _described(parameter: Parameter, name: str) -> str:
    return f"{name}: {parameter.doc.partition(';')[0]}"


def _rising(
    most: PolicyOp, moved: Sequence[Parameter], image: torch.Tensor, seed: int, executor: Executor
) -> tuple[tuple[Pixels, ...], tuple[tuple[str, tuple[str, ...]], ...]]:
    """The image under the same draw at every share of the strength, and the values there."""
    step, view = _telling_draw(most, image, seed, executor)
    weaker = [at_share(most, share) for share in SHARES]
    images = tuple(
        _pair(op, image, seed, step, executor)[view] if op else image[0].numpy() for op in weaker
    )
    values = tuple(
        (
            _described(p, p.name),
            tuple(value_text(p, op.values()[p.name] if op else p.identity or 0) for op in weaker),
        )
        for p in moved
    )
    return images, values


def _telling_draw(
    most: PolicyOp, image: torch.Tensor, seed: int, executor: Executor
) -> tuple[int, int]:
    """Step and view of the draw, of those tried, that shows most at full strength: it moves pixels
    far, and keeps the contrast without which nothing is seen."""
    marked = _marked(image)
    before = marked[0].numpy().astype(float)
    shown = {
        (step, view): float(np.abs(pixels - before).mean() * min(pixels.std(), before.std()))
        for step in range(TRIED)
        for view, pixels in enumerate(_pair(most, marked, seed, step, executor))
    }
    return max(shown, key=lambda draw: shown[draw])


def _marked(image: torch.Tensor) -> torch.Tensor:
    """The image under slopes of brightness: on a texture alone a small shift changes as many
    pixels as a large one, on a slope it does not."""
    channels, side = image.shape[1], image.shape[-1]
    across = torch.linspace(0, 255, side).expand(side, side)
    slopes = torch.stack([across, across.T, across.flip(1)])
    if channels > len(slopes):
        slopes = slopes.repeat(-(-channels // len(slopes)), 1, 1)[:channels]
    if channels < len(slopes):
        slopes = (slopes[:1] + 2 * slopes[1:2]) / 3
    return ((image.float() + slopes) / 2).round().byte()


def _outcomes(
    op: PolicyOp, image: torch.Tensor, seed: int, executor: Executor
) -> tuple[Pixels, ...]:
    """The image, then what it becomes under an operation without a strength: each outcome once."""
    found = [image[0].numpy()]
    draws = (p for step in range(TRIED) for p in _pair(op, image, seed, step, executor))
    for pixels in draws:
        if not any((pixels == known).all() for known in found):
            found.append(pixels)
        if len(found) == len(SHARES):
            break
    return tuple(found)


def _pair(
    op: PolicyOp, image: torch.Tensor, seed: int, step: int, executor: Executor
) -> tuple[Pixels, Pixels]:
    renderer = Renderer.build(_alone(op), executor)
    first, second = pair_of_views(renderer, image, seed=seed, step=step)
    return first[0], second[0]
