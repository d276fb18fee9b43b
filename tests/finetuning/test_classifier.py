"""A classifier that is opened again says what it said when it was judged."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from finetuning.small_finetuning import STOPPING, config, go
from safetensors.torch import load_file, save_file
from small_study import small_images

from augsearch.errors import ConfigError
from augsearch.finetuning.classifier import open_classifier, open_images
from augsearch.progress import Quiet
from augsearch.simclr.encoders.config import EncoderConfig

OWN = """
from torch import nn
from augsearch import CustomEncoder

def build(channels, image_size):
    return nn.Sequential(nn.Conv2d(channels, 4, 3, 2), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten())

network = CustomEncoder(build=build)
"""


def answers(images, directory="out"):
    """What the networks in a directory say of the sealed images."""
    classifier = open_classifier(directory)
    sealed = open_images(classifier, images, progress=Quiet()).sealed
    rows, said = classifier.log_probabilities(sealed, np.arange(len(sealed)), torch.device("cpu"))
    probabilities = classifier.probabilities(said)
    stopped = classifier.stopped(probabilities)
    return pd.DataFrame(
        {
            "path": [sealed.paths[row] for row in rows.tolist()],
            "guess": np.array(sealed.classes)[probabilities.argmax(axis=1)],
            "confidence": probabilities.max(axis=1),
        }
        | ({} if stopped is None else {"stopped": stopped})
    )


def sized(size):
    return small_images(image_size=size)


@pytest.mark.long
@pytest.mark.parametrize(
    ("size", "encoder", "settings"),
    [
        (16, None, {"combine": "single", **STOPPING}),
        (16, None, {"combine": "ensemble"}),
        (32, "torchvision/squeezenet1_1", {}),
        (32, "timm/mobilenetv3_small_050", {}),
        (16, "custom", {}),
    ],
)
def test_it_answers_as_it_did(size, encoder, settings, tmp_path):
    (tmp_path / "net.py").write_text(OWN)
    own = {"file": str(tmp_path / "net.py")} if encoder == "custom" else {}
    asked = config(encoder and EncoderConfig(name=encoder, **own), size=size, **settings)
    go(data=sized(size), study=asked, labels=5)
    written, found = pd.read_csv("out/answers.csv"), answers(sized(size))
    assert list(written) == ["path", "label", *list(found)[1:]]
    assert (written.path == found.path).all() and (written.guess == found.guess).all()
    assert np.allclose(written.confidence, found.confidence, atol=1e-4)
    if settings.get("good"):
        assert (written.stopped == found.stopped).all()


@pytest.mark.long
def test_what_cannot_be_opened_is_said():
    with pytest.raises(ConfigError, match=r"^nothing: holds no finetune\.json; name a directory"):
        open_classifier("nothing")
    go()
    classifier = open_classifier("out")
    with pytest.raises(ConfigError, match=r"^the images are not at .* any more; name them"):
        open_images(classifier, None, progress=Quiet())
    others = replace(small_images(), classes=("a", "b", "c", "d"))
    with pytest.raises(ConfigError, match="has the classes a, b, c, d; the classifier knows clean"):
        open_images(classifier, others, progress=Quiet())
    state = load_file("out/model.safetensors")
    save_file({name: tensor for name, tensor in state.items() if "classifier" not in name},
              "out/model.safetensors")  # fmt: skip
    with pytest.raises(ConfigError, match=r"out/model\.safetensors: is not the classifier's net"):
        open_classifier("out")
    Path("out/model.safetensors").write_text("no tensors")
    with pytest.raises(ConfigError, match=r"out/model\.safetensors: is no file of weights"):
        open_classifier("out")
    Path("out/finetune.json").write_text("{}")
    with pytest.raises(ConfigError, match=r"out/finetune\.json: cannot be read; fine-tune again"):
        open_classifier("out")
