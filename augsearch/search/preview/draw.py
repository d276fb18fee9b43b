"""From what a preview is asked for to its picture files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from augsearch.data.cache import load_images
from augsearch.data.embedded.surfaces import SurfaceSpec, draw_surfaces
from augsearch.data.imageset import ImageSet
from augsearch.errors import ConfigError
from augsearch.progress import Progress
from augsearch.search.preview.pages import picture_format, write_pages
from augsearch.search.preview.request import Previewed, PreviewRequest, resolve
from augsearch.search.preview.sheet import Preview, preview

SMALLEST, LARGEST = 8, 1024


def draw_preview(request: PreviewRequest, progress: Progress) -> Preview:
    """Draw and write the contact sheet; see `write_preview`."""
    size = request.image_size
    if size is not None and not SMALLEST <= size <= LARGEST:
        raise ConfigError(f"--image-size {size}: must be between {SMALLEST} and {LARGEST} pixels")
    form = picture_format(request.output)
    shown = resolve(request)
    found = preview(
        shown.policy,
        _images(shown, progress),
        baseline=shown.baseline,
        space=shown.space,
        seed=request.seed,
        executor=shown.executor,
    )
    for sentence in found.notes:
        progress.note(sentence)
    return replace(found, files=write_pages(found.pages, request.output, form))


def _images(shown: Previewed, progress: Progress) -> ImageSet:
    if shown.data is None:
        side = shown.config.side
        return draw_surfaces(SurfaceSpec(image_size=side, images_per_class=2))
    image_set = load_images(Path(shown.data), shown.config, progress=progress.images)
    for sentence in image_set.notes:
        progress.note(sentence)
    return image_set
