"""What a pilot ends with: `pilot.json`. Scores and shares lie in [0, 1]."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from augsearch.files import Written
from augsearch.space.policy import Policy

RESULT_FILE = "pilot.json"
SCRATCH, BEST, BASELINE = "scratch", "best", "baseline"
Answer = Literal["pretrain", "not_shown", "do_not_pretrain", "measures_nothing"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Estimated(_Part):
    """A mean over seeds with its 95 % interval for other seeds, labels and test images."""

    mean: float = Field(description="over the seeds")
    low: float = Field(description="lower end")
    high: float = Field(description="upper end")


class CurvePoint(_Part):
    """A way at a number of labels."""

    labels: int = Field(description="of each class")
    score: Estimated = Field(description="mean recall over classes")
    missed: Estimated | None = Field(
        default=None, description="defects called good; null where no class is named as good"
    )
    false_alarms: Estimated | None = Field(
        default=None, description="good ones called a defect; null as above"
    )
    seconds: float = Field(description="that a classifier took to train, mean over seeds")


class Curve(_Part):
    """A way from images and labels to a classifier."""

    way: str = Field(description="its key")
    title: str = Field(description="for people")
    begins: Literal["nothing", "weights"] = Field(description="what the encoder begins with")
    simclr: str | None = Field(description="policy of the pretraining on these images, or null")
    points: tuple[CurvePoint, ...] = Field(description="the fewest labels first")
    search_hours: float = Field(description="of computing for the policy, if it was searched here")
    simclr_hours: float = Field(description="of computing for one pretraining")


class SameScore(_Part):
    """Labels of each class at which others reach a score, with a 95 % interval. 0: fewer than were
    tried; null: more than were tried."""

    labels: float | None = Field(description="at which the curve of the others reaches it")
    low: float | None = Field(description="lower end")
    high: float | None = Field(description="upper end")


class Gain(_Part):
    """What a way with a pretraining gives at a number of labels, against something else."""

    way: str = Field(description="key of the way")
    against: Literal["scratch", "best", "baseline"] = Field(
        description="labels alone from nothing; whichever way without a pretraining is best; or "
        "the same pretraining under the published policy"
    )
    labels: int = Field(description="of each class")
    gained: Estimated = Field(description="accuracy gained at equal labels")
    same: SameScore = Field(description="labels that the others need for the same score")
    shown: bool | None = Field(
        description="against the best: whether the gain is shown, all ways and numbers of labels "
        "taken together (Holm, 2.5 % on one side); null against others"
    )


class Recommendation(_Part):
    """What to do, and why."""

    answer: Answer = Field(description="the kind of it")
    way: str = Field(description="key of the way that is recommended")
    title: str = Field(description="in a few words")
    reason: str = Field(description="in sentences")
    findings: tuple[str, ...] = Field(description="what else was found")


class Pilot(Written):
    """A finished pilot. `.files` says where its files are."""

    schema_version: Literal[1] = Field(default=1, description="version of this file's form")
    name: str = Field(description="of its directory")
    study: str | None = Field(description="the study that policy or settings come from")
    policy: Policy = Field(description="the found policy")
    policy_source: str = Field(description="where it comes from")
    baseline: str | None = Field(description="the published policy beside it; null if it is that")
    data: str = Field(description="name of the images")
    digest: str = Field(description="of the images that were learnt from")
    classes: tuple[str, ...] = Field(description="of the images")
    good: str | None = Field(description="the class without a defect, if one is named")
    images: int = Field(description="that may be learnt from")
    sealed: int = Field(description="labelled pictures that judge")
    uses: int = Field(description="how often some of these have judged by now")
    encoder: str = Field(description="the network from nothing")
    weights: str | None = Field(description="the network that begins with weights, or null")
    image_size: int = Field(description="side of its images in pixels")
    weights_image_size: int | None = Field(description="of those of the network with weights")
    steps: int = Field(description="optimiser steps of a pretraining")
    labels: tuple[int, ...] = Field(description="labels of each class that were tried")
    seeds: int = Field(description="times that everything was done anew")
    curves: tuple[Curve, ...] = Field(description="all ways")
    gains: tuple[Gain, ...] = Field(description="of the ways with a pretraining")
    recommendation: Recommendation = Field(description="what to do")
    label_seconds: float = Field(description="that a label takes a person")
    label_rate: float | None = Field(description="money for an hour of labelling, or null")
    machine_rate: float | None = Field(description="money for an hour of the machine, or null")
    currency: str = Field(description="of the rates")
    device: str = Field(description="where training ran")
    at_once: int = Field(description="processes that trained at once")
    identity: dict[str, str] = Field(description="digests that make it this pilot")

    def _title(self) -> str:
        return f"{self.name}: {self.recommendation.title}"

    def _lines(self) -> tuple[str, ...]:
        return (self.recommendation.reason,)

    def curve(self, way: str) -> Curve:
        """The curve of that key. KeyError if it has none."""
        return {one.way: one for one in self.curves}[way]
