"""Which tensors of a file belong to which of a network."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from augsearch.errors import ConfigError
from augsearch.simclr.encoders.checkpoint import State
from augsearch.words import listed

LEAST = 0.9
"""Share of a network that weights must fill, or they are another network's."""
SHOWN = 4
_COUNTER = "num_batches_tracked"  # says nothing about whose weights these are


@dataclass(frozen=True)
class Match:
    """Tensors that fit a network.

    Attributes:
        state: by the network's own names, in its shapes.
        prefix: what stood before these names in the file.
        missing: names of the network that nothing fits.
        unused: names of the file, with their prefix, that fit nothing.
        adapted: what was changed to fit, a phrase each.
    """

    state: State
    prefix: str
    missing: tuple[str, ...]
    unused: tuple[str, ...]
    adapted: tuple[str, ...]


def match_states(states: Mapping[str, State], body: nn.Module, encoder: str) -> Match:
    """The tensors of the one network of a file that fits `body`.

    Whatever stands before the names (`module.`, `backbone.`, `state_dict` around them, ...) is
    found by trying: the right prefix is the one that leaves most names of the network.

    Args:
        encoder: what a person calls the network.

    Raises:
        ConfigError: too little fits, or two networks of the file fit alike.
    """
    wanted = body.state_dict()
    found = [
        (_fill(state, prefix, body, wanted), f"{name}.{prefix}".strip("."))
        for name, state in states.items()
        for prefix in _prefixes(state, wanted)
    ]
    best, where = max(found, key=lambda one: len(one[0].state), default=(None, ""))
    if best is None or _share(best, wanted) < LEAST:
        raise ConfigError(_too_little(best, states, wanted, encoder))
    rivals = [
        name
        for other, name in found
        if len(other.state) == len(best.state) and not _equal(other.state, best.state)
    ]
    if rivals:
        raise ConfigError(
            f"encoder.weights: holds {len(rivals) + 1} networks that fit {encoder} "
            f"({listed([where, *rivals])}); save the one that is meant in a file of its own"
        )
    return best


def _prefixes(state: State, wanted: Mapping[str, Tensor]) -> Iterable[str]:
    """Beginnings of names, shortest first, after which some name of the network follows."""
    found = {
        name[: len(name) - len(tail)] for name in state for tail in _tails(name) if tail in wanted
    }
    return sorted(found, key=len)


def _tails(name: str) -> Iterable[str]:
    parts = name.split(".")
    return (".".join(parts[start:]) for start in range(len(parts)))


def _fill(state: State, prefix: str, body: nn.Module, wanted: Mapping[str, Tensor]) -> Match:
    inside = {n.removeprefix(prefix): t for n, t in state.items() if n.startswith(prefix)}
    adapted = []
    fitted = dict(inside)
    first = _first_convolution(body)
    if first in inside and inside[first].ndim == 4:
        there, here = inside[first].shape[1], wanted[first].shape[1]
        if there != here:
            fitted[first] = to_channels(inside[first], here)
            how = "summed" if here == 1 else "repeated and scaled"
            adapted.append(f"the first convolution is {how} from {there} to {here} channels")
    fitted = _as_library_fits(fitted, body)
    for name, tensor in fitted.items():
        if "pos_embed" in name and name in inside and tensor.shape != inside[name].shape:
            adapted.append("position embeddings are interpolated")
    kept = {n: t for n, t in fitted.items() if n in wanted and t.shape == wanted[n].shape}
    left = [n for n in state if not n.startswith(prefix) or n.removeprefix(prefix) not in kept]
    return Match(
        state=kept,
        prefix=prefix,
        missing=tuple(n for n in wanted if n not in kept and not n.endswith(_COUNTER)),
        unused=tuple(n for n in left if not n.endswith(_COUNTER)),
        adapted=tuple(adapted),
    )


def _first_convolution(body: nn.Module) -> str:
    for name, module in body.named_modules():
        if isinstance(module, nn.Conv2d):
            return f"{name}.weight" if name else "weight"
    return ""


def to_channels(weight: Tensor, channels: int) -> Tensor:
    """A convolution's weight `[O, K, h, w]` for images of other channels, `[O, channels, h, w]`.

    For one channel the K are summed, so that a grey picture gives what it gave as K equal ones;
    for others they are repeated and scaled, so that the sum stays what it was.
    """
    there = weight.shape[1]
    if channels == 1:
        return weight.sum(dim=1, keepdim=True)
    rows = torch.arange(channels) % there
    return weight[:, rows] * (there / channels)


def _as_library_fits(state: State, body: nn.Module) -> State:
    """What the network's own library does to a file's tensors: interpolates position embeddings
    for another image size, renames those of the paper's authors."""
    home = sys.modules[type(body).__module__]
    if home.__name__.startswith("timm.") and hasattr(home, "checkpoint_filter_fn"):
        try:
            return dict(home.checkpoint_filter_fn(dict(state), body))
        except (KeyError, ValueError, RuntimeError, TypeError, AttributeError, AssertionError):
            return state  # a file that is not this network's; what fits is counted next
    name = "encoder.pos_embedding"
    if home.__name__.startswith("torchvision.") and name in state:
        from torchvision.models.vision_transformer import VisionTransformer, interpolate_embeddings

        if isinstance(body, VisionTransformer):
            try:
                sized = interpolate_embeddings(
                    body.image_size, body.patch_size, {name: state[name]}, reset_heads=False
                )
            except ValueError:
                return state
            return {**state, name: sized[name]}
    return state


def _share(match: Match, wanted: Mapping[str, Tensor]) -> float:
    """Of the network's tensors or of its numbers, whichever is less."""
    names = [n for n in wanted if not n.endswith(_COUNTER)]
    filled = [n for n in names if n in match.state]
    numbers = sum(wanted[n].numel() for n in filled) / max(1, sum(wanted[n].numel() for n in names))
    return min(len(filled) / max(1, len(names)), numbers)


def _equal(one: State, other: State) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[n], other[n]) for n in one)


def _too_little(
    best: Match | None,
    states: Mapping[str, State],
    wanted: Mapping[str, Tensor],
    encoder: str,
) -> str:
    share = 0.0 if best is None else _share(best, wanted)
    there = [n for n in itertools.chain.from_iterable(states.values()) if not n.endswith(_COUNTER)]
    here = [n for n in wanted if not n.endswith(_COUNTER)]
    if best is not None and best.state:
        there = list(best.unused) or there
        here = list(best.missing) or here
    return (
        f"encoder.weights: only {share:.0%} of {encoder} is in the file, and {LEAST:.0%} is the "
        f"least; the file has {names_shown(there)}, the network wants {names_shown(here)}"
    )


def names_shown(names: Iterable[str]) -> str:
    """The first few names, and how many more."""
    names = list(names)
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return (", ".join(names[:SHOWN]) or "nothing else") + more
