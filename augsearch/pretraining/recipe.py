"""Which policy, which settings and which study a full pretraining goes back to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from augsearch.augment.baselines import BASELINES
from augsearch.data.cache import default_cache_dir
from augsearch.errors import ConfigError, StudyError
from augsearch.pretraining.pool import KnownSplit, read_split
from augsearch.pretraining.request import PretrainRequest
from augsearch.space.policy import Policy, load_policy
from augsearch.space.presets import preset_names
from augsearch.store.stored import find_study, stored_config
from augsearch.study.source import Source
from augsearch.study_file import StudyConfig, load_study_config
from augsearch.tracking.client import quiet_mlflow, tracking_uri
from augsearch.tracking.registry import download_policy

REGISTRY = "models:/"
SPLIT_FILE = "split.csv"
FILE_SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(frozen=True)
class FinishedStudy:
    """What a finished study hands on.

    Attributes:
        name: of the study.
        winner: the policy that it recommends.
        config: what it was run with.
        source: where its images were.
        split: how it split its images; None where its table is gone.
        verdict: its verdict in a sentence, with what to do.
        baseline: name of the published policy that its confirmation put first; None for none.
        seconds: of computing that it took, over all its processes.
    """

    name: str
    winner: Policy
    config: StudyConfig
    source: Source
    split: KnownSplit | None
    verdict: str
    baseline: str | None
    seconds: float

    @property
    def before(self) -> Before:
        return Before(f"the study {self.name!r}", self.source, self.split)


@dataclass(frozen=True)
class Before:
    """What split the images before: their source, and which of them it sealed.

    Attributes:
        name: for people.
        split: None where its table is gone.
    """

    name: str
    source: Source
    split: KnownSplit | None


@dataclass(frozen=True)
class Recipe:
    """What is trained with which settings; `study` is where they come from, if from one.

    Attributes:
        policy_source: the policy, as the user named it.
        settings_source: the settings, as the user named them.
    """

    policy: Policy
    policy_source: str
    config: StudyConfig
    settings_source: str
    study: FinishedStudy | None


def find_recipe(request: PretrainRequest) -> Recipe:
    """Resolve the policy and the settings.

    Raises:
        ConfigError, StudyError: what is missing or wrong, in one line.
    """
    study = None
    if isinstance(request.study, StudyConfig):
        config, settings = request.study, request.study.name
    elif request.study is None:
        config, settings = None, ""
    elif not names_study(request.study):
        config, settings = load_study_config(request.study), str(request.study)
    else:
        study = finished_study(request.storage, str(request.study))
        config, settings = study.config, f"study {study.name}"
    policy, policy_source, by_policy = _policy(request, study)
    study = study or by_policy
    if config is None:
        config, settings = (
            (study.config, f"study {study.name}")
            if study
            else (load_study_config("standard"), "standard")
        )
    return Recipe(policy, policy_source, config, settings, study)


def _policy(
    request: PretrainRequest, study: FinishedStudy | None
) -> tuple[Policy, str, FinishedStudy | None]:
    """The policy, what the user calls it, and the study that it is the winner of, if it was named
    by that."""
    asked = request.policy
    if asked is None:
        if study is None:
            raise ConfigError(
                "which policy? name a file (--policy policy.yaml), a version in MLflow's registry "
                f"({REGISTRY}NAME/VERSION), a finished study, or a baseline "
                f"({', '.join(BASELINES)})"
            )
        return study.winner, f"study {study.name}", study
    if isinstance(asked, Policy):
        return asked, asked.name, None
    text = str(asked)
    if text.startswith(REGISTRY):
        quiet_mlflow()
        digest = hashlib.sha256(f"{tracking_uri()} {text}".encode()).hexdigest()[:12]
        path = download_policy(text, default_cache_dir() / "registry" / digest)
        return load_policy(path), text, None
    if Path(asked).suffix.lower() in FILE_SUFFIXES or Path(asked).is_file():
        return load_policy(asked), text, None
    known = {name.casefold(): policy for name, policy in BASELINES.items()}
    if text.casefold() in known:
        return known[text.casefold()], text, None
    named = finished_study(request.storage, text)
    return named.winner, f"study {named.name}", named


def names_study(study: str | Path | StudyConfig | None) -> bool:
    """Whether that is to be a finished study, and not settings."""
    if study is None or isinstance(study, StudyConfig):
        return False
    path = Path(study)
    return not (
        path.suffix.lower() in FILE_SUFFIXES
        or path.is_file()
        or str(study) in preset_names("studies")
    )


def finished_study(storage: str, name: str) -> FinishedStudy:
    """What a finished study hands on.

    Raises:
        StudyError: no such study, one without a verdict, or one from another version.
    """
    try:
        store = find_study(storage, name)
    except StudyError as error:
        raise StudyError(
            f"{error}; name a finished study, or a file ({', '.join(FILE_SUFFIXES)})"
        ) from None
    name = store.name
    winner = store.kept.winner
    if winner is None:
        raise StudyError(
            f"the study {name!r} has no verdict yet; let `augsearch run` finish it, or name a "
            "policy file"
        )
    asked = store.kept.asked
    try:
        config, source = stored_config(store), Source.stored(asked["data"])
    except (ValidationError, KeyError):
        raise StudyError(
            f"the study {name!r} was made by another version of augsearch; name its policy.yaml "
            "with --policy and a study file with --study"
        ) from None
    directory = Path(asked["output"] or Path(asked.get("directory", ".")) / "runs" / name)
    split = read_split(directory / SPLIT_FILE)
    if split is not None:
        marks = frozenset(store.kept.sealed or ())
        split = replace(split, sealed=marks, whole=asked["subset"] is None)
    result = store.kept.result
    advice = result.get("verdict", {}).get("advice", "")
    policies = result.get("policies", ())  # best confirmed first
    return FinishedStudy(
        name=name,
        winner=winner,
        config=_as_seen(config, winner),
        source=source,
        split=split,
        verdict=f"{store.kept.verdict} {advice}".strip(),
        baseline=next((one["name"] for one in policies if one["kind"] == "baseline"), None),
        seconds=sum(result.get("seconds", {}).values()),
    )


def _as_seen(config: StudyConfig, winner: Policy) -> StudyConfig:
    """The settings with what the study found out about all of its images, the sealed ones too."""
    found = winner.found_on
    if found is None:
        return config
    known: dict[str, object] = {"image_size": found.image_size}
    if config.data.channels == "auto" and len(found.mean) in (1, 3):
        known["channels"] = "grey" if len(found.mean) == 1 else "colour"
    if config.data.window == "auto" and found.window is not None:
        known["window"] = found.window
    return config.model_copy(update={"data": config.data.model_copy(update=known)})
