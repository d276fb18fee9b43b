"""Features for other tools: of which images, by which encoder, in which form."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from finetuning.small_finetuning import config, go
from pretraining.full_runs import full_config
from small_study import small_images

from augsearch import embed, pretrain
from augsearch.errors import ConfigError
from augsearch.evaluate.features import extract_features
from augsearch.finetuning.classifier import open_classifier


@pytest.fixture
def encoders(shared):
    """A pretraining in `pre`, and a fine-tuning of two networks in `out`."""

    def make():
        pretrain("SimCLR s=0.5", data=small_images(), study=full_config(), output="pre",
                 device="cpu")  # fmt: skip
        go(study=config(combine="ensemble"), labels=4)

    made = shared.made("encoders for embedding", make)
    for name in ("pre", "out"):
        shutil.copytree(made / name, name)


@pytest.mark.long
def test_features_of_every_image(encoders):
    images = small_images()
    found = embed("out", data=images, output="there/f.parquet", device="cpu")
    assert found.what.startswith("features by the 2 encoders beside each other of the fine-tuning")
    table = pd.read_parquet("there/f.parquet")
    assert list(table)[:5] == ["path", "label", "side", "group", "f0"]
    assert table.path.tolist() == list(images.paths)
    assert (table.label == np.array(images.classes)[images.labels]).all()
    split = pd.read_csv("out/split.csv").set_index("path")["side"]
    assert (table.side == split[table.path].to_numpy()).all()
    assert found.sides == table.side.value_counts().to_dict()
    opened = open_classifier("out")
    by_hand = [
        extract_features(next(net.children()), images.images, opened.found.mean, opened.found.std,
                         device=torch.device("cpu"))
        for net in opened.networks
    ]  # fmt: skip
    assert np.allclose(table.filter(regex=r"^f\d").to_numpy(), np.concatenate(by_hand, axis=1))

    with pytest.raises(ConfigError, match=r"^--output there/f\.parquet: is there already; give an"):
        embed("out", data=images, output="there/f.parquet", device="cpu")
    embed("out", data=images, output="there/f.npz", device="cpu")
    with np.load("there/f.npz") as arrays:
        assert np.array_equal(arrays["features"], table.filter(regex=r"^f\d").to_numpy())
        assert arrays["side"].tolist() == table.side.tolist() and "encoder" in str(arrays["about"])


@pytest.mark.long
def test_the_encoder_of_a_pretraining(encoders):
    images = small_images()
    some = replace(images, labels=np.where(np.arange(len(images)) % 2, -1, images.labels))
    found = embed("pre", data=some, output="f.parquet", device="cpu")
    assert "of the pretraining pre" in found.what and "projection head" in found.what
    table = pd.read_parquet("f.parquet")
    assert (table.label[1::2] == "").all() and (table.label[::2] != "").all()
    features = table.filter(regex=r"^f\d").to_numpy()
    assert features.shape == (len(images), found.features) and np.ptp(features, axis=0).any()
    grey = replace(images, images=images.images[:, :1])
    with pytest.raises(ConfigError, match="has 1 channels; the encoder takes 3"):
        embed("pre", data=grey, output="g.parquet", device="cpu")
    assert not Path("g.parquet").exists()


def test_what_is_refused_is_one_line():
    with pytest.raises(
        ConfigError, match=r"^nothing: holds no finetune\.json and no pretrain\.json"
    ):
        embed("nothing")
    with pytest.raises(ConfigError, match=r"^--output f\.csv: want a name that ends in \.parquet"):
        embed("nothing", output="f.csv")
