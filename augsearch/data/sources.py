"""Which images a directory holds, and what it says about each. Opens no image.

Two layouts:
- `labels.csv` at the top: columns `path,label` and optionally `group` and `split`; images that it
  does not mention, or gives no label, are unlabelled.
- folders of classes: the top folder names the class, however deep an image lies in it. Images
  beside the class folders, and those in a folder called `unlabelled`, are unlabelled. If every
  top folder is called train, val or test, they are splits and hold the class folders.

In both, `groups.csv` (`path,group`) may say which images show the same part, unless `labels.csv`
has a column for it. Hidden files and folders are skipped.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from augsearch.data.tables import read_table
from augsearch.errors import DataError

EXTENSIONS = (
    ".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".gif", ".webp",
    ".pgm", ".ppm", ".pbm", ".pnm", ".jp2", ".avif",
)  # fmt: skip
LABELS_FILE = "labels.csv"
GROUPS_FILE = "groups.csv"
UNLABELLED_FOLDERS = ("unlabelled", "unlabeled")
SPLIT_NAMES = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val",
    "test": "test", "testing": "test",
}  # fmt: skip


@dataclass(frozen=True)
class ImageRecord:
    """One image file and what is known about it.

    Attributes:
        path: relative to the root, with forward slashes.
        label: class name, or None.
        group: name of the part that the image shows, or None.
        split: "", "train" or "test". A validation part counts as "test" where there is no test
            part (as in ImageNet), otherwise as "train".
    """

    path: str
    label: str | None = None
    group: str | None = None
    split: str = ""


def find_images(root: Path) -> tuple[ImageRecord, ...]:
    """All images below `root`, sorted by path.

    Raises:
        DataError: no such directory, no image in it, or a table that does not fit the images.
    """
    if not root.is_dir():
        what = "is no directory" if root.exists() else "does not exist"
        raise DataError(f"{root} {what}; give a folder of images")
    paths = sorted(_image_paths(root))
    if not paths:
        raise DataError(f"no images in {root} (looked for {', '.join(EXTENSIONS)})")
    if (root / LABELS_FILE).is_file():
        records = _records_from_table(root, paths)
    else:
        records = _records_from_folders(paths)
    if (root / GROUPS_FILE).is_file() and all(record.group is None for record in records):
        table = read_table(root / GROUPS_FILE, paths, required=("path", "group"))
        records = [_with_group(record, table.get(record.path, {})) for record in records]
    return tuple(_settle_validation(records))


def _image_paths(root: Path) -> Iterator[str]:
    """Relative paths of all image files; follows links to folders, each folder once."""
    seen: set[str] = set()
    for folder, folders, files in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        for name in files:
            if not _is_hidden(name) and PurePosixPath(name).suffix.lower() in EXTENSIONS:
                yield (Path(folder) / name).relative_to(root).as_posix()


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _records_from_folders(paths: list[str]) -> list[ImageRecord]:
    tops = {PurePosixPath(path).parts[0].lower() for path in paths if "/" in path}
    are_splits = bool(tops & SPLIT_NAMES.keys()) and all(
        name in SPLIT_NAMES or name in UNLABELLED_FOLDERS for name in tops
    )
    records = []
    for path in paths:
        folders = PurePosixPath(path).parts[:-1]
        split = ""
        if are_splits and folders and folders[0].lower() in SPLIT_NAMES:
            split = SPLIT_NAMES[folders[0].lower()]
            folders = folders[1:]
        labelled = folders and folders[0].lower() not in UNLABELLED_FOLDERS
        records.append(ImageRecord(path, folders[0] if labelled else None, split=split))
    return records


def _records_from_table(root: Path, paths: list[str]) -> list[ImageRecord]:
    table = read_table(
        root / LABELS_FILE, paths, required=("path", "label"), optional=("group", "split")
    )
    records = []
    for path in paths:
        row = table.get(path, {})
        name = row.get("split", "")
        if name and name.lower() not in SPLIT_NAMES:
            known = "train, val, test or empty"
            raise DataError(f"{root / LABELS_FILE}: split {name!r} of {path!r} is none of {known}")
        split = SPLIT_NAMES[name.lower()] if name else ""
        record = ImageRecord(path, row.get("label") or None, split=split)
        records.append(_with_group(record, row))
    return records


def _with_group(record: ImageRecord, row: dict[str, str]) -> ImageRecord:
    return replace(record, group=row.get("group") or None)


def _settle_validation(records: Iterable[ImageRecord]) -> list[ImageRecord]:
    """Give images of a validation part to the test part if there is none, else to training."""
    records = list(records)
    role = "train" if any(record.split == "test" for record in records) else "test"
    return [replace(record, split=role) if record.split == "val" else record for record in records]
