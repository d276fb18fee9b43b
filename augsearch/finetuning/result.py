"""What a fine-tuning ends with: `finetune.json`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from augsearch.files import Written
from augsearch.notebook import Card
from augsearch.space.policy import Policy
from augsearch.words import counted, interval, percent

AS_THEY_ARE = Policy(name="images as they are", ops=())
RESULT_FILE, MODEL_FILE, CONFIG_FILE = "finetune.json", "model.safetensors", "config.json"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Part(_Part):
    """A share of images, in [0, 1], with its 95 % interval for other images of the kind."""

    value: float = Field(description="as it was seen")
    low: float = Field(description="lower end")
    high: float = Field(description="upper end")
    of: int = Field(description="images that it is a share of")


class Loss(_Part):
    """Share of pictures, in [-1, 1], that are no longer right less those that are so now."""

    value: float = Field(description="as it was seen")
    high: float = Field(description="upper end of its one-sided 95 % interval")
    of: int = Field(description="pictures")


class Limit(_Part):
    """A threshold for the share of defects that is missed, found with labelled images that were
    not learnt from. A defect is a part, all images of which share a group; it counts as missed if
    one of its images is called good."""

    good: str = Field(description="the class without a defect")
    miss_rate: float = Field(description="what was asked for")
    threshold: float = Field(
        description="an image is stopped if one less its probability of `good` is at least this"
    )
    expected: float = Field(description="share of new defects that is missed, on average")
    low: float = Field(description="lower end of what this very threshold misses")
    high: float = Field(description="upper end")
    defects: int = Field(description="parts that it was found with")


class Sealed(_Part):
    """What the classifier is worth on images that took no part in its training."""

    images: int = Field(description="labelled pictures")
    accuracy: Part = Field(description="share that is right")
    balanced_accuracy: float = Field(description="mean recall over classes")
    recall: dict[str, Part] = Field(description="of each class: the share that is found")
    confusion: tuple[tuple[int, ...], ...] = Field(
        description="pictures by true class (rows) and guessed class, in the order of `classes`"
    )
    calibration_error_before: float = Field(description="as the networks say it, in [0, 1]")
    calibration_error: float = Field(description="at the temperature, in [0, 1]")
    uses: int = Field(
        default=1,
        description="how often some of these images have judged by now, whatever looked at them; "
        "the more often, the less it means to be the best",
    )
    missed: Part | None = Field(default=None, description="defects called good, by the threshold")
    missed_parts: Part | None = Field(
        default=None,
        description="parts (groups of images) with a defect that is called good, by the threshold: "
        "what `limit` foresees",
    )
    false_alarms: Part | None = Field(default=None, description="good ones that are stopped by it")
    missed_by_class: Part | None = Field(
        default=None, description="defects called good where the likeliest class decides"
    )
    false_alarms_by_class: Part | None = Field(
        default=None, description="good ones called a defect where the likeliest class decides"
    )


class Finetuned(Written):
    """A classifier and what is known of it. `.files` says where its files are."""

    schema_version: Literal[1] = Field(default=1, description="version of this file's form")
    name: str = Field(description="of its directory")
    study: str | None = Field(default=None, description="the study that it goes back to")
    data: str | None = Field(
        default=None, description="where its images were; null if an older version wrote this"
    )
    start: str = Field(description="what the encoder began with")
    taught_by: str | None = Field(
        default=None,
        description="the classifier that a student learnt from, and what that began with",
    )
    policy: str = Field(description="name of the policy that labelled images were seen through")
    views: dict[str, float] = Field(
        default={},
        description="mean recall on held-out folds of networks that see labelled images as they "
        "are and through the policy, by name, where that decided; else empty",
    )
    encoder: str = Field(description="the network, by the name that its library has for it")
    mode: Literal["whole", "linear"] = Field(description="whether the encoder learnt")
    image_size: int = Field(description="side of the images in pixels")
    channels: int = Field(description="of the images")
    mean: tuple[float, ...] = Field(description="of each channel, pixels in [0, 1]")
    std: tuple[float, ...] = Field(description="the standard deviation to `mean`")
    classes: tuple[str, ...] = Field(description="in the order of the outputs")
    labels: dict[str, int] = Field(description="labelled pictures that it learnt from, by class")
    combined: Literal["single", "soup", "ensemble"] = Field(
        description="one network, the mean of several, or several of which the mean is taken"
    )
    networks: int = Field(description="that are asked")
    held_out: dict[str, float] = Field(
        description="mean recall of each way to combine on held-out folds; empty without folds"
    )
    temperature: float | None = Field(
        default=None, description="that calibrates the probabilities; null without folds"
    )
    limit: Limit | None = Field(default=None, description="the threshold, if one was asked for")
    sealed: Sealed | None = Field(
        default=None, description="its worth; null where no sealed image is there"
    )
    identity: dict[str, str] = Field(description="digests that make it this fine-tuning")
    seconds: float = Field(description="of training in this call")

    @property
    def plain(self) -> bool:
        """Whether labelled images are seen as they are."""
        return self.policy == AS_THEY_ARE.name

    @property
    def seen(self) -> str:
        """How labelled images are seen, as in: they are seen ..."""
        return "as they are" if self.plain else f"through {self.policy}"

    def card(self) -> Card:
        """What a notebook shows: its worth, in all and of each class."""
        title = f"{self.name}: {self.encoder}, {sum(self.labels.values())} labels"
        if self.sealed is None:
            return Card(title, self._where())
        score = f"balanced accuracy {percent(self.sealed.balanced_accuracy)} %"
        rows = tuple(
            (name, percent(part.value), interval((part.low, part.high)))
            for name, part in self.sealed.recall.items()
        )
        said = f"{title}; {score} on {counted(self.sealed.images, 'sealed image')}"
        return Card(said, self._where(), ("class", "found, %", "95 % interval"), rows)
