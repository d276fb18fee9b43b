"""MobileNetV1 of a quarter of the width: an encoder for `encoder: {name: custom, file: ...}`.

Its weights take inputs in [-1, 1].
"""

from timm.models import efficientnet
from torch import nn

from augsearch import CustomEncoder


def build(in_channels: int, image_size: int) -> nn.Module:
    del image_size  # it takes any
    network: nn.Module = efficientnet._gen_mobilenet_v1(  # type: ignore[no-untyped-call]  # timm's own
        "mobilenetv1_100", 0.25, num_classes=0, pad_type="same", in_chans=in_channels
    )
    return network


network = CustomEncoder(build=build, mean=(0.5,), std=(0.5,))
