"""Weights of every style of file fill the encoder; those of another network are refused."""

import json
import socket
import warnings

import pytest
import timm
import torch
import torchvision
from networks import TIMM, network
from safetensors.torch import save_file

from augsearch.errors import ConfigError
from augsearch.simclr.encoders.build import build_encoder
from augsearch.simclr.encoders.checkpoint import MEAN, STD
from augsearch.simclr.encoders.config import EncoderConfig
from augsearch.simclr.encoders.matching import to_channels
from augsearch.simclr.encoders.start import load_start

TORCHVISION = "torchvision/shufflenet_v2_x0_5"


def named(state, prefix):
    return {prefix + name: tensor for name, tensor in state.items()}


def start_of(path, name=TIMM, channels=3, size=32, **options):
    return load_start(EncoderConfig(name=name, weights=str(path), **options), channels, size)


@pytest.mark.parametrize("name", [TIMM, TORCHVISION, "small_resnet"])
@pytest.mark.parametrize(
    ("around", "prefix"),
    [
        ((), ""),
        ((), "module."),
        (("state_dict",), "module.encoder."),
        (("model",), "backbone."),
        (("a", "b"), "body."),
        ((), "module.backbone.encoder.body."),
        ((), "net.somebody_else."),
    ],
)
def test_each_style_of_names_loads(tmp_path, name, around, prefix):
    if name == "small_resnet":
        content = build_encoder(EncoderConfig(), 3, 32).body.state_dict()
    else:
        content = network(name).state_dict()
    expected = dict(content)
    content = named(content, prefix)
    for key in reversed(around):
        content = {key: content, "epoch": 3}
    torch.save(content, tmp_path / "weights.pth")
    start = start_of(tmp_path / "weights.pth", name)
    config = EncoderConfig(name=name, weights=str(tmp_path / "weights.pth"))
    filled = build_encoder(config, 3, 32, start.state).body.state_dict()
    assert all(torch.equal(filled[key], expected[key]) for key in filled)


def test_safetensors_and_pth_of_the_same_weights_start_alike(tmp_path):
    state = network(TIMM).state_dict()
    save_file(state, tmp_path / "w.safetensors")
    torch.save(state, tmp_path / "w.pth")
    one, other = (start_of(tmp_path / name) for name in ("w.safetensors", "w.pth"))
    assert one.state.keys() == other.state.keys()
    assert all(torch.equal(one.state[key], other.state[key]) for key in one.state)
    assert one.digest != other.digest  # of the files


def test_what_is_not_used_and_what_is_missing_is_said(tmp_path):
    state = network(TIMM).state_dict()
    del state["bn1.weight"]
    torch.save(state, tmp_path / "w.pth")
    notes = " | ".join(start_of(tmp_path / "w.pth").notes)
    assert "nothing that fits bn1.weight of timm/test_resnet" in notes
    assert "not used: fc.weight, fc.bias" in notes


@pytest.mark.parametrize("channels", [1, 3, 5])
def test_the_first_convolution_takes_other_channels(tmp_path, channels):
    torch.save(network(TIMM).state_dict(), tmp_path / "w.pth")
    start = start_of(tmp_path / "w.pth", channels=channels)
    encoder = build_encoder(EncoderConfig(name=TIMM), channels, 32, start.state).eval()
    assert torch.isfinite(encoder(torch.rand(2, channels, 32, 32))).all()
    assert len(start.mean) == len(start.std) == channels
    assert any("first convolution" in note for note in start.notes) == (channels != 3)


def test_a_grey_picture_gives_what_it_gave_in_three_equal_channels(tmp_path):
    torch.save(network(TIMM).state_dict(), tmp_path / "w.pth")
    grey = torch.rand(2, 1, 32, 32)
    features = []
    for channels in (1, 3):
        start = start_of(tmp_path / "w.pth", channels=channels)
        encoder = build_encoder(EncoderConfig(name=TIMM), channels, 32, start.state).eval()
        features.append(encoder(grey.expand(-1, channels, -1, -1)))
    torch.testing.assert_close(*features, rtol=1e-4, atol=1e-5)


def test_more_channels_keep_the_size_of_what_a_filter_gives():
    weight = torch.rand(4, 3, 3, 3)
    torch.testing.assert_close(to_channels(weight, 6).sum(1), weight.sum(1))


