"""What an encoder of one's own promises, as checks.

    from augsearch.testing.encoders import check_encoder

    def test_my_network():
        check_encoder(network)

`check_encoder` raises AssertionError with what was promised and what was found. A study runs the
same checks, with its own images' size and channels, before it trains anything.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter

from augsearch.simclr.encoders.custom import CustomEncoder
from augsearch.simclr.randomness import seeded

CPU = torch.device("cpu")
IMAGES = 4
ROUNDING = 1e-4
"""Features may differ by this share of their size where a batch is computed in another order."""


def check_encoder(
    encoder: CustomEncoder, *, channels: tuple[int, ...] = (1, 3), image_size: int = 32
) -> None:
    """Build the network for images of each number of channels, and try what a study does with it.

    Raises:
        AssertionError: something is not as promised, in one line.
    """
    for count in channels:
        build = _builder(encoder, count, image_size)
        images = torch.rand(IMAGES, count, image_size, image_size, generator=_generator(0)) * 2 - 1
        network = build(0)
        _gives_features(network, images)
        _learns(network, images)
        _follows_the_seed(build)
        _judges_images_one_by_one(network, images)


def _builder(encoder: CustomEncoder, channels: int, size: int) -> Callable[[int], nn.Module]:
    def build(seed: int) -> nn.Module:
        with seeded(seed, CPU):
            try:
                network = encoder.build(channels, size)
            # Whatever a user's own code raises is said in one line.
            except (Exception, SystemExit) as error:
                raise AssertionError(
                    f"build({channels}, {size}) raises {type(error).__name__}: {error}"
                ) from error
        assert isinstance(network, nn.Module), (
            f"build({channels}, {size}) gives a {type(network).__name__}; want a torch.nn.Module"
        )
        lazy = [p for p in network.parameters() if isinstance(p, UninitializedParameter)]
        assert not lazy, "has lazy modules, whose weights no seed decides; give them their sizes"
        return network

    return build


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _features(network: nn.Module, images: Tensor) -> Tensor:
    try:
        found = network(images)
    except Exception as error:
        raise AssertionError(
            f"images of shape {list(images.shape)}: raises {type(error).__name__}: {error}"
        ) from error
    assert isinstance(found, Tensor), (
        f"gives a {type(found).__name__}; want a tensor of features [B, D]"
    )
    assert found.ndim >= 2 and len(found) == len(images), (
        f"{len(images)} images give {list(found.shape)}; want features [B, D]"
    )
    assert torch.isfinite(found).all(), "features are not finite"
    return found.flatten(1)


def _gives_features(network: nn.Module, images: Tensor) -> None:
    network.eval()
    with torch.no_grad():
        found = _features(network, images)
    assert found.dtype == torch.float32, f"features are {found.dtype}; want torch.float32"
    spread = found.std(dim=0).max()
    assert spread > 0, "different images have the same features"


def _follows_the_seed(build: Callable[[int], nn.Module]) -> None:
    first, again = build(1).state_dict(), build(1).state_dict()
    same = first.keys() == again.keys() and all(torch.equal(first[n], again[n]) for n in first)
    assert same, "the same seed builds other weights; draw them from torch's global generator"
    other = build(2).state_dict()
    assert not all(torch.equal(first[n], other[n]) for n in first), (
        "every seed builds the same weights; draw them from torch's global generator, and name "
        "those of a file as encoder.weights"
    )


def _learns(network: nn.Module, images: Tensor) -> None:
    network.train()
    trained = [p for p in network.parameters() if p.requires_grad]
    assert trained, "has no parameters that learn"
    found = _features(network, images)
    assert found.requires_grad, (
        "gives features without gradients in training mode; leave out torch.no_grad() and detach()"
    )
    try:
        found.square().sum().backward()  # type: ignore[no-untyped-call]  # torch's
    except RuntimeError as error:
        raise AssertionError(f"its gradients cannot be computed: {error}") from error
    network.eval()
    with torch.no_grad():
        width = _features(network, images).shape[1]
    assert found.shape[1] == width, (
        f"gives {found.shape[1]} features in training mode and {width} in evaluation mode"
    )
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in trained), (
        "no gradient reaches any parameter"
    )


def _judges_images_one_by_one(network: nn.Module, images: Tensor) -> None:
    network.eval()
    with torch.no_grad():
        together, again = _features(network, images), _features(network, images)
        alone = _features(network, images[:1])
    size = together.abs().max().clamp(min=1e-12)
    assert (again - together).abs().max() / size <= ROUNDING, (
        "in evaluation mode the same images have other features when it is called again"
    )
    assert (together[:1] - alone).abs().max() / size <= ROUNDING, (
        "in evaluation mode an image's features depend on the other images of its batch"
    )
