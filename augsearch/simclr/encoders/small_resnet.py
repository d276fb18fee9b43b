"""A ResNet small enough to pretrain on a CPU within seconds."""

from __future__ import annotations

from torch import nn
from torchvision.models.resnet import BasicBlock

from augsearch.simclr.encoders.config import EncoderConfig


def small_resnet(config: EncoderConfig, in_channels: int) -> nn.Sequential:
    """One basic block a stage (He et al. 2016), doubling the width, then a global average.

    Maps `[B, in_channels, H, W]` to `[B, width * 2**(stages - 1)]`.
    """
    width = config.width
    blocks: list[nn.Module] = []
    for stage in range(config.stages):
        stride, incoming = (1, width) if stage == 0 else (2, width // 2)
        shortcut = None
        if stage > 0:
            shortcut = nn.Sequential(
                nn.Conv2d(incoming, width, 1, stride, bias=False), nn.BatchNorm2d(width)
            )
        blocks.append(BasicBlock(incoming, width, stride, shortcut))
        width *= 2
    network = nn.Sequential(
        _stem(config, in_channels),
        nn.BatchNorm2d(config.width),
        nn.ReLU(inplace=True),
        *blocks,
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return network


def _stem(config: EncoderConfig, in_channels: int) -> nn.Conv2d:
    if config.stem == "patch4":
        return nn.Conv2d(in_channels, config.width, 4, stride=4, bias=False)
    stride = 2 if config.stem == "stride2" else 1
    return nn.Conv2d(in_channels, config.width, 3, stride=stride, padding=1, bias=False)
