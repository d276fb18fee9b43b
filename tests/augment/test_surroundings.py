"""What a search did around its policy comes along: in `build`, in both exports, from a study."""

from __future__ import annotations

import importlib.util
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from augsearch.augment.export.export import export_policy
from augsearch.augment.ops.resample import resize
from augsearch.data.cache import load_images
from augsearch.data.config import DataConfig
from augsearch.data.decoding.decode import decode_file
from augsearch.errors import ConfigError, DataError
from augsearch.space.policy import FoundOn, Policy, load_policy
from augsearch.verbs.export import write_export

MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.25, 0.3)


def found(fit: str = "crop", mean=MEAN, std=STD) -> Policy:
    found_on = {"image_size": 32, "fit": fit, "mean": mean, "std": std}
    return Policy.model_validate({"ops": [], "found_on": found_on})


def exported(path: Path, policy: Policy, target: Any):
    path.write_text(export_policy(policy, target, 32))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(params=["build", "kornia", "torchvision"])
def render(request, tmp_path):
    """policy, image [C, H, W] -> first view, by each of the ways to render."""

    def by_build(policy, image, **options):
        return policy.build(32, **options)(image[None])[0][0]

    def by_export(policy, image, **options):
        module = exported(tmp_path / f"{request.param}_file.py", policy, request.param)
        if request.param == "kornia":
            return module.build_views(**options)(image[None])[0][0]
        return module.build_transform(**options)(image)[0]

    return by_build if request.param == "build" else by_export


def picture(height: int = 60, width: int = 90) -> torch.Tensor:
    rng = np.random.default_rng(0)
    coarse = torch.from_numpy(rng.random((1, 3, 6, 9), dtype=np.float32))
    smooth = torch.nn.functional.interpolate(coarse, size=(height, width), mode="bilinear")
    return (smooth[0] * 255).to(torch.uint8)


@pytest.mark.parametrize("fit", ["crop", "squash", "pad"])
def test_pictures_become_square_as_in_the_search(render, tmp_path, fit):
    image = picture()
    Image.fromarray(image.permute(1, 2, 0).numpy()).save(tmp_path / "picture.png")
    seen = decode_file(tmp_path / "picture.png", DataConfig(image_size=32, fit=fit)).pixels[0]
    view = render(found(fit), image)
    # The search shrinks with another filter.
    assert np.abs(view.permute(1, 2, 0).numpy() * 255 - seen).mean() < 2
    other = render(found("squash" if fit == "crop" else "crop"), image)
    assert (view - other).abs().mean() > 0.02
    assert torch.equal(other, render(found(fit), image, fit="squash" if fit == "crop" else "crop"))


def test_tiles_are_asked_for_where_tiles_were_searched(render):
    # An exported file has errors of its own, of the same name.
    with pytest.raises(Exception, match="90 x 60; the policy was found on tiles of 32 x 32") as no:
        render(found("tile"), picture())
    assert type(no.value).__name__ == "DataError"
    render(found("tile"), picture(), fit="crop")
    render(found("tile"), picture(32, 32))


def test_views_are_normalised_on_request(render):
    image = picture()
    plain, normal = render(found(), image), render(found(), image, normalise=True)
    mean, std = (torch.tensor(numbers)[:, None, None] for numbers in (MEAN, STD))
    assert torch.allclose(normal, (plain - mean) / std, atol=1e-6)
    with pytest.raises(Exception, match="views have 3 channels, the mean to normalise by has 1"):
        render(found(mean=(0.5,), std=(0.2,)), image, normalise=True)


def test_what_is_not_known_is_not_made_up(render):
    unknown = Policy(ops=())
    cases: list[tuple[dict[str, Any], str]] = [
        ({"normalise": True}, "mean and standard deviation are not known"),
        ({"fit": "tile"}, "size of tiles is not known"),
        ({"fit": "stretch"}, "fit 'stretch': want crop, squash, pad, tile"),
    ]
    for options, words in cases:
        with pytest.raises(Exception, match=words) as refused:
            render(unknown, picture(), **options)
        assert type(refused.value).__name__ == "ConfigError"
    assert render(unknown, picture()).shape == (3, 32, 32)


WRONG = {
    "floats up to 255": torch.linspace(0, 255, 3 * 64).view(3, 8, 8),
    "slightly above": torch.linspace(0, 1.01, 3 * 64).view(3, 8, 8),
    "below black": torch.linspace(-1, 1, 3 * 64).view(3, 8, 8),
    "no number": torch.full((3, 8, 8), torch.nan),
    "doubles up to 255": torch.linspace(0, 255, 3 * 64, dtype=torch.float64).view(3, 8, 8),
    "whole numbers": torch.arange(3 * 64).view(3, 8, 8),
    "16 bits": torch.full((3, 8, 8), 4000, dtype=torch.uint16),
}