def test_position_embeddings_are_interpolated_to_another_size(tmp_path):
    vit = timm.create_model("test_vit", num_classes=0, img_size=64)
    torch.save(vit.state_dict(), tmp_path / "w.pth")
    start = start_of(tmp_path / "w.pth", "timm/test_vit", size=48)
    assert any("pos_embed is resampled from" in note for note in start.notes)
    build_encoder(EncoderConfig(name="timm/test_vit"), 3, 48, start.state)


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda p: torch.save(network(TORCHVISION).state_dict(), p), "only"),
        (
            lambda p: torch.save(
                {k: v[:1] for k, v in network(TIMM).state_dict().items() if v.ndim}, p
            ),
            "only",
        ),
        (lambda p: torch.save(network(TIMM), p), "holds more than tensors"),
        (lambda p: torch.save([1, 2], p), "no tensors"),
        (lambda p: p.write_bytes(b"nothing of that kind"), "is no file of weights"),
        (lambda p: p.write_bytes(b""), "is no file of weights"),
        (
            lambda p: torch.save(
                {
                    "student": network(TIMM).state_dict(),
                    "teacher": timm.create_model("test_resnet", num_classes=7).state_dict(),
                },
                p,
            ),
            "holds 2 networks that fit",
        ),
    ],
    ids=["another network", "other shapes", "a pickled module", "a list", "text", "empty", "two"],
)
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_file_that_is_not_the_networks_is_refused_in_one_line(tmp_path, write, said, suffix):
    path = tmp_path / f"w{suffix}"
    write(path)
    with pytest.raises(ConfigError) as refused:
        start_of(path)
    assert "\n" not in str(refused.value)
    if suffix == ".pth":
        assert said in str(refused.value)


def test_pretrained_without_a_network_is_one_line(monkeypatch):
    """The guard of these tests lets nothing out; a machine without a network does the same."""

    def unreachable(*_args, **_kwargs):
        raise OSError("Network is unreachable")

    monkeypatch.setattr(socket.socket, "connect", unreachable)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # does not try for long
    for name in (TORCHVISION, TIMM):
        with pytest.raises(ConfigError, match=r"cannot be had here.*encoder\.weights: PATH"):
            load_start(EncoderConfig(name=name, weights="pretrained"), 3, 32)
    with pytest.raises(ConfigError, match="no library offers weights of small_resnet"):
        load_start(EncoderConfig(weights="pretrained"), 3, 32)


def test_without_weights_nothing_is_loaded():
    assert load_start(EncoderConfig(name=TIMM), 3, 32) is None


def saved(path, content):
    torch.save(content, path)
    return path


def refusal(path, content, name=TIMM, **options):
    with pytest.raises(ConfigError) as refused:
        start_of(saved(path, content), name, **options)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def changed(state, name, tensor):
    return {**state, name: tensor}


@pytest.mark.parametrize(
    "lacking", [lambda n: "num_batches" in n, lambda n: "running" in n or "num_batches" in n]
)
@pytest.mark.parametrize("names", [("state_dict", "state_dict_ema"), ("student", "teacher")])
def test_an_average_without_statistics_is_another_network_all_the_same(tmp_path, lacking, names):
    whole, average = network(TIMM).state_dict(), timm.create_model("test_resnet", num_classes=7)
    partial = {n: t for n, t in average.state_dict().items() if not lacking(n)}
    content = dict(zip(names, (whole, partial), strict=True))
    assert "holds 2 networks that fit" in refusal(tmp_path / "w.pth", content)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["conv1.0.weight", "bn1.running_var"])
def test_numbers_that_mean_nothing_are_refused(tmp_path, number, name):
    state = network(TIMM).state_dict()
    broken = changed(state, name, torch.full_like(state[name], number))
    said = refusal(tmp_path / "w.pth", broken)
    assert "not finite" in said
    assert "diverged" in said
    assert name in said


def test_codes_and_placeholders_are_no_weights(tmp_path):
    state = network(TIMM).state_dict()
    codes = {n: (t * 127).to(torch.int8) if t.ndim == 4 else t for n, t in state.items()}
    empty = {n: t.to("meta") for n, t in state.items()}
    small = {n: t.to(torch.float8_e4m3fn) if t.ndim == 4 else t for n, t in state.items()}
    for content in (codes, empty, small):
        assert "only" in refusal(tmp_path / "w.pth", content)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_other_precisions_load(tmp_path, dtype):
    state = {
        n: t.to(dtype) if t.is_floating_point() else t
        for n, t in network(TIMM).state_dict().items()
    }
    start = start_of(saved(tmp_path / "w.pth", state))
    encoder = build_encoder(EncoderConfig(name=TIMM), 3, 32, start.state)
    assert all(p.dtype == torch.float32 for p in encoder.parameters())


def test_a_deeper_network_of_the_same_kind_is_refused(tmp_path):
    deeper = torchvision.models.resnet34().state_dict()
    said = refusal(tmp_path / "w.pth", deeper, "torchvision/resnet18", size=32)
    assert "tensors more in the parts of torchvision/resnet18" in said


def test_any_number_of_channels_is_fitted_and_fewer_are_said(tmp_path):
    for there in (7, 9, 13):
        body = timm.create_model(TIMM.removeprefix("timm/"), in_chans=there)
        torch.save(body.state_dict(), tmp_path / "w.pth")
        notes = " | ".join(start_of(tmp_path / "w.pth").notes)
        assert f"of the {there} channels that the first convolution sees the first 3" in notes


