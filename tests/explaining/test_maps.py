"""Maps name what an answer comes from, and their checks tell when they do not."""

import numpy as np
import pytest
import torch
from torch import nn

from augsearch.errors import ConfigError
from augsearch.explaining.choose import chosen
from augsearch.explaining.maps.attribution import maps_of, methods_for
from augsearch.explaining.maps.faithful import AREA, DRAWS, check_maps, falls, named_area
from augsearch.explaining.maps.networks import Asked
from augsearch.simclr.encoders.build import build_encoder
from augsearch.simclr.encoders.config import EncoderConfig

CPU = torch.device("cpu")
SIDE = 16


class Corner(nn.Module):
    """Sees the upper left quarter only."""

    def forward(self, images):
        return images[:, :, : SIDE // 2, : SIDE // 2].mean(dim=(2, 3))


class Flat(nn.Module):
    def forward(self, images):
        return images.mean(dim=(2, 3))


class Blocked(nn.Module):
    def forward(self, images):
        return images.mean(dim=(2, 3)).detach()


def asked(encoder, *, strong=40.0):
    head = nn.Linear(3, 2)
    with torch.no_grad():
        head.weight.copy_(torch.tensor([[strong] * 3, [-strong] * 3]))
        head.bias.zero_()
    network = nn.Sequential(encoder, head).eval()
    return Asked((network,), (0.5,) * 3, (0.25,) * 3, CPU)


def bright(count, seed=0):
    """Images with bright spots on grey, so that covering anything changes it."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(90, 170, (count, 3, SIDE, SIDE))
    noise[:, :, ::4, ::4] = 255
    return noise.astype(np.uint8)


def names(asked_, method, images):
    classes = asked_.log_probabilities(images).argmax(axis=1)
    maps = maps_of(method, "", asked_.networks, asked_.pixels(images), asked_.targets(classes))
    return named_area(maps, 0)


@pytest.mark.parametrize("method", ["integrated gradients", "occlusion"])
def test_a_map_names_the_only_part_that_is_seen(method):
    area = names(asked(Corner()), method, bright(6))
    assert (area.reshape(6, -1).mean(axis=1).round(2) == AREA).all()
    assert area[:, : SIDE // 2 + 2, : SIDE // 2 + 2].sum() >= 0.95 * area.sum()


def test_covering_what_is_named_matters_more_than_elsewhere():
    images, one = bright(8), asked(Corner(), strong=2)
    classes = one.log_probabilities(images).argmax(axis=1)
    found = check_maps(
        "integrated gradients", "", one, [one.shuffled(images, 0)], images, classes, 0
    )
    assert found.elsewhere.shape == (8, DRAWS)
    assert found.holds.mean() >= 0.75
    before, area = one.score(images, classes), named_area(found.maps, 0)
    assert np.isfinite(before).all() and area.any()


def test_a_map_of_another_network_fails():
    images, one = bright(40), asked(Corner(), strong=2)
    classes = one.log_probabilities(images).argmax(axis=1)
    rng = np.random.default_rng(0)
    anywhere = named_area(rng.random((40, SIDE, SIDE)).astype(np.float32), 0)
    named, elsewhere = falls(one, images, classes, anywhere, 0)
    assert 0.25 <= (named > np.median(elsewhere, axis=1)).mean() <= 0.75


def test_the_same_seed_covers_the_same_places():
    images, one = bright(3), asked(Corner())
    classes = np.zeros(3, np.int64)
    first, again = (
        check_maps("occlusion", "", one, [one.shuffled(images, 0)], images, classes, 5)
        for _ in range(2)
    )
    assert (first.elsewhere == again.elsewhere).all() and (first.maps == again.maps).all()


def test_shuffled_weights_are_the_same_weights():
    encoder = build_encoder(EncoderConfig(width=8, stages=2, stem="stride2"), 3, SIDE)
    network = nn.Sequential(encoder, nn.Linear(encoder.feature_dim, 3)).eval()
    one = Asked((network,), (0.5,) * 3, (0.25,) * 3, CPU)
    other = one.shuffled(bright(20), 1).networks[0]
    for ours, theirs in zip(network.parameters(), other.parameters(), strict=True):
        assert torch.equal(ours.flatten().sort().values, theirs.flatten().sort().values)
    weights = dict(network.named_parameters())["1.weight"]
    assert not torch.equal(weights, dict(other.named_parameters())["1.weight"])
    assert not other.training and all(
        int(m.num_batches_tracked) == 1 for m in other.modules() if isinstance(m, nn.BatchNorm2d)
    )
    assert next(m for m in network.modules() if isinstance(m, nn.BatchNorm2d)).momentum == 0.1


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "side", "first", "cells"),
    [
        ("small_resnet", 32, "Grad-CAM", 4),
        ("torchvision/resnet18", 32, "Grad-CAM", 4),
        ("torchvision/mobilenet_v3_small", 64, "Grad-CAM", 4),
        ("timm/convnext_atto", 64, "Grad-CAM", 4),
        ("timm/vit_tiny_patch16_224", 64, "occlusion", 0),
        ("timm/swin_tiny_patch4_window7_224", 64, "occlusion", 0),
    ],
)
def test_where_grad_cam_looks(name, side, first, cells):
    torch.manual_seed(0)
    encoder = build_encoder(EncoderConfig(name=name), 3, side)
    network = nn.Sequential(encoder, nn.Linear(encoder.feature_dim, 3)).eval()
    found = methods_for(network, (3, side))
    assert (
        found.first == first
        and bool(found.layer) == bool(cells)
        and bool(found.why_not) == (not cells)
    )
    shape = []
    if cells:
        layer = network.get_submodule(found.layer)
        layer.register_forward_hook(lambda _m, _i, output: shape.append(output.shape[-1]))
    pixels = torch.randn(2, 3, side, side)
    for method in found.both:
        maps = maps_of(method, found.layer, [network], pixels, torch.tensor([0, 1]))
        assert maps.shape == (2, side, side) and maps.min() >= 0 and maps.max() <= 1
        tops = maps.max(axis=(1, 2))  # 0 where nothing speaks for the class
        assert np.isin(tops, (0, 1)).all() and tops.any()
    assert set(shape) == ({cells} if cells else set())


def test_a_network_without_a_map_is_asked_by_occlusion():
    found = methods_for(asked(Flat()).networks[0], (3, SIDE))
    assert (found.first, found.layer) == ("occlusion", "")
    assert found.why_not == "no layer of the network keeps a map of the image"


def test_what_captum_cannot_take_is_one_line():
    blocked = asked(Blocked())
    with pytest.raises(ConfigError, match=r"^the network cannot be explained: captum's integrated"):
        maps_of(
            "integrated gradients",
            "",
            [nn.Sequential(Blocked(), nn.Identity())],
            blocked.pixels(bright(2)),
            torch.tensor([0, 1]),
        )


def test_decisions_are_chosen_from_both_sides():
    labels = np.repeat([0, 1, 2], 20)
    guesses = labels.copy()
    guesses[[3, 25, 45]] = (labels[[3, 25, 45]] + 1) % 3
    confidence = np.linspace(0.4, 0.9, 60)
    found = chosen(labels, guesses, confidence, 12, seed=0)
    assert found[:3].tolist() == [45, 25, 3]
    assert np.bincount(labels[found[3:]]).tolist() == [3, 3, 3] and len(set(found.tolist())) == 12
    two = chosen(labels, guesses, confidence, 4, seed=0)
    assert two[:2].tolist() == [45, 25] and len(two) == 4
    wrong = chosen(labels, (labels + 1) % 3, confidence, 10, seed=0)
    assert wrong.tolist() == list(range(59, 49, -1))
