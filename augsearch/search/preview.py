"""A picture of what a policy does to a team's own images."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from augsearch.augment.baselines import for_channels
from augsearch.augment.build import Renderer
from augsearch.data.cache import load_images
from augsearch.data.config import DataConfig
from augsearch.data.imageset import ImageSet
from augsearch.data.surfaces import SurfaceSpec, draw_surfaces
from augsearch.errors import ConfigError, OutputError
from augsearch.space.policy import Policy, load_policy
from augsearch.tracking.figures import views_png

ROWS = 8
SMALLEST, LARGEST = 8, 1024


def preview(policy: Policy, image_set: ImageSet, *, seed: int = 0) -> bytes:
    """A PNG: originals of every class in turn, each with four views."""
    rows = _spread(image_set)
    images = torch.from_numpy(np.ascontiguousarray(image_set.images[rows]))
    renderer = Renderer.build(for_channels(policy, image_set.channels))
    return draw_views(renderer, images, seed)


def draw_views(renderer: Renderer, images: torch.Tensor, seed: int) -> bytes:
    """A PNG of uint8 images `[N, C, H, W]`, each with four views, and of who rendered them."""
    size = min(images.shape[2:])
    batches = [renderer(images, size, seed=seed, step=step) for step in (0, 1)]
    views = [half for both in batches for half in (255 * both).round().byte().cpu().chunk(2)]
    return views_png(
        images.cpu().numpy(),
        [view.numpy() for view in views],
        ["original", *("view 1", "view 2") * 2],
        footnote=f"rendered by: {renderer.executor}",
    )


def _spread(image_set: ImageSet) -> list[int]:
    """Rows of up to `ROWS` images that show as many classes as possible."""
    seen: dict[int, int] = {}
    ranked = []
    for row, label in enumerate(image_set.labels.tolist()):
        ranked.append((seen.get(label, 0), row))
        seen[label] = seen.get(label, 0) + 1
    return [row for _, row in sorted(ranked)[:ROWS]]


def write_preview(
    policy: str | Path | Policy,
    data: str | Path | None,
    output: str | Path,
    *,
    image_size: int = 96,
    seed: int = 0,
) -> None:
    """Draw the views of `policy` on the images in `data` (None: embedded) into a picture file.

    The suffix of `output` says its format, any that Pillow writes; without one it is a PNG.

    Raises:
        ConfigError, DataError, OutputError: what is wrong, in one line.
    """
    if not SMALLEST <= image_size <= LARGEST:
        raise ConfigError(
            f"--image-size {image_size}: must be between {SMALLEST} and {LARGEST} pixels"
        )
    path = Path(output)
    form = _format(path)
    chosen = policy if isinstance(policy, Policy) else load_policy(policy)
    if data is None:
        image_set = draw_surfaces(SurfaceSpec(image_size=image_size, images_per_class=2))
    else:
        image_set = load_images(Path(data), DataConfig(image_size=image_size))
    picture = preview(chosen, image_set, seed=seed)
    try:
        path.write_bytes(picture if form == "PNG" else _converted(picture, form))
    except (OSError, ValueError, KeyError) as error:  # Pillow's writers raise any of them
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise OutputError(f"--output {output}: cannot be written ({reason})") from None


def _format(path: Path) -> str:
    """Pillow's name of the format that the suffix of `path` says.

    Raises:
        OutputError: Pillow writes no such format.
    """
    if not path.suffix:
        return "PNG"
    form = Image.registered_extensions().get(path.suffix.lower(), "")
    if form not in Image.SAVE:
        raise OutputError(
            f"--output {path}: {path.suffix} is no picture format that can be written; use .png, "
            ".jpg, .webp, .tif or .pdf"
        )
    return form


def _converted(png: bytes, form: str) -> bytes:
    with Image.open(io.BytesIO(png)) as picture, io.BytesIO() as file:
        picture.save(file, form, quality=95)
        return file.getvalue()
