"""Small networks of others, whose weights tests save and start from."""

import timm
import torch
import torchvision

TIMM = "timm/test_resnet"


def network(name):
    torch.manual_seed(1)
    family, _, model = name.partition("/")
    if family == "timm":
        return timm.create_model(model, num_classes=7)
    return torchvision.models.get_model(model, num_classes=7)
