"""Pages of a contact sheet as picture files of any format that Pillow writes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from augsearch.errors import OutputError
from augsearch.files import write_whole


def write_pages(pages: Sequence[bytes], path: Path, form: str) -> tuple[Path, ...]:
    """Write the pages and return their files; those after the first are `-2`, `-3` and so on.

    Args:
        form: Pillow's name of the format.

    Raises:
        OutputError: a file cannot be written.
    """
    files = [path]
    files += [path.with_stem(f"{path.stem}-{number}") for number in range(2, len(pages) + 1)]
    for page, file in zip(pages, files, strict=True):
        try:
            write_whole(file, page if form == "PNG" else _converted(page, form))
        except (OSError, ValueError, KeyError) as error:  # Pillow's writers raise any of them
            reason = (error.strerror if isinstance(error, OSError) else None) or error
            raise OutputError(f"--output {file}: cannot be written ({reason})") from None
    return tuple(files)


def picture_format(path: Path) -> str:
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
