"""What a preview is asked for, and what of it that means: a policy, images, a baseline."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from augsearch.augment.baselines import BASELINES
from augsearch.data.config import DataConfig
from augsearch.errors import ConfigError, StudyError
from augsearch.search.preview.sheet import USUAL_BASELINE
from augsearch.space.points import middle_policy
from augsearch.space.policy import Policy, load_policy
from augsearch.space.space import Space, load_space
from augsearch.space.view_options import Executor
from augsearch.store.stored import find_study, stored_config
from augsearch.study.source import EMBEDDED

IMAGE_SIZE = 96


@dataclass(frozen=True)
class PreviewRequest:
    """What a user asks for; the attributes are the arguments of `write_preview`."""

    policy: str | Path | Policy | None
    data: str | Path | None
    output: Path
    image_size: int | None
    seed: int
    space: str | Path | Space | None
    study: str | None
    baseline: str | None
    storage: str


@dataclass(frozen=True)
class Previewed:
    """What a preview shows.

    Attributes:
        space: whose operations are shown alone; None for those of the policy.
        data: where the images are; None for embedded ones.
        config: how they are decoded.
    """

    policy: Policy
    baseline: Policy
    space: Space | None
    data: str | Path | None
    config: DataConfig
    executor: Executor


def resolve(request: PreviewRequest) -> Previewed:
    """What is meant by the names in a request.

    Raises:
        ConfigError: an unknown name, or none or two for what to show.
        StudyError: no such study, one without a verdict, or its images have moved.
    """
    baseline = _baseline(request.baseline or USUAL_BASELINE)
    space = request.space
    if space is not None and not isinstance(space, Space):
        space = load_space(space)
    if request.study is not None:
        if request.policy is not None or space is not None:
            raise ConfigError(
                f"the study {request.study!r} has a policy of its own; leave out --policy and "
                "--space, or the study's name"
            )
        return _of_study(request, request.study, baseline)
    if request.policy is not None:
        named = request.policy
        policy = named if isinstance(named, Policy) else load_policy(named)
    elif space is not None:
        policy = middle_policy(space)
    else:
        raise ConfigError("name what to show: a finished study, --policy FILE or --space SPACE")
    config = DataConfig(image_size=request.image_size or IMAGE_SIZE)
    return Previewed(policy, baseline, space, request.data, config, "auto")


def _baseline(name: str) -> Policy:
    """The published policy of that name, in whatever case.

    Raises:
        ConfigError: there is none.
    """
    known = {known.casefold(): policy for known, policy in BASELINES.items()}
    if name.casefold() in known:
        return known[name.casefold()]
    close = difflib.get_close_matches(name.casefold(), known, n=1)
    hint = f"did you mean {known[close[0]].name!r}? " if close else ""
    there = ", ".join(repr(each) for each in BASELINES)
    raise ConfigError(f"--baseline {name}: there is no such baseline; {hint}there are: {there}")


def _of_study(request: PreviewRequest, name: str, baseline: Policy) -> Previewed:
    """The winner of a finished study on its images, unless the request names others, beside the
    baseline that did best in its confirmation, unless the request names one.

    Raises:
        StudyError: no such study, one without a verdict, or its images have moved.
    """
    store = find_study(request.storage, name)
    if store.kept.is_ablation:
        raise StudyError(f"{name!r} holds ablations, not a search, and so has no winner to show")
    winner = store.kept.winner
    if winner is None:
        raise StudyError(
            f"the study {name!r} has no verdict yet; let `augsearch run` finish it, or name a "
            "--policy or a --space"
        )
    try:
        config, source = stored_config(store), str(store.kept.asked["data"])
    except (ValidationError, KeyError):
        raise StudyError(
            f"the study {name!r} was made by another version of augsearch; name its policy.yaml "
            "with --policy"
        ) from None
    data = request.data
    if data is None and source != EMBEDDED:
        if not Path(source).exists():
            raise StudyError(
                f"the images of the study {name!r} are not at {source} any more; name them with "
                "--data"
            )
        data = source
    baselines = (p for p in store.kept.result.get("policies", ()) if p["kind"] == "baseline")
    best = max(baselines, key=lambda p: p["confirmed_mean"] or 0.0, default={"name": ""})["name"]
    if request.baseline is None and best in BASELINES:
        baseline = BASELINES[best]
    size = request.image_size or config.data.side
    decoded = config.data.model_copy(update={"image_size": size})
    return Previewed(winner, baseline, None, data, decoded, config.compute.executor)
