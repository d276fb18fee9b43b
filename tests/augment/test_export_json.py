"""The JSON of a policy says all: a few lines of NumPy that know nothing else render it."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.colors import hsv_to_rgb, rgb_to_hsv
from PIL import Image
from scipy import ndimage
from test_export_targets import IMAGES, SIZE, TIMES, compared, images

from augsearch.augment.baselines import simclr
from augsearch.augment.export.drawn import DRAWN
from augsearch.augment.export.export import export_policy, export_with_remarks
from augsearch.space.catalogue import OPERATIONS
from augsearch.space.policy import Policy


def drawn(rng: Random, draw: dict[str, Any]) -> Any:
    def one() -> Any:
        if draw["distribution"] == "choice":
            return rng.choice(draw["choices"])
        if draw["distribution"] == "whole":
            return rng.randint(draw["low"], draw["high"])
        if draw["distribution"] == "log_uniform":
            return math.exp(rng.uniform(math.log(draw["low"]), math.log(draw["high"])))
        return rng.uniform(draw["low"], draw["high"])

    numbers = [one() for _ in range(draw.get("count", 1))]
    return numbers if len(numbers) > 1 else numbers[0]


WEIGHTS = np.array([0.299, 0.587, 0.114])


def jitter(image: np.ndarray, numbers: dict[str, float]) -> np.ndarray:
    for what, number in numbers.items():
        light = (image @ WEIGHTS)[:, :, None]
        if what == "brightness factor":
            image = image * number
        elif what == "contrast factor":
            image = light.mean() + (image - light.mean()) * number
        elif what == "saturation factor":
            image = light + (image - light) * number
        else:
            image = turned_hue(image, number)
        image = image.clip(0, 1)
    return image


def turned_hue(image: np.ndarray, degrees: float) -> np.ndarray:
    turned = rgb_to_hsv(image)
    turned[:, :, 0] = (turned[:, :, 0] + degrees / 360) % 1
    return hsv_to_rgb(turned)


def resized(image: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    channels = [
        Image.fromarray(image[:, :, c].astype(np.float32)).resize(
            (SIZE, SIZE), Image.Resampling.BILINEAR, box
        )
        for c in range(3)
    ]
    return np.stack([np.asarray(channel) for channel in channels], axis=2)


def cropped(image: np.ndarray, op: dict[str, Any], rng: Random) -> np.ndarray:
    area, aspect, place = op["draws"]
    for _ in range(10):
        share, ratio = drawn(rng, area), drawn(rng, aspect)
        wide, high = round(SIZE * math.sqrt(share * ratio)), round(SIZE * math.sqrt(share / ratio))
        if 1 <= wide <= SIZE and 1 <= high <= SIZE:
            break
    else:
        wide = high = SIZE
    left, top = (math.floor(at * (SIZE - length + 1)) for at, length in
                 zip(drawn(rng, place), (wide, high), strict=True))  # fmt: skip
    return resized(image, (left, top, left + wide, top + high))


def grey(image: np.ndarray) -> np.ndarray:
    return np.repeat((image @ WEIGHTS)[:, :, None], 3, 2)


def coarse(image: np.ndarray, bits: int) -> np.ndarray:
    step = 2 ** (8 - bits)
    return np.floor(image * 255 / step) * step / 255


def turned(image: np.ndarray, degrees: float) -> np.ndarray:
    return ndimage.rotate(image, degrees, reshape=False, order=1, mode="mirror")


MADE = {
    "horizontal_flip": lambda image, _: image[:, ::-1],
    "vertical_flip": lambda image, _: image[::-1],
    "rotate90": lambda image, numbers: np.rot90(image, numbers[0] // 90),
    "rotation": lambda image, numbers: turned(image, numbers[0]),
    "grayscale": lambda image, _: grey(image),
    "gamma": lambda image, numbers: image ** numbers[0],
    "invert": lambda image, _: 1 - image,
    "solarize": lambda image, numbers: np.where(image > numbers[0], 1 - image, image),
    "posterize": lambda image, numbers: coarse(image, numbers[0]),  # a cell is a pixel here
    "rgb_shift": lambda image, numbers: image + np.array(numbers[0]),
    "channel_shuffle": lambda image, numbers: image[:, :, ["rgb".index(c) for c in numbers[0]]],
    "gaussian_blur": lambda image, numbers: ndimage.gaussian_filter(
        image, (numbers[0], numbers[0], 0), mode="mirror"
    ),
}


def rendered(image: np.ndarray, op: dict[str, Any], rng: Random) -> np.ndarray:
    if rng.random() >= op["p"]:
        return image
    if "members" in op:
        return rendered(image, rng.choice(op["members"]), rng)
    if op["op"] == "resized_crop":
        return cropped(image, op, rng)
    numbers = [drawn(rng, draw) for draw in op["draws"]]
    if op["op"] == "color_jitter":
        return jitter(image, dict(zip((d["what"] for d in op["draws"]), numbers, strict=True)))
    if op["op"] == "gaussian_noise":  # a cell is a pixel here
        noise = np.random.default_rng(rng.getrandbits(32)).standard_normal(image.shape)
        return (image + numbers[0] * noise).clip(0, 1)
    return MADE[op["op"]](image, numbers).clip(0, 1)


def by_the_file(text: str) -> torch.Tensor:
    content, rng = json.loads(text), Random(4)
    assert (content["image_size"], content["form"]) == (SIZE, 1)
    made = []
    for image in images().permute(0, 2, 3, 1).numpy() / 255:
        for _ in range(TIMES):
            for ops in content["views"]:
                view = image
                for op in ops:
                    view = rendered(view, op, rng)
                made.append(np.ascontiguousarray(view))
    views = torch.from_numpy(np.stack(made)).float().permute(0, 3, 1, 2)
    return views.unflatten(0, (IMAGES, TIMES, 2))


def many_ops() -> Policy:
    tones = [{"op": "gamma", "gamma": 2.0}, {"op": "invert", "p": 0.5}, {"op": "solarize"}]
    light = {"op": "color_jitter", "p": 0.7, "brightness": 0.4, "contrast": 0.3, "saturation": 0.5}
    return Policy.model_validate(
        {
            "view1": [
                {"op": "rotation", "p": 0.5, "degrees": 30},
                {"op": "vertical_flip", "p": 0.3},
                light,
                {"op": "posterize", "p": 0.4, "bits_min": 2},
                {"op": "gaussian_noise", "p": 0.5, "std": 0.1},
            ],
            "view2": [
                {"op": "rotate90", "p": 0.6},
                {"op": "one_of", "p": 0.8, "ops": tones},
                {"op": "rgb_shift", "p": 0.5},
                {"op": "channel_shuffle", "p": 0.3},
                {"op": "gaussian_blur", "p": 0.5, "sigma": 0.05},
            ],
        }
    )


@pytest.mark.long
@pytest.mark.parametrize("policy", [simclr(1), many_ops()], ids=["simclr", "many"])
def test_a_reader_that_knows_the_file_alone_has_our_distribution(policy):
    assert compared(policy, by_the_file(export_policy(policy, "json", SIZE))) == []


@pytest.mark.long
def test_another_number_in_the_file_shows():
    text = export_policy(simclr(1), "json", SIZE)
    for key, right, wrong in (("p", 0.2, 0.05), ("low", 0.08, 0.5), ("high", 72.0, 144.0)):
        assert text.count(f'"{key}": {right},') == 2  # views
        changed = text.replace(f'"{key}": {right},', f'"{key}": {wrong},')
        assert compared(simclr(1), by_the_file(changed)), key


def test_every_operation_says_what_it_draws():
    """What follows from a magnitude has no width where the magnitude is none."""
    assert DRAWN.keys() == OPERATIONS.keys()
    for name, operation in OPERATIONS.items():
        most = {p.name: p.high if p.identity != p.high else p.low for p in operation.numbers}
        for parameter in operation.magnitudes:
            idle = DRAWN[name]({**most, parameter.name: parameter.identity}, 64)
            full = DRAWN[name](most, 64)
            if len(idle) < len(full):  # color_jitter, which then does not draw it
                continue
            moved = [(a, b) for a, b in zip(idle, full, strict=True) if a != b]
            assert moved, (name, parameter.name)
            assert all(a.low == a.high for a, _ in moved), (name, parameter.name)


def test_lengths_are_in_pixels_of_the_views():
    policy = Policy.model_validate({"ops": [{"op": "gaussian_blur", "sigma": 0.05}]})
    for size, following in pairwise((32, 64, 128)):
        [here], [there] = (
            json.loads(export_policy(policy, "json", s))["views"][0] for s in (size, following)
        )
        assert 2 * here["draws"][0]["high"] == there["draws"][0]["high"] == 0.05 * following


CODE = """
from augsearch import CustomOp, Parameter
def dim(images, u, values, field):
    return images * (1 - values["amount"])
halve = CustomOp("Dim it.", (Parameter("amount", 0, 1, "most", identity=0.0, default=0.5),), 0, dim)
"""


def test_code_of_the_users_own_is_in_the_file_and_said_to_be_code(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("AUGSEARCH_TRUST_CODE", "1")
    (tmp_path / "ops.py").write_text(CODE)
    described = {"op": "custom", "of": f"{tmp_path / 'ops.py'}:halve", "p": 0.5}
    export = export_with_remarks(Policy.model_validate({"ops": [described]}), "json", 32)
    [op] = json.loads(export.text)["views"][0]
    assert (op["p"], op["parameters"]["amount"]["value"], op["code"]["text"]) == (0.5, 0.5, CODE)
    assert export.remarks == (
        "left out: halve: what its code draws is not described; its text is in the file",
    )
