"""What a user may set about the encoder, checked on reading."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)

from augsearch.simclr.encoders.custom import EncoderFile
from augsearch.space.yaml_file import without_defaults

SMALL_RESNET, CUSTOM = "small_resnet", "custom"
SCRATCH, PRETRAINED = "none", "pretrained"
WEIGHT_FILES = (".safetensors", ".pth", ".pt", ".tar", ".bin", ".ckpt")

LATER = ("weights", "file", "code", "frozen_stages", "statistics", "mean", "std")


class EncoderConfig(BaseModel):
    """Which network turns an image into features `h`, and what it starts from."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: str = Field(
        default=SMALL_RESNET,
        description="small_resnet, torchvision/<classifier>, timm/<model>, or custom (see file)",
    )
    weights: str = Field(
        default=SCRATCH,
        description="what it starts from: none (random numbers), pretrained (what torchvision or "
        "timm offer, downloaded once) or a file, .safetensors or .pth, beside this one; its "
        "classifier is dropped and its first convolution adapted to the images' channels",
    )
    file: str | None = Field(
        default=None,
        description="custom: the Python file that defines the encoder, `my_net.py`, or "
        "`my_net.py:name` where it defines several",
    )
    code: str = Field(
        default="",
        description="custom: digest of the Python file, filled in when this file is read; a file "
        "with another digest is refused",
    )
    frozen_stages: int = Field(
        default=0,
        ge=0,
        description="parts of the network, from the input on, that stay as the weights are: 1 is "
        "the stem, 2 the first stage as well, and so on",
    )
    statistics: Literal["adapt", "keep"] = Field(
        default="adapt",
        description="batch norm of pretrained weights: adapt takes statistics of each batch and "
        "learns their mean, keep goes by those that came with the weights",
    )
    mean: tuple[float, ...] = Field(
        default=(),
        description="of each channel, pixels in [0, 1], in the training that the weights come "
        "from; if left out, what the library says of its own weights",
    )
    std: tuple[float, ...] = Field(default=(), description="the standard deviation to `mean`")
    width: int = Field(
        default=16, ge=4, le=512, description="small_resnet: channels of the first stage"
    )
    stages: int = Field(
        default=3,
        ge=1,
        le=5,
        description="small_resnet: residual blocks, each after the first at half the resolution "
        "and twice the channels",
    )
    stem: Literal["conv", "stride2", "patch4"] = Field(
        default="stride2",
        description="small_resnet: first convolution, 3x3 stride 1 (conv), 3x3 stride 2 (stride2, "
        "about a quarter of the cost) or 4x4 stride 4 (patch4, cheapest)",
    )

    @field_validator("weights")
    @classmethod
    def _weights_are_there(cls, weights: str, info: ValidationInfo) -> str:
        if weights in (SCRATCH, PRETRAINED):
            return weights
        path = (_directory(info) / weights).absolute()
        if info.context is not None and not path.is_file():
            raise ValueError(f"there is no file {path}; want none, pretrained or a file of weights")
        if path.suffix.lower() not in WEIGHT_FILES:
            raise ValueError(
                f"{weights!r}: want none, pretrained or a file ({', '.join(WEIGHT_FILES)})"
            )
        return str(path)

    @field_validator("file")
    @classmethod
    def _file_is_there(cls, file: str | None, info: ValidationInfo) -> str | None:
        if file is None:
            return None
        return str(EncoderFile.parse(file, _directory(info), must_exist=info.context is not None))

    @field_validator("mean", "std", mode="before")
    @classmethod
    def _one_number_is_a_list(cls, numbers: object) -> object:
        return (numbers,) if isinstance(numbers, int | float) else numbers

    @model_validator(mode="after")
    def _parts_belong_together(self) -> Self:
        if (self.name == CUSTOM) != (self.file is not None):
            raise ValueError(
                f"name {CUSTOM} and file belong together: `{{name: {CUSTOM}, file: my_net.py}}`"
            )
        if self.name != SMALL_RESNET:
            self._only_with_others(("width", "stages", "stem"), f"shapes {SMALL_RESNET} only")
        if not self.is_pretrained:
            of_weights = ("frozen_stages", "statistics", "mean", "std")
            self._only_with_others(of_weights, "is about weights that it starts from")
        if self.encoder_file is not None and not self.code and self.encoder_file.path.is_file():
            object.__setattr__(self, "code", self.encoder_file.digest)
        if len(self.mean) != len(self.std) or any(deviation <= 0 for deviation in self.std):
            raise ValueError("mean and std: want as many numbers of each, deviations above 0")
        return self

    def _only_with_others(self, fields: tuple[str, ...], why: str) -> None:
        for field in fields:
            if getattr(self, field) != type(self).model_fields[field].default:
                raise ValueError(
                    f"{field} {why}; leave it out for {self.name}, weights {self.weights}"
                )

    @property
    def is_pretrained(self) -> bool:
        """Whether it starts from weights."""
        return self.weights != SCRATCH

    @property
    def weights_file(self) -> Path | None:
        """The user's own file of weights."""
        return None if self.weights in (SCRATCH, PRETRAINED) else Path(self.weights)

    @property
    def encoder_file(self) -> EncoderFile | None:
        """The user's own file that defines the network."""
        return None if self.file is None else EncoderFile.parse(self.file, None, must_exist=False)

    @property
    def called(self) -> str:
        """The network, for people."""
        return self.name if self.encoder_file is None else self.encoder_file.path.name

    @property
    def files(self) -> dict[str, str]:
        """Where what it names lies; empty for what this program or a library brings along."""
        found = {"file": self.file, "weights": self.weights if self.weights_file else None}
        return {key: path for key, path in found.items() if path is not None}

    def deciding(self) -> dict[str, Any]:
        """What decides the network: wherever its files lie. The digest of weights is not in it."""
        return self.model_dump(mode="json") | dict.fromkeys(self.files, "file")

    @model_serializer(mode="wrap")
    def _without_later_defaults(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return without_defaults(self, dump(self), LATER)


def _directory(info: ValidationInfo) -> Path:
    return (info.context or {}).get("directory") or Path()
