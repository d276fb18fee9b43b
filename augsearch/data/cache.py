"""`load_images`: a directory becomes an `ImageSet`, decoded once and found again by its content."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from augsearch.data.config import DataConfig
from augsearch.data.decoding.bands import GREY_OR_COLOUR
from augsearch.data.decoding.decode_all import decode_files
from augsearch.data.decoding.pixel_store import DecodedFiles, read_entry, write_entry
from augsearch.data.decoding.twins import MOST, joined_groups
from augsearch.data.fingerprint import content_hashes
from augsearch.data.imageset import UNLABELLED, ImageSet
from augsearch.data.listing.names import printable
from augsearch.data.listing.sources import ImageRecord, find_images
from augsearch.errors import DataError, OutputError
from augsearch.words import counted

DECODER_VERSION = 3  # raise it when the same file decodes to other pixels or facts
DIGEST_VERSION = 1  # of `ImageSet.digest`; pixels of 8-bit files are those of decoder 1
SKIPPED_SHARE = 0.01  # unreadable files up to this share, or up to SKIPPED_FILES, are skipped
SKIPPED_FILES = 3
PIXELS_DIR, FINGERPRINTS_DIR = "pixels", "fingerprints"
SHOWN = 3  # files that a message names


def default_cache_dir() -> Path:
    """`$AUGSEARCH_CACHE`, else `augsearch` in `$XDG_CACHE_HOME`, else in `~/.cache`."""
    if own := os.environ.get("AUGSEARCH_CACHE"):
        return Path(own)
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path.home() / ".cache") / "augsearch"


def clear_cache(cache_dir: Path | None = None, *, unused_days: float = 0) -> int:
    """Delete decoded pixels and remembered content hashes; returns the bytes freed.

    Args:
        unused_days: what was used within so many days stays, as a run may be working with it.
    """
    cache = default_cache_dir() if cache_dir is None else cache_dir
    before, freed = time.time() - 86400 * unused_days, 0
    for folder in (cache / PIXELS_DIR, cache / FINGERPRINTS_DIR):
        for entry in folder.iterdir() if folder.is_dir() else ():
            with suppress(OSError):  # gone meanwhile, or another user's
                if entry.stat().st_mtime > before:
                    continue
                if entry.is_dir():
                    freed += sum(file.stat().st_size for file in entry.rglob("*"))
                    shutil.rmtree(entry)
                else:
                    freed += entry.stat().st_size
                    entry.unlink()
        with suppress(OSError):  # it is not empty
            folder.rmdir()
    return freed


def load_images(
    root: Path,
    config: DataConfig,
    *,
    progress: Callable[[int, int], None] | None = None,
    cache_dir: Path | None = None,
) -> ImageSet:
    """Load all images below `root` (see `find_images` for the layouts), decoded as `config` says.

    The pixels are kept in `cache_dir` under a hash of the files' contents and of `config`, and
    come back as a read-only memory map. Images without a group are a group of their own, pictures
    of the same pixels share one. A few unreadable files are skipped with a note.

    Args:
        progress: called as `progress(done, total)`, in files.
        cache_dir: where decoded pixels are kept; `default_cache_dir()` if None.

    Raises:
        DataError: see `find_images`; or more than 1 % of the files (and more than 3) are
            unreadable.
        OutputError: images too large for memory, and no space for them in `cache_dir`.
    """
    notes: list[str] = []
    records = find_images(root, notes.append)
    cache = default_cache_dir() if cache_dir is None else cache_dir
    workers = min(8, os.cpu_count() or 1)
    pool = ThreadPoolExecutor(workers)
    try:
        paths = [record.path for record in records]
        hashes = content_hashes(root, paths, cache / FINGERPRINTS_DIR, pool)
        entry = cache / PIXELS_DIR / _key(hashes, config)
        decoded = read_entry(entry)
        if decoded is None:
            files = [root / path for path in paths]
            scratch = _writable(entry.parent)
            try:
                decoded = decode_files(files, config, pool, progress, scratch)
            except OSError as error:
                raise OutputError(
                    f"{scratch}: no place for the decoded images: {error.strerror or error}; free "
                    "some space, or let AUGSEARCH_CACHE name a folder on another disk"
                ) from error
            try:
                write_entry(entry, decoded)
                decoded = read_entry(entry) or decoded
            except OSError as error:
                notes.append(f"decoded images are not kept: {cache}: {error.strerror or error}")
        elif progress is not None:
            progress(len(records), len(records))
    finally:
        pool.shutdown(cancel_futures=True)
    notes += _check_unreadable(root, records, decoded)
    name = printable(root.resolve().name)
    return _assemble(records, hashes, decoded, config=config, name=name, notes=notes)


def _writable(folder: Path) -> Path | None:
    """The folder, made if need be; None if nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


