"""Which images a directory holds, and what it says about each. Decodes none.

Two layouts:
- a table of labels at the top (`labels.csv` or `.tsv`, in any case): columns `path,label` and
  optionally `group` and `split`; images that it does not mention, or gives no label, are
  unlabelled.
- folders of classes: the top folder names the class, however deep an image lies in it. Images
  beside the class folders, and those in a folder called `unlabelled`, are unlabelled. Folders
  called train, val or test are splits, if all at the top are, or all inside the class folders.

In both, a table of groups (`groups.csv` or `.tsv`: `path,group`) may say which images show the same
part, unless the table of labels has a column for it. What is left out is said: hidden images,
masks, and files that are no images.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from augsearch.data.listing.files import Files, list_files
from augsearch.data.listing.labels import check_single_labels
from augsearch.data.listing.names import confusable, printable, shown
from augsearch.data.listing.tables import read_table
from augsearch.errors import DataError

SHOWN = 3
TABLES = (".csv", ".tsv")
LABELS, GROUPS = ("labels", "label"), ("groups", "group")
UNLABELLED_FOLDERS = ("unlabelled", "unlabeled")
SPLIT_NAMES = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val",
    "test": "test", "testing": "test",
}  # fmt: skip
SPLIT_FOLDER = re.compile(
    rf"(?:(?:images?|imgs?|data)[\W_]*)?({'|'.join(sorted(SPLIT_NAMES, key=len, reverse=True))})"
    r"[\W_]*(?:set|images?|imgs?|data|dataset)?[\W_]*\d*"
)
"""Also `train_images`, `test-set`, `val2017`."""
MASK_FOLDERS = (
    "ground_truth", "groundtruth", "gt", "masks", "segmentation", "segmentations",
    "annotation", "annotations",
)  # fmt: skip
MASK_FOLDER = "mask"
"""Only beside splits: it may be a class, as in `mask` and `no_mask`."""
MASK_FILE = re.compile(
    r"(.+)[_\-. ](?:mask|masks|gt|groundtruth|ground_truth|seg|segmentation)", re.IGNORECASE
)


@dataclass(frozen=True)
class ImageRecord:
    """One image file and what is known about it.

    Attributes:
        path: relative to the root, with forward slashes.
        label: class name, printable, or None.
        group: name of the part that the image shows, or None.
        split: "", "train" or "test". A validation part counts as "test" where there is no test
            part (as in ImageNet), otherwise as "train".
    """

    path: str
    label: str | None = None
    group: str | None = None
    split: str = ""


def _say_nothing(_: str) -> None:
    pass


def find_images(root: Path, say: Callable[[str], None] = _say_nothing) -> tuple[ImageRecord, ...]:
    """All images below `root`, sorted by path.

    Args:
        say: told, a sentence a kind, what was left out and what may be a mistake.

    Raises:
        DataError: no such directory, no image in it, splits among other folders, several labels
            for one image, or a table that does not fit the images.
    """
    files = list_files(root)
    paths = list(files.images)
    labels, groups = (
        _find_table(root, files.others, LABELS),
        _find_table(root, files.others, GROUPS),
    )
    read = {file.name for file in (labels, groups) if file is not None}
    if labels is not None:
        records = _records_from_table(labels, paths, say)
    else:
        records = _records_from_folders(root, _without_masks(paths, say), say)
        check_single_labels(root, {r.label for r in records if r.label}, strict=False)
    if groups is not None and all(record.group is None for record in records):
        table = read_table(groups, paths, required=("path", "group"))
        records = [_with_group(record, table.get(record.path, {})) for record in records]
    elif groups is not None:
        say(f"{groups.name} is not read: {labels and labels.name} has groups of its own")
    _say_what_is_left_out(files, read, {r.path.partition("/")[0] for r in records}, say)
    _say_what_looks_alike(records, say)
    return tuple(_settle_validation(records))


def _find_table(root: Path, others: Iterable[str], stems: Collection[str]) -> Path | None:
    """The table at the top with one of these names.

    Raises:
        DataError: there are two.
    """
    found = [
        name
        for name in others
        if "/" not in name
        and PurePosixPath(name).suffix.lower() in TABLES
        and PurePosixPath(name).stem.lower() in stems
    ]
    if len(found) > 1:
        raise DataError(f"{root}: {' and '.join(found)} both could be meant; keep one of them")
    return root / found[0] if found else None


def _split_of(folder: str) -> str | None:
    match = SPLIT_FOLDER.fullmatch(folder.lower())
    return SPLIT_NAMES[match[1]] if match else None


def _without_masks(
    paths: Sequence[str], say: Callable[[str], None], named: Collection[str] = ()
) -> list[str]:
    """Without folders of masks at the top or below a split, and masks beside their images, as far
    as no table has `named` them."""
    stems = {path.rpartition(".")[0] for path in paths}
    beside_splits = any(_split_of(path.partition("/")[0]) for path in paths if "/" in path)
    kept, folders, beside = list[str](), list[str](), list[str]()
    for path in paths:
        parts = PurePosixPath(path).parts[:-1]
        inner = parts[1:] if parts and _split_of(parts[0]) else parts
        mask = MASK_FILE.fullmatch(path.rpartition(".")[0])
        if path in named:
            kept.append(path)
        elif any(name.lower() in MASK_FOLDERS for name in inner[:1]) or (
            beside_splits and any(name.lower() == MASK_FOLDER for name in parts[:1])
        ):
            folders.append(path)
        elif mask and mask[1] in stems:
            beside.append(path)
        else:
            kept.append(path)
    if not kept:  # then they are what there is to learn from
        return list(paths)
    for what, left in (("folders of masks", folders), ("masks beside their images", beside)):
        if left:
            say(f"{what} are left out: {len(left)} images ({_examples(left)})")
    return kept


def _records_from_folders(
    root: Path, paths: list[str], say: Callable[[str], None]
) -> list[ImageRecord]:
    folders_of = {path: PurePosixPath(path).parts[:-1] for path in paths}
    tops = sorted({folders[0] for folders in folders_of.values() if folders})
    classes = [top for top in tops if top.lower() not in UNLABELLED_FOLDERS]
    splits = [top for top in classes if _split_of(top)]
    others = [top for top in classes if not _split_of(top)]
    on_top = bool(splits) and not others
    if others and any(_holds_classes(top, splits, folders_of.values()) for top in splits):
        raise DataError(
            f"{root}: {_listed(splits)} are named like splits, {_listed(others)} not: take "
            f"{'them' if len(others) > 1 else 'it'} out of this folder, or rename what is a class"
        )
    inside = not on_top and _splits_inside(folders_of.values(), say)
    records = []
    for path, folders in folders_of.items():
        split = _split_of(folders[0]) if on_top and folders else None
        classes_below = folders[1:] if split else folders
        label = None
        if classes_below and classes_below[0].lower() not in UNLABELLED_FOLDERS:
            label = printable(classes_below[0])
            split = _split_of(folders[1]) if inside else split
        records.append(ImageRecord(path, label, split=split or ""))
    if any(record.label and record.label.lower() == MASK_FOLDER for record in records):
        say("the folder mask is taken as a class; if it holds masks, take it out")
    _say_where_classes_may_be(root, records, say)
    _say_what_is_only_tested(records, say)
    return records


def _holds_classes(top: str, splits: Sequence[str], folders_of: Iterable[tuple[str, ...]]) -> bool:
    """Is a folder called like a split one, and no class of that name (a train is a vehicle)?"""
    inner = [folders[1:] for folders in folders_of if folders and folders[0] == top]
    several = len({_split_of(name) for name in splits}) > 1
    return several or (all(inner) and len({folders[0] for folders in inner}) > 1)


def _splits_inside(folders_of: Iterable[tuple[str, ...]], say: Callable[[str], None]) -> bool:
    """Do all classes hold splits and nothing else, as in `rust/train`, `rust/test`?"""
    labelled = [f for f in folders_of if f and f[0].lower() not in UNLABELLED_FOLDERS]
    if len({folders[0] for folders in labelled}) < 2:
        return False
    inner = [_split_of(folders[1]) if len(folders) > 1 else None for folders in labelled]
    if len(set(inner) - {None}) < 2:
        return False
    if None not in inner:
        say("the folders called like splits inside each class are taken as splits")
        return True
    say(
        "some folders inside the classes are called like splits, but not all: they are not taken "
        "as splits"
    )
    return False


def _say_where_classes_may_be(
    root: Path, records: Iterable[ImageRecord], say: Callable[[str], None]
) -> None:
    """Say it if one class is all there is and holds folders that may have been meant."""
    folders = [PurePosixPath(r.path).parts[:-1] for r in records if r.label is not None]
    labels = {record.label for record in records if record.label is not None}
    below = sorted({inner[1] for inner in folders if len(inner) > 1})
    if len(labels) == 1 and len(below) > 1 and len({inner[0] for inner in folders}) == 1:
        say(
            f"all labelled images lie in one folder, {printable(folders[0][0])}; if "
            f"{_listed(below)} are what is meant, name {printable(str(root / folders[0][0]))}"
        )


def _say_what_is_only_tested(records: Iterable[ImageRecord], say: Callable[[str], None]) -> None:
    classes: defaultdict[bool, set[str]] = defaultdict(set)
    for record in records:
        if record.label is not None:
            classes[record.split == "train"].add(record.label)
    only = sorted(classes[False] - classes[True])
    if classes[True] and only:
        say(
            f"classes that the training part lacks: {_listed(only)}; probes need labels of every "
            "class there (of MVTec AD, take the folder test alone)"
        )


def _records_from_table(
    file: Path, paths: list[str], say: Callable[[str], None]
) -> list[ImageRecord]:
    table = read_table(file, paths, required=("path", "label"), optional=("group", "split"))
    check_single_labels(file, {row["label"] for row in table.values()}, strict=True)
    records = []
    for path in _without_masks(paths, say, named=table):
        row = table.get(path, {})
        name = row.get("split", "")
        if name and name.lower() not in SPLIT_NAMES:
            known = "train, val, test or empty"
            raise DataError(f"{file}: split {name!r} of {path!r} is not one of {known}")
        split = SPLIT_NAMES[name.lower()] if name else ""
        record = ImageRecord(path, printable(row.get("label", "")) or None, split=split)
        records.append(_with_group(record, row))
    return records


def _with_group(record: ImageRecord, row: dict[str, str]) -> ImageRecord:
    return replace(record, group=row.get("group") or None)


def _settle_validation(records: Iterable[ImageRecord]) -> list[ImageRecord]:
    """Give images of a validation part to the test part if there is none, else to training."""
    records = list(records)
    role = "train" if any(record.split == "test" for record in records) else "test"
    return [replace(record, split=role) if record.split == "val" else record for record in records]


def _say_what_is_left_out(
    files: Files, read: Collection[str], tops: Collection[str], say: Callable[[str], None]
) -> None:
    if files.hidden:
        say(
            f"images in hidden files or folders are left out: {len(files.hidden)} "
            f"({_examples(files.hidden)})"
        )
    tables = [name for name in files.others if _is_table(name) and name not in read]
    if tables:
        say(
            f"tables that are not used: {len(tables)} ({_examples(tables)}); labels come from "
            "labels.csv and groups from groups.csv in the top folder"
        )
    by_suffix: defaultdict[str, list[str]] = defaultdict(list)
    for name in files.others:
        if not _is_table(name):
            by_suffix[PurePosixPath(name).suffix.lower() or "without suffix"].append(name)
    if by_suffix:
        counts = Counter({suffix: len(names) for suffix, names in by_suffix.items()})
        said = ", ".join(
            f"{count} {printable(suffix)} ({printable(by_suffix[suffix][0])})"
            for suffix, count in counts.most_common(SHOWN)
        )
        more = f", {len(counts) - SHOWN} more kinds" if len(counts) > SHOWN else ""
        say(f"left out, because Pillow cannot read them as images: {said}{more}")
    empty = sorted(set(files.folders) - set(tops))
    known = (*MASK_FOLDERS, MASK_FOLDER, *UNLABELLED_FOLDERS)
    empty = [name for name in empty if name.lower() not in known]
    if empty:
        say(f"folders without a single image: {_listed(empty)}")


def _is_table(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in (*TABLES, ".xlsx", ".xls", ".ods", ".parquet")


def _say_what_looks_alike(records: Sequence[ImageRecord], say: Callable[[str], None]) -> None:
    for what, names in (
        ("labels", {record.label for record in records if record.label}),
        ("groups", {record.group for record in records if record.group}),
    ):
        alike = confusable(names)
        if alike:
            said = ", ".join(" and ".join(map(shown, same)) for same in alike[:SHOWN])
            more = ", …" if len(alike) > SHOWN else ""
            say(f"{what} that look alike are counted as different: {said}{more}")
    spellings: defaultdict[str, set[str]] = defaultdict(set)
    for record in records:
        stem, _, suffix = record.path.rpartition(".")
        spellings[stem].add(suffix)
    several = sorted(stem for stem, suffixes in spellings.items() if stem and len(suffixes) > 1)
    if several:
        first = " and ".join(f"{printable(several[0])}.{x}" for x in sorted(spellings[several[0]]))
        say(
            f"images that differ only in their suffix: {len(several)} (such as {first}); if one is "
            "a mask or a copy of the other, remove it"
        )


def _listed(names: Sequence[str]) -> str:
    shown_names = ", ".join(printable(name) for name in names[: 2 * SHOWN])
    return shown_names + (", …" if len(names) > 2 * SHOWN else "")


def _examples(names: Sequence[str]) -> str:
    return ", ".join(printable(name) for name in names[:SHOWN]) + (
        ", …" if len(names) > SHOWN else ""
    )
