"""The parts of a network from its input to its output, for freezing and for learning rates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from torch import nn

CONTAINERS = frozenset({"features", "encoder", "layers", "blocks", "stages", "trunk", "body"})
"""Modules of which each child is a part of its own."""


def parameter_groups(body: nn.Module) -> list[list[str]]:
    """Names of the parameters of each part: the stem first, then stage by stage.

    timm's models say themselves what their parts are. Of others, every module with parameters at
    the top is one, in the order in which they were defined; a norm belongs to the layer before it.
    """
    matcher = getattr(body, "group_matcher", None)
    if callable(matcher):
        from timm.models import group_parameters

        named = group_parameters(body, matcher(coarse=True))
        groups = [list(named[number]) for number in sorted(named)]
    else:
        groups = _groups_at_the_top(body)
    own = [name for name, _ in body.named_parameters()]  # of tied parameters the first name counts
    known = {name for group in groups for name in group}
    groups = [kept for group in groups if (kept := [name for name in group if name in own])]
    # Tokens and position embeddings of the network itself are added at its input.
    loose = [name for name in own if name not in known]
    if not groups:
        return [loose] if loose else []
    return [loose + groups[0], *groups[1:]]


def _groups_at_the_top(body: nn.Module) -> list[list[str]]:
    groups: list[list[str]] = []
    open_group = False  # to the norm that follows a single layer
    for name, module in _parts(body):
        found = [n for n, _ in module.named_parameters(prefix=name)]
        lone = not any(True for _ in module.children())
        weighty = any(p.ndim > 1 for p in module.parameters())
        if groups and lone and not weighty and open_group:
            groups[-1] += found
        else:
            groups.append(found)
            open_group = lone
    return groups


def _parts(module: nn.Module, prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    children = [(n, c) for n, c in module.named_children() if any(True for _ in c.parameters())]
    for name, child in children:
        has_children = any(True for _ in child.children())
        if has_children and (len(children) == 1 or name in CONTAINERS):
            yield from _parts(child, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", child


def freeze(body: nn.Module, names: set[str]) -> tuple[nn.Module, ...]:
    """Take these parameters out of training; returns the modules that no longer learn, whose
    statistics and dropout must stay as in evaluation.

    A module without parameters belongs to the frozen ones if it stands before the first that
    learns.
    """
    for name, parameter in body.named_parameters():
        if name in names:
            parameter.requires_grad_(False)
    still, learning = [], False
    for name, module in body.named_modules():
        own = [n for n, _ in module.named_parameters(prefix=name)]
        lone = not any(True for _ in module.children())
        frozen = bool(own) and names.issuperset(own)
        if frozen or (not own and lone and not learning):
            still.append(module)
        learning |= lone and bool(own) and not frozen
    return tuple(still)


def batch_norms(body: nn.Module) -> tuple[nn.Module, ...]:
    """Every module that takes statistics of a batch."""
    kind = cast("Any", nn.modules.batchnorm)._NormBase
    return tuple(module for module in body.modules() if isinstance(module, kind))
