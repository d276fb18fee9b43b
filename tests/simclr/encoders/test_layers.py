"""From input to output: parts that are frozen, statistics that are kept, rates that fall."""

import pytest
import torch
from networks import TIMM, network

from augsearch.errors import ConfigError
from augsearch.simclr.config import PretrainConfig
from augsearch.simclr.encoders.build import Encoder, build_encoder
from augsearch.simclr.encoders.config import EncoderConfig
from augsearch.simclr.encoders.layers import batch_norms, freeze, parameter_groups
from augsearch.simclr.optimizer import build_optimizer
from augsearch.simclr.pretrain import Pretraining


@pytest.mark.parametrize(
    "name",
    [
        *("small_resnet", "timm/test_resnet", "timm/test_vit", "timm/convnext_atto"),
        *("torchvision/resnet18", "torchvision/mobilenet_v2", "torchvision/squeezenet1_1"),
        *("torchvision/densenet121", "torchvision/vgg11_bn"),
    ],
)
def test_parts_hold_every_parameter_once_and_go_from_input_to_output(name):
    size = 160 if "vit" in name else 64
    body = build_encoder(EncoderConfig(name=name), 3, size).body
    parts = parameter_groups(body)
    flat = [parameter for part in parts for parameter in part]
    assert sorted(flat) == sorted(n for n, _ in body.named_parameters())
    assert len(parts) >= 4
    first = next(n for n, m in body.named_modules() if isinstance(m, torch.nn.Conv2d))
    assert f"{first}.weight" in parts[0]


def run(weights, images, *, config=None, **options):
    pixels = torch.randint(0, 256, (16, 3, 32, 32), dtype=torch.uint8)
    return Pretraining(
        pixels,
        lambda batch, _: (batch.float() / 255, batch.float().flip(-1) / 255),
        EncoderConfig(name=TIMM, weights="w.pth", **options),
        config or PretrainConfig(steps=3, batch_size=8, precision="float32"),
        seed=images,
        device=torch.device("cpu"),
        mean=(0.5,) * 3,
        std=(0.5,) * 3,
        weights=weights,
    )


def test_frozen_parts_and_kept_statistics_stay_as_the_weights_are():
    weights = network(TIMM).state_dict()
    weights = {name: tensor.clone() for name, tensor in weights.items() if "fc" not in name}
    body = build_encoder(EncoderConfig(name=TIMM), 3, 32).body
    still = {name for part in parameter_groups(body)[:2] for name in part}
    training = run(weights, 0, frozen_stages=2, statistics="keep")
    training.advance(3)
    after = training.encoder.body.state_dict()
    for name, before in weights.items():
        same = torch.equal(after[name], before)
        statistic = "running" in name or "num_batches" in name
        assert same == (name in still or statistic), name


def test_statistics_of_frozen_parts_stay_and_those_of_others_follow_the_images():
    weights = {n: t.clone() for n, t in network(TIMM).state_dict().items() if "fc" not in n}
    training = run(weights, 0, frozen_stages=1)
    training.advance(3)
    after = training.encoder.body.state_dict()
    assert torch.equal(after["bn1.running_mean"], weights["bn1.running_mean"])
    moved = [n for n in weights if "running" in n and not torch.equal(after[n], weights[n])]
    assert moved


def test_freezing_everything_is_refused(tmp_path):
    weights = network(TIMM).state_dict()
    config = EncoderConfig(name=TIMM, weights="w.pth", frozen_stages=40)
    with pytest.raises(ConfigError, match="something must be left to learn"):
        build_encoder(config, 3, 32, {n: t for n, t in weights.items() if "fc" not in n})


def test_layer_decay_falls_from_the_head_to_the_stem():
    encoder = build_encoder(EncoderConfig(name=TIMM), 3, 32)
    head = torch.nn.Linear(encoder.feature_dim, 4)
    config = PretrainConfig(learning_rate=0.1, layer_decay=0.5)
    peaks = {
        id(parameter): group["peak"]
        for group in build_optimizer(encoder, head, config).param_groups
        for parameter in group["params"]
    }
    parts = parameter_groups(encoder.body)
    named_parameters = dict(encoder.body.named_parameters())
    for depth, part in enumerate(reversed(parts)):
        found = [peaks[id(named_parameters[name])] for name in part]
        assert found == pytest.approx([0.1 * 0.5**depth] * len(part))
    assert peaks[id(head.weight)] == 0.1


def test_every_run_begins_with_the_weights_whatever_its_seed():
    weights = {n: t for n, t in network(TIMM).state_dict().items() if "fc" not in n}
    first, second = run(weights, 0), run(weights, 1)
    assert isinstance(first.encoder, Encoder)
    for name, tensor in first.encoder.body.state_dict().items():
        assert torch.equal(tensor, second.encoder.body.state_dict()[name])
    heads = [training.projection_head.state_dict()["0.weight"] for training in (first, second)]
    assert not torch.equal(*heads)


def test_modules_without_parameters_belong_to_the_frozen_ones_before_them():
    body = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3),
        torch.nn.BatchNorm2d(8, affine=False),
        torch.nn.ReLU(),
        torch.nn.Dropout(0.5),
        torch.nn.Conv2d(8, 8, 3),
        torch.nn.BatchNorm2d(8),
        torch.nn.Dropout(0.5),
    )
    parts = parameter_groups(body)
    assert parts[0] == ["0.weight", "0.bias"]
    still = freeze(body, set(parts[0]))
    assert [module for module in body if module in still] == list(body[:4])


def test_tied_parameters_are_counted_once():
    body = torch.nn.Sequential(torch.nn.Conv2d(3, 3, 3), torch.nn.Conv2d(3, 3, 3))
    body[1].weight = body[0].weight
    named_once = [name for part in parameter_groups(body) for name in part]
    assert sorted(named_once) == sorted(name for name, _ in body.named_parameters())
    encoder = Encoder(body, 3)
    config = PretrainConfig(layer_decay=0.5)
    optimizer = build_optimizer(encoder, torch.nn.Linear(3, 2), config)
    held = [id(p) for group in optimizer.param_groups for p in group["params"]]
    assert len(held) == len(set(held)) == len(list(body.parameters())) + 2


def test_statistics_of_every_kind_are_kept():
    body = torch.nn.Sequential(
        torch.nn.BatchNorm2d(3), torch.nn.InstanceNorm2d(3, track_running_stats=True)
    )
    assert len(batch_norms(body)) == 2
