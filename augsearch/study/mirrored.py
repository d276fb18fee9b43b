"""A study's place in its tracking server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from augsearch.progress import Progress
from augsearch.store.listing import stored_at
from augsearch.study.setup import Setup
from augsearch.study_file import StudyConfig
from augsearch.tracking.mirror import Mirror
from augsearch.tracking.tracker import DataReference
from augsearch.tracking.upkeep import DATA_TAG, DIGITS_TAG


def mirror_of(setup: Setup, progress: Progress) -> Mirror:
    """The study's place in MLflow."""
    image_set = setup.image_set
    return Mirror(
        study=setup.name,
        params=params_of(
            setup.config,
            space=setup.space.name,
            study_file=setup.study_file,
            data=image_set.name,
            seed=setup.seed,
            facts=setup.start_facts,
            image_size=image_set.image_size,
        ),
        data=DataReference(
            name=image_set.name,
            digest=image_set.digest,
            source=setup.source.stored_as,
            profile=profile_of(setup.data_facts),
        ),
        warn=progress.warn,
        tags=tags_of(setup),
        identity=lambda: _identity(setup),
    )


def _identity(setup: Setup) -> str:
    store = stored_at(setup.storage, setup.name)
    return "" if store is None else store.kept.identity


def profile_of(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What MLflow shows of images beside their name, digest and source."""
    return {name: fact for name, fact in facts.items() if name not in ("name", "digest", "source")}


def params_of(
    config: StudyConfig,
    *,
    space: str,
    study_file: str,
    data: str,
    seed: int,
    facts: Mapping[str, str],
    image_size: int,
) -> dict[str, str | float]:
    """What people compare studies by."""
    return {
        "kind": "study",
        "space": space,
        "study_file": study_file,
        "data": data,
        "seed": str(seed),
        "encoder": config.encoder.called,
        **facts,
        "steps": str(config.pretrain.steps),
        "image_size": str(image_size),
        "metric": config.evaluate.measured,
    }


def tags_of(setup: Setup) -> dict[str, str]:
    """What tells the study from another of its name."""
    return identity_tags(setup.space.digest, setup.image_set.digest, setup.digits)


def identity_tags(space: str, data: str, digits: str) -> dict[str, str]:
    """The same from digests; those that are not known are left out."""
    tags = {"augsearch.space_digest": space, DATA_TAG: data, DIGITS_TAG: digits}
    return {tag: value for tag, value in tags.items() if value}
