"""An encoder of one's own keeps its promises, or the check says which it breaks."""

import re
from pathlib import Path

import pytest
import torch
from torch import nn

from augsearch import CustomEncoder
from augsearch.simclr.encoders.config import EncoderConfig
from augsearch.simclr.encoders.custom import EncoderFile
from augsearch.testing.encoders import check_encoder

ROOT = Path(__file__).parents[2]


def small(in_channels, image_size):
    del image_size
    return nn.Sequential(nn.Conv2d(in_channels, 8, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1))


def test_the_page_shows_a_network_that_works(tmp_path):
    page = (ROOT / "docs" / "starts.md").read_text()
    (code,) = re.findall(r"```python\n(# my_net\.py.*?)```", page, re.S)
    (tmp_path / "my_net.py").write_text(code)
    check_encoder(EncoderFile.parse("my_net.py", tmp_path).load())
    text = next(line for line in page.splitlines() if line.startswith("encoder: {name: custom"))
    assert "file: my_net.py" in text
    EncoderConfig(name="custom", file=str(tmp_path / "my_net.py"))


def test_every_number_of_channels_is_tried():
    def only_colour(in_channels, image_size):
        return small(3, image_size)

    check_encoder(CustomEncoder(only_colour), channels=(3,))
    with pytest.raises(AssertionError, match=r"images of shape \[4, 1, 32, 32\]: raises"):
        check_encoder(CustomEncoder(only_colour), channels=(3, 1))


class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = small(3, 32)

    def forward(self, images):
        features = self.net(images)
        return features, features


class Constant(nn.Module):
    def __init__(self):
        super().__init__()
        self.bias = nn.Parameter(torch.ones(4))

    def forward(self, images):
        return self.bias.expand(len(images), -1)


class NotANumber(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = small(3, 32)

    def forward(self, images):
        return self.net(images) / 0 * 0


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (Pair, "gives a tuple; want a tensor"),
        (Constant, "different images have the same features"),
        (NotANumber, "features are not finite"),
        (lambda: nn.Sequential(small(3, 32), nn.Flatten(0)), "want features"),
    ],
)
def test_what_it_gives_is_looked_at(network, said):
    with pytest.raises(AssertionError, match=said):
        check_encoder(CustomEncoder(lambda channels, size: network()), channels=(3,))


def test_its_weights_follow_the_seed():
    generator = torch.Generator().manual_seed(0)

    def own_numbers(in_channels, image_size):
        network = small(in_channels, image_size)
        with torch.no_grad():
            network[0].weight.normal_(generator=generator)
        return network

    with pytest.raises(AssertionError, match="the same seed builds other weights"):
        check_encoder(CustomEncoder(own_numbers))


def test_every_seed_has_weights_of_its_own():
    state = small(3, 32).state_dict()

    def trained(in_channels, image_size):
        network = small(in_channels, image_size)
        network.load_state_dict(state)
        return network

    with pytest.raises(AssertionError, match=r"name those of a file as encoder\.weights"):
        check_encoder(CustomEncoder(trained), channels=(3,))


def test_lazy_modules_and_halves_are_refused():
    lazy = nn.Sequential(nn.LazyConv2d(8, 3), nn.AdaptiveAvgPool2d(1))
    with pytest.raises(AssertionError, match="lazy modules"):
        check_encoder(CustomEncoder(lambda channels, size: lazy))

    class Half(Pair):
        def forward(self, images):
            return self.net(images).half()

    with pytest.raises(AssertionError, match=r"want torch\.float32"):
        check_encoder(CustomEncoder(lambda channels, size: Half()), channels=(3,))


def test_a_build_that_ends_the_program_ends_nothing():
    def leaves(in_channels, image_size):
        raise SystemExit(4)

    with pytest.raises(AssertionError, match="raises SystemExit: 4"):
        check_encoder(CustomEncoder(leaves))


@pytest.mark.parametrize("numbers", [{"mean": (0.5,)}, {"mean": 0.5, "std": 0}, {"std": (1, 1)}])
def test_numbers_that_do_not_go_together_are_refused(numbers):
    with pytest.raises(ValueError, match="mean and std"):
        CustomEncoder(small, **numbers)
    assert CustomEncoder(small, mean=0.5, std=0.2).normalised_by == ((0.5,), (0.2,))


class Odd(nn.Module):
    """Something that is another thing in training or at its second call."""

    def __init__(self, kind):
        super().__init__()
        self.net, self.kind, self.wide = small(3, 32), kind, nn.Linear(8, 5)

    def forward(self, images):
        if self.kind == "no gradients":
            with torch.no_grad():
                return self.net(images)
        found = self.net(images)
        if self.kind == "width" and self.training:
            return self.wide(found.flatten(1))
        return nn.functional.dropout(found, 0.5) if self.kind == "random" else found


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("no gradients", "gives features without gradients in training mode"),
        ("width", "gives 5 features in training mode and 8 in evaluation mode"),
        ("random", "the same images have other features when it is called again"),
    ],
)
def test_training_and_evaluation_give_the_same_kind_of_features(kind, said):
    with pytest.raises(AssertionError, match=said):
        check_encoder(CustomEncoder(lambda channels, size: Odd(kind)), channels=(3,))
