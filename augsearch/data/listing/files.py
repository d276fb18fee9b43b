"""Every file below a directory: images, what is none, and what is hidden. Decodes nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

from PIL import Image

from augsearch.data.decoding.decode import large_files_allowed
from augsearch.data.listing.names import printable
from augsearch.errors import DataError

COMMON = (
    ".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".gif", ".webp", ".pgm", ".jp2", ".avif",
)  # fmt: skip
NO_PICTURES = frozenset({"BUFR", "EPS", "GRIB", "HDF5", "IPTC", "MPEG", "WMF"})
"""Formats whose suffixes Pillow knows, but which it reads with other programs or not at all."""
SNIFFED = ("PNG", "JPEG", "BMP", "TIFF", "GIF", "WEBP", "PPM", "JPEG2000", "AVIF", "PSD")
"""Formats that are recognised whatever a file is called, by unmistakable first bytes."""
JUNK = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini"})
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar")


@dataclass(frozen=True)
class Files:
    """Relative paths with forward slashes, each sorted.

    Attributes:
        images: files that Pillow should be able to read.
        others: other files.
        hidden: images in hidden files or folders.
        folders: names of the folders at the top.
    """

    images: tuple[str, ...]
    others: tuple[str, ...]
    hidden: tuple[str, ...]
    folders: tuple[str, ...]


def list_files(root: Path) -> Files:
    """All files below `root`; follows links to folders, each folder once.

    Raises:
        DataError: no such directory, one in it cannot be read, or there is no image.
    """
    if not os.path.isdir(root):  # noqa: PTH112 Path.is_dir raises where it may not look
        raise DataError(f"{printable(str(root))} {_why_none(root)}; give a folder of images")
    images, others, hidden = list[str](), list[str](), list[str]()
    with large_files_allowed():
        for folder, names, is_hidden in _walk(root):
            at = Path(folder).relative_to(root)
            for name in names:
                path = (at / name).as_posix()
                if is_hidden or name.startswith("."):
                    if _has_image_suffix(name) and not name.startswith("._"):
                        hidden.append(path)
                elif _is_image(Path(folder) / name):
                    images.append(path)
                elif name.lower() not in JUNK:
                    others.append(path)
    at_top = sorted(name for name in os.listdir(root) if not _is_hidden(name))  # noqa: PTH208
    folders = tuple(name for name in at_top if os.path.isdir(root / name))  # noqa: PTH112
    if not images:
        found = f"; other files: {len(others)}, such as {printable(min(others))}" if others else ""
        raise DataError(
            f"no images in {printable(str(root))} (looked for {', '.join(COMMON)} and what else "
            f"Pillow reads{found})"
        )
    return Files(tuple(sorted(images)), tuple(sorted(others)), tuple(sorted(hidden)), folders)


def _why_none(root: Path) -> str:
    if root.is_symlink() and not os.path.exists(root):  # noqa: PTH110
        return "is a link that leads nowhere"
    if not os.path.exists(root):  # noqa: PTH110 as above
        return "does not exist"
    if root.suffix.lower() in ARCHIVES:
        return "is no directory but an archive: unpack it"
    return "is no directory"


def _walk(root: Path) -> Iterator[tuple[str, list[str], bool]]:
    """Each folder, the names of its files, and whether it is hidden."""

    def refuse(error: OSError) -> None:
        where = printable(str(error.filename))
        raise DataError(
            f"{where} cannot be read ({error.strerror}); give it rights or move it away"
        )

    seen: set[str] = set()
    hidden: set[str] = set()
    for folder, folders, names in os.walk(root, followlinks=True, onerror=refuse):
        real = os.path.realpath(folder)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders.sort()
        folders[:] = [name for name in folders if name != "__MACOSX"]
        inside = folder in hidden
        hidden |= {os.path.join(folder, n) for n in folders if inside or _is_hidden(n)}  # noqa: PTH118
        yield folder, sorted(names), inside


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


@cache
def _suffixes() -> frozenset[str]:
    return frozenset(
        suffix
        for suffix, kind in Image.registered_extensions().items()
        if kind in Image.OPEN and kind not in NO_PICTURES
    )


def _has_image_suffix(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in _suffixes()


def _is_image(file: Path) -> bool:
    """By its suffix, else by its first bytes. A link that leads nowhere is a broken image; a pipe,
    a socket or a device is none, and would never end."""
    if _has_image_suffix(file.name):
        return file.is_file() or (file.is_symlink() and not file.exists())
    try:
        if not file.is_file():
            return False
        with Image.open(file, formats=SNIFFED):
            return True
    except Image.DecompressionBombError:
        return True  # and what it is too large for is said when it is read
    except Exception:  # Pillow's readers raise nearly anything on damaged files
        return False
