"""Where in an image a network's answer comes from: maps by captum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from torch import Tensor, nn

from augsearch.errors import ConfigError
from augsearch.simclr.encoders.build import REFUSALS

Method = Literal["Grad-CAM", "occlusion", "integrated gradients"]
FEWEST_CELLS = 4
"""Of a side of the layer that Grad-CAM looks at."""
PATCHES = 8
"""Of a side, that occlusion covers one after the other, each twice as wide as its step."""
STEPS = 32
"""From the mean image to the image, of integrated gradients."""
SMOOTHING = 1 / 24
"""Standard deviation that the gradients of single pixels are smoothed with, in image sides."""
AT_ONCE = 32
"""Images in a network."""

Maps = NDArray[np.float32]
"""`[n, S, S]`, at least 0: how much of the answer comes from there."""


@dataclass(frozen=True)
class Methods:
    """How networks of one kind are asked.

    Attributes:
        first: Grad-CAM where there is a layer for it, else occlusion.
        layer: its name; empty without one.
        why_not: why there is no Grad-CAM, as a sentence; empty if there is.
    """

    first: Method
    layer: str
    why_not: str

    @property
    def both(self) -> tuple[Method, Method]:
        return self.first, "integrated gradients"


def methods_for(network: nn.Module, size: tuple[int, int]) -> Methods:
    """What suits a network.

    Args:
        size: channels and side of its images.
    """
    name, why_not = _spatial_layer(network, size)
    return Methods("Grad-CAM" if name else "occlusion", name, why_not)


def maps_of(
    method: Method, layer: str, networks: Sequence[nn.Module], pixels: Tensor, targets: Tensor
) -> Maps:
    """Maps of the images for these classes, the mean over networks, each with a maximum of 1.

    Args:
        networks: in evaluation mode, on the device of `pixels`.
        pixels: `[n, C, S, S]`, normalised.
        targets: `[n]` int64.

    Raises:
        ConfigError: captum cannot take the network.
    """
    found = np.zeros((len(pixels), *pixels.shape[2:]), np.float32)
    for network in networks:
        for start in range(0, len(pixels), AT_ONCE):
            rows = slice(start, start + AT_ONCE)
            found[rows] += _to_one(_raw(method, layer, network, pixels[rows], targets[rows]))
    return _to_one(found)


def _raw(method: Method, layer: str, network: nn.Module, pixels: Tensor, targets: Tensor) -> Maps:
    from captum.attr import IntegratedGradients, LayerAttribution, LayerGradCam, Occlusion

    side = pixels.shape[2]
    try:
        if method == "Grad-CAM":
            cam = LayerGradCam(network, network.get_submodule(layer))
            cells: Any = cam.attribute(pixels, targets, relu_attributions=True)
            return _array(LayerAttribution.interpolate(cells, (side, side), "bilinear")[:, 0])
        if method == "occlusion":
            step = max(1, side // PATCHES)
            window = (pixels.shape[1], min(side, 2 * step), min(side, 2 * step))
            found: Any = Occlusion(network).attribute(
                pixels, window, (pixels.shape[1], step, step), target=targets
            )
            return np.maximum(_array(found.sum(dim=1)), 0)
        gradients: Any = IntegratedGradients(network).attribute(
            pixels, target=targets, n_steps=STEPS, internal_batch_size=AT_ONCE
        )
    except (*REFUSALS, IndexError, AttributeError) as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise ConfigError(
            f"the network cannot be explained: captum's {method} says {reason!r}; its forward must "
            "let gradients through"
        ) from None
    sigma = (0, SMOOTHING * side, SMOOTHING * side)
    smooth: Maps = np.asarray(gaussian_filter(_array(gradients.sum(dim=1)), sigma))
    return np.maximum(smooth, 0)


def _array(tensor: Tensor) -> Maps:
    return np.asarray(tensor.detach().float().cpu().numpy())


def _to_one(maps: Maps) -> Maps:
    highest = maps.max(axis=(1, 2), keepdims=True)
    scaled: Maps = np.divide(maps, highest, out=np.zeros_like(maps), where=highest > 0)
    return scaled


def _spatial_layer(network: nn.Module, size: tuple[int, int]) -> tuple[str, str]:
    """The last layer that still knows where things are, by its name; why there is none."""
    seen: list[tuple[str, tuple[int, ...]]] = []

    def note(name: str) -> Any:
        def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
            if isinstance(output, Tensor):
                seen.append((name, tuple(output.shape)))

        return hook

    hooks = [
        module.register_forward_hook(note(name)) for name, module in network.named_modules() if name
    ]
    first = next(network.parameters())
    try:
        with torch.no_grad():
            network(torch.zeros(1, size[0], size[1], size[1], device=first.device))
    finally:
        for hook in hooks:
            hook.remove()
    last = max((n for n, (_, shape) in enumerate(seen) if _cells(shape) > 1), default=None)
    if last is None:
        return "", "no layer of the network keeps a map of the image"
    if any(_are_tokens(shape) for _, shape in seen[last + 1 :]):
        return "", "the network turns the image into tokens, which have no map of their own"
    for name, shape in reversed(seen[: last + 1]):
        if _cells(shape) >= FEWEST_CELLS:
            return name, ""
    return "", f"no layer of the network has {FEWEST_CELLS} or more cells a side"


def _cells(shape: tuple[int, ...]) -> int:
    """Of a side, if it is a square map `[1, D, h, h]`."""
    return shape[2] if len(shape) == 4 and shape[2] == shape[3] else 0


def _are_tokens(shape: tuple[int, ...]) -> bool:
    several = len(shape) == 3 and shape[1] > 1
    return several or (len(shape) == 4 and shape[1] == shape[2] != shape[3] and shape[1] > 1)
