"""A study's place in its tracking server."""

from __future__ import annotations

from augsearch.progress import Progress
from augsearch.study.setup import Setup
from augsearch.tracking.mirror import Mirror
from augsearch.tracking.tracker import DataReference
from augsearch.tracking.upkeep import DATA_TAG, DIGITS_TAG


def mirror_of(setup: Setup, progress: Progress) -> Mirror:
    """The study's place in MLflow."""
    image_set = setup.image_set
    return Mirror(
        study=setup.name,
        params={
            "kind": "study",
            "space": setup.space.name,
            "study_file": setup.study_file,
            "data": image_set.name,
            "seed": str(setup.seed),
            "encoder": setup.config.encoder.called,
            **setup.start_facts,
            "steps": str(setup.config.pretrain.steps),
            "image_size": str(image_set.image_size),
            "metric": setup.config.evaluate.measured,
        },
        data=DataReference(
            name=image_set.name,
            digest=image_set.digest,
            source=setup.source.name,
            profile=setup.data_facts,
        ),
        warn=progress.warn,
        tags=tags_of(setup),
    )


def tags_of(setup: Setup) -> dict[str, str]:
    """What tells the study from another of its name."""
    return {
        "augsearch.space_digest": setup.space.digest,
        DATA_TAG: setup.image_set.digest,
        DIGITS_TAG: setup.digits,
    }
