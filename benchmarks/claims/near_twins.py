"""How often near twins are found, how often other pictures are taken for them, and the time.

    python -m benchmarks.claims.near_twins path/to/neu_cls path/to/rsscn7 [--groups groups.csv]

For each folder: pairs that are linked though nobody copied them (with groups: how many of them lie
within a group), which share of a hundred pictures is linked with a copy of itself, and how many CPU
seconds the comparison takes.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from augsearch.data.config import DataConfig
from augsearch.data.decoding.decode import decode_file
from augsearch.data.decoding.twins import near_twins
from augsearch.data.listing.sources import find_images
from augsearch.data.listing.tables import read_table

COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "JPEG 90": lambda image: as_jpeg(image, 90),
    "JPEG 60": lambda image: as_jpeg(image, 60),
    "light x 0.7": lambda image: image.point(lambda value: 0.7 * value),
    "light + 20": lambda image: image.point(lambda value: value + 20),
    "half the size": lambda image: image.resize((image.width // 2, image.height // 2)),
    "mirrored": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
}


def as_jpeg(image: Image.Image, quality: int) -> Image.Image:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return Image.open(stream)


def look(image: Image.Image, place: Path) -> np.ndarray:
    image.save(place)
    return decode_file(place, DataConfig()).look


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--groups", type=Path, help="path,group; of the last folder's parent")
    given = parser.parse_args()
    scratch = Path("near_twins.png")
    for folder in given.folders:
        paths = [record.path for record in find_images(folder)]
        looks = np.stack([decode_file(folder / path, DataConfig()).look for path in paths])
        begin = time.process_time()
        near_twins(looks)
        seconds = time.process_time() - begin
        flat = looks.reshape(len(looks), -1)
        alike = np.triu(np.corrcoef(flat) >= 0.99, 1)
        linked = f"{alike.sum()} pairs linked, {seconds:.2f} CPU s"
        print(f"{folder.name}: {len(paths)} pictures, {linked}")
        if given.groups and folder == given.folders[-1]:
            named = [f"{folder.name}/{path}" for path in paths]
            table = read_table(given.groups, named, required=("path", "group"))
            group = np.array([table.get(name, {}).get("group", name) for name in named])
            same = np.triu(group[:, None] == group[None, :], 1)
            print(f"  within a group: {(same & alike).sum()}; of pairs in a group: {same.sum()}")
        chosen = np.random.default_rng(0).choice(len(paths), min(100, len(paths)), replace=False)
        found = dict.fromkeys(COPIES, 0)
        for index in chosen.tolist():
            with Image.open(folder / paths[index]) as file:
                image = file.convert("RGB")
            for name, copy in COPIES.items():
                pair = np.stack([looks[index], look(copy(image), scratch)])
                found[name] += int(near_twins(pair)[1] == 0)
        print("  copies found, of", len(chosen), ":", found)
    scratch.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
