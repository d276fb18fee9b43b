"""What a full pretraining ends with: `pretrain.json`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from augsearch.files import Written
from augsearch.space.policy import Policy
from augsearch.words import counted, percent

RESULT_FILE, MODEL_FILE, CONFIG_FILE = "pretrain.json", "model.safetensors", "config.json"


class Look(BaseModel):
    """The encoder on the way, as validation images see it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: int = Field(description="optimiser steps done")
    loss: float | None = Field(
        default=None,
        description="mean loss since the look before: NT-Xent, or from a teacher 1 less the "
        "cosine; null at step 0",
    )
    probe: float | None = Field(
        default=None, description="few-label probe, in [0, 1]; null without labels"
    )
    knn: float | None = Field(
        default=None, description="nearest neighbours, in [0, 1]; null without labels"
    )


class Pretrained(Written):
    """A finished pretraining. `.files` says where its files are."""

    schema_version: Literal[1] = Field(default=1, description="version of this file's form")
    name: str = Field(description="of its directory")
    study: str | None = Field(
        default=None, description="the study that policy or settings come from"
    )
    policy: Policy = Field(description="what views were made with")
    taught_by: str | None = Field(
        default=None, description="the encoder whose features were learnt; null for SimCLR"
    )
    data: str = Field(description="where its images were")
    encoder: str = Field(description="the network, by the name that its library has for it")
    feature_dim: int = Field(description="length of a feature")
    image_size: int = Field(description="side of the images in pixels")
    channels: int = Field(description="of the images")
    mean: tuple[float, ...] = Field(description="of each channel, pixels in [0, 1]")
    std: tuple[float, ...] = Field(description="the standard deviation to `mean`")
    window: tuple[float, float] | None = Field(
        default=None, description="values shown as black and white in files of more than 8 bits"
    )
    steps: int = Field(description="optimiser steps done")
    stopped_early: bool = Field(description="whether the probe had stopped to gain")
    taken_from: int = Field(description="the step whose encoder was kept")
    batch_size: int = Field(description="images a step, of all processes")
    processes: int = Field(description="how many trained together, at the end")
    seed: int = Field(description="of everything random")
    images: int = Field(description="of the pool, all that it was trained on")
    identity: dict[str, str] = Field(description="digests that make it this pretraining")
    looks: tuple[Look, ...] = Field(description="the encoder on the way")
    metric: str = Field(description="what probe and knn are")
    seconds: float = Field(description="of training, looks and checkpoints left out")
    images_per_second: float = Field(description="images through a step, two views each")

    def _title(self) -> str:
        return (
            f"{self.name}: {self.encoder}, {counted(self.steps, 'step')} under {self.policy.name}"
        )

    def _lines(self) -> tuple[str, ...]:
        look = next((look for look in self.looks if look.step == self.taken_from), None)
        if look is None or look.probe is None:
            return ()
        return (f"Probe on validation images: {percent(look.probe)} %",)
