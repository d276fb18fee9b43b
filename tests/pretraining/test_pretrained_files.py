"""The weights that a pretraining leaves load where teams load weights."""

import json
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
import torchvision
from pretraining.full_runs import full_config
from safetensors.torch import load_file
from small_study import small_images
from timm.data.config import resolve_data_config

import augsearch
from augsearch.data.imageset import ImageSet
from augsearch.evaluate.features import extract_features
from augsearch.simclr.encoders.build import build_encoder
from augsearch.simclr.encoders.config import EncoderConfig
from augsearch.simclr.encoders.start import load_start
from augsearch.verbs.pretrain import pretrain


def pretrained(name, channels=3):
    images = small_images()
    if channels == 1:
        images = grey(images)
    config = full_config(steps=2).model_copy(update={"encoder": EncoderConfig(name=name)})
    config = config.model_copy(update={"data": config.data.model_copy(update={"image_size": 32})})
    return pretrain("crop only", data=images, study=config, output="out", device="cpu"), images


def grey(images: ImageSet) -> ImageSet:
    from dataclasses import replace

    return replace(images, images=np.ascontiguousarray(images.images[:, :1]))


def ours(found, images):
    """Features of the exported file by augsearch's own loader."""
    config = EncoderConfig(name=found.encoder, weights=str(found.files["model.safetensors"]))
    start = load_start(config, found.channels, found.image_size)
    assert start is not None and start.mean == found.mean and not start.notes
    encoder = build_encoder(config, found.channels, found.image_size, start.state)
    return extract_features(encoder, images, found.mean, found.std, device=torch.device("cpu"))


def theirs(network, images, found):
    mean = torch.tensor(found.mean).view(1, -1, 1, 1)
    std = torch.tensor(found.std).view(1, -1, 1, 1)
    with torch.no_grad():
        return network.eval()((torch.from_numpy(images) / 255 - mean) / std).flatten(1).numpy()


@pytest.mark.parametrize("channels", [3, pytest.param(1, marks=pytest.mark.long)])
def test_timm_loads_it_from_its_directory(channels):
    found, images = pretrained("timm/resnet10t", channels)
    pixels = np.asarray(images.images[:8])
    network = timm.create_model("local-dir:out", pretrained=True, in_chans=channels)
    assert np.allclose(theirs(network, pixels, found), ours(found, pixels), atol=1e-5)
    read = resolve_data_config({}, model=network)
    assert read["mean"] == pytest.approx(found.mean) and read["std"] == pytest.approx(found.std)


@pytest.mark.long
def test_torchvision_loads_it_with_its_own_loader():
    found, images = pretrained("torchvision/resnet18")
    pixels = np.asarray(images.images[:8])
    network = torchvision.models.resnet18()
    missing, unexpected = network.load_state_dict(load_file("out/model.safetensors"), strict=False)
    assert missing == ["fc.weight", "fc.bias"] and not unexpected
    network.fc = torch.nn.Identity()
    assert np.allclose(theirs(network, pixels, found), ours(found, pixels), atol=1e-5)


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "channels"),
    [
        ("timm/vit_tiny_patch16_224", 3),
        ("timm/resnet10t", 1),
        ("torchvision/resnet18", 1),
        ("torchvision/vit_b_16", 3),
    ],
)
def test_the_code_on_the_card_loads_it(name, channels, monkeypatch):
    found, images = pretrained(name, channels)
    card = Path("out/README.md").read_text()
    code = card.partition("```python\n")[2].partition("```")[0]
    if name.startswith("torchvision"):
        monkeypatch.chdir("out")
    space = {}
    exec(code, space)
    network = space["encoder"]
    for layer in ("fc", "heads"):
        if name.startswith("torchvision") and hasattr(network, layer):
            setattr(network, layer, torch.nn.Identity())
    pixels = np.asarray(images.images[:4])
    monkeypatch.chdir(Path("out").resolve().parent if Path("out").exists() else "..")
    assert np.allclose(theirs(network, pixels, found), ours(found, pixels), atol=1e-5)


@pytest.mark.long
def test_last_years_encoder_begins_the_next_study_and_the_next_pretraining():
    found, images = pretrained("small_resnet")
    weights = str(found.files["model.safetensors"])
    config = full_config(steps=2)
    config = config.model_copy(update={"encoder": EncoderConfig(weights=weights)})
    again = pretrain("crop only", data=images, study=config, output="next", device="cpu")
    assert again.identity["weights"] != "none" and again.mean == found.mean
    assert augsearch.estimate_study("factory", data=images, study=config, device="cpu").trials


@pytest.mark.long
def test_the_result_and_the_card_say_what_it_is():
    found, _ = pretrained("small_resnet")
    assert json.loads(Path("out/pretrain.json").read_text())["identity"] == found.identity
    config = json.loads(Path("out/config.json").read_text())
    assert config["pretrained_cfg"]["mean"] == list(found.mean) and config["num_classes"] == 0
    card = Path("out/README.md").read_text()
    for said in (
        f"on {found.images} images of 3 channels at {found.image_size} pixels",
        found.policy.digest,
        found.identity["images"],
        "The sealed images: they took no part",
        "% of nearest neighbours",
    ):
        assert said in card
