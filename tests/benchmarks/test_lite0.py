"""Real ImageNet weights, from a package, in a study's encoder."""

from importlib.util import find_spec

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from augsearch.data.embedded.surfaces import SurfaceSpec, draw_surfaces
from augsearch.evaluate.features import extract_features
from augsearch.simclr.encoders.build import build_encoder
from augsearch.simclr.encoders.config import EncoderConfig
from augsearch.simclr.encoders.start import load_start
from benchmarks.studies.lite0 import PACKAGE, weights

NAME = "timm/tf_efficientnet_lite0"
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def nearest_is_of_the_class(encoder, images, start):
    features = extract_features(
        encoder, images.images, start.mean, start.std, device=torch.device("cpu")
    )
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    likeness = features @ features.T - 2 * np.eye(len(features))
    return float((images.labels[likeness.argmax(axis=1)] == images.labels).mean())


@pytest.mark.long
@pytest.mark.skipif(find_spec(PACKAGE) is None, reason=f"{PACKAGE} is not installed")
def test_they_tell_surfaces_apart_and_random_ones_less(tmp_path):
    save_file(weights(), tmp_path / "lite0.safetensors")
    config = EncoderConfig(
        name=NAME, weights=str(tmp_path / "lite0.safetensors"), mean=MEAN, std=STD
    )
    start = load_start(config, 3, 64)
    assert start.mean == MEAN
    assert not any("at random" in note for note in start.notes)
    images = draw_surfaces(SurfaceSpec(image_size=64, images_per_class=12))
    trained = build_encoder(config, 3, 64, start.state)
    torch.manual_seed(0)
    found = nearest_is_of_the_class(trained, images, start)
    # The same numbers in another order know nothing.
    mixed = {
        name: tensor.reshape(-1)[torch.randperm(tensor.numel())].view_as(tensor)
        if tensor.ndim == 4
        else tensor
        for name, tensor in start.state.items()
    }
    assert found > nearest_is_of_the_class(build_encoder(config, 3, 64, mixed), images, start)
