"""Features of every image, by the encoder of a pretraining or a fine-tuning."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import nn

from augsearch.data.imageset import ImageSet
from augsearch.data.splits.splits import content_marks
from augsearch.errors import ConfigError
from augsearch.evaluate.features import extract_features
from augsearch.files import Written
from augsearch.finetuning.classifier import open_classifier
from augsearch.finetuning.result import RESULT_FILE as FINETUNED
from augsearch.pretraining.opened import encoder_of, open_pretrained
from augsearch.pretraining.pool import KnownSplit, read_split
from augsearch.pretraining.prepare import given_images
from augsearch.pretraining.recipe import SPLIT_FILE
from augsearch.pretraining.result import RESULT_FILE as PRETRAINED
from augsearch.progress import Progress
from augsearch.study.source import Source
from augsearch.study_file import StudyConfig
from augsearch.words import counted

SUFFIXES = (".parquet", ".npz")


class Embedded(Written):
    """Features of images, in a file. `.files` says where."""

    what: str = Field(description="what the features are, in a sentence")
    images: int = Field(description="rows")
    features: int = Field(description="columns f0, f1 and so on")
    sides: dict[str, int] = Field(description="rows by side of the seal")

    def _title(self) -> str:
        return f"{self.features} features of {counted(self.images, 'image')}: {self.what}"


@dataclass(frozen=True)
class Encoders:
    """Encoders that finished directories hold.

    Attributes:
        networks: in evaluation mode, on the CPU.
        what: they are, in words.
        source: where their images were; None if that is not known.
    """

    networks: tuple[nn.Module, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    channels: int
    config: StudyConfig
    what: str
    source: Source | None


def open_encoders(directory: Path) -> Encoders:
    """The encoders of a directory that `finetune` or `pretrain` has ended in.

    Raises:
        ConfigError: it holds none, or its files are damaged.
    """
    if (directory / FINETUNED).is_file():
        classifier = open_classifier(directory)
        found = classifier.found
        several = len(classifier.networks)
        of = f"the {several} encoders beside each other" if several > 1 else "the encoder"
        return Encoders(
            tuple(next(iter(network.children())) for network in classifier.networks),
            found.mean,
            found.std,
            found.channels,
            classifier.config,
            f"{of} of the fine-tuning {directory.name} ({found.encoder}), before the classifier",
            None if found.data is None else Source.stored(found.data),
        )
    if (directory / PRETRAINED).is_file():
        return _pretrained(directory)
    raise ConfigError(
        f"{directory}: holds no {FINETUNED} and no {PRETRAINED}; name a directory that `augsearch "
        "finetune` or `augsearch pretrain` ended in"
    )


def _pretrained(directory: Path) -> Encoders:
    opened = open_pretrained(directory)
    found = opened.found
    return Encoders(
        (encoder_of(opened),),
        found.mean,
        found.std,
        found.channels,
        opened.config,
        f"the encoder of the pretraining {directory.name} ({found.encoder}), before the "
        "projection head",
        Source.stored(found.data),
    )


def embedded_table(
    directory: Path,
    data: str | Path | ImageSet | None,
    device: torch.device,
    progress: Progress,
) -> tuple[pd.DataFrame, str]:
    """`path`, `label` (empty without one), `side` of the seal, `group` and the features `f0`, `f1`
    and so on of every image; and what they are, in a sentence.

    Raises:
        AugsearchError: anything a user can cause, in one line.
    """
    encoders = open_encoders(directory)
    if data is None and encoders.source is None:
        raise ConfigError(f"{directory}: does not say where its images are; name them with --data")
    images, _ = given_images(data, encoders.source, encoders.config, progress)
    for sentence in images.notes:
        progress.note(sentence)
    if images.channels != encoders.channels:
        raise ConfigError(
            f"{images.name}: has {images.channels} channels; the encoder takes {encoders.channels}"
        )
    features = np.concatenate(
        [
            extract_features(
                network.to(device), images.images, encoders.mean, encoders.std, device=device
            )
            for network in encoders.networks
        ],
        axis=1,
    )
    names = np.array([*images.classes, ""])
    known = pd.DataFrame(
        {
            "path": images.paths,
            "label": names[images.labels],
            "side": sides_of(images, read_split(directory / SPLIT_FILE)),
            "group": images.groups,
        }
    )
    columns = [f"f{number}" for number in range(features.shape[1])]
    table = pd.concat([known, pd.DataFrame(features, columns=columns)], axis=1)
    what = f"features by {encoders.what}; images as they are, without augmentation"
    return table, what


def sides_of(images: ImageSet, split: KnownSplit | None) -> list[str]:
    """`pool`, `test` (sealed) or `unused` for each image, `new` where it took no part."""
    if split is None:
        return ["new"] * len(images)
    by_content = split.by_content and bool(images.keys)
    sides = split.sides("image" if by_content else "path")
    names = content_marks(images) if by_content else images.paths
    return [sides.get(name, "new") for name in names]


def file_of(table: pd.DataFrame, what: str, suffix: str) -> bytes:
    """The table as Parquet, or as NumPy's arrays path, label, side, group and features; both say
    what it is (`about`)."""
    buffer = io.BytesIO()
    if suffix == ".npz":
        np.savez_compressed(
            buffer,
            path=_texts(table["path"]),
            label=_texts(table["label"]),
            side=_texts(table["side"]),
            group=table["group"].to_numpy(),
            features=table.filter(regex=r"^f\d+$").to_numpy(np.float32),
            about=np.array(what),
        )
        return buffer.getvalue()
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrow = pa.Table.from_pandas(table, preserve_index=False)
    about = {**(arrow.schema.metadata or {}), b"about": what.encode()}
    pq.write_table(arrow.replace_schema_metadata(about), buffer)
    return buffer.getvalue()


def _texts(column: pd.Series[str]) -> NDArray[np.str_]:
    return np.array(column.tolist(), dtype=np.str_)


def counts_of(table: pd.DataFrame) -> dict[str, int]:
    """Rows by side."""
    return dict(sorted(Counter(table["side"].tolist()).items()))
