"""The recipes of docs/training.md run as they stand there, and draw a new number every time."""

from __future__ import annotations

import multiprocessing
import os
import re
import socket
import warnings
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from augsearch.space.policy import Policy

PAGE = Path(__file__).resolve().parents[1] / "docs" / "training.md"
RECIPE = re.compile(r"^## (?P<title>.*?)$.*?^```python\n(?P<code>.*?)^```", re.M | re.S)
RECIPES = {match["title"]: match["code"] for match in RECIPE.finditer(PAGE.read_text())}
IMAGES, EPOCHS = 8, 2
POLICY = {
    "ops": [{"op": "gamma", "gamma": 3.0}],
    "found_on": {"image_size": 32, "fit": "crop", "mean": [0.5] * 3, "std": [0.2] * 3},
}


def run_recipe(code: str, report: Path, environment: dict[str, str]) -> None:
    """In a process of its own: what a reader has around a recipe, and the recipe."""
    os.environ |= environment
    warnings.simplefilter("default")  # lightly's and Lightning's own
    images = [torch.full((3, 40, 40), 128, dtype=torch.uint8)] * IMAGES

    def train_step(view1, view2):
        numbers = torch.cat([view1, view2])[:, 0, 0, 0].tolist()
        with report.open("a") as file:
            file.write("".join(f"{number!r}\n" for number in numbers))

    scope = {
        "__name__": "__main__",
        "device": "cpu",
        "backend": "gloo",
        "dataset": images,
        "images_loader": DataLoader(images, batch_size=4),  # type: ignore[arg-type]  # a list will do
        "train_step": train_step,
    }
    exec(compile(code, str(PAGE), "exec"), scope)


def ranks() -> list[dict[str, str]]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2"}
    return [{**place, "RANK": str(rank)} for rank in range(2)]


def test_every_section_with_code_is_run():
    assert list(RECIPES) == [
        "In the loop, on whole batches",
        "In the workers of a DataLoader",
        "On several GPUs",
        "With lightly",
    ]


@pytest.mark.parametrize("title", RECIPES)
def test_recipes_draw_a_new_number_every_time(title, tmp_path):
    (tmp_path / "policy.yaml").write_text(Policy.model_validate(POLICY).to_yaml())
    (tmp_path / "images").mkdir()
    for number in range(IMAGES):
        Image.new("RGB", (140, 130), (128, 128, 128)).save(tmp_path / "images" / f"{number}.png")
    places = ranks() if "torchrun" in RECIPES[title] else [{}]
    report = tmp_path / "report.txt"
    context = multiprocessing.get_context("fork")
    processes = [
        context.Process(target=run_recipe, args=(RECIPES[title], report, place)) for place in places
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    numbers = report.read_text().split()
    assert len(set(numbers)) == len(numbers) == 2 * IMAGES * EPOCHS * len(places)
