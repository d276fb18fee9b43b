"""The result of a study: what `result.json` holds."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from augsearch.errors import StudyError
from augsearch.files import Written
from augsearch.notebook import Card
from augsearch.search.confirm.also import Supervised
from augsearch.search.confirm.classes import ClassChanges, KeptClasses
from augsearch.search.confirm.verdict import Verdict
from augsearch.search.result.proxies import ProxyAudit
from augsearch.space.policy import Policy, load_policy
from augsearch.words import interval, percent

LEVEL = 0.95
PACKAGES = ("augsearch", "torch", "torchvision", "kornia", "optuna", "mlflow", "scikit-learn")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PolicyResult(_Part):
    """How one policy did."""

    name: str = Field(
        description="`trial N`, a baseline's name, `untrained encoder` or `frozen "
        "pretrained encoder`"
    )
    kind: Literal["candidate", "baseline", "floor"] = Field(description="what it is")
    digest: str | None = Field(
        description="digest of the policy; null for an encoder without training"
    )
    search_score: float | None = Field(description="score in the search, on validation images")
    confirmed_scores: tuple[float, ...] = Field(
        description="score of each fresh seed on the sealed test split; empty if not confirmed"
    )
    confirmed_mean: float | None = Field(description="mean of confirmed_scores")
    confirmed_interval: tuple[float, float] | None = Field(
        description="t-based 95 % interval of that mean for other seeds on the same test images"
    )
    images_interval: tuple[float, float] | None = Field(
        default=None,
        description="the same for other seeds and other test images: how sure the score itself is. "
        "Differences of policies are surer, as all are scored on the same images. Null where the "
        "score is not a mean over images",
    )
    class_recall: dict[str, float] = Field(
        description="mean recall of each class over the confirmed seeds, else in the search"
    )

    @property
    def interval(self) -> tuple[float, float] | None:
        """How sure the confirmed score is: for other test images, too, where that is known."""
        return self.images_interval or self.confirmed_interval


class FrontPolicy(_Part):
    """A trial that none of the others beats in every aim."""

    name: str = Field(description="`trial N`")
    digest: str = Field(description="digest of the policy")
    values: dict[str, float] = Field(description="aim -> value in the search, the score in full")


class StudyResult(Written):
    """The result of a study, as in `result.json`."""

    _policy: Policy | None = PrivateAttr(default=None)

    schema_version: Literal[1] = Field(default=1, description="version of this file's form")
    scoring: int = Field(
        default=1,
        description="how runs were scored; 1: by an older version, each seed with the same labels",
    )
    study: str = Field(description="the study's name")
    verdict: Verdict = Field(description="the answer, in words and numbers")
    metric: str = Field(description="what all scores are, in [0, 1]")
    policies: tuple[PolicyResult, ...] = Field(description="best confirmed policy first")
    proxies: ProxyAudit | None = Field(
        default=None,
        description="how label-free scores go with the probe over the trials; null where there are "
        "too few finished trials or no labels",
    )
    front: tuple[FrontPolicy, ...] = Field(
        default=(),
        description="with two aims: the trials that none beats in both, best score first",
    )
    classes: ClassChanges | None = Field(
        default=None,
        description="which classes gain and lose; null without labels, or if an older version "
        "judged",
    )
    kept_classes: KeptClasses | None = Field(
        default=None, description="with search.class_loss: what the recommended policy costs"
    )
    supervised: Supervised | None = Field(
        default=None,
        description="with confirm.also: the policies where labels train the encoder; null if that "
        "was not asked for or not possible",
    )
    trials: dict[str, int] = Field(description="how many trials completed, were pruned, failed")
    seed: int = Field(description="the study's seed")
    confirmation_seeds: tuple[int, ...] = Field(description="replicates used in confirmation")
    digests: dict[str, str] = Field(description="of the policy, space, study file and data")
    sealed_split_uses: int = Field(
        description="looks at some of these sealed images by studies of this storage: one for each "
        "study, and one each time that more trials were confirmed"
    )
    data: dict[str, str | int] = Field(description="name, source, images, classes, split sizes")
    seconds: dict[str, float] = Field(description="compute time of each phase, over all sittings")
    device: str = Field(description="where training ran")
    versions: dict[str, str] = Field(description="of Python and the packages that matter")
    ahead: dict[str, float] = Field(
        default={},
        description="expected seconds of what comes next, by verb, at the pace of the trials",
    )
    command: str = Field(description="the command that repeats this study")

    @property
    def policy(self) -> Policy:
        """The recommended policy, as in `policy.yaml`.

        Raises:
            StudyError: the result was read without it.
        """
        if self._policy is None:
            raise StudyError(
                f"the result of {self.study!r} was read without its policy; read both with "
                "load_result(DIRECTORY)"
            )
        return self._policy

    def card(self) -> Card:
        """What a notebook shows: verdict, advice, scores."""
        rows = tuple(
            (p.name, percent(p.confirmed_mean) or "not confirmed", interval(p.interval))
            for p in self.policies
        )
        verdict = self.verdict
        return Card(
            f"{self.study}: {verdict.badge}. {verdict.sentence}",
            (verdict.advice, *self._where()),
            ("policy", f"{self.metric.replace('_', ' ')}, %", "95 % interval"),
            rows,
        )

    def written(
        self, directory: Path, names: Iterable[str], policy: Policy | None = None
    ) -> StudyResult:
        """The same, with where its files are and the policy that is in them."""
        found = super().written(directory, names)
        found._policy = policy
        return found


def load_result(directory: str | Path) -> StudyResult:
    """Read what a study has written into `directory`, such as `runs/NAME`, its policy included.

    Raises:
        StudyError: no study has written its result there, or one of another version.
        ConfigError: the policy's file cannot be read.
    """
    place = Path(directory)
    try:
        text = (place / "result.json").read_text(encoding="utf-8")
        result = StudyResult.model_validate_json(text)
    except OSError:
        raise StudyError(
            f"{place}: no finished study has written its result here; name a directory such as "
            "runs/NAME"
        ) from None
    except ValueError:  # another form, or no text
        raise StudyError(
            f"{place}: another version of augsearch wrote result.json, or it is damaged"
        ) from None
    policy = load_policy(place / "policy.yaml")
    if policy.digest != result.digests["policy"]:
        raise StudyError(f"{place}: policy.yaml is not the policy that result.json recommends")
    names = sorted(path.name for path in place.iterdir() if path.is_file())
    return result.written(place, [name for name in names if not name.startswith(".")], policy)


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that a score depends on."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
