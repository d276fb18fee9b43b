"""How image files become pixels: the `data` section of a study."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from augsearch.space.yaml_file import without_defaults

LATER = ("window", "near_duplicates", "bands")
"""Fields that are not written at their default, so that older digests and stored studies hold."""


class DataConfig(BaseModel):
    """How every image file is brought to one size and one number of channels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    image_size: Annotated[int, Field(ge=8, le=1024)] | Literal["auto"] = Field(
        default=32,
        description="Side of the square images that the encoder sees, in pixels; auto: the "
        "smallest of 32, 48, 64, 96, 128 and 224 at which the classes can still be told, which is "
        "measured before the study.",
    )
    fit: Literal["crop", "squash", "pad", "tile"] = Field(
        default="crop",
        description=(
            "How a picture of another shape becomes a square. crop: resize the short side to "
            "image_size and keep the centre. squash: resize both sides, whatever the aspect. "
            "pad: resize the long side to image_size and mirror the picture into the rest, so that "
            "nothing is cut off. "
            "tile: cut the picture at its own resolution into squares of image_size; all tiles of "
            "a picture share its label and its group, a rest at the borders is left out."
        ),
    )
    channels: Literal["auto", "grey", "colour"] = Field(
        default="auto",
        description=(
            "Channels of the images. auto: grey if every picture is grey (colour files with three "
            "equal channels count as grey), colour otherwise; files of two or of more than three "
            "bands keep them, each a channel."
        ),
    )
    window: Literal["auto"] | tuple[float, float] = Field(
        default="auto",
        description=(
            "Which values of files of more than 8 bits a channel are black and white: [low, high], "
            "or auto, which finds them from all such files together. Files of 8 bits stay as they "
            "are."
        ),
    )
    bands: tuple[Annotated[int, Field(ge=1)], ...] | None = Field(
        default=None,
        min_length=1,
        description=(
            "Which bands of TIFF files are the channels, counted from 1, such as [3, 2, 1] for "
            "colour from a satellite whose first three are blue, green and red; if left out, all. "
            "Three named bands are taken for red, green and blue, on which colour operations act."
        ),
    )
    near_duplicates: Literal["report", "group", "ignore"] = Field(
        default="report",
        description=(
            "What happens to pictures that are nearly the same, such as one saved again as JPEG or "
            "under another exposure. report: they are counted. group: they share a group, so that "
            "they never lie on both sides of a split. ignore: nothing is said. Pictures of exactly "
            "the same pixels always share a group."
        ),
    )

    @property
    def side(self) -> int:
        """`image_size` where it has been settled.

        Raises:
            ValueError: it is auto.
        """
        if self.image_size == "auto":
            raise ValueError("the image size has not been chosen yet")
        return self.image_size

    @model_validator(mode="after")
    def _tiles_have_a_size(self) -> Self:
        if self.image_size == "auto" and self.fit == "tile":
            raise ValueError(
                "image_size: auto compares pictures that are reduced, and fit: tile reduces none; "
                "say how large tiles are"
            )
        return self

    @field_validator("bands")
    @classmethod
    def _each_band_once(cls, bands: tuple[int, ...] | None) -> tuple[int, ...] | None:
        if bands is not None and len(set(bands)) < len(bands):
            raise ValueError(f"{list(bands)}: name each band once")
        return bands

    @field_validator("window", mode="before")
    @classmethod
    def _low_below_high(cls, window: object) -> object:
        if window == "auto":
            return window
        numbers = window if isinstance(window, list | tuple) else ()
        fits = len(numbers) == 2 and all(type(number) in (int, float) for number in numbers)
        if not fits or not 0 < numbers[1] - numbers[0] < math.inf:
            raise ValueError(f"{window!r}: want auto, or [black, white], the lower number first")
        return window

    @model_serializer(mode="wrap")
    def _without_later_defaults(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return without_defaults(self, dump(self), LATER)