@pytest.mark.parametrize("image", WRONG.values(), ids=WRONG)
def test_pixels_of_which_white_is_not_known_are_refused(render, image):
    with pytest.raises(Exception, match=r"want (\[n, C, H, W\]|uint8)") as refused:
        render(found(), image)
    assert type(refused.value).__name__ == "DataError"
    assert "\n" not in str(refused.value)


def test_arrays_are_looked_at_as_tensors_are(tmp_path):
    transform = exported(tmp_path / "arrays.py", found(), "torchvision").build_transform()
    image = picture(32, 32).permute(1, 2, 0).numpy()
    view, _ = transform(image)
    assert torch.equal(view, transform(picture(32, 32))[0])
    assert torch.allclose(view, transform(image / 255)[0])
    with pytest.raises(Exception, match=r"run from .* to 2"):
        transform(image.astype(np.float32))


def test_a_file_says_it_in_constants_and_takes_its_size_from_the_policy(tmp_path):
    (tmp_path / "policy.yaml").write_text(found().to_yaml())
    assert load_policy(tmp_path / "policy.yaml") == found()
    for target in ("kornia", "torchvision"):
        text = write_export(tmp_path / "policy.yaml", target).read_text()
        assert "IMAGE_SIZE = 32 " in text
        assert "FOUND_AT = 32 " in text
        assert "FIT = 'crop' " in text
        assert f"MEAN = {MEAN} " in text
        assert f"STD = {STD}\n" in text
        larger = write_export(tmp_path / "policy.yaml", target, image_size=64).read_text()
        assert "IMAGE_SIZE = 64 " in larger
        assert "FOUND_AT = 32 " in larger
    assert "IMAGE_SIZE = 224 " in write_export(Policy(ops=()), "kornia").read_text()


def test_deep_files_are_shown_by_the_window_of_the_study(tmp_path):
    values = np.linspace(1000, 3000, 32 * 32).reshape(32, 32).astype(np.uint16)
    folder = tmp_path / "images" / "part"
    folder.mkdir(parents=True)
    for number in range(4):
        Image.fromarray(values + number).save(folder / f"{number}.png")
    config = DataConfig(image_size=32, window=(1000, 3000))
    image_set = load_images(tmp_path / "images", config)
    assert image_set.window == (1000, 3000)
    where = FoundOn(image_size=32, fit="crop", mean=(0.5,), std=(0.2,), window=image_set.window)
    policy = Policy(ops=(), found_on=where)
    transform = exported(tmp_path / "deep.py", policy, "torchvision").build_transform()
    with Image.open(folder / "0.png") as picture:
        view, _ = transform(picture)
    assert np.abs(255 * view[0].numpy() - image_set.images[0, 0]).max() <= 1
    assert view.min() < 0.01
    assert view.max() > 0.99


def test_the_images_are_no_part_of_the_digest():
    assert found().digest == Policy(ops=()).digest == found("tile").digest


@pytest.mark.parametrize(
    ("found_on", "words"),
    [
        ({"image_size": 32, "fit": "crop", "mean": [0.5, 0.5], "std": [1]}, "a number for each"),
        ({"image_size": 32, "fit": "crop", "mean": [0.5], "std": [0]}, "above 0"),
        ({"image_size": 32, "fit": "stretch", "mean": [0.5], "std": [1]}, "fit"),
    ],
)
def test_what_it_was_found_on_is_checked(tmp_path, found_on, words):
    (tmp_path / "policy.yaml").write_text(f"ops: []\nfound_on: {found_on}\n")
    with pytest.raises(ConfigError, match=words):
        load_policy(tmp_path / "policy.yaml")


def test_clean_views_are_treated_alike():
    image = picture()
    first, second = found().build(32, normalise=True).eval()(image[None])
    middle = resize(image[None, :, :, 15:75].float() / 255, (32, 32))
    mean, std = (torch.tensor(numbers)[:, None, None] for numbers in (MEAN, STD))
    assert torch.equal(first, second)
    assert torch.allclose(first, (middle - mean) / std)
    with pytest.raises(DataError, match="tiles"):
        found("tile").build(32).eval()(image[None])


@pytest.mark.long
@pytest.mark.parametrize("target", ["kornia", "torchvision"])
def test_what_a_file_builds_can_be_sent_to_another_process(tmp_path, target):
    policy = Policy.model_validate(
        {"ops": [{"op": "rain"}, {"op": "one_of", "ops": [{"op": "gamma"}, {"op": "invert"}]}]}
    )
    (tmp_path / "views_file.py").write_text(export_policy(policy, target, 16))
    build = "build_views" if target == "kornia" else "build_transform"
    program = (
        "import pickle, sys, torch, views_file\n"
        f"views = views_file.{build}()\n"
        "assert len(pickle.loads(pickle.dumps(views))(torch.ones(1, 3, 16, 16)[0 if "
        f"{target == 'torchvision'} else slice(None)])) == 2\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_policy_pickles_with_what_it_was_found_on():
    assert pickle.loads(pickle.dumps(found())) == found()