def test_what_all_else_builds_on_is_not_left_to_chance(tmp_path):
    state = network(TIMM).state_dict()
    del state["conv1.0.weight"]
    torch.save(state, tmp_path / "w.pth")
    with pytest.raises(ConfigError, match=r"nothing for conv1\.0\.weight of timm/.*worthless"):
        start_of(tmp_path / "w.pth")
    state = timm.create_model("test_vit", num_classes=0, img_size=32).state_dict()
    state["pos_embed"] = state["pos_embed"][:, :3]
    torch.save(state, tmp_path / "w.pth")
    with pytest.raises(ConfigError, match=r"nothing in its shape for pos_embed"):
        start_of(tmp_path / "w.pth", "timm/test_vit")


def test_another_patch_size_is_said(tmp_path):
    vit = timm.create_model("test_vit", num_classes=0, patch_size=8, img_size=16)
    start = start_of(saved(tmp_path / "w.pth", vit.state_dict()), "timm/test_vit", size=32)
    assert any("patch_embed.proj.weight is resampled" in note for note in start.notes)


def test_stems_that_fold_pixels_into_channels_are_not_summed(tmp_path):
    body = torch.nn.Sequential(torch.nn.PixelUnshuffle(4), torch.nn.Conv2d(48, 8, 3))
    state = {"1.weight": body[1].weight, "1.bias": body[1].bias}
    (tmp_path / "net.py").write_text(
        "from torch import nn\nfrom augsearch import CustomEncoder\n\n"
        "def build(channels, size):\n"
        "    return nn.Sequential(nn.PixelUnshuffle(4), nn.Conv2d(16 * channels, 8, 3))\n\n"
        "network = CustomEncoder(build)\n"
    )
    path = saved(tmp_path / "w.pth", state)
    config = EncoderConfig(name="custom", file=str(tmp_path / "net.py"), weights=str(path))
    assert load_start(config, 3, 32)
    with pytest.raises(ConfigError, match="only"):
        load_start(config, 1, 32)


def test_what_is_frozen_must_be_in_the_file(tmp_path):
    state = network(TIMM).state_dict()
    del state["bn1.weight"]
    assert "would stay random for ever" in refusal(tmp_path / "w.pth", state, frozen_stages=1)
    start_of(tmp_path / "w.pth")


@pytest.mark.parametrize("numbers", [(0.1, 0.2), (0.1,) * 4])
def test_a_mean_of_another_length_is_refused(tmp_path, numbers):
    said = refusal(tmp_path / "w.pth", network(TIMM).state_dict(), mean=numbers, std=numbers)
    assert "for images of 3 channels" in said


@pytest.mark.parametrize("name", ["w.safetensors", "w.pth"])
def test_what_a_file_says_of_its_channels_goes_with_the_convolution(tmp_path, name):
    body = timm.create_model(TIMM.removeprefix("timm/"), in_chans=5)
    numbers = [0.1, 0.2, 0.3, 0.4, 0.5]
    save_file(
        body.state_dict(), tmp_path / name, {MEAN: json.dumps(numbers), STD: json.dumps(numbers)}
    )
    assert start_of(tmp_path / name).mean == (0.1, 0.2, 0.3)
    assert start_of(tmp_path / name, channels=1).mean == pytest.approx((0.3,))


def test_a_network_that_asks_for_its_files_version_loads(tmp_path):
    body = torchvision.models.mnasnet0_5()
    start = start_of(saved(tmp_path / "w.pth", body.state_dict()), "torchvision/mnasnet0_5")
    config = EncoderConfig(name="torchvision/mnasnet0_5")
    assert build_encoder(config, 3, 32, start.state).feature_dim == 1280


def test_a_wrapper_takes_the_weights_of_what_it_wraps(tmp_path):
    (tmp_path / "net.py").write_text(
        "import timm\nfrom torch import nn\nfrom augsearch import CustomEncoder\n\n"
        "class Wrapped(nn.Module):\n"
        "    def __init__(self):\n        super().__init__()\n"
        "        self.inner = timm.create_model('test_resnet', num_classes=0)\n"
        "    def forward(self, x):\n        return self.inner(x)\n\n"
        "network = CustomEncoder(lambda channels, size: Wrapped())\n"
    )
    state = network(TIMM).state_dict()
    path = saved(tmp_path / "w.pth", state)
    config = EncoderConfig(name="custom", file=str(tmp_path / "net.py"), weights=str(path))
    filled = build_encoder(config, 3, 32, load_start(config, 3, 32).state).body.state_dict()
    assert torch.equal(filled["inner.conv1.0.weight"], state["conv1.0.weight"])


def test_names_of_files_say_little(tmp_path):
    state = network(TIMM).state_dict()
    save_file(state, tmp_path / "w.pth")  # misnamed
    assert len(start_of(tmp_path / "w.pth").state) > 50
    save_file(state, tmp_path / "w.SAFETENSORS")
    assert len(start_of(tmp_path / "w.SAFETENSORS").state) > 50
    (tmp_path / "p.pth").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    with pytest.raises(ConfigError, match="git lfs pull"):
        start_of(tmp_path / "p.pth")
    with warnings.catch_warnings(action="ignore"):
        torch.jit.script(torch.nn.Linear(2, 2)).save(tmp_path / "s.pt")
    with pytest.raises(ConfigError, match="is a TorchScript archive"):
        start_of(tmp_path / "s.pt")
