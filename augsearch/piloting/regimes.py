"""What encoders begin with in a pilot, each with the images at the size at which it sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from augsearch.data.imageset import ImageSet
from augsearch.errors import ConfigError, DataError
from augsearch.piloting.request import PilotRequest
from augsearch.piloting.ways import Begin
from augsearch.pretraining.pool import Pool, sealed_of
from augsearch.pretraining.prepare import given_images, sealed_off
from augsearch.pretraining.recipe import Recipe
from augsearch.progress import Progress, Quiet
from augsearch.simclr.config import PretrainConfig
from augsearch.simclr.encoders.config import PRETRAINED, SCRATCH, EncoderConfig
from augsearch.simclr.encoders.start import load_start
from augsearch.study.prepare import check_own_encoder
from augsearch.study.source import Source
from augsearch.study_file import RATE_FROM_WEIGHTS, StudyConfig


@dataclass(frozen=True)
class Regime:
    """What an encoder begins with, and the images at the size at which it sees them.

    Attributes:
        config: its `encoder` begins so.
        pool: what may be learnt from.
        sealed: the labelled images that judge; rows are those of every other regime.
        weights: digest of what it begins with.
    """

    config: StudyConfig
    pool: Pool
    sealed: ImageSet
    weights: str


def say_rates(regimes: Mapping[Begin, Regime], progress: Progress) -> None:
    """Where encoders that begin differently are pretrained at different rates."""
    rates = {begin: one.config.pretrain.learning_rate for begin, one in regimes.items()}
    if len(set(rates.values())) > 1:
        said = " and ".join(f"{rate:g} from {begin}" for begin, rate in rates.items())
        progress.note(f"peak learning rates of the pretrainings: {said}")


def from_nothing(config: StudyConfig) -> StudyConfig:
    """The settings with an encoder that begins from random numbers."""
    random = {"weights": SCRATCH, "frozen_stages": 0, "statistics": "adapt", "mean": (), "std": ()}
    return beginning(config, config.encoder.model_copy(update=random))


def beginning(config: StudyConfig, encoder: EncoderConfig) -> StudyConfig:
    """The settings with an encoder that begins otherwise, and the learning rate that goes with it
    where the optimiser is the usual one."""
    pretrain = config.pretrain
    if encoder.is_pretrained != config.encoder.is_pretrained and pretrain.optimizer == "adamw":
        usual = PretrainConfig().learning_rate
        rate = RATE_FROM_WEIGHTS if encoder.is_pretrained else usual
        pretrain = pretrain.model_copy(update={"learning_rate": rate})
    return config.model_copy(update={"encoder": encoder, "pretrain": pretrain})


def weights_of(config: StudyConfig, request: PilotRequest) -> EncoderConfig | None:
    """The encoder that begins with weights; None if there is none."""
    asked = None if request.weights is None else str(request.weights)
    if asked == SCRATCH:
        return None
    encoder = config.encoder if config.encoder.is_pretrained else config.pilot.weights
    if asked is None:
        return encoder
    begins = encoder or config.encoder
    return begins.model_copy(
        update={"weights": asked if asked == PRETRAINED else str(Path(asked).absolute())}
    )


def with_weights(
    config: StudyConfig,
    request: PilotRequest,
    recipe: Recipe,
    own: Regime,
    source: Source,
    progress: Progress,
) -> Regime:
    """The same images as encoders with weights see them."""
    size = config.pilot.weights_image_size
    check_own_encoder(config, own.pool.images)
    if size is not None and size != own.pool.images.image_size:
        if isinstance(request.data, ImageSet):
            raise ConfigError(
                f"pilot.weights_image_size {size}: images that are given as arrays have a size; "
                "name their folder"
            )
        config = config.model_copy(
            update={"data": config.data.model_copy(update={"image_size": size})}
        )
        quiet = Quiet()
        image_set, _ = given_images(request.data, source, config, quiet)
        before = recipe.study.before if recipe.study else None
        pool = sealed_off(image_set, source, config, before, request.storage, quiet)
        sealed, _ = sealed_of(image_set, pool)
        if (pool.images.paths, sealed.paths) != (own.pool.images.paths, own.sealed.paths):
            raise DataError(
                f"pilot.weights_image_size {size}: the pictures are cut into other tiles at that "
                "size, so that nothing can be compared; leave it out, or use another data.fit"
            )
    else:
        pool, sealed = own.pool, own.sealed
    start = load_start(config.encoder, pool.images.channels, pool.images.image_size)
    assert start is not None
    for sentence in start.notes:
        progress.note(sentence)
    return Regime(config, pool, sealed, start.digest[:12])
