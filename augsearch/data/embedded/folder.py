"""The embedded surfaces as files in a folder, as a team's own images would lie there."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from PIL import Image

from augsearch.data.embedded.surfaces import SurfaceSpec, draw_surfaces
from augsearch.errors import OutputError


def write_surfaces(
    folder: str | Path, *, images_per_class: int = 150, image_size: int = 48, seed: int = 0
) -> Path:
    """Draw inspection surfaces and save them as PNG files: something to try everything on.

    Args:
        folder: where to; it gets a folder for each class, and `groups.csv`, which says which
            images show the same plate.
        images_per_class: how many of each class.
        image_size: pixels of a side.
        seed: of everything drawn; the same seed, the same images.

    Raises:
        OutputError: the folder holds something already, or cannot be written.
        ConfigError: a number is out of bounds.
    """
    place = Path(folder)
    drawn = draw_surfaces(
        SurfaceSpec(images_per_class=images_per_class, image_size=image_size, seed=seed)
    )
    names = [f"{path}.png" for path in drawn.paths]
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(("path", "group"))
    writer.writerows(zip(names, drawn.groups.tolist(), strict=True))
    try:
        place.mkdir(parents=True, exist_ok=True)
        if any(place.iterdir()):
            raise OutputError(f"{place}: holds something already; name an empty or a new folder")
        for name, pixels in zip(names, drawn.images, strict=True):
            (place / name).parent.mkdir(exist_ok=True)
            Image.fromarray(pixels.transpose(1, 2, 0)).save(place / name)
        (place / "groups.csv").write_text(table.getvalue(), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{place}: cannot be written ({error.strerror})") from None
    return place
