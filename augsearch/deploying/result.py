"""What a deployment ends with: `deploy.json`, the manifest beside the model files."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from augsearch.files import Written
from augsearch.finetuning.result import Limit, Loss

RESULT_FILE = "deploy.json"
FormatName = Literal["onnx", "fp16", "int8", "openvino", "torch"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Input(_Part):
    """What the line feeds: `images`, `[N, H, W, C]` bytes, pictures of one size a batch."""

    channels: tuple[int, ...] = Field(description="C may be one of these")
    smallest: int = Field(description="pixels that the shorter side must have at the least")
    fit: Literal["crop", "squash", "pad", "tile"] = Field(
        description="how a picture becomes the network's square, inside the graph"
    )
    size: int = Field(description="side of that square in pixels")
    window: tuple[float, float] | None = Field(
        default=None,
        description="values that become 0 and 255 where the camera gives more than 8 bits, before "
        "the graph",
    )
    bands: tuple[int, ...] | None = Field(
        default=None, description="bands of the file that are the channels, counted from 1"
    )


class Speed(_Part):
    """Milliseconds for one picture, bytes in and decision out."""

    p50: float = Field(description="median")
    p95: float = Field(description="95th percentile")


class Format(_Part):
    """The classifier in one form."""

    name: FormatName = Field(description="of the form")
    files: tuple[str, ...] = Field(default=(), description="that belong together; none if refused")
    bytes: int = Field(default=0, description="of all of them")
    digest: str = Field(default="", description="SHA-256 of the first file")
    changed: int | None = Field(
        default=None, description="judged pictures whose decision is not the network's in torch"
    )
    loss: Loss | None = Field(default=None, description="over all judged pictures")
    loss_by_class: dict[str, Loss] = Field(default={}, description="over those of each class")
    loss_by_threshold: dict[str, Loss] = Field(
        default={},
        description="of right decisions by the threshold: `all`, `good` pictures that pass and "
        "`defects` that are stopped; empty without one",
    )
    one_core: Speed | None = Field(default=None, description="on one core")
    all_cores: Speed | None = Field(default=None, description="on all of them")
    refused: str | None = Field(default=None, description="why there is no such file")


class Checked(_Part):
    """The graph from the cameras' bytes, on pictures as their files hold them."""

    side: Literal["sealed", "pool"] = Field(description="of the seal, on which they lie")
    pictures: int = Field(description="how many")
    as_in_torch: int = Field(description="decisions that ONNX Runtime changes: 0")
    as_finetuned: int = Field(
        description="decisions that differ from those at fine-tuning, where Pillow decoded and "
        "reduced the files"
    )


class Deployed(Written):
    """A classifier for the line. `.files` says where its files are."""

    schema_version: Literal[1] = Field(default=1, description="version of this file's form")
    name: str = Field(description="of its directory")
    classifier: str = Field(description="the directory that it was made from")
    encoder: str = Field(description="the network, by the name that its library has for it")
    networks: int = Field(description="that are asked")
    classes: tuple[str, ...] = Field(description="in the order of the probabilities")
    temperature: float | None = Field(description="that is in the graph")
    limit: Limit | None = Field(default=None, description="the threshold that is in the graph")
    input: Input = Field(description="what the graph takes")
    outputs: tuple[str, ...] = Field(
        description="probabilities [N, classes], guess [N] and, with a threshold, stopped [N]"
    )
    opset: int = Field(description="of ONNX")
    formats: tuple[Format, ...] = Field(description="as asked for")
    checked: Checked = Field(description="against torch, from a camera's bytes on")
    judged: dict[str, int] = Field(
        description="pictures of each class that judge smaller forms: sealed ones and those of the "
        "pool whose labels were not learnt from"
    )
    uses: int = Field(
        description="how often some of the sealed images have judged by now, whatever looked at "
        "them; 0 without any"
    )
    calibrated_on: int = Field(description="pictures of the pool that gave INT8 its ranges")
    picture: tuple[int, int, int] = Field(description="height, width, channels of the timed one")
    machine: str = Field(description="on which it was timed")
    cores: int = Field(description="of it that were used")
    versions: dict[str, str] = Field(description="of what made and ran the files")
    licence: str = Field(description="what is known of the weights'")
    identity: dict[str, str] = Field(description="digests that make it this deployment")