def _key(hashes: Sequence[str], config: DataConfig) -> str:
    settings = [DECODER_VERSION, config.model_dump(mode="json", exclude={"near_duplicates"})]
    return _hash([settings, *hashes])


def _hash(parts: Sequence[object]) -> str:
    """Hash of a sequence of JSON values."""
    state = hashlib.blake2b(digest_size=16)
    for part in parts:
        state.update(json.dumps(part, sort_keys=True).encode() + b"\n")
    return state.hexdigest()


def _check_unreadable(
    root: Path, records: Sequence[ImageRecord], decoded: DecodedFiles
) -> list[str]:
    """A note on the skipped files, if any; DataError if they are too many."""
    count, total = len(decoded.reasons), len(records)
    if count == 0:
        return []
    shown = "; ".join(
        f"{printable(records[index].path)} ({reason})"
        for index, reason in list(decoded.reasons.items())[:SHOWN]
    )
    if count > SHOWN:
        shown += "; …"
    if count == total or count > max(SKIPPED_FILES, SKIPPED_SHARE * total):
        raise DataError(f"{root}: {count} of {total} image files are unreadable: {shown}")
    return [f"{count} of {total} image files are unreadable and were skipped: {shown}"]


def _assemble(
    records: Sequence[ImageRecord],
    hashes: Sequence[str],
    decoded: DecodedFiles,
    *,
    config: DataConfig,
    name: str,
    notes: list[str],
) -> ImageSet:
    """Put pixels and records together, a row an image."""
    counts = np.asarray(decoded.counts)
    owner = np.repeat(np.arange(len(records)), counts)
    kept = np.flatnonzero(counts).tolist()
    classes = tuple(sorted({label for i in kept if (label := records[i].label) is not None}))
    class_index = {name: index for index, name in enumerate(classes)}
    label_of = [class_index.get(record.label or "", UNLABELLED) for record in records]
    same, near = np.asarray(decoded.same), np.asarray(decoded.near)
    groups = joined_groups(_own_groups(records), same)
    if config.near_duplicates == "group":
        groups = joined_groups(groups, near)
    group_of = _numbered(groups, kept)
    facts = [[hashes[i], records[i].label, int(group_of[i]), records[i].split] for i in kept]
    settings = config.model_dump(mode="json", exclude={"near_duplicates"})
    notes += decoded.notes
    notes += _notes_on_pages(records, decoded.pages)
    notes += _notes_on_classes(records, classes)
    notes += _notes_on_copies(records, same, kept)
    if config.near_duplicates != "ignore":
        notes += _notes_on_near_twins(records, kept, same, near, group_of)
    return ImageSet(
        name=name,
        images=decoded.images,
        labels=np.asarray(label_of, dtype=np.int64)[owner],
        classes=classes,
        groups=group_of[owner],
        fixed_split=tuple(records[i].split for i in owner.tolist()),
        paths=_row_paths(records, decoded.counts),
        digest=_hash([DIGEST_VERSION, settings, *_on_bands(decoded), *decoded.windows, *facts]),
        notes=tuple(notes),
        keys=tuple(hashes[i] for i in owner.tolist()),
        window=decoded.windows[0][1:] if len(decoded.windows) == 1 else None,
        pictures=owner if config.fit == "tile" else None,
    )


def _on_bands(decoded: DecodedFiles) -> list[str]:
    """What the digest knows of files of many bands, which an older version read as colour."""
    channels = decoded.images.shape[1]
    return [] if channels in GREY_OR_COLOUR else [f"{channels} bands"]


