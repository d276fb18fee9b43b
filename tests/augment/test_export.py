"""Exported files run alone and give our views."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from data.deep_files import write_png
from PIL import Image
from reference_views import two_views

from augsearch.augment.baselines import BASELINES, simclr, trivial_augment
from augsearch.augment.export.export import export_policy
from augsearch.augment.export.torchvision_ops import TwoViewTransform
from augsearch.data.config import DataConfig
from augsearch.data.decoding.decode import decode_file
from augsearch.errors import ConfigError, DataError
from augsearch.space.catalogue import OPERATIONS
from augsearch.space.policy import Policy

# augsearch cannot be imported; every exported file renders the images beside it.
RUN_ALONE = """
import importlib.util, json, sys
for blocked in json.loads(sys.argv[1]):
    sys.modules[blocked] = None
import numpy as np, torch
torch.manual_seed(0)
images = torch.from_numpy(np.load("images.npy"))
for name in sys.argv[2:]:
    spec = importlib.util.spec_from_file_location(name, name + ".py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    if hasattr(module, "build_views"):
        build = module.build_views(seed=4)
        build(images)
        first, second = build(images)
    else:
        transform = module.build_transform()
        pairs = [transform(image) for image in images]
        first, second = (torch.stack(side) for side in zip(*pairs))
    np.savez(name + ".npz", first=first.numpy(), second=second.numpy())
"""


def run_alone(directory, images, files: dict[str, str], blocked=("augsearch",)) -> dict:
    np.save(directory / "images.npy", images.numpy())
    for name, text in files.items():
        (directory / f"{name}.py").write_text(text)
    command = [sys.executable, "-W", "error", "-c", RUN_ALONE, json.dumps(list(blocked)), *files]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {name: np.load(directory / f"{name}.npz") for name in files}


def random_policy(seed: int) -> Policy:
    rng = np.random.default_rng(seed)
    described: list[dict[str, Any]] = []
    for name in rng.permutation(list(OPERATIONS))[:7]:
        values = {
            p.name: int(rng.integers(int(p.low), int(p.high) + 1))
            if p.integer
            else rng.uniform(p.low, p.high)
            for p in OPERATIONS[str(name)].parameters
        }
        described.append({"op": str(name), "p": rng.uniform(0.2, 1), **values})
    group = {"op": "one_of", "name": "a \"group\" called '\\n'", "ops": described[4:]}
    half = [described[:2], [*described[2:4], group]]
    sections = (
        {"ops": half[0] + half[1]} if seed % 2 else dict(zip(("view1", "view2"), half, strict=True))
    )
    return Policy.model_validate({"name": f'random "{seed}"\n"""', **sections})


def everything() -> Policy:
    return Policy.model_validate({"ops": [{"op": name, "p": 0.6} for name in OPERATIONS]})


@pytest.fixture
def images() -> torch.Tensor:
    rng = np.random.default_rng(0)
    coarse = torch.from_numpy(rng.random((8, 3, 9, 9), dtype=np.float32))
    smooth = torch.nn.functional.interpolate(coarse, size=(40, 40), mode="bilinear")
    return (smooth * 255).to(torch.uint8)


@pytest.mark.long
def test_kornia_files_give_exactly_our_views(tmp_path, images):
    policies = {f"random{seed}": random_policy(seed) for seed in range(4)}
    policies |= {"everything": everything(), "trivial": trivial_augment()}
    files = {name: export_policy(p, "kornia", 32) for name, p in policies.items()}
    for name, views in run_alone(tmp_path, images, files).items():
        first, second = two_views(policies[name], images, 32, seed=4, step=1)
        # Alone or here, threads may split the work otherwise and round a value otherwise.
        assert np.abs(views["first"] - first.numpy()).mean() < 1e-4, name
        assert np.abs(views["second"] - second.numpy()).mean() < 1e-4, name


TORCHVISION = [n for n in OPERATIONS if n != "clahe" and not n.startswith("plasma_")]


def statistics(views: np.ndarray, originals: np.ndarray) -> np.ndarray:
    """Brightness, its spread over views, contrast, detail and change of a set of views."""
    detail = np.abs(np.diff(views, axis=-1)).mean()
    change = np.abs(views - originals).mean()
    means = views.mean((1, 2, 3))
    return np.array([means.mean(), means.std(), views.std((2, 3)).mean(), detail, change])


def one_op_policy(name: str) -> Policy:
    """The operation at its defaults; parameters that are idle by default at a third."""
    described = {"op": name, "p": 0.8}
    for parameter in OPERATIONS[name].parameters:
        if parameter.default == parameter.identity:
            most = parameter.high - parameter.identity
            described[parameter.name] = parameter.identity + most * 0.3
    return Policy.model_validate({"ops": [described]})


@pytest.mark.long
def test_torchvision_files_give_views_like_ours(tmp_path, images):
    """Operation by operation the same statistics, without Kornia at hand; whole policies run."""
    many = images[:, :, :32, :32].repeat(8, 1, 1, 1)
    single = {name: one_op_policy(name) for name in TORCHVISION}
    whole = {f"baseline{i}": policy for i, policy in enumerate(BASELINES.values())}
    together = [{"op": name, "p": 0.9} for name in TORCHVISION]
    whole["together"] = Policy.model_validate({"view1": together, "view2": []})
    files = {name: export_policy(p, "torchvision", 32) for name, p in (single | whole).items()}
    rendered = run_alone(tmp_path, many, files, blocked=("augsearch", "kornia"))
    originals = np.tile(many.numpy() / 255, (2, 1, 1, 1))
    for name, policy in single.items():
        ours = torch.cat(two_views(policy, many, 32, seed=0)).numpy()
        theirs = np.concatenate([rendered[name]["first"], rendered[name]["second"]])
        wanted, found = statistics(ours, originals), statistics(theirs, originals)
        assert np.allclose(found, wanted, rtol=0.2, atol=0.005), (name, wanted, found)
    for name in whole:
        first, second = rendered[name]["first"], rendered[name]["second"]
        assert first.shape == (len(many), 3, 32, 32)
        assert 0 <= first.min() <= first.max() <= 1
        assert not np.array_equal(first, second)


def test_what_torchvision_lacks_is_refused_in_one_line():
    with pytest.raises(
        ConfigError, match="no clahe, plasma_shadow, plasma_brightness, plasma_contrast; remove"
    ) as caught:
        export_policy(everything(), "torchvision", 32)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("target", ["kornia", "torchvision"])
def test_the_header_says_what_it_is(target):
    text = export_policy(simclr(1), target, 32)
    assert "SimCLR s=1" in text.splitlines()[0]
    assert simclr(1).digest in text.splitlines()[0]
    assert "import augsearch" not in text
    assert "from augsearch" not in text


def colour_picture() -> Image.Image:
    rng = np.random.default_rng(0)
    return Image.fromarray(rng.integers(0, 256, (24, 24, 3), dtype=np.uint8))


def transparent_palette() -> Image.Image:
    palette = colour_picture().quantize(16)
    palette.info["transparency"] = 3
    return palette


def see_through() -> Image.Image:
    picture = colour_picture().convert("RGBA")
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    return picture


def deep(white: int, kind: type) -> Image.Image:
    values = np.linspace(0, white, 24 * 24).reshape(24, 24)
    return Image.fromarray(values.astype(kind))


MODES = {
    "grey": (lambda: colour_picture().convert("L"), "png"),
    "one bit": (lambda: colour_picture().convert("1"), "png"),
    "palette": (lambda: colour_picture().quantize(16), "png"),
    "palette with a hole": (transparent_palette, "png"),
    "alpha": (see_through, "png"),
    "grey with alpha": (lambda: see_through().convert("LA"), "png"),
    "CMYK": (lambda: colour_picture().convert("CMYK"), "tif"),
    "YCbCr": (lambda: colour_picture().convert("YCbCr"), "tif"),
    "16 bits": (lambda: deep(60_000, np.uint16), "png"),
    "12 bits in 16": (lambda: deep(4000, np.uint16), "tif"),
    "32 bits": (lambda: deep(70_000, np.int32), "tif"),
    "floats": (lambda: deep(1, np.float32), "tif"),
}


@pytest.mark.parametrize(("make", "suffix"), MODES.values(), ids=MODES)
def test_pictures_of_every_mode_are_read_as_in_the_search(tmp_path, make, suffix):
    path = tmp_path / f"picture.{suffix}"
    make().save(path)
    config = DataConfig(image_size=24)
    decoded = decode_file(path, config).pixels[0].transpose(2, 0, 1)
    views = TwoViewTransform(lambda image: image, lambda image: image)
    with Image.open(path) as picture:
        view, _ = views(picture)
    assert len(view) in (1, 3)
    seen = (255 * view).round().byte().numpy()
    assert np.array_equal(np.broadcast_to(decoded, seen.shape), seen)


@pytest.mark.parametrize("shape", [(40, 50, 3), (2, 3, 40, 50)])
def test_what_is_not_one_image_is_said(shape):
    two = TwoViewTransform(lambda image: image, lambda image: image)
    with pytest.raises(DataError, match=r"want one image, \[C, H, W\] as a tensor"):
        two(torch.zeros(shape))


def test_colours_of_16_bits_are_refused_rather_than_shown_black(tmp_path):
    write_png(tmp_path / "deep.png", np.full((8, 8, 3), 4000, dtype=np.uint16))
    with (
        Image.open(tmp_path / "deep.png") as picture,
        pytest.raises(DataError, match="16 bits a colour"),
    ):
        TwoViewTransform(lambda image: image, lambda image: image)(picture)


@pytest.mark.long
def test_an_exported_transform_takes_them_and_a_window_of_its_own(tmp_path):
    (tmp_path / "exported.py").write_text(export_policy(Policy(ops=()), "torchvision", 24))
    deep(1000, np.uint16).save(tmp_path / "dark.png")
    see_through().save(tmp_path / "alpha.png")
    program = (
        "import exported, PIL.Image\n"
        "dark, alpha = PIL.Image.open('dark.png'), PIL.Image.open('alpha.png')\n"
        "bright = exported.build_transform()(dark)[0]\n"
        "assert bright.shape == (1, 24, 24) and 0.97 < bright.max() < 0.99\n"
        "as_12_bits = exported.build_transform(window=(0, 4095))(dark)[0]\n"
        "assert 0.24 < as_12_bits.max() < 0.25\n"
        "assert exported.build_transform()(alpha)[1].shape == (3, 24, 24)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
