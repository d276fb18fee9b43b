"""What an explanation ends with: `explain.json`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from augsearch.explaining.maps.attribution import Method
from augsearch.files import Written
from augsearch.finetuning.result import Part

RESULT_FILE = "explain.json"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Check(_Part):
    """Whether the maps of a method say what the answers come from. Chance is a half for the first
    two shares, one in five for the third."""

    method: Method
    holds: Part = Field(
        description="share of decisions whose score falls more where the fifth of the image that "
        "the map names is covered than where as much is covered elsewhere"
    )
    learnt: Part = Field(
        description="share whose score falls more than by what maps of shuffled networks name"
    )
    explains: Part = Field(
        description="share whose score falls further than those of all shuffled networks do, by "
        "maps of their own answers"
    )
    warnings: tuple[str, ...] = Field(description="which of these is not shown; empty if all are")

    @property
    def passed(self) -> bool:
        return not self.warnings


class Pointed(_Part):
    """A map of one decision, tested. Falls are of the logarithm of the class's probability."""

    method: Method
    falls: float = Field(description="where what the map names is covered")
    elsewhere: float = Field(description="the median of the places elsewhere")
    beats: float = Field(description="share of the places elsewhere that matter less")


class Neighbour(_Part):
    """A labelled image that was learnt from, near a decision's in feature space."""

    path: str
    label: str
    similarity: float = Field(description="cosine of the features, at most 1")


class Decision(_Part):
    """A sealed image and why it is called what it is."""

    path: str
    label: str
    guess: str
    confidence: float = Field(description="calibrated probability of the guess")
    maps: tuple[Pointed, ...]
    nearest: tuple[Neighbour, ...]

    @property
    def right(self) -> bool:
        return self.label == self.guess


class Unsure(_Part):
    """An image whose label was not learnt from, and which the classifier is least sure of."""

    path: str
    guess: str
    confidence: float
    second: str = Field(description="the next likely class")
    entropy: float = Field(description="of the calibrated probabilities, as a share of the highest")


class Suspect(_Part):
    """An image whose label may be wrong."""

    path: str
    side: Literal["pool", "sealed"]
    label: str
    instead: str = Field(description="what it may be")
    confidence: float = Field(description="of `instead`, by networks that did not learn this label")
    own: float = Field(description="probability of its label")
    neighbours: int = Field(description="of the nearest labelled images, those with its label")
    of: int = Field(description="nearest labelled images")
    reason: str


class Explained(Written):
    """Why a classifier says what it says, and where it and its labels are in doubt. `.files` says
    where its files are."""

    schema_version: Literal[1] = Field(default=1, description="version of this file's form")
    name: str = Field(description="of its directory")
    classifier: str = Field(description="the directory that holds it")
    data: str = Field(description="the images")
    classes: tuple[str, ...] = Field(description="in the order of the outputs")
    sealed: int = Field(description="sealed pictures")
    wrong: int = Field(description="of them, taken for another class")
    uses: int = Field(description="how often some of the sealed images have been looked at by now")
    layer: str = Field(description="that Grad-CAM looks at; empty without Grad-CAM")
    notes: tuple[str, ...] = Field(description="what could not be done, and why")
    checks: tuple[Check, ...]
    decisions: tuple[Decision, ...] = Field(description="wrong ones first, the surest first")
    spread: float = Field(description="share of the features' variance that the map of PCA shows")
    umap: bool = Field(description="whether there is a map by UMAP as well")
    doubtful: int = Field(description="pool images, not learnt from, that `unsure` is chosen of")
    unsure: tuple[Unsure, ...] = Field(description="least sure first, one of each group")
    judged: int = Field(description="labelled images that `suspects` are found among")
    suspects: tuple[Suspect, ...] = Field(description="the most doubtful label first")
    identity: dict[str, str] = Field(description="digests that make it this explanation")
    seconds: float = Field(description="of computing")
