"""Where the libraries of exports are, and exported files run in them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ROOT / ".exports"
"""Made by `bash .ci/run exports`: a library that fits no other has an environment of its own."""


@dataclass(frozen=True)
class Library:
    """A library that an export is for.

    Attributes:
        module: that is imported.
        environment: name of the one that has it, if it is not in this one.
        install: what puts it there.
    """

    module: str
    environment: str
    install: str

    def python(self) -> str:
        """The interpreter that has it; the test is skipped if there is none."""
        own = ENVIRONMENTS / self.environment / "bin" / "python"
        if own.is_file():
            return str(own)
        if self.environment == "" and find_spec(self.module):
            return sys.executable
        pytest.skip(f"{self.module} is not installed: {self.install}")


LIBRARIES = {
    "torchvision": Library("torchvision", "", "uv pip install torchvision"),
    "kornia": Library("kornia", "", "uv pip install kornia"),
    "dino": Library("torchvision", "", "uv pip install torchvision"),
    "lightly": Library("lightly", "", "uv pip install 'lightly>=1.6,<2'"),
    "albumentationsx": Library("albumentations", "albumentationsx", "bash .ci/run exports"),
    "albumentations": Library("albumentations", "lightly-train", "bash .ci/run exports"),
    "lightly-train": Library("lightly_train", "lightly-train", "bash .ci/run exports"),
    "solo-learn": Library(
        "solo", "solo-learn", "SOLO_LEARN=path/to/its/repository bash .ci/run exports"
    ),
}

RENDER = '''
import importlib.util, json, sys
sys.modules["augsearch"] = None
import numpy as np
import torch
from PIL import Image

images, times, seed = np.load("images.npy"), int(sys.argv[2]), 3
torch.manual_seed(0)
np.random.seed(0)
import random
random.seed(0)
IMAGENET = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


def pixels(view, mean=IMAGENET[0], std=IMAGENET[1]):
    return view * std[:, None, None] + mean[:, None, None]


def module_of(path):
    spec = importlib.util.spec_from_file_location(path.replace(".", "_"), path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def maker(target, path):
    """A function from an array [H, W, 3] to two views in [0, 1]."""
    if target == "solo-learn":
        from omegaconf import OmegaConf
        from solo.data.pretrain_dataloader import (
            FullTransformPipeline, NCropAugmentation, build_transform_pipeline,
        )
        crops = [
            NCropAugmentation(build_transform_pipeline("custom", each), each.num_crops)
            for each in OmegaConf.load(path)
        ]
        transform = FullTransformPipeline(crops)
        return lambda image: [pixels(view) for view in transform(Image.fromarray(image))]
    module = module_of(path)
    if target == "lightly-train":
        from lightly_train._methods.simclr.simclr_transform import SimCLRTransform
        arguments = SimCLRTransform.transform_args_cls().model_validate(module.TRANSFORM_ARGS)
        arguments.resolve_auto()
        transform = SimCLRTransform(arguments)
        return lambda image: [pixels(view["image"]) for view in transform({"image": image})]
    if target == "albumentations":
        views = module.PolicyViews(seed=seed)
        return lambda image: list(views(image=image).values())
    names = {"lightly": "PolicyTransform", "dino": "DataAugmentationDINO"}
    transform = getattr(module, names.get(target, "build_transform"))(seed=seed)
    return lambda image: transform(Image.fromarray(image))


for name, (target, path) in json.loads(sys.argv[1]).items():
    make = maker(target, path)
    pairs = [make(image) for image in images for _ in range(times)]
    views = torch.stack([torch.stack(list(pair)) for pair in pairs])
    np.save(name + ".npy", (views.clamp(0, 1) * 65535).round().numpy().astype(np.uint16))
'''


def render(
    library: str,
    texts: Mapping[str, tuple[str, str]],
    images: Tensor,
    times: int,
    directory: Path,
) -> dict[str, Tensor]:
    """Views `[images, times, 2, 3, H, W]` of `images` `[n, 3, H, W]` uint8, by name.

    Args:
        texts: target and text of exported files, by name.
    """
    python = LIBRARIES[library].python()
    np.save(directory / "images.npy", images.permute(0, 2, 3, 1).numpy())
    jobs = {}
    for name, (target, text) in texts.items():
        path = f"{name}{'.yaml' if target == 'solo-learn' else '.py'}"
        (directory / path).write_text(text)
        jobs[name] = (target, path)
    quiet = {"ALBUMENTATIONS_NO_TELEMETRY": "1", "NO_ALBUMENTATIONS_UPDATE": "1"}
    done = subprocess.run(
        [python, "-c", RENDER, json.dumps(jobs), str(times)],
        cwd=directory,
        env={**os.environ, **quiet, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {
        name: torch.from_numpy(
            np.load(directory / f"{name}.npy").astype(np.float32) / 65535
        ).unflatten(0, (len(images), times))
        for name in texts
    }
