"""Draw the first picture of README.md: one defect under two policies, beside what each reached.

    uv run python -m tools.readme_picture

Policies and scores are those of the study in `benchmarks/results/study-neu_cls.json`. The surface
is drawn by the program, because the steel images come without a licence to pass them on. The views
are the first ones of seed 0; the same random numbers are used under both policies.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from augsearch.data.embedded.surfaces import SurfaceSpec, draw_surfaces
from augsearch.pictures.figures import enlarged, letters
from augsearch.pictures.intervals import CHOSEN, OTHER
from augsearch.space.policy import Policy

ROOT = Path(__file__).resolve().parents[1]
STUDY = ROOT / "benchmarks" / "results" / "study-neu_cls.json"
PICTURE = ROOT / "docs" / "images" / "first.png"

WIDTH, HEIGHT = 1660, 624  # twice what README shows, for sharp screens
SIDE, GAP, VIEWS = 224, 10, 4
LEFT, RIGHT = 330, 1308  # of the views, and of the scores
END = WIDTH - 26
ROWS = (76, 366)  # upper edges of the views
FOUND, PUBLISHED, QUIET = CHOSEN, OTHER, "#6b747b"
SCALE = (0.75, 0.90)  # ends of the line on which intervals are drawn
CLASS, RANK = "crack", 3


@dataclass(frozen=True)
class Row:
    """A policy, its views of the surface, and its score with the 95 % interval."""

    title: str
    colour: str
    views: NDArray[np.uint8]  # [VIEWS, C, S, S]
    mean: float
    interval: tuple[float, float]


def surface() -> NDArray[np.uint8]:
    """`[1, 160, 160]`: one drawn plate with a crack, in grey like the steel pictures."""
    drawn = draw_surfaces(SurfaceSpec(images_per_class=RANK + 1, image_size=160))
    at = drawn.paths.index(f"{CLASS}/{RANK + 1:04d}")
    grey: NDArray[np.uint8] = drawn.images[at].mean(axis=0, keepdims=True).astype(np.uint8)
    return grey


def row(study: dict[str, Any], name: str, title: str, colour: str) -> Row:
    policy = Policy.model_validate(study["confirmed"][name]["policy"])
    [scored] = [of for of in study["result"]["policies"] if of["name"] == name]
    batch = torch.from_numpy(np.stack([surface()] * (VIEWS // 2)))
    pairs = torch.stack(policy.build(image_size=160, seed=0)(batch), dim=1).flatten(0, 1)
    views = (255 * pairs).round().to(torch.uint8).numpy()
    low, high = scored["images_interval"]
    return Row(title, colour, views, scored["confirmed_mean"], (low, high))


def draw_row(sheet: Image.Image, row: Row, top: int) -> None:
    draw = ImageDraw.Draw(sheet)
    draw.text((LEFT, top - 44), row.title, row.colour, letters(29, bold=True))
    for number, view in enumerate(row.views):
        sheet.paste(enlarged(view, SIDE), (LEFT + number * (SIDE + GAP), top))
    draw.text((RIGHT, top + 22), f"{100 * row.mean:.1f} %", row.colour, letters(84, bold=True))
    line = top + 160
    draw.line([(RIGHT, line), (END, line)], "#d5dadd", 3)
    for value, anchor in zip(SCALE, ("lt", "rt"), strict=True):
        place = (position(value), line + 16)
        draw.text(place, f"{100 * value:.0f}", QUIET, letters(20), anchor=anchor)
    low, mean, high = (position(value) for value in (row.interval[0], row.mean, row.interval[1]))
    draw.line([(low, line), (high, line)], row.colour, 12)
    draw.ellipse([mean - 13, line - 13, mean + 13, line + 13], "white", row.colour, 6)


def position(score: float) -> int:
    start, end = SCALE
    return round(RIGHT + (score - start) / (end - start) * (END - RIGHT))


def picture(study: dict[str, Any]) -> Image.Image:
    verdict = study["result"]["verdict"]
    ours, against = verdict["recommended"], study["result"]["classes"]["against"]
    [gain] = [d for d in verdict["differences"] if (d["of"], d["against"]) == (ours, against)]
    sheet = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(sheet)
    middle = (ROWS[0] + ROWS[1] + SIDE) // 2
    sheet.paste(enlarged(surface(), SIDE), (20, middle - SIDE // 2))
    draw.text((20, middle - SIDE // 2 - 44), "One defect", "black", letters(29, bold=True))
    draw.text((20, middle + SIDE // 2 + 12), "drawn surface", QUIET, letters(24))
    for top in ROWS:
        draw.line([(252, middle), (LEFT - 14, top + SIDE // 2)], "#b0b7bc", 5)
    draw_row(
        sheet, row(study, against, "SimCLR, the best published policy here", PUBLISHED), ROWS[0]
    )
    draw_row(sheet, row(study, ours, "The policy that augsearch found", FOUND), ROWS[1])
    draw.text((RIGHT, ROWS[0] - 40), "correct on real steel", QUIET, letters(27))
    points = f"+{100 * gain['mean']:.1f} points"
    draw.text((RIGHT, ROWS[1] - 40), points, FOUND, letters(29, bold=True))
    return sheet


if __name__ == "__main__":
    to = Path(sys.argv[1]) if sys.argv[1:] else PICTURE
    drawn = picture(json.loads(STUDY.read_text(encoding="utf-8")))
    drawn.quantize(256, dither=Image.Dither.NONE).save(to, optimize=True)
    print(to)
