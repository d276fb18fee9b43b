"""Where 16-bit numbers are multiplied, and where a CPU would get their gradients wrong."""

import pytest
import torch
from small_study import small_config, small_images
from torch import nn
from torch.nn import functional

from augsearch.augment.baselines import BASELINES
from augsearch.bench.bench import Bench
from augsearch.simclr.config import PretrainConfig
from augsearch.simclr.encoders.config import EncoderConfig
from augsearch.simclr.precision import TOO_SMALL, kernels_beside_the_picture, uses_bfloat16

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("layer", "size", "beside"),
    [
        (nn.Conv2d(3, 4, 3, padding=1), 1, True),
        (nn.Conv2d(3, 4, 3, padding=1), 2, False),
        (nn.Conv2d(3, 4, 3, stride=2, padding=1), 1, True),
        (nn.Conv2d(3, 4, 3, stride=2, padding=1), 2, True),  # its last row never meets a picture
        (nn.Conv2d(3, 4, 3, stride=2, padding=1), 3, False),
        (nn.Conv2d(3, 4, (1, 3), padding=(0, 1)), 1, True),
        (nn.Conv2d(3, 4, 1, stride=2), 1, False),
        (nn.Conv2d(3, 4, 7, padding=3), 3, True),
        (nn.Conv2d(3, 4, 7, padding=3), 4, False),
        (nn.Conv2d(3, 4, 3, padding=2, dilation=2), 2, True),
        (nn.Conv2d(3, 4, 3, padding="same"), 1, True),
        (nn.Conv2d(3, 4, 3, padding="valid"), 3, False),
        (nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"), 2, False),
    ],
)
def test_kernels_that_leave_the_picture_are_found(layer, size, beside):
    assert kernels_beside_the_picture(layer, (3, size, size)) is beside


def test_looking_leaves_a_network_as_it_is():
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5))
    network[1].eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    torch.manual_seed(0)
    kernels_beside_the_picture(network, (3, 8, 8))
    drawn = torch.rand(1)
    torch.manual_seed(0)
    assert drawn == torch.rand(1)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert network.training and network[2].training and not network[1].training


def test_a_network_whose_last_pictures_are_too_small_keeps_32_bits():
    """At 32 pixels the last stage of a ResNet sees one pixel."""
    config = small_config()
    small = {"encoder": EncoderConfig(name="timm/resnet10t")}
    small["pretrain"] = config.pretrain.model_copy(update={"precision": "bfloat16"})
    bench = Bench.of_pool(
        small_images(image_size=32), config.model_copy(update=small), seed=0, device=CPU
    )
    run = bench.pretraining(BASELINES["crop only"], replicate=0, steps=1)
    assert not run.bfloat16 and run.notes == (TOO_SMALL,)


def test_16_bits_are_chosen_where_the_device_multiplies_them():
    network, shape = nn.Conv2d(3, 4, 3, padding=1), (3, 8, 8)
    auto, cuda = PretrainConfig(), torch.device("cuda")
    capabilities = getattr(torch.cpu, "get_capabilities", dict)()
    assert uses_bfloat16(auto, CPU, network, shape) == any(
        capabilities.get(unit) for unit in ("amx_bf16", "avx512_bf16")
    )
    assert uses_bfloat16(auto, cuda, network, shape)
    assert not uses_bfloat16(PretrainConfig(precision="float32"), cuda, network, shape)
    assert uses_bfloat16(PretrainConfig(precision="bfloat16"), CPU, network, shape)


def gradient(size, dtype):
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(16, 16, size, size, generator=generator).to(dtype)
    kernels = torch.randn(32, 16, 3, 3, generator=generator).to(dtype).requires_grad_()
    seen = functional.conv2d(images, kernels, stride=2, padding=1)
    seen.float().square().mean().backward()
    assert kernels.grad is not None
    return kernels.grad.float()


@pytest.mark.parametrize("size", [3, 4, 8])
def test_where_no_kernel_leaves_the_picture_16_bits_give_the_gradient(size):
    """Memory is filled with what must not be read before each of some attempts."""
    right = gradient(size, torch.float32)
    for _ in range(5):
        filled = [torch.full((count,), float("nan")) for count in (64, 512, 4608, 100_000)]
        del filled
        assert torch.allclose(gradient(size, torch.bfloat16), right, atol=0.02 * right.abs().max())
