"""Recommended policies in MLflow's model registry: one model for a study, one version a policy.

What MLflow has decides, as in the mirror: a policy that has a version keeps it, and what a broken
connection left half-made is deleted and made again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from augsearch.errors import ConfigError

if TYPE_CHECKING:  # it needs torch, which `augsearch ui` should not wait for
    from augsearch.tracking.policy_model import PolicyModel

ALIAS = "recommended"
STUDY_TAG, DIGEST_TAG = "augsearch.study", "policy_digest"
SECONDS_TO_BE_READY = 30


@dataclass(frozen=True)
class Registration:
    """A version as the registry should show it.

    Attributes:
        about: of the registered model, for people.
        describe: Markdown of the version, from its URI.
        recommended: whether the alias `recommended` comes to point here.
    """

    study: str
    model: PolicyModel
    about: str
    describe: Callable[[str], str]
    tags: Mapping[str, str]
    metrics: Mapping[str, float]
    recommended: bool


@dataclass(frozen=True)
class Removed:
    """What of a study was deleted in the registry, and versions kept for another's alias."""

    versions: int
    kept: tuple[str, ...]


def registered_name(study: str) -> str:
    """The registered model of a study. The prefix keeps it apart from a team's own models."""
    return f"augsearch.{study}"


def register(client: Any, run: Any, wanted: Registration) -> None:
    """Give the policy its version, or bring the one that it has up to date.

    Args:
        client, run: MLflow's client, and the study's run there.

    Raises:
        ConfigError: the policy cannot be exported.
        mlflow.exceptions.MlflowException: and whatever else MLflow raises.
    """
    name, policy = registered_name(wanted.study), wanted.model.policy
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name, {STUDY_TAG: wanted.study}, wanted.about)
    versions = _versions(client, wanted.study)
    for model in _models(client, run.info.experiment_id, wanted.study):
        if model.artifact_location not in {version.source for version in versions}:
            client.delete_logged_model(model.model_id)
    found = [version for version in versions if version.tags.get(DIGEST_TAG) == policy.digest]
    version = found[0].version if found else _create(client, run, name, wanted)
    client.update_model_version(name, version, wanted.describe(f"models:/{name}/{version}"))
    for tag, value in _all_tags(wanted).items():
        client.set_model_version_tag(name, version, tag, value)
    if wanted.recommended:
        client.set_registered_model_alias(name, ALIAS, version)


def _all_tags(wanted: Registration) -> dict[str, str]:
    policy = wanted.model.policy
    return {**wanted.tags, DIGEST_TAG: policy.digest, STUDY_TAG: wanted.study}


def _versions(client: Any, study: str) -> list[Any]:
    """The study's versions; somebody else's under the same name are left alone."""
    found = client.search_model_versions(f"name = '{registered_name(study)}'")
    return [version for version in found if version.tags.get(STUDY_TAG) == study]


def _models(client: Any, experiment: str, study: str) -> list[Any]:
    """The logged models behind a study's versions; one that is behind none was left half-made."""
    return list(client.search_logged_models([experiment], f"tags.`{STUDY_TAG}` = '{study}'"))


def _create(client: Any, run: Any, name: str, wanted: Registration) -> str:
    """A new version, its model an output of the study's run; the version's number."""
    from mlflow.entities import LoggedModelOutput
    from mlflow.utils.mlflow_tags import MLFLOW_MODEL_VERSIONS

    policy, run_id = wanted.model.policy, run.info.run_id
    model = client.create_logged_model(
        run.info.experiment_id,
        name="policy",
        source_run_id=run_id,
        tags=_all_tags(wanted),
        params={key: str(value)[:6000] for key, value in policy.flatten().items()},
    )
    with TemporaryDirectory() as temporary:
        directory = Path(temporary) / "model"
        wanted.model.save(directory, model.model_id, run_id)
        client.log_model_artifacts(model.model_id, str(directory))
    client.finalize_logged_model(model.model_id, "READY")
    client.log_outputs(run_id, [LoggedModelOutput(model.model_id, step=0)])
    for metric, value in wanted.metrics.items():
        client.log_metric(run_id, metric, value, model_id=model.model_id)
    made = client.create_model_version(
        name,
        # "models:/<id>" would be looked up in MLflow's global store. It is also the only link from
        # the version to its model that a database keeps.
        source=model.artifact_location,
        run_id=run_id,
        model_id=model.model_id,
        tags=_all_tags(wanted),
        await_creation_for=SECONDS_TO_BE_READY,
    )
    # A server does this itself, a database does not.
    named = json.dumps([{"name": name, "version": made.version}])
    client.set_logged_model_tags(model.model_id, {MLFLOW_MODEL_VERSIONS: named})
    return str(made.version)


def download_policy(uri: str, into: Path) -> Path:
    """The `policy.yaml` of a version in the registry, fetched with the files that it names.

    Args:
        uri: `models:/NAME/VERSION` or `models:/NAME@ALIAS`.
        into: a directory, made if need be.

    Raises:
        ConfigError: MLflow cannot be reached, knows no such version, or it holds no policy.
    """
    from mlflow.artifacts import download_artifacts

    from augsearch.tracking.client import in_words, tracking_uri, unreachable

    store = tracking_uri()
    try:
        into.mkdir(parents=True, exist_ok=True)
        fetched = download_artifacts(
            f"{uri}/artifacts", dst_path=str(into), tracking_uri=store, registry_uri=store
        )
    except unreachable() as error:
        raise ConfigError(f"{uri}: {in_words(error)}") from None
    path = Path(fetched) / "policy.yaml"
    if not path.is_file():
        raise ConfigError(f"{uri}: holds no policy.yaml; name a version that augsearch registered")
    return path


def unregister(client: Any, experiment: str, study: str) -> Removed:
    """Delete a study's versions, and its registered model once that is empty.

    A version that somebody gave an alias of their own is in use, and stays with its model.
    """
    name = registered_name(study)
    versions = _versions(client, study)
    if not versions:
        return Removed(0, ())
    aliases = client.get_registered_model(name).aliases
    in_use = {str(version) for alias, version in aliases.items() if alias != ALIAS}
    kept = [version for version in versions if str(version.version) in in_use]
    for version in versions:
        if version not in kept:
            client.delete_model_version(name, version.version)
    for model in _models(client, experiment, study):
        if model.artifact_location not in {version.source for version in kept}:
            client.delete_logged_model(model.model_id)
    if not client.search_model_versions(f"name = '{name}'"):
        client.delete_registered_model(name)
    return Removed(len(versions) - len(kept), tuple(f"models:/{name}/{v.version}" for v in kept))
