"""The run that a long training has in MLflow, whatever the verb."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from augsearch.finetuning.classifier import Classifier, ItsImages
from augsearch.finetuning.result import AS_THEY_ARE
from augsearch.pretraining.pool import Pool
from augsearch.space.policy import Policy, load_policy
from augsearch.study.source import Source
from augsearch.tracking.live import LiveRun
from augsearch.tracking.tracker import DataReference


# Everything that a run shows comes in here.
def shown_run(
    kind: str,
    *,
    directory: Path,
    identity: Mapping[str, str],
    policy: Policy,
    study: str | None,
    pool: Pool,
    source: Source,
    params: Mapping[str, str | float],
    warn: Callable[[str], None],
) -> LiveRun:
    """A run that has not begun.

    Args:
        kind: such as `pretraining`.
        directory: where the training writes; with `identity` it is what a run is found again by.
        study: name of the study that it goes back to.
        pool: the images that are learnt from.
        params: what it has beside the policy.
        warn: told once if MLflow cannot be reached.
    """
    told = json.dumps([dict(identity), str(directory.resolve())])
    images = pool.images
    return LiveRun(
        key=f"{kind}/{hashlib.sha256(told.encode()).hexdigest()[:16]}",
        name=directory.name,
        params={
            "kind": kind,
            "study": study or "",
            "data": images.name,
            "image_size": images.image_size,
            **params,
            **policy.flatten(),
        },
        tags={
            "augsearch.kind": kind,
            "augsearch.policy": policy.name,
            "augsearch.policy_digest": policy.digest,
            **({"augsearch.from_study": study} if study else {}),
        },
        data=DataReference(
            name=images.name,
            digest=pool.digest[:36],
            source=source.name,
            profile={"images": len(images), "classes": len(images.classes), "side": "pool"},
        ),
        warn=warn,
    )


def run_of_classifier(
    kind: str,
    classifier: Classifier,
    images: ItsImages,
    directory: Path,
    identity: Mapping[str, str],
    warn: Callable[[str], None],
) -> LiveRun:
    """A run, not begun, of what is made of a classifier; see `shown_run`."""
    plain = classifier.found.plain
    return shown_run(
        kind,
        directory=directory,
        identity=identity,
        policy=AS_THEY_ARE if plain else load_policy(classifier.directory / "policy.yaml"),
        study=classifier.found.study,
        pool=images.pool,
        source=images.source,
        params={"encoder": classifier.found.encoder, "classifier": classifier.directory.name},
        warn=warn,
    )