def _own_groups(records: Sequence[ImageRecord]) -> NDArray[np.int64]:
    """`[n]`: the first record of each one's group, itself without one."""
    first: dict[str, int] = {}
    return np.array(
        [
            index if record.group is None else first.setdefault(record.group, index)
            for index, record in enumerate(records)
        ]
    )


def _numbered(groups: NDArray[np.int64], kept: Sequence[int]) -> NDArray[np.int64]:
    """`[n]`, numbered from 0 by first appearance; -1 for files that were skipped."""
    numbers: dict[int, int] = {}
    result = np.full(len(groups), -1, dtype=np.int64)
    for i in kept:
        result[i] = numbers.setdefault(int(groups[i]), len(numbers))
    return result


def _row_paths(records: Sequence[ImageRecord], counts: Sequence[int]) -> tuple[str, ...]:
    """A path for every image; the tiles of one file get their number behind it."""
    paths: list[str] = []
    for record, count in zip(records, counts, strict=True):
        path = printable(record.path)
        paths += [path] if count == 1 else [f"{path}#{k}" for k in range(count)]
    return tuple(paths)


def _notes_on_pages(records: Sequence[ImageRecord], pages: Sequence[int]) -> list[str]:
    if not pages:
        return []
    return [
        f"files with several pages or frames: {len(pages)} ({_names(records, pages)}); only the "
        "first is used. To use the others, save each as a file, or all as bands of one page"
    ]


def _notes_on_classes(records: Sequence[ImageRecord], classes: Sequence[str]) -> list[str]:
    """Classes that vanished because none of their files could be read."""
    lost = sorted({record.label for record in records if record.label} - set(classes))
    return [f"classes of which no file could be read: {', '.join(lost)}"] if lost else []


def _notes_on_copies(
    records: Sequence[ImageRecord], same: NDArray[np.int64], kept: Sequence[int]
) -> list[str]:
    """What pictures of the same pixels contradict: labels, the user's groups, the user's splits."""
    copies: dict[int, list[ImageRecord]] = {}
    for i in kept:
        copies.setdefault(int(same[i]), []).append(records[i])
    repeated = [alike for alike in copies.values() if len(alike) > 1]
    labels = [alike for alike in repeated if len({r.label for r in alike} - {None}) > 1]
    groups = [alike for alike in repeated if len({r.group for r in alike}) > 1]
    splits = [alike for alike in repeated if len({r.split for r in alike}) > 1]
    notes = []
    for what, clashes in (("labels", labels), ("groups", groups), ("splits", splits)):
        if clashes:
            first = " and ".join(printable(record.path) for record in clashes[0][:2])
            notes.append(
                f"exact copies under different {what}: {first} (such pictures: {len(clashes)})"
            )
    return notes


def _notes_on_near_twins(
    records: Sequence[ImageRecord],
    kept: Sequence[int],
    same: NDArray[np.int64],
    near: NDArray[np.int64],
    groups: NDArray[np.int64],
) -> list[str]:
    """On near twins that groups do not hold together, and how many pictures could not be asked."""
    if len(kept) > MOST:
        return [f"more than {MOST} images: only exact copies are looked for, no near duplicates"]
    linked: dict[int, list[int]] = {}
    for i in kept:
        linked.setdefault(int(near[i]), []).append(i)
    apart = [alike for alike in linked.values() if len({int(groups[i]) for i in alike}) > 1]
    if not apart:
        return []
    count = sum(len({int(same[i]) for i in alike}) for alike in apart)
    return [
        f"near duplicates: {count} images in {counted(len(apart), 'set')} of up to "
        f"{max(map(len, apart))} (such as {_names(records, apart[0][:2], ' and ')}). If they show "
        "the same part, the test images are not independent: set data.near_duplicates to group, "
        "or to ignore if they do not"
    ]


def _names(records: Sequence[ImageRecord], chosen: Sequence[int], between: str = ", ") -> str:
    """The first of some files, for a message."""
    shown = between.join(printable(records[i].path) for i in chosen[:SHOWN])
    return shown + (", …" if len(chosen) > SHOWN else "")
