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
MORE = 0.05
"""Tensors, as a share of the network's, that a file may have more in the same parts."""
IMAGE_CHANNELS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 13)
"""Of images that networks are trained on: grey, colour, with depth, of satellites."""
FLOATS = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
MOST_WRAPPED = 4
"""Parts of a network that could be a wrapper of somebody else's."""
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
        other_shape: names of the network that the file has in a shape that does not fit.
        adapted: what was changed to fit, a phrase each.
    """

    state: State
    prefix: str
    missing: tuple[str, ...]
    unused: tuple[str, ...]
    other_shape: tuple[str, ...]
    adapted: tuple[str, ...]


def match_states(
    states: Mapping[str, State], body: nn.Module, encoder: str, channels: int
) -> Match:
    """The tensors of the one network of a file that fits `body`.

    Whatever stands before the names (`module.`, `backbone.`, `state_dict` around them, ...) is
    found by trying: the right prefix is the one that leaves most names of the network.

    Args:
        encoder: what a person calls the network.
        channels: of the images.

    Raises:
        ConfigError: too little fits, two networks of the file fit, or the file's network has more
            in the same places.
    """
    wanted = body.state_dict()
    found = [
        (_fill(named, prefix, body, channels), f"{name}.{prefix}".strip("."))
        for name, state in states.items()
        for named in (state, *_with_first_name(state, wanted))
        for prefix in _prefixes(named, wanted)
    ]
    best, where = max(found, key=lambda one: len(one[0].state), default=(None, ""))
    if best is None or _share(best, wanted) < LEAST:
        raise ConfigError(_too_little(best, states, wanted, encoder))
    _check_numbers(best)
    # An average of weights may lack statistics, and a student's be complete: neither is meant.
    learned = dict(body.named_parameters())
    rivals = [
        name
        for other, name in found
        if _share(other, learned) >= LEAST and not _equal(other.state, best.state)
    ]
    if rivals:
        raise ConfigError(
            f"encoder.weights: holds {len(rivals) + 1} networks that fit {encoder} "
            f"({listed([where or 'at the top', *rivals])}); save the one that is meant in a file "
            "of its own"
        )
    _check_no_more(best, wanted, encoder)
    return best


def _with_first_name(state: State, wanted: Mapping[str, Tensor]) -> Iterable[State]:
    """The tensors as they would be called within a network that wraps theirs under one name."""
    first = {name.partition(".")[0] for name in wanted if "." in name}
    for name in sorted(first) if len(first) <= MOST_WRAPPED else ():
        if not any(f"{name}." in known for known in state):
            yield {f"{name}.{key}": tensor for key, tensor in state.items()}


def _prefixes(state: State, wanted: Mapping[str, Tensor]) -> Iterable[str]:
    """Beginnings of names, shortest first, after which some name of the network follows."""
    found = {
        name[: len(name) - len(tail)] for name in state for tail in _tails(name) if tail in wanted
    }
    return sorted(found, key=len)


def _tails(name: str) -> Iterable[str]:
    parts = name.split(".")
    return (".".join(parts[start:]) for start in range(len(parts)))


def _fill(state: State, prefix: str, body: nn.Module, channels: int) -> Match:
    wanted = body.state_dict()
    inside = {n.removeprefix(prefix): t for n, t in state.items() if n.startswith(prefix)}
    inside = {n: t for n, t in inside.items() if n not in wanted or _usable(t, wanted[n])}
    fitted, adapted = _to_images(inside, wanted, channels, first_convolution(body))
    fitted = _as_library_fits(fitted, body)
    kept = {n: t for n, t in fitted.items() if n in wanted and t.shape == wanted[n].shape}
    for name, tensor in kept.items():
        if name in inside and name not in adapted:
            before, after = list(inside[name].shape), list(tensor.shape)
            # A library may write the same numbers in another order of axes.
            if inside[name].numel() != tensor.numel():
                adapted[name] = f"{name} is resampled from {before} to {after}"
    left = [n for n in state if not n.startswith(prefix) or n.removeprefix(prefix) not in kept]
    other = tuple(n for n in inside if n in wanted and n not in kept)
    return Match(
        state=kept,
        prefix=prefix,
        missing=tuple(n for n in wanted if n not in kept and not n.endswith(_COUNTER)),
        unused=tuple(n for n in left if not n.endswith(_COUNTER)),
        other_shape=other,
        adapted=tuple(dict.fromkeys(adapted.values())),
    )


def _usable(tensor: Tensor, wanted: Tensor) -> bool:
    """Whether its numbers are what they say: no codes, no placeholders."""
    plain = tensor.layout == torch.strided and not tensor.is_meta and not tensor.is_quantized
    return plain and (tensor.dtype in FLOATS or not wanted.is_floating_point())


def first_convolution(body: nn.Module) -> str:
    """The name of its weight; empty if there is none."""
    for name, module in body.named_modules():
        if isinstance(module, nn.Conv2d):
            return f"{name}.weight".lstrip(".")
    return ""


def _to_images(
    inside: State, wanted: Mapping[str, Tensor], channels: int, first: str
) -> tuple[State, dict[str, str]]:
    """Convolutions that see the images, for as many channels as these have."""
    fitted, adapted = dict(inside), {}
    for name, tensor in inside.items():
        if name not in wanted or tensor.ndim != 4 or wanted[name].ndim != 4:
            continue
        (_, there, *kernel), (_, here, *own) = tensor.shape, wanted[name].shape
        may_see = name == first or there in IMAGE_CHANNELS
        sees = here == channels and there != here and may_see
        if sees and kernel == own and len(tensor) == len(wanted[name]):
            fitted[name] = to_channels(tensor, here)
            adapted[name] = _how(there, here)
    return fitted, adapted


def _how(there: int, here: int) -> str:
    if 1 < here < there:
        return (
            f"of the {there} channels that the first convolution sees the first {here} are used "
            "and scaled; if they do not mean what your images' channels do, so do the features"
        )
    how = "summed" if here == 1 else "repeated and scaled"
    return f"the first convolution is {how} from {there} to {here} channels"


def _check_numbers(match: Match) -> None:
    for name, tensor in match.state.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise ConfigError(
                f"encoder.weights: {match.prefix}{name} holds numbers that are not finite; the "
                "training that it comes from has diverged, so take an earlier checkpoint"
            )


def _check_no_more(match: Match, wanted: Mapping[str, Tensor], encoder: str) -> None:
    """Refuse a file whose network goes on where this one ends, such as a deeper one."""
    parts = {name.partition(".")[0] for name in wanted}
    more = [
        name
        for name in match.unused
        if name.startswith(match.prefix)
        and name.removeprefix(match.prefix).partition(".")[0] in parts
        and name.removeprefix(match.prefix) not in wanted
    ]
    if len(more) > MORE * len(wanted):
        raise ConfigError(
            f"encoder.weights: the file's network has {len(more)} tensors more in the parts of "
            f"{encoder} ({names_shown(more)}): it is another one of the same kind, whose weights "
            "mean nothing without these; name that one"
        )


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
